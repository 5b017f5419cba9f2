"""Sharing a target out."""
