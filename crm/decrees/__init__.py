"""Decrees: a change of the law as one act, who it concerns and by how much, and what places add of their own."""
