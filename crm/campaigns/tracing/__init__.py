"""Finding a message, and all that is known of what became of it, in plain words."""
