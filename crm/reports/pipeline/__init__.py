"""How people move on the way to taking part: stages, steps, time in stage, refusals, and who stays."""
