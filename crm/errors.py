"""What may be refused, in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

    @property
    def each(self) -> Sequence[RuleBroken]:
        """Everything that is refused, one by one."""
        return (self,)


class RulesBroken(RuleBroken):
    """Several rules refuse an act at once, each with its own field."""

    def __init__(self, refusals: Sequence[RuleBroken]) -> None:
        super().__init__(refusals[0].message, code=refusals[0].code)
        self.refusals = refusals

    def __str__(self) -> str:
        return " ".join(str(one) for one in self.refusals)

    @property
    def each(self) -> Sequence[RuleBroken]:
        return self.refusals


class Refusals:
    """Lets several rules speak before an act is refused, so that a person hears all of it at once."""

    def __init__(self) -> None:
        self.found: list[RuleBroken] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Go on after what is refused here; a field is told one thing at a time. A Conflict is no mistake in what was
        given: it ends the act."""
        try:
            yield
        except Conflict:
            raise
        except RuleBroken as refusal:
            self.found += [one for one in refusal.each if not (one.field and self.at(one.field))]

    def at(self, *fields: str) -> bool:
        """Whether anything is refused at one of these fields."""
        return any(one.field in fields for one in self.found)

    def raise_all(self) -> None:
        """Raise what was refused, if anything was."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise RulesBroken(tuple(self.found))


class NotFound(Exception):
    """There is no such thing, or this person may not see it: the answer is the same."""


class Conflict(RuleBroken):
    """The act lost against what someone else did, or would repeat what is there; `details` says with what."""

    def __init__(self, message: Any, *, code: str = "conflict", **details: Any) -> None:
        super().__init__(message, code=code)
        self.details = details
