"""Pages of saved lists, tags, acts on many people, columns and files."""
