"""What may be texted, when, at what cost, and what we believe came of it."""
