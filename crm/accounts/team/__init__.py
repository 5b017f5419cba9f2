"""The volunteers of one's own unit, invited by whoever leads it."""
