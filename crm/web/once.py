"""What several parts of one page ask for is read once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from flask import g

Answer = TypeVar("Answer")


def once(name: Hashable, read: Callable[[], Answer]) -> Answer:
    """The answer of this request under `name`; for pages that only show, not for what is about to change."""
    answers: dict[Hashable, object] = g.setdefault("asked_once", {})
    if name not in answers:
        answers[name] = read()
    return cast(Answer, answers[name])
