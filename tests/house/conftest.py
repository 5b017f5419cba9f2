"""What the rules of the house ask: the sources, and the program as it is put together."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.bare import bare


@pytest.fixture(scope="session")
def program() -> Flask:
    """The program without a database, which none of these rules needs."""
    return bare()
