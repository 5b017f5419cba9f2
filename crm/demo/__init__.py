"""A believable town to try everything in."""
