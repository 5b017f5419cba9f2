"""What taking part brings one person, for other programs."""
