"""What happened with somebody, in words: what this package knows, and what the packages above add."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import ChangeRecord, Organisation, User
from crm.accounts.queries import Scope
from crm.places.models import Place
from crm.prospects import cards
from crm.prospects.cards import PERSON, PHONE, TOWN, Event, Happened, Kind, Trail, Undo, facts_as, of_person
from crm.prospects.editing import BIRTH, HOME, Collision, columns_of_unit, masked, unit_of
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange
from crm.prospects.queries.changes import CHANGED, last_writers
from crm.prospects.rules import ConsentChannel, Ground, Kinship, Purpose, RowOutcome, Sex, Stage
from crm.prospects.services.people import may_be_put_back, shown
from crm.prospects.wording import CHANNELS, FIELDS, GROUNDS, KINSHIPS, PURPOSES, SEXES, STAGE_SIGNS, STAGES
from crm.web import filters
from crm.web.pager import read_cursor, write_cursor

PAGE = 30
LAST = datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1)
"""After everything: the first page begins here."""
NAMED = {"place_id": Place, "neighbourhood_id": Place, "organisation_id": Organisation}
KINDS: Mapping[Kind, Any] = {
    Kind.VISITS: _l("Visits"),
    Kind.MONEY: _l("Payments"),
    Kind.MESSAGES: _l("Messages"),
    Kind.CHANGES: _l("Corrections"),
    Kind.OFFICE: _l("Lists and assignment"),
}


@dataclass(frozen=True)
class Told:
    """One page of a timeline, the newest first, and the mark of the next."""

    events: Sequence[Event]
    next: str | None


def page_of(
    session: Session,
    person: Prospect,
    scope: Scope,
    *,
    kind: Kind | None = None,
    cursor: str | None = None,
    size: int = PAGE,
    edits: bool = False,
) -> Told:
    """One page of somebody's timeline with one statement, and one or two more for the names in corrections.

    With `edits` the corrections can be put back. Raises RuleBroken for a cursor this program did not write.
    """
    before: tuple[datetime, UUID] = LAST
    if cursor:
        at, key = read_cursor(cursor, (datetime.fromisoformat, UUID))
        before = at, key
    trails = cards.trails()
    wanted = tuple(name for name, trail in trails.items() if kind in (None, trail.kind))
    found: list[tuple[str, Happened]] = []
    if wanted:
        asked = {"town": person.town_id, "person": person.id, "phone": person.phone or "", "most": size + 1}
        rows = session.execute(_of_all(wanted), asked | {"before_at": before[0], "before_id": before[1]})
        found = [(row.what, Happened(row.at, row.id, row.by_name, row.facts or {})) for row in rows]
    names = _names(session, person.town_id, [one.facts for _what, one in found if one.facts.get("act") == CHANGED])
    told = [_place_in_time(_tell(trails[what], one, names, person, edits), one) for what, one in found]
    told += [
        event
        for event in cards.events_of(person, scope)
        if kind in (None, event.about) and (event.at, event.id) < before
    ]
    told.sort(key=lambda event: (event.at, event.id), reverse=True)
    last = told[size - 1] if len(told) > size else None
    return Told(told[:size], write_cursor((last.at.isoformat(), last.id)) if last else None)


def _place_in_time(event: Event, row: Happened) -> Event:
    return replace(event, at=row.at, id=row.id)


def _tell(trail: Trail, row: Happened, names: Mapping[str, str], person: Prospect, edits: bool) -> Event:
    if row.facts.get("act") != CHANGED:
        return trail.tell(row)
    return _correction(row, names, person if edits and row.facts["own"] else None)


@lru_cache(maxsize=64)
def _of_all(names: tuple[str, ...]) -> Select[Any]:
    """The newest rows of these trails before a place in time, each with the name of who did it. Kept, for it is asked
    for every page of a person."""
    found = union_all(*(_newest(cards.trails()[name]) for name in names)).subquery()
    return (
        select(found.c.what, found.c.at, found.c.id, found.c.facts, User.full_name.label("by_name"))
        .outerjoin(User, and_(User.town_id == TOWN, User.id == found.c.by_id))
        .order_by(found.c.at.desc(), found.c.id.desc())
        .limit(bindparam("most"))
    )


def _newest(trail: Trail) -> Select[Any]:
    columns: tuple[ColumnElement[Any], ...] = (
        literal(trail.name).label("what"),
        trail.at.label("at"),
        trail.id.label("id"),
        trail.by.label("by_id"),
        trail.facts.label("facts"),
    )
    before = tuple_(trail.at, trail.id) < tuple_(bindparam("before_at"), bindparam("before_id"))
    query = trail.rows.with_only_columns(*columns, maintain_column_froms=True).where(before)
    return query.order_by(trail.at.desc(), trail.id.desc()).limit(bindparam("most"))


# ---- stages, answers, corrections, lists


def _step(row: Happened) -> Event:
    to = Stage(row.facts["to"])
    icon, kind = STAGE_SIGNS[to]
    if not row.facts["from"]:
        return Event(row.at, _("Entered in the register"), "add", kind, row.by)
    return Event(row.at, STAGES[to], icon, kind, row.by)


def _answer(row: Happened) -> Event:
    facts = row.facts
    said = _("Agrees to messages") if facts["given"] else _("Wants no messages")
    icon, kind = ("message", "jade") if facts["given"] else ("no-message", "quiet")
    parts = PURPOSES[Purpose(facts["purpose"])], CHANNELS[ConsentChannel(facts["channel"])]
    text = " · ".join([*map(str, parts), filters.phone(facts["phone"])])
    return Event(row.at, said, icon, kind, row.by, text, facts["words"], whole_day=facts["whole_day"])


def _correction(row: Happened, names: Mapping[str, str], person: Prospect | None) -> Event:
    """A correction field by field; with `person` it can be put back."""
    before, after = row.facts["before"] or {}, row.facts["after"] or {}
    changed = [name for name in FIELDS if name in after]
    return Event(
        row.at,
        _("Particulars corrected"),
        "record",
        "quiet",
        row.by,
        lines=[
            (FIELDS[name], _shown(name, before.get(name), names), _shown(name, after[name], names)) for name in changed
        ],
        undo=[_undo(person, row, unit) for unit in _units_back(person, row, changed)] if person else (),
    )


def _units_back(person: Prospect, row: Happened, changed: Sequence[str]) -> Iterator[str]:
    """What of a correction still stands and was something else before that is known."""
    after = row.facts["after"] or {}
    record = ChangeRecord(before=row.facts["before"], after=after)
    still = {name for name, value in shown(person).items() if value == after.get(name)}
    for unit in dict.fromkeys(map(unit_of, changed)):
        if may_be_put_back(record, unit) and still.issuperset(set(columns_of_unit(unit)) & set(changed)):
            yield unit


def _undo(person: Prospect, row: Happened, unit: str) -> Undo:
    url = url_for("prospects.put_back", prospect_id=person.id, record_id=row.id)
    return Undo(_("Put back: %(field)s", field=label_of(unit)), url, {"unit": unit})


def label_of(unit: str) -> str:
    """What people call a thing that may be corrected."""
    return str({BIRTH: _l("Birth"), HOME: _l("Ward or commune, neighbourhood")}.get(unit) or FIELDS[unit])


def _ground(row: Happened) -> Event:
    after = row.facts["after"] or {}
    ground = GROUNDS[Ground(after["ground"])]
    if row.facts["act"] == "record_standing":
        return Event(row.at, ground, "document", "jade", row.by, _held(after))
    return Event(row.at, _("No longer: %(ground)s", ground=ground), "document", "quiet", row.by, _held(after))


def _held(after: Mapping[str, Any]) -> str:
    parts = [_("certificate %(number)s", number=after["certificate"])] if after.get("certificate") else []
    if after.get("since"):
        parts.append(_("from %(day)s", day=_day(after["since"])))
    if after.get("until"):
        parts.append(_("until %(day)s", day=_day(after["until"])))
    return ", ".join(parts)


def _household(row: Happened) -> Event:
    after = row.facts["after"] or {}
    days = _held({"since": after.get("since"), "until": after.get("until")})
    words = {"join_household": _l("Came into a household"), "leave_household": _l("Left the household")}
    title = words.get(row.facts["act"]) or _("Another place in the household")
    return Event(row.at, title, "home", "quiet", row.by, days)


def _merge(row: Happened) -> Event:
    name = (row.facts["after"] or {}).get("full_name")
    if row.facts["act"] == "merge_people":
        return Event(row.at, _("Joined with another record of the same person"), "people", "quiet", row.by, name)
    return Event(row.at, _("Two records again: not the same person"), "people", "quiet", row.by, name)


_TOLD: Mapping[str, Callable[[Happened], Event]] = {
    CHANGED: lambda row: _correction(row, {}, None),
    "record_standing": _ground,
    "end_standing": _ground,
    "join_household": _household,
    "leave_household": _household,
    "set_kinship": _household,
    "merge_people": _merge,
    "unmerge_people": _merge,
}
"""The records of changes that are told; being added is told by the first stage."""

_LISTED: Mapping[RowOutcome, Any] = {
    RowOutcome.NEW: _l("Entered from a list"),
    RowOutcome.CHANGED: _l("Completed from a list"),
    RowOutcome.UNCHANGED: _l("Stands in a list too"),
}


def _listed(row: Happened) -> Event:
    facts = row.facts
    text = _(
        "%(list)s, sheet %(sheet)s, row %(row)s",
        list=facts["filename"],
        sheet=facts["sheet"],
        row=filters.number(facts["row"]),
    )
    title = _LISTED.get(RowOutcome(facts["outcome"]), _LISTED[RowOutcome.UNCHANGED])
    more = _("See the row as it stood in the list"), url_for("prospects.handed_in", prospect_id=facts["person"])
    return Event(row.at, title, "document", "quiet", row.by, text, more=more)


def _day(text: str) -> str:
    """A day of a record, as the reader writes days."""
    return str(filters.in_day(date.fromisoformat(text)))


def _shown(name: str, value: Any, names: Mapping[str, str]) -> str:
    """A value of a record as people read it."""
    if value is None:
        return filters.NOTHING
    if name in NAMED:
        return names.get(str(value), filters.NOTHING)
    if name in _SHOWN:
        return _SHOWN[name](value)
    return str(masked(name, value))


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "phone": filters.phone,
    "other_phone": filters.phone,
    "birth_date": _day,
    "sex": lambda value: str(SEXES[Sex(value)]),
    "kinship": lambda value: str(KINSHIPS[Kinship(value)]),
    "household_id": lambda value: _("a household"),
}


def _names(session: Session, town_id: UUID, corrections: Collection[Mapping[str, Any]]) -> dict[str, str]:
    """The names of the places and organisations that corrections mention by id."""
    values = [side for facts in corrections for side in (facts.get("before"), facts.get("after")) if side]
    wanted: dict[type[Any], set[UUID]] = {Place: set(), Organisation: set()}
    for side in values:
        for name, kind in NAMED.items():
            if side.get(name):
                wanted[kind].add(UUID(side[name]))
    return {
        str(key): name
        for kind, ids in wanted.items()
        if ids
        for key, name in session.execute(select(kind.id, kind.name).where(kind.town_id == town_id, kind.id.in_(ids)))
    }


@dataclass(frozen=True)
class Met:
    """Two wrote the same thing: what it was, what stands there now and who wrote it when, and what this editor wrote."""

    unit: str
    label: str
    was: str | None
    theirs: str
    yours: str
    by: str | None
    at: datetime | None


def collisions_told(session: Session, person: Prospect, collisions: Sequence[Collision]) -> list[Met]:
    """Each collision in words."""
    sides = [dict(side) for one in collisions for side in (one.base, one.current, one.yours)]
    names = _names(session, person.town_id, [{"before": side, "after": None} for side in sides])
    wrote = last_writers(session, person, [name for one in collisions for name in one.current])
    told = []
    for one in collisions:
        by = next((wrote[name] for name in one.current if name in wrote), None)
        was, theirs, yours = (_together(side, names) for side in (one.base, one.current, one.yours))
        told.append(
            Met(
                one.unit,
                label_of(one.unit),
                was if one.base else None,
                theirs,
                yours if yours != theirs else _("%(value)s (another number)", value=yours),
                by.by if by else None,
                by.at if by else None,
            )
        )
    return told


def _together(side: Mapping[str, object], names: Mapping[str, str]) -> str:
    """The parts of one thing as people say it: the day of birth, or else its year; the neighbourhood and its ward."""
    if "birth_date" in side:
        side = {"birth_date": side["birth_date"]} if side["birth_date"] else {"birth_year": side.get("birth_year")}
    parts = [_shown(name, side[name], names) for name in sorted(side) if side[name] is not None]
    return ", ".join(parts) or filters.NOTHING


# ---- where these stand in the database

RECORDS = "records"
_ENTRY = aliased(ImportRow)
_EARLIER_PHONES = select(ChangeRecord.before["phone"].astext).where(
    ChangeRecord.town_id == TOWN, ChangeRecord.subject_id == PERSON, ChangeRecord.act == CHANGED
)


_LINEAGE = select(func.person_tree(TOWN, PERSON).table_valued("person").c.person)
"""The person and everybody who became part of them (migration 0005): a merged record keeps its corrections."""

cards.register(
    trails=(
        Trail(
            "stages",
            Kind.VISITS,
            select(StageChange).where(
                of_person(StageChange),
                or_(
                    StageChange.because_id.is_(None),
                    and_(
                        StageChange.from_stage.is_(None),
                        not_(
                            exists().where(
                                of_person(_ENTRY),
                                _ENTRY.import_id == StageChange.because_id,
                                _ENTRY.settled_at.is_not(None),
                            )
                        ),
                    ),
                ),
            ),
            at=StageChange.at,
            id=StageChange.id,
            by=StageChange.by_id,
            facts=facts_as(**{"from": StageChange.from_stage, "to": StageChange.to_stage}),
            tell=_step,
        ),
        Trail(
            "answers",
            Kind.MESSAGES,
            select(Consent).where(
                Consent.town_id == TOWN,
                or_(
                    Consent.phone == PHONE,
                    and_(Consent.phone.in_(_EARLIER_PHONES), Consent.prospect_id == PERSON),
                ),
            ),
            at=Consent.at,
            id=Consent.id,
            by=Consent.recorded_by_id,
            facts=facts_as(
                given=Consent.given,
                purpose=Consent.purpose,
                channel=Consent.channel,
                phone=Consent.phone,
                words=Consent.words,
                whole_day=Consent.at != Consent.recorded_at,
            ),
            tell=_answer,
        ),
        Trail(
            RECORDS,
            Kind.CHANGES,
            select(ChangeRecord).where(
                ChangeRecord.town_id == TOWN, ChangeRecord.subject_id.in_(_LINEAGE), ChangeRecord.act.in_(_TOLD)
            ),
            at=ChangeRecord.at,
            id=ChangeRecord.id,
            by=ChangeRecord.user_id,
            facts=facts_as(
                act=ChangeRecord.act,
                before=ChangeRecord.before,
                after=ChangeRecord.after,
                own=ChangeRecord.subject_id == PERSON,
            ),
            tell=lambda row: _TOLD[row.facts["act"]](row),
        ),
        Trail(
            "lists",
            Kind.OFFICE,
            select(ImportRow)
            .join(ListImport, and_(ListImport.town_id == ImportRow.town_id, ListImport.id == ImportRow.import_id))
            .where(of_person(ImportRow), ImportRow.settled_at.is_not(None)),
            at=ImportRow.settled_at,
            id=ImportRow.id,
            by=ListImport.created_by_id,
            facts=facts_as(
                filename=ListImport.filename,
                person=ImportRow.prospect_id,
                sheet=ImportRow.sheet,
                row=ImportRow.row_number,
                outcome=ImportRow.outcome,
            ),
            tell=_listed,
        ),
    )
)
