"""Whose help ends, and who hears of it."""
