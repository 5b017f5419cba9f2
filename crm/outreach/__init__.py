"""Who looks after whom, and every conversation at a door, by phone or at a meeting."""
