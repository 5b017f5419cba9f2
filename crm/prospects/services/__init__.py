"""What may be done with people, one file for each kind of act."""
