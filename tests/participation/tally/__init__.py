"""The sums of how the stock moved."""
