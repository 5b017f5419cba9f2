"""Sponsors and their money."""
