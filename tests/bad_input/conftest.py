"""The small town again, and ways to send what nobody should."""

from __future__ import annotations

import pytest

from tests.bad_input.sending import Sender
from tests.scope.asking import Asker
from tests.scope.settled import app, asker, settled, town

__all__ = ["app", "asker", "settled", "town"]


@pytest.fixture
def sender(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> Sender:
    return Sender(asker, monkeypatch)
