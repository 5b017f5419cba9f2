"""Whom to fund."""
