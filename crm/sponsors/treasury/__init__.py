"""The treasurer's first page: where the money is, what waits for a decision, and whose help ends."""
