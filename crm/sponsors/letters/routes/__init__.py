"""The pages: a sponsor's own, everybody's, and what the office does for a sponsor."""
