"""Acts on lists: saving them, tagging, changing many people at once, and taking them away as a file."""
