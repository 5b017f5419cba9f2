"""Who became part of whom, what came since, and which pairs wait for an answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, TextClause, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import Model
from crm.errors import NotFound
from crm.prospects.merging.models import Merge, Suspect
from crm.prospects.merging.rules import Answer
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to, visible_to
from crm.prospects.rules import Stage
from crm.web.pager import Page, page

MOST_COUNTED = 1000
_MOMENTS = ("last_contact_at", "created_at", "updated_at")
_RAW = text("select p.id, to_jsonb(p) from prospect p where p.town_id = :town and p.id = any(:ids)")
_TREE = text("select person from person_tree(:town, :top)")
_COLUMNS = text("select table_name, column_name, row_keys from people_columns()")


def raw(session: Session, town_id: UUID, *prospect_ids: UUID) -> dict[UUID, dict[str, Any]]:
    """The columns of records as the database writes them, moments in UTC; sealed ones still sealed."""
    rows = session.execute(_RAW, {"town": town_id, "ids": list(prospect_ids)})
    return {key: row | {name: _in_utc(row[name]) for name in _MOMENTS} for key, row in rows}


def _in_utc(moment: str | None) -> str | None:
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat() if moment else None


def lineage(session: Session, prospect: Prospect) -> list[UUID]:
    """The ids under which somebody was and is known here: their own, then those of the records merged into theirs."""
    return list(session.scalars(_TREE, {"town": prospect.town_id, "top": prospect.id}))


class PersonColumn(NamedTuple):
    """A column that holds somebody's id, and what else names a row of its table."""

    table: str
    column: str
    keys: list[str]


def person_columns(session: Session) -> list[PersonColumn]:
    """Every place that points to people, asked of the database's own catalogue."""
    return [PersonColumn(*row) for row in session.execute(_COLUMNS)]


# ---- merges


def merges_into(session: Session, prospect: Prospect) -> Sequence[tuple[Merge, Prospect, str]]:
    """The merges in force that made this record, the latest first: each with the record that went, and who did it."""
    query = (
        select(Merge, Prospect, User.full_name)
        .join(Prospect, (Prospect.town_id == Merge.town_id) & (Prospect.id == Merge.gone_id))
        .join(User, (User.town_id == Merge.town_id) & (User.id == Merge.by_id))
        .where(Merge.town_id == prospect.town_id, Merge.kept_id == prospect.id, Merge.undone_at.is_(None))
        .order_by(Merge.number.desc())
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def merge_seen(session: Session, scope: Scope, merge_id: UUID) -> Merge:
    """A merge whose two people this person may see. Raises NotFound."""
    merge = session.get(Merge, (scope.town_id, merge_id), populate_existing=True)
    if merge is None or not both_seen(session, scope, merge.kept_id, merge.gone_id):
        raise NotFound
    return merge


def both_seen(session: Session, scope: Scope, one_id: UUID, other_id: UUID) -> bool:
    """Whether both records are in sight, merged or not."""
    seen = select(Prospect.id).where(visible_to(scope), Prospect.id.in_((one_id, other_id)))
    return len(session.scalars(seen).all()) == len({one_id, other_id})


def in_force_above(session: Session, merge: Merge) -> Sequence[Merge]:
    """The later merges into the same record that still hold, in their order."""
    query = select(Merge).where(
        Merge.town_id == merge.town_id,
        Merge.kept_id == merge.kept_id,
        Merge.number > merge.number,
        Merge.undone_at.is_(None),
    )
    return session.scalars(query.order_by(Merge.number).with_for_update()).all()


# ---- what came after a merge


@dataclass
class Later:
    """Something that was recorded with a person after a merge: a row, and those that hang on it."""

    table: str
    column: str
    key: str
    data: dict[str, Any]
    origin_id: UUID
    """Under which id it came in; the kept record's when nobody said."""
    under: list[Later] = field(default_factory=list)
    bound_to: UUID | None = None
    """Whose the row is that it hangs on, when that was there before."""

    @property
    def name(self) -> str:
        """What a form calls it."""
        return f"{self.table}|{self.column}|{self.key}"

    @property
    def id(self) -> UUID | None:
        found = self.data.get("id")
        return UUID(found) if found else None

    def all(self) -> Iterable[Later]:
        yield self
        for row in self.under:
            yield from row.all()


class After(NamedTuple):
    """What was recorded after a merge. `bound` hangs on what was there before, and goes where that goes."""

    free: list[Later]
    bound: list[Later]
    theirs: set[UUID]
    """The ids of the record that had gone, and of those that were part of it."""


def later_than(session: Session, merge: Merge) -> After:
    """What came to the kept record after a merge and may be either one's: neither's before, nor another merge's."""
    tree = set(session.scalars(_TREE, {"town": merge.town_id, "top": merge.gone_id}))
    rows: list[Later] = []
    owners: dict[tuple[str, str], UUID] = {}
    asked = {"town": merge.town_id, "kept": merge.kept_id}
    for table, column, key, data, origin, since in session.execute(_rows_held(tuple(_places(session))), asked):
        owner = origin or merge.kept_id
        if "id" in data:
            owners[table, data["id"]] = owner
        if since is None or (since > merge.number and owner in tree | {merge.kept_id}):
            rows.append(Later(table, column, key, data, owner))
    return After(*_hung_up(rows, owners), tree)


def _places(session: Session) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.table, one.column, tuple(one.keys)) for one in person_columns(session)]


@lru_cache(maxsize=8)
def _rows_held(places: tuple[tuple[str, str, tuple[str, ...]], ...]) -> TextClause:
    """Every row that somebody holds, with whose it was. The names are those of the database's own catalogue."""
    parts = []
    for table, column, keys in places:
        named = ", ".join(f"'{name}', t.\"{name}\"" for name in keys)
        key = f"jsonb_build_object({named})::text"
        parts.append(
            f"select '{table}', '{column}', {key} as row_key, to_jsonb(t), r.origin_id, r.since "
            f"from \"{table}\" t left join merged_row r on r.town_id = t.town_id and r.table_name = '{table}' "
            f"and r.column_name = '{column}' and r.row_key = {key} "
            f'where t.town_id = :town and t."{column}" = :kept'
        )
    return text(" union all ".join(parts) + " order by 1, 2, 3")


def _hung_up(rows: list[Later], owners: dict[tuple[str, str], UUID]) -> tuple[list[Later], list[Later]]:
    """Rows under what they belong to: months under their payment, a payment under its spell, a step under its visit."""
    by_id = {(row.table, row.data["id"]): row for row in rows if "id" in row.data}
    any_id = {row.data["id"]: row for row in rows if "id" in row.data}
    free, bound = [], []
    for row in rows:
        parents = [(table, row.data[name]) for name, table in _POINTS.get(row.table, ()) if row.data.get(name)]
        above = next((by_id[one] for one in parents if one in by_id and by_id[one] is not row), None)
        known = next((owners[one] for one in parents if one in owners), None)
        if above is None and known is None:
            above = any_id.get(row.data.get("because_id") or "")
        if above is not None:
            above.under.append(row)
        elif known is not None:
            row.bound_to = known
            bound.append(row)
        else:
            free.append(row)
    return free, bound


def _pointing() -> dict[str, list[tuple[str, str]]]:
    """For each table its single columns that point to another table's row, other than people."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table in Model.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            for element in key.elements:
                if element.column.name == "id" and key.referred_table.name not in ("prospect", "account", "place"):
                    found.setdefault(table.name, []).append((element.parent.name, key.referred_table.name))
    return found


class _Points(dict[str, list[tuple[str, str]]]):
    """`_pointing()`, read when it is first asked, for by then every package is there."""

    def get(self, table: str, default: Any = None) -> Any:
        if not self:
            self.update(_pointing())
        return super().get(table, default)


_POINTS = _Points()


# ---- pairs that may be one person


def waiting(scope: Scope) -> Select[Suspect]:
    """Pairs to be looked at, both in sight."""
    return select(Suspect).where(*_waits(scope))


def page_of_waiting(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[Suspect]:
    """Pairs to be looked at, both in sight: the surest first, those put off at the end. Raises RuleBroken for a bad
    cursor."""
    order = (Suspect.answer == Answer.LATER, -Suspect.score, Suspect.id)
    return page(
        session,
        waiting(scope),
        order,
        cursor=cursor,
        size=size,
        kinds=("True".__eq__, int, UUID),
        key=lambda one: (one.answer is Answer.LATER, -one.score, one.id),
    )


def _waits(scope: Scope) -> list[ColumnElement[bool]]:
    seen = select(Prospect.id).where(listed_to(scope))
    return [
        Suspect.town_id == scope.town_id,
        Suspect.answer.in_((Answer.OPEN, Answer.LATER)),
        Suspect.one_id.in_(seen),
        Suspect.other_id.in_(seen),
    ]


def out_of_sight(scope: Scope) -> Select[Suspect]:
    """Pairs of which only one is in sight: the steering office has to look at them."""
    if scope.reach is Reach.ALL:
        return select(Suspect).where(Suspect.town_id != Suspect.town_id)
    seen = select(Prospect.id).where(listed_to(scope))
    one, other = Suspect.one_id.in_(seen), Suspect.other_id.in_(seen)
    return select(Suspect).where(
        Suspect.town_id == scope.town_id, Suspect.answer == Answer.OPEN, or_(and_(one, ~other), and_(other, ~one))
    )


def how_many(session: Session, query: Select[Suspect], *, most: int = MOST_COUNTED) -> int:
    """How many pairs these are; `most` stands for more."""
    some = query.order_by(None).with_only_columns(Suspect.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def suspect_of(session: Session, town_id: UUID, one_id: UUID, other_id: UUID) -> Suspect | None:
    """What is known of a pair, in whichever order it is named."""
    first, second = sorted((one_id, other_id))
    query = select(Suspect).where(Suspect.town_id == town_id, Suspect.one_id == first, Suspect.other_id == second)
    return session.scalars(query.execution_options(populate_existing=True)).first()


def answered_by(session: Session, suspect: Suspect | None) -> str | None:
    """Who said that these are two people; None when nobody did."""
    if suspect is None or suspect.answer is not Answer.DIFFERENT or suspect.answered_by_id is None:
        return None
    return session.get_one(User, (suspect.town_id, suspect.answered_by_id)).full_name


class Pair(NamedTuple):
    """A suspected pair with its two people."""

    suspect: Suspect
    one: Prospect
    other: Prospect


def with_people(session: Session, suspects: Collection[Suspect]) -> list[Pair]:
    """The people of these pairs, in the order of the pairs; `one` is who takes part, or was spoken to last, or is here longer."""
    ids = {key for one in suspects for key in (one.one_id, one.other_id)}
    towns = {one.town_id for one in suspects}
    query = select(Prospect).where(Prospect.town_id.in_(towns), Prospect.id.in_(ids))
    people = {row.id: row for row in session.scalars(query)}
    return [Pair(one, *sorted((people[one.one_id], people[one.other_id]), key=_fuller_first)) for one in suspects]


def _fuller_first(person: Prospect) -> tuple[bool, float, datetime]:
    spoken_to = person.last_contact_at.timestamp() if person.last_contact_at else 0.0
    return person.stage is not Stage.JOINED, -spoken_to, person.created_at


def strays(town_id: UUID) -> Select[UUID]:
    """Records that stand by themselves and that somebody became part of."""
    top = aliased(Merge)
    upper = exists().where(top.town_id == Merge.town_id, top.gone_id == Merge.kept_id, top.undone_at.is_(None))
    return select(Merge.kept_id).where(Merge.town_id == town_id, Merge.undone_at.is_(None), ~upper).distinct()


def as_key(row_id: UUID) -> str:
    """How `merged_row` names a row that has an id of its own: as the database writes the JSON object."""
    return json.dumps({"id": str(row_id)})


def counted(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many rows of each table these people have."""
    places = _places(session)
    found: dict[UUID, dict[str, int]] = {key: {} for key in prospect_ids}
    asked = {"town": town_id, "people": list(prospect_ids)}
    for table, person, number in session.execute(_counting(tuple(places)), asked):
        found[person][table] = found[person].get(table, 0) + number
    return found


@lru_cache(maxsize=8)
def _counting(places: tuple[tuple[str, str, tuple[str, ...]], ...]) -> TextClause:
    parts = (
        f'select \'{table}\', t."{column}", count(*) from "{table}" t '  # from the catalogue
        f'where t.town_id = :town and t."{column}" = any(:people) group by 2'
        for table, column, _keys in places
    )
    return text(" union all ".join(parts))
