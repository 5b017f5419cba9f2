"""The plan's number, rate and denominator, kept apart as the three facts they are."""
