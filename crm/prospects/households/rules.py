"""When a household's certificate holds for whom, and when it is time to renew it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.prospects.rules import Ground, Kinship

RENEWAL_MONTH = 10
"""The annual review of poor and near-poor households runs through the last quarter."""
LONGEST_CODE = 40
MOST_AT_ONCE = 500
"""Renewals that one act may take."""


class Renewal(StrEnum):
    """Where a household stands in the annual review."""

    NOT_YET = "not_yet"
    RENEWED = "renewed"
    NO_LONGER = "no_longer"


RENEWALS = {
    Renewal.NOT_YET: _l("Not yet renewed"),
    Renewal.RENEWED: _l("Renewed"),
    Renewal.NO_LONGER: _l("No longer poor or near-poor"),
}


@dataclass(frozen=True, slots=True)
class Living:
    """Somebody and what they are to the head; for founding a household and for asking kinships again."""

    prospect_id: UUID
    kinship: Kinship


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody lived in the household from `since` (None: always) until the day before `until` (None: still)."""

    prospect_id: UUID
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate, as far as it decides standings."""

    id: UUID
    ground: Ground
    number: str
    valid_from: date
    valid_to: date


@dataclass(frozen=True, slots=True)
class Held:
    """What one person has of a certificate: only the days they lived there."""

    prospect_id: UUID
    paper: Paper
    valid_from: date
    valid_to: date

    @property
    def key(self) -> tuple[UUID, UUID, date]:
        return self.prospect_id, self.paper.id, self.valid_from


def held(stays: Iterable[Stay], papers: Iterable[Paper]) -> list[Held]:
    """Each certificate for each member, from the later of both beginnings to the earlier of both ends."""
    found, all_papers = [], list(papers)
    for stay in stays:
        for paper in all_papers:
            first = max(stay.since or date.min, paper.valid_from)
            end = min(stay.until or date.max, paper.valid_to)
            if first < end:
                found.append(Held(stay.prospect_id, paper, first, end))
    return found


def year_ending(today: date) -> int:
    """The year whose certificates are to be renewed: from October this one's, before that still last year's."""
    return today.year if today.month >= RENEWAL_MONTH else today.year - 1


def whole_year(year: int) -> tuple[date, date]:
    """The first day of a year and that of the next."""
    return date(year, 1, 1), date(year + 1, 1, 1)
