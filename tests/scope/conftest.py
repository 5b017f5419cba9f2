"""The small town, and ways to ask the program as one of its people."""

from tests.scope.settled import app, asker, settled, town

__all__ = ["app", "asker", "settled", "town"]
