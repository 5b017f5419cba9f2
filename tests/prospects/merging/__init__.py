"""Two records that are one person."""
