"""Whether two records are one person: what speaks for it, what against, and where to look."""
