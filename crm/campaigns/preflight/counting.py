"""Everybody's message, counted: by shape where texts are alike, person by person where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Message
from crm.campaigns.preflight.rules.sums import Sums, Warned
from crm.campaigns.queries import Candidate, counts_towards_the_limit
from crm.campaigns.rules.effects import held_back
from crm.campaigns.rules.hours import MOST_A_DAY
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.shapes import Shapes, Written
from crm.campaigns.rules.texts import GSM_7, LONGEST, UCS_2, costly
from crm.campaigns.services.audience import Member, audience

STUB = "x" * 11
"""Stands for the word by which a number's own address is known, of the same length."""
AT_A_TIME = 5_000


class Row(NamedTuple):
    """One person of a check."""

    position: int
    who: Candidate
    body: str
    encoding: str | None
    segments: int
    other_segments: int
    reason: Reason | None
    warnings: tuple[str, ...]
    """What to look at (Warned); of whom a word is missing, the places without one."""


@dataclass(frozen=True)
class Counting:
    """People and their messages, and what they add up to."""

    rows: list[Row]
    sums: Sums


def count(
    session: Session,
    campaign: Campaign,
    *,
    public_url: str,
    price: int,
    at: datetime,
    by_id: UUID,
    visible: ColumnElement[bool] | None = None,
    tell: Callable[[int], None] | None = None,
) -> Counting:
    """What a launch would do now, for whom `by_id` sees, or only those that are `visible`. Nothing is written."""
    shapes = Shapes(campaign.text, campaign.purpose, f"{public_url}/o/{STUB}")
    people = list(audience(session, campaign, at, by_id=by_id, visible=visible, named=shapes.named))
    busy = _had_enough(session, campaign, campaign.scheduled_for or at)
    rows = list(_told(_written(people, shapes, accented=campaign.accented, busy=busy), tell))
    if campaign.control_percent:
        rows = _without_some(rows, campaign)
    return Counting(rows, _sums(rows, accented=campaign.accented, price=price, shapes=shapes.many))


def _told(rows: Iterator[Row], tell: Callable[[int], None] | None) -> Iterator[Row]:
    done = 0
    while some := list(islice(rows, AT_A_TIME)):
        yield from some
        done += len(some)
        if tell:
            tell(done)


def _had_enough(session: Session, campaign: Campaign, at: datetime) -> frozenset[str]:
    """Numbers that have had all the messages of 24 hours."""
    query = (
        select(Message.phone)
        .where(Message.town_id == campaign.town_id, counts_towards_the_limit(Message, at))
        .where(Message.claimed_at <= at + timedelta(minutes=1))
        .group_by(Message.phone)
        .having(func.count() >= MOST_A_DAY)
    )
    return frozenset(phone for phone in session.scalars(query) if phone)


def _written(people: Iterable[Member], shapes: Shapes, *, accented: bool, busy: frozenset[str]) -> Iterator[Row]:
    """The first of a household's shared number gets it, the others are left out."""
    taken: set[str] = set()
    warnings: dict[tuple[str, int, bool], tuple[Warned, ...]] = {}
    for position, (who, values) in enumerate(people, 1):
        reason = _reason_to_leave_out(who, taken)
        missing = shapes.missing(values) if reason is None else ()
        if missing:
            reason = Reason.MISSING_VALUE
        if reason is not None or who.phone is None:
            yield Row(position, who, "", None, 0, 0, reason or Reason.NO_PHONE, missing)
            continue
        plain, full = shapes.write(values)
        sent, other = (full, plain) if accented else (plain, full)
        if sent.size.characters > LONGEST:
            yield Row(position, who, sent.body, sent.size.encoding, 0, 0, Reason.TOO_LONG, ())
            continue
        taken.add(who.phone)
        key = (sent.size.encoding, sent.size.segments, who.phone in busy)
        if key not in warnings:
            warnings[key] = _warnings(sent, busy=key[2])
        size = sent.size
        yield Row(position, who, sent.body, size.encoding, size.segments, other.size.segments, None, warnings[key])


def _warnings(sent: Written, *, busy: bool) -> tuple[Warned, ...]:
    checks = (
        (sent.size.encoding == UCS_2, Warned.COSTLY),
        (sent.size.segments > 1, Warned.LONG),
        (busy, Warned.TOO_MANY),
    )
    return tuple(warning for holds, warning in checks if holds)


def _reason_to_leave_out(who: Candidate, taken: set[str]) -> Reason | None:
    if who.phone is None:
        return Reason.NO_PHONE if who.other_phone is None else Reason.NOT_MOBILE
    if not who.consent:
        return Reason.NO_CONSENT if who.consent is None else Reason.OPTED_OUT
    return Reason.SAME_PHONE if who.phone in taken else None


def _without_some(rows: list[Row], campaign: Campaign) -> list[Row]:
    """Those whom chance leaves out, for comparison; their message stays to be seen."""
    phones = [row.who.phone for row in rows if row.reason is None and row.who.phone]
    held = held_back(phones, campaign.control_percent, campaign.seed)
    return [
        row._replace(reason=Reason.HELD_BACK, warnings=()) if row.reason is None and row.who.phone in held else row
        for row in rows
    ]


def _sums(rows: list[Row], *, accented: bool, price: int, shapes: int) -> Sums:
    found = Sums(people=len(rows), price=price, shapes=shapes)
    mine = other = 0
    dear: Counter[str] = Counter()
    for row in rows:
        if row.reason is not None:
            found.excluded[row.reason] += 1
            found.missing.update(row.warnings)
            continue
        found.messages += 1
        mine += row.segments
        other += row.other_segments
        for warning in row.warnings:
            found.warned[warning] += 1
        if row.encoding != GSM_7:
            dear[row.body] += 1
        if not found.sample:
            found.sample, found.sample_name = row.body, row.who.full_name
    found.segments = mine
    found.accented_segments, found.plain_segments = (mine, other) if accented else (other, mine)
    found.cost = mine * price
    for body, many in dear.items():
        for letter in costly(body):
            found.costly[letter] += many
    return found
