"""Taking in lists of people: read in the background, looked at by a person, kept, and undone."""
