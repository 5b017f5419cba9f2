"""What may be done with households."""
