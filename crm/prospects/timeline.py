"""What happened with somebody, in words: what this package knows, and what the packages above add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord, Organisation
from crm.accounts.queries import Scope
from crm.places.models import Place
from crm.prospects import cards
from crm.prospects.cards import Event
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import change_records, consent_changes, stage_changes
from crm.prospects.rules import Ground, Kinship, Sex
from crm.prospects.wording import CHANNELS, FIELDS, GROUNDS, KINSHIPS, PURPOSES, SEXES, STAGE_SIGNS, STAGES
from crm.web import filters

MENTIONED = {"change_prospect", "record_standing", "end_standing"}
"""Records of changes that the timeline tells; being added is told by the first stage."""
NAMED = {"place_id": Place, "neighbourhood_id": Place, "organisation_id": Organisation}


def everything(session: Session, person: Prospect, scope: Scope) -> list[Event]:
    """The timeline of one person, the newest first."""
    told = cards.events_of(person, scope)
    causes = {event.id for event in told if event.id}
    told += _steps(session, person, causes)
    told += _answers(session, person)
    told += changes(session, person)
    return sorted(told, key=lambda event: event.at, reverse=True)


def _steps(session: Session, person: Prospect, causes: set[UUID]) -> Iterator[Event]:
    for step, by in stage_changes(session, person):
        if step.because_id not in causes:
            icon, kind = STAGE_SIGNS[step.to_stage]
            title = STAGES[step.to_stage] if step.from_stage else _("Entered in the register")
            yield Event(step.at, title, icon if step.from_stage else "add", kind, by)


def _answers(session: Session, person: Prospect) -> Iterator[Event]:
    for answer, by in consent_changes(session, person):
        said = _("Agrees to messages") if answer.given else _("Wants no messages")
        icon, kind = ("message", "jade") if answer.given else ("no-message", "quiet")
        text = f"{PURPOSES[answer.purpose]} · {CHANNELS[answer.channel]} · {filters.phone(answer.phone)}"
        whole_day = answer.at != answer.recorded_at
        yield Event(answer.at, said, icon, kind, by, text, answer.words, whole_day=whole_day)


def changes(session: Session, person: Prospect) -> list[Event]:
    """What was corrected, by whom, with before and after."""
    records = [(record, by) for record, by in change_records(session, person) if record.act in MENTIONED]
    names = _names(session, person.town_id, [record for record, _by in records])
    return [_change(record, by, names) for record, by in records]


def _change(record: ChangeRecord, by: str | None, names: Mapping[str, str]) -> Event:
    before, after = record.before or {}, record.after or {}
    if record.act == "record_standing":
        return Event(record.at, GROUNDS[Ground(after["ground"])], "document", "jade", by, _held(after))
    if record.act == "end_standing":
        title = _("No longer: %(ground)s", ground=GROUNDS[Ground(after["ground"])])
        return Event(record.at, title, "document", "quiet", by, _held(after))
    lines = [
        f"{FIELDS[name]}: {_shown(name, before.get(name), names)} → {_shown(name, after.get(name), names)}"
        for name in FIELDS
        if name in after
    ]
    return Event(record.at, _("Particulars corrected"), "record", "quiet", by, "; ".join(lines))


def _held(after: Mapping[str, Any]) -> str:
    parts = [_("certificate %(number)s", number=after["certificate"])] if after.get("certificate") else []
    if after.get("since"):
        parts.append(_("from %(day)s", day=_day(after["since"])))
    if after.get("until"):
        parts.append(_("until %(day)s", day=_day(after["until"])))
    return ", ".join(parts)


def _day(text: str) -> str:
    """A day of a record, as the reader writes days."""
    locale = get_locale()
    return filters.day(date.fromisoformat(text), locale=locale.language if locale else filters.VIETNAMESE)


def _shown(name: str, value: Any, names: Mapping[str, str]) -> str:
    """A value of a record as people read it."""
    if value is None:
        return filters.NOTHING
    if name in NAMED:
        return names.get(str(value), filters.NOTHING)
    if name in ("phone", "other_phone"):
        return filters.phone(value)
    if name == "birth_date":
        return _day(value)
    if name == "sex":
        return str(SEXES[Sex(value)])
    return str(KINSHIPS[Kinship(value)]) if name == "kinship" else str(value)


def _names(session: Session, town_id: UUID, records: list[ChangeRecord]) -> dict[str, str]:
    """The names of the places and organisations that the records mention by id."""
    wanted: dict[type[Any], set[UUID]] = {Place: set(), Organisation: set()}
    for record in records:
        for name, kind in NAMED.items():
            found = [values.get(name) for values in (record.before or {}, record.after or {})]
            wanted[kind] |= {UUID(value) for value in found if value}
    return {
        str(key): name
        for kind, ids in wanted.items()
        if ids
        for key, name in session.execute(select(kind.id, kind.name).where(kind.town_id == town_id, kind.id.in_(ids)))
    }
