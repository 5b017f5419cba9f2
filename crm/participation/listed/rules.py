"""What a listed payment is beside what is on record: the same, a new one, or something to decide. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.money import Vnd
from crm.months import Month

AMOUNTS = ("total", "own", "state", "local", "other")
"""The columns of form D05-TS: Tongtien = TienTudong + TienHotro (NSNN) + TienNSDP + TienHotroKhac."""
AMOUNT_NAMES: Mapping[str, Any] = {
    "total": _l("Premium"),
    "own": _l("The person"),
    "state": _l("The State"),
    "local": _l("The place"),
    "other": _l("Others"),
}


class Verdict(StrEnum):
    """What a listed payment is, or what was decided of it."""

    AGREES = "agrees"
    NEW = "new"
    DIFFERS = "differs"
    ACCEPTED = "accepted"
    RECORDED = "recorded"
    LEFT = "left"


VERDICTS: Mapping[Verdict, Any] = {
    Verdict.AGREES: _l("Agrees with what is on record"),
    Verdict.NEW: _l("New, and just as the law has it"),
    Verdict.DIFFERS: _l("To be decided"),
    Verdict.ACCEPTED: _l("Being recorded"),
    Verdict.RECORDED: _l("Recorded"),
    Verdict.LEFT: _l("Left as it was"),
}
OPEN = (Verdict.NEW, Verdict.DIFFERS)


class Why(StrEnum):
    """Why a listed payment has to be looked at."""

    AMOUNTS = "amounts"
    OVERLAP = "overlap"
    LEFT_SINCE = "left_since"
    OTHER_PERSON = "other_person"
    REFUSED = "refused"
    SUMS = "sums"


WHY: Mapping[Why, Any] = {
    Why.AMOUNTS: _l("The amounts are not ours."),
    Why.OVERLAP: _l("Some of these months are paid by another payment."),
    Why.LEFT_SINCE: _l("Paid ahead once and then not needed; the list does not say whether it was paid anew."),
    Why.OTHER_PERSON: _l("The receipt number stands with another person's payment."),
    Why.REFUSED: _l("It cannot be recorded as it stands."),
    Why.SUMS: _l("The parts on the list do not sum to its total."),
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """A payment's layers, đồng; None is what nobody said."""

    total: Vnd | None = None
    own: Vnd | None = None
    state: Vnd | None = None
    local: Vnd | None = None
    other: Vnd | None = None

    def as_json(self) -> dict[str, Vnd]:
        """What was said, by name."""
        return {name: value for name in AMOUNTS if (value := getattr(self, name)) is not None}

    @property
    def adds_up(self) -> bool:
        """Whether the parts that are named sum to the total; a part that is not named may be the rest."""
        parts: list[Vnd | None] = [getattr(self, name) for name in AMOUNTS[1:]]
        named = sum(part for part in parts if part is not None)
        if self.total is None:
            return True
        return named == self.total if None not in parts else named <= self.total


@dataclass(frozen=True, slots=True)
class Said:
    """What a row of the list says of a payment."""

    start: Month
    months: int
    amounts: Amounts
    paid_on: date | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """A payment on record."""

    id: UUID
    start: Month
    months: int
    amounts: Amounts
    left_on: date | None = None
    """When the person left within it: its months from `counts` on were paid for in vain and may be paid anew."""
    counts: int | None = None
    """How many of its months count, where not all do."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a row is, why, the payment on record it speaks of, and the amounts on our side."""

    verdict: Verdict
    why: tuple[Why, ...] = ()
    payment_id: UUID | None = None
    ours: Amounts | None = None


def differing(said: Amounts, ours: Amounts) -> tuple[str, ...]:
    """The amounts that the list names otherwise than we do."""
    return tuple(
        name
        for name in AMOUNTS
        if getattr(said, name) is not None and getattr(said, name) != (getattr(ours, name) or 0)
    )


def judge(
    said: Said, on_record: Sequence[Ours], paid: Collection[Month], quoted: Amounts | None, *, taken_elsewhere: bool
) -> Judged:
    """Compare a row with the person's payments that stand, the months they paid, and what the law of its day asks.

    `quoted` is None where the law of that day refuses to say; `taken_elsewhere`: its receipt number is another person's.
    """
    sums = () if said.amounts.adds_up else (Why.SUMS,)
    same = next((one for one in on_record if _may_be(said, one)), None)
    if same:
        amounts = (Why.AMOUNTS,) if differing(said.amounts, same.amounts) else ()
        unsure = (Why.LEFT_SINCE,) if same.left_on and not said.paid_on else ()
        why = (*sums, *amounts, *unsure)
        return Judged(Verdict.DIFFERS if why else Verdict.AGREES, why, same.id, same.amounts)
    overlap = next((one for one in on_record if _meet(said, one)), None)
    if overlap or set(said.start.run(said.months)) & set(paid):
        return Judged(
            Verdict.DIFFERS, (*sums, Why.OVERLAP), overlap.id if overlap else None, overlap.amounts if overlap else None
        )
    why = (*sums, *((Why.OTHER_PERSON,) if taken_elsewhere else ()))
    if quoted is None:
        return Judged(Verdict.DIFFERS, (*why, Why.REFUSED))
    if differing(said.amounts, quoted):
        why = (*why, Why.AMOUNTS)
    return Judged(Verdict.DIFFERS if why else Verdict.NEW, why, None, quoted)


def _may_be(said: Said, one: Ours) -> bool:
    """Whether a row speaks of a payment on record: of one whose person left since, only if it was paid before."""
    before = not (one.left_on and said.paid_on) or said.paid_on <= one.left_on
    return before and (one.start, one.months) == (said.start, said.months)


def _meet(said: Said, one: Ours) -> bool:
    counts = one.months if one.counts is None else one.counts
    return said.start < one.start + counts and one.start < said.start + said.months
