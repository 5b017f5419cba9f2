"""Refusals that a person takes, and lists of them."""
