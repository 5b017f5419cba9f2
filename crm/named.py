"""What is read only when it is asked for, because reading it takes seconds: «module:name»."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def read(where: str) -> Any:
    """What stands under a name in a module."""
    module, name = where.split(":")
    return getattr(import_module(module), name)
