"""Counting what is asked of the database."""

from tests.outreach.conftest import statements

__all__ = ["statements"]
