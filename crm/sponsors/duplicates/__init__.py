"""Sponsors who registered twice: found, made one, and told apart again."""
