"""People and households we hope will join."""
