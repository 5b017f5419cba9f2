"""The treasurer's first page."""
