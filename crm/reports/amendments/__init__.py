"""Proposals to amend policy, written in the field, sorted by the Front and sent upward."""
