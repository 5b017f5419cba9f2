"""Lists of people: what they are narrowed to, saved, chosen columns, tags, acts on many at once, and files to take away."""
