"""Lists D05-TS: what stands in one while it is gathered, and what was handed in."""
