"""A work package on paper: house by house, with what to say and boxes to tick."""
