"""The small town of each test, and ways to ask the program as one of its people."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import Make
from tests.scope.asking import Asker
from tests.scope.town import SmallTown


@pytest.fixture
def town(make: Make) -> SmallTown:
    return SmallTown(make)


@pytest.fixture
def asker(app: Flask, town: SmallTown) -> Asker:
    return Asker(app, town)
