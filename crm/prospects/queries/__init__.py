"""Questions about people, one file for each kind."""
