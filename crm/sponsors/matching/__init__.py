"""Whom to fund: the proposal of who gets which months from which sponsor, and what the treasurer makes of it."""
