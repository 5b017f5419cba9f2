"""What may be refused, in words a person can act on."""

from __future__ import annotations

from typing import Any


class RuleBroken(Exception):
    """An act that the rules refuse. The message is for the person who tried: what is wrong and what to do.

    `field` names the input it is about, when it is about one; `code` is stable for other programs.
    """

    def __init__(self, message: Any, *, field: str | None = None, code: str = "rule_broken") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code

    def __str__(self) -> str:
        return str(self.message)


class NotFound(Exception):
    """There is no such thing, or this person may not see it: the answer is the same."""


class Conflict(RuleBroken):
    """The act lost against what someone else did, or would repeat what is there; `details` says with what."""

    def __init__(self, message: Any, *, code: str = "conflict", **details: Any) -> None:
        super().__init__(message, code=code)
        self.details = details
