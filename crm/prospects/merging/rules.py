"""What a record takes from the one that becomes part of it, and what it is without it again: plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm.prospects.rules import Kinship, Stage

Raw = Mapping[str, Any]
"""The columns of a record as the database writes them in JSON: lossless, sealed ones still sealed."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "full_name": ("full_name", "name_fold", "name_key"),
    "birth": ("birth_date", "birth_year"),
    "sex": ("sex",),
    "phone": ("phone",),
    "other_phone": ("other_phone",),
    "citizen_id": ("citizen_id", "citizen_index", "citizen_masked"),
    "si_number": ("insurance_number", "insurance_index", "insurance_masked"),
    "home": ("place_id", "neighbourhood_id"),
    "address": ("address",),
    "occupation": ("occupation",),
    "household": ("household_id", "kinship"),
    "care": ("organisation_id", "volunteer_id"),
}
"""Particulars that are chosen together, and the columns of each."""
FOLLOWING = ("household", "care")
"""What nobody chooses: the household and who looks after somebody are the kept record's, unless it has none."""
CHOSEN = tuple(name for name in GROUPS if name not in FOLLOWING)
"""What a person chooses, one by one."""
DERIVED = ("stage", "last_contact_at", "last_outcome", "next_contact_on")
"""What follows from everything that happened."""
OWN = ("town_id", "id", "created_at", "created_by_id", "updated_at", "merged_into_id", "version")
"""What stays each record's own."""
KEPT_IN_LAYERS = (*(column for columns in GROUPS.values() for column in columns), *DERIVED)


class Source(StrEnum):
    """How two records came to be suspected."""

    SCAN = "scan"
    LIST = "list"


class Answer(StrEnum):
    """What somebody said of two records that may be one person."""

    OPEN = "open"
    DIFFERENT = "different"
    LATER = "later"
    MERGED = "merged"


def told(row: Raw, group: str) -> tuple[Any, ...]:
    """What a record says of one group of particulars, so that two records can be compared."""
    columns = GROUPS[group]
    index = [column for column in columns if column.endswith("_index")]
    if group == "full_name":
        return (row["full_name"],)
    return tuple(row[column] for column in index or columns)


def says_nothing(row: Raw, group: str) -> bool:
    """Whether a record leaves a group of particulars blank."""
    return all(value is None for value in told(row, group))


def proposed(kept: Raw, gone: Raw, verified: Collection[str] = ()) -> frozenset[str]:
    """The groups that are better taken from the other record: where this one is blank, where the other knows more
    (a day instead of a year, a neighbourhood, a new card), where its number is verified, or where it is newer.

    `verified` are telephones whose holders answered for them.
    """
    differ = (group for group in CHOSEN if told(kept, group) != told(gone, group))
    return frozenset(group for group in differ if _better(kept, gone, group, verified))


def _better(kept: Raw, gone: Raw, group: str, verified: Collection[str]) -> bool:
    if says_nothing(gone, group) or says_nothing(kept, group):
        return says_nothing(kept, group)
    if group == "birth":
        return not kept["birth_date"] and bool(gone["birth_date"]) and kept["birth_year"] == gone["birth_year"]
    if group == "home" and kept["place_id"] == gone["place_id"]:
        return not kept["neighbourhood_id"]
    if group == "home" and bool(kept["address"]) != bool(gone["address"]):
        return bool(gone["address"])  # the only house that is known stays in its own ward
    if group in ("phone", "other_phone") and (kept[group] in verified) != (gone[group] in verified):
        return gone[group] in verified
    if group == "citizen_id":
        return len(gone["citizen_masked"] or "") > len(kept["citizen_masked"] or "")
    newer = str(gone["created_at"]) > str(kept["created_at"])
    return newer and group in ("phone", "other_phone", "home", "address", "occupation")


def following(kept: Raw, gone: Raw) -> set[str]:
    """Which of `FOLLOWING` the kept record takes: where it has none, or the other is the head of the same household."""
    found = set()
    head_of_the_same = kept["household_id"] == gone["household_id"] and gone["kinship"] == Kinship.HEAD
    if gone["household_id"] is not None and (kept["household_id"] is None or head_of_the_same):
        found.add("household")
    if kept["volunteer_id"] is None and gone["volunteer_id"] is not None:
        found.add("care")
    if kept["volunteer_id"] is None and kept["organisation_id"] is None and gone["organisation_id"] is not None:
        found.add("care")
    return found


_WEAK = (Stage.NEW, Stage.UNREACHED)


def together(one: Raw, other: Raw) -> dict[str, Any]:
    """The `DERIVED` columns of two records as one: who takes part takes part; otherwise what was said last holds.

    `one` decides where the two cannot be told apart.
    """
    first, second = (one, other) if _later(one, other) else (other, one)
    stage = _stage(one, other, first, second)
    if stage == Stage.JOINED:
        next_on = (one if one["stage"] == Stage.JOINED else other)["next_contact_on"]
    elif first["last_contact_at"] is not None:
        next_on = first["next_contact_on"]
    else:
        next_on = min((day for day in (one["next_contact_on"], other["next_contact_on"]) if day), default=None)
    return {
        "stage": stage,
        "last_contact_at": first["last_contact_at"],
        "last_outcome": first["last_outcome"],
        "next_contact_on": next_on,
    }


def _later(one: Raw, other: Raw) -> bool:
    """Whether `one` was spoken to last, or neither was."""
    return (one["last_contact_at"] or "") >= (other["last_contact_at"] or "")


def _stage(one: Raw, other: Raw, first: Raw, second: Raw) -> str:
    stages = (one["stage"], other["stage"])
    if Stage.JOINED in stages:
        return Stage.JOINED.value
    for weak in _WEAK:
        if weak in stages and stages[0] != stages[1]:
            return str(stages[1] if stages[0] == weak else stages[0])
    return str(first["stage"] if first["stage"] not in _WEAK else second["stage"])


def merged(kept: Raw, gone: Raw, taken: Collection[str]) -> dict[str, Any]:
    """The columns of the kept record once the other is part of it."""
    values = {column: kept[column] for column in KEPT_IN_LAYERS}
    for group in taken:
        values |= {column: gone[column] for column in GROUPS[group]}
    return values | together(kept, gone)


@dataclass(frozen=True)
class Layer:
    """One merge as it lies on a record: what the record was without it, with it, and what it took from whom."""

    before: Raw
    after: Raw
    taken: frozenset[str]
    gone: Raw


@dataclass(frozen=True)
class TakenAway:
    """A record without one of its layers."""

    later: tuple[Layer, ...]
    """The layers above, as they would have been."""
    now: dict[str, Any]
    """The record's columns."""
    edited: tuple[str, ...]
    """Groups that somebody changed after the merge: they stay as they are."""
    moved_on: bool
    """What follows from events is no more what the merges made it: the events have to be asked."""


def without(layer: Layer, later: Sequence[Layer], now: Raw) -> TakenAway:
    """Take one layer away from under those above it: each then says what it would have said without."""
    befores = [dict(one.before) for one in later]
    afters = [dict(one.after) for one in later]
    values = {column: now[column] for column in KEPT_IN_LAYERS}
    edited = []
    for name, columns in (*GROUPS.items(), ("", DERIVED)):
        value, was, untouched = _of(layer.before, columns), _of(layer.after, columns), True
        for number, above in enumerate(later):
            if _of(above.before, columns) != was:
                untouched = False
                break
            befores[number] |= value
            value = _on_top(above, name, columns, value)
            was = _of(above.after, columns)
            afters[number] |= value
        untouched = untouched and _of(now, columns) == was
        if untouched or not name:
            values |= value
        elif value != was:
            edited.append(name)
        if not name:
            moved_on = not untouched
    layers = tuple(
        Layer(before, after, one.taken, one.gone) for before, after, one in zip(befores, afters, later, strict=True)
    )
    return TakenAway(layers, values, tuple(edited), moved_on)


def _of(row: Raw, columns: Iterable[str]) -> dict[str, Any]:
    return {column: row[column] for column in columns}


def _on_top(above: Layer, name: str, columns: Sequence[str], value: Raw) -> dict[str, Any]:
    """What a layer makes of a group of columns below it."""
    if not name:
        return together(value, above.gone)
    return _of(above.gone, columns) if name in above.taken else dict(value)
