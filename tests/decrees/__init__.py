"""Decrees, as an administrator meets them."""
