"""The calculator of somebody on record, with what is known filled in."""
