"""What became of a campaign: how far it is, what it cost, and what followed."""
