"""What official reports ask: the figures of a period, and the reports there are."""
