"""Households: who lives together, who is the head, and the one certificate they have as a whole."""
