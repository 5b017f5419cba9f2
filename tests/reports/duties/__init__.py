"""The duties of the plan: taken over once, done with evidence, late ones told."""
