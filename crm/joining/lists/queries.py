"""The rows of lists D05-TS: while one is gathered as its dossiers say, once it was handed in as on that day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.citizen_ids import mask
from crm.errors import NotFound
from crm.joining.models import Dossier, DossierList, ListedDossier
from crm.joining.queries import remarks_on, seen_by
from crm.joining.rules import KINDS_OF_ROW, Movement, Outcome, Row, State, code_of
from crm.joining.unit_codes import UnitCodes, unit_codes
from crm.places.boundaries import units_on
from crm.places.models import Place, Town
from crm.premiums.queries import law
from crm.premiums.rules.law import LawOnDay
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground
from crm.web.pager import Page, latest_first


class Member(NamedTuple):
    """A dossier of a list with its person and the place on record."""

    dossier: Dossier
    person: Prospect
    place: Place


class Written(NamedTuple):
    """A row of a list as it is written on a day, and the ward or commune of that day."""

    row: Row
    ward: Place


@dataclass(frozen=True)
class ListLine:
    """A row of a list for whoever reads it."""

    dossier_id: UUID
    prospect_id: UUID
    number: int
    row: Row | None
    opens: bool
    """Whether the papers behind it may be opened."""
    state: State | None
    """Where the papers stand, while the list is gathered."""
    answer: ListedDossier | None
    """The row that was handed in, with what became of it."""

    @property
    def code(self) -> str:
        """The insurance code in the row, masked: the whole one stands in the files alone."""
        return mask(self.row.MasoBHXH) if self.row and self.row.MasoBHXH else ""

    @property
    def given(self) -> str:
        """The code the row was accepted with, masked."""
        return mask(self.answer.given) if self.answer and self.answer.given else ""


@dataclass(frozen=True)
class Shown:
    """A list, its rows that somebody sees, and whether these are all."""

    of: DossierList
    lines: Sequence[ListLine]
    whole: bool
    day: date
    """The day whose law and wards the rows have: that of handing in, before it the one on which it is looked at."""

    @property
    def rows(self) -> list[Row]:
        return [line.row for line in self.lines if line.row]

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How many of the rows handed in were accepted, came back, or wait."""
        return Counter(line.answer.outcome for line in self.lines if line.answer)


def row_seen_by(scope: Scope) -> ColumnElement[bool]:
    """Rows that were handed in: of the people someone may see, of the papers handed to them, and of the lists they made.
    What stood in the row on that day, and nothing else of the person."""
    mine = or_(ListedDossier.agent_id == scope.user_id, DossierList.by_id == scope.user_id)
    return and_(ListedDossier.town_id == scope.town_id, or_(visible_to(scope), mine))


def list_seen(session: Session, scope: Scope, list_id: UUID, day: date) -> Shown:
    """A list with those of its rows that one may see, as of a day while it is gathered. Raises NotFound."""
    found = session.get(DossierList, (scope.town_id, list_id))
    if found is None:
        raise NotFound
    gone = found.submitted_on
    shown = _handed_in(session, scope, found, gone) if gone else _gathered(session, scope, found, day)
    if not shown.lines:
        raise NotFound
    return shown


def members(session: Session, of: DossierList) -> list[Member]:
    """The dossiers that stand in a list now, in the order of their rows, whoever may see them."""
    return [Member(*row) for row in session.execute(_members(of))]


def _members(of: DossierList) -> Any:
    return (
        select(Dossier, Prospect, Place)
        .join(Prospect, and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .where(Dossier.town_id == of.town_id, Dossier.list_id == of.id)
        .order_by(Prospect.name_key, Dossier.id)
    )


def _gathered(session: Session, scope: Scope, of: DossierList, day: date) -> Shown:
    seen = [Member(*row) for row in session.execute(_members(of).where(seen_by(scope)))]
    written = rows_on(session, seen, day)
    lines = [
        ListLine(
            one.dossier.id,
            one.person.id,
            number,
            written[one.dossier.id].row if one.dossier.id in written else None,
            True,
            one.dossier.state,
            None,
        )
        for number, one in enumerate(seen, 1)
    ]
    everything = select(func.count()).where(Dossier.town_id == of.town_id, Dossier.list_id == of.id)
    return Shown(of, lines, len(lines) == session.scalar(everything), day)


def _handed_in(session: Session, scope: Scope, of: DossierList, day: date) -> Shown:
    query = (
        select(ListedDossier, Prospect.id, seen_by(scope))
        .join(Dossier, and_(Dossier.town_id == ListedDossier.town_id, Dossier.id == ListedDossier.dossier_id))
        .join(Prospect, and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id))
        .join(DossierList, and_(DossierList.town_id == ListedDossier.town_id, DossierList.id == ListedDossier.list_id))
        .where(ListedDossier.list_id == of.id, row_seen_by(scope))
        .order_by(ListedDossier.number)
    )
    lines = [
        ListLine(row.dossier_id, person, row.number, row.row, opens, None, row)
        for row, person, opens in session.execute(query)
    ]
    everything = select(func.count()).where(ListedDossier.town_id == of.town_id, ListedDossier.list_id == of.id)
    return Shown(of, lines, len(lines) == session.scalar(everything), day)


def rows_on(session: Session, members: Sequence[Member], day: date) -> dict[UUID, Written]:
    """The rows of a list that goes on a day, by the ids of their dossiers, each with the ward of that day."""
    declared = [one for one in members if one.dossier.declared]
    if not declared:
        return {}
    homes = {one.dossier.id: (one.place, one.person.neighbourhood_id) for one in declared}
    wards = units_on(session, homes, day)
    codes = unit_codes(session.get_one(Town, declared[0].dossier.town_id).code, day)
    told = law(session).on(day)
    return {
        one.dossier.id: Written(_row(one, told, codes, wards[one.dossier.id]), wards[one.dossier.id])
        for one in declared
    }


def _row(member: Member, told: LawOnDay, codes: UnitCodes, ward: Place) -> Row:
    """What was declared, with the person's name, code and address."""
    dossier, person = member.dossier, member.person
    kept = dict(dossier.declared or {})
    ground = Ground(kept.pop("ground", Ground.OTHER.value))
    interest = kept.pop("interest", None)
    return Row(
        HoTen=person.full_name.upper(),
        MasoBHXH=code_of(person.insurance_number, person.citizen_id, told),
        Ghichu=remarks_on(person, ground, dossier.email, interest),
        CCNS="1" if person.birth_year and person.birth_date is None else "",
        Loai=KINDS_OF_ROW.get(Movement(kept["PA"]), ""),
        Matinh=codes.province,
        Mahuyen=codes.district,
        Maxa=ward.code or "",
        Diachi_DangSS=", ".join(part for part in (person.address, ward.name) if part),
        **kept,
    )


@dataclass(frozen=True)
class Counted:
    """A list among others: how many rows of it somebody sees, and what became of those."""

    of: DossierList
    rows: int
    outcomes: Mapping[Outcome, int]


def lists_of(session: Session, scope: Scope, *, cursor: str | None = None, size: int = 20) -> Page[Counted]:
    """Lists of which one may see something, the latest first."""
    person = and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id)
    gathered = exists().where(Dossier.town_id == DossierList.town_id, Dossier.list_id == DossierList.id)
    row = and_(ListedDossier.town_id == DossierList.town_id, ListedDossier.list_id == DossierList.id)
    behind = and_(Dossier.town_id == ListedDossier.town_id, Dossier.id == ListedDossier.dossier_id)
    seen = or_(
        and_(DossierList.submitted_on.is_(None), gathered.where(person, seen_by(scope))),
        exists().where(row, behind, person, row_seen_by(scope)),
    )
    found = latest_first(
        session,
        select(DossierList).where(DossierList.town_id == scope.town_id, seen),
        (DossierList.made_at, DossierList.id),
        cursor=cursor,
        size=size,
        key=lambda made: (made.made_at.isoformat(), made.id),
    )
    counted = _counted(session, scope, [one.id for one in found.rows])
    return Page([Counted(one, counted[one.id].total(), counted[one.id]) for one in found.rows], found.next)


def _counted(session: Session, scope: Scope, ids: Sequence[UUID]) -> Mapping[UUID, Counter[Outcome]]:
    """How many rows of lists one sees, by what became of them: of one that is still gathered all are waiting."""
    person = and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id)
    gathered = (
        select(Dossier.list_id, literal(Outcome.WAITING.value), func.count())
        .join(Prospect, person)
        .join(DossierList, and_(DossierList.town_id == Dossier.town_id, DossierList.id == Dossier.list_id))
        .where(DossierList.submitted_on.is_(None), Dossier.list_id.in_(ids), seen_by(scope))
        .group_by(Dossier.list_id)
    )
    handed_in = (
        select(ListedDossier.list_id, ListedDossier.outcome, func.count())
        .join(Dossier, and_(Dossier.town_id == ListedDossier.town_id, Dossier.id == ListedDossier.dossier_id))
        .join(Prospect, person)
        .join(DossierList, and_(DossierList.town_id == ListedDossier.town_id, DossierList.id == ListedDossier.list_id))
        .where(ListedDossier.list_id.in_(ids), row_seen_by(scope))
        .group_by(ListedDossier.list_id, ListedDossier.outcome)
    )
    counted: dict[UUID, Counter[Outcome]] = {one: Counter() for one in ids}
    asked: tuple[Any, ...] = (gathered, handed_in)
    for query in asked:
        for list_id, outcome, rows in session.execute(query):
            counted[list_id][Outcome(outcome)] += rows
    return counted
