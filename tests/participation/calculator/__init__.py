"""The calculator of somebody on record."""
