"""The small town again, and ways to send what nobody should."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.bad_input.sending import Sender
from tests.factories import Make
from tests.scope.asking import Asker
from tests.scope.town import SmallTown


@pytest.fixture
def town(make: Make) -> SmallTown:
    return SmallTown(make)


@pytest.fixture
def asker(app: Flask, town: SmallTown) -> Asker:
    return Asker(app, town)


@pytest.fixture
def sender(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> Sender:
    return Sender(asker, monkeypatch)
