"""Who may share a list, what a tag is called, which columns there are, and how a cell is made harmless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.accounts.rules import Reach
from crm.errors import RuleBroken
from crm.names import clean
from crm.prospects.rules import Stage

LONGEST_NAME = 80
LONGEST_TAG = 40
LONGEST_REASON = 300
MOST_TAGS_OF_ONE = 20
MOST_AT_ONCE = 200_000
"""People that one act may concern."""
IN_THE_REQUEST = 1_000
"""Up to so many people an act is done while one waits; more are changed in the background."""
CHUNK = 500
UNDONE_WITHIN = timedelta(days=1)
KEPT_FOR = timedelta(hours=24)
"""How long a file may be fetched."""
STALE = timedelta(minutes=2)
"""Work whose heart did not beat for so long has lost its worker."""
MOST_TRIES = 3


class Sharing(StrEnum):
    """Who else finds a saved list."""

    OWN = "own"
    UNIT = "unit"
    TOWN = "town"


SHARING: Mapping[Sharing, Any] = {
    Sharing.OWN: _l("Only me"),
    Sharing.UNIT: _l("My organisation or ward"),
    Sharing.TOWN: _l("The whole town"),
}


def shared_with(how_far: Reach, *, has_unit: bool) -> list[Sharing]:
    """With whom somebody may share a list: those who see the whole town with everybody, a lead with the own unit."""
    found = [Sharing.OWN]
    if how_far is Reach.UNIT and has_unit:
        found.append(Sharing.UNIT)
    if how_far is Reach.ALL:
        found.append(Sharing.TOWN)
    return found


class ActState(StrEnum):
    """Where an act on many people stands."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


ACT_STATES: Mapping[ActState, Any] = {
    ActState.WAITING: _l("Waiting"),
    ActState.WORKING: _l("At work"),
    ActState.DONE: _l("Done"),
    ActState.UNDOING: _l("Being undone"),
    ActState.UNDONE: _l("Undone"),
    ActState.FAILED: _l("Stopped"),
}
ACTS_AT_WORK = (ActState.WAITING, ActState.WORKING, ActState.UNDOING)


class Outcome(StrEnum):
    """What an act did with one person."""

    WAITING = "waiting"
    DONE = "done"
    LEFT_OUT = "left_out"
    BACK = "back"
    STAYED = "stayed"


class Why(StrEnum):
    """Why an act left somebody out, or why somebody stays as they are when it is undone."""

    ALREADY = "already"
    OUT_OF_SIGHT = "out_of_sight"
    TAKES_PART = "takes_part"
    TOO_MANY_TAGS = "too_many_tags"
    TOUCHED = "touched"


WHY: Mapping[Why, Any] = {
    Why.ALREADY: _l("was so already"),
    Why.OUT_OF_SIGHT: _l("is no longer in your list"),
    Why.TAKES_PART: _l("takes part or has lapsed; payments decide that"),
    Why.TOO_MANY_TAGS: _l("has too many tags"),
    Why.TOUCHED: _l("was changed since"),
}

BY_PAYMENTS = frozenset({Stage.JOINED, Stage.LAPSED})
"""Stages that payments alone bring about and end."""
BY_HAND = tuple(stage for stage in Stage if stage not in BY_PAYMENTS)


def check_stage(stage: Stage) -> Stage:
    """The stage, if it is one people may be moved to by hand. Raises RuleBroken."""
    if stage in BY_PAYMENTS:
        raise RuleBroken(
            _l("Taking part and lapsing follow from payments. Record the payment of each person."), field="stage"
        )
    return stage


def tag_name(text: str) -> str:
    """A tag's name as it is kept: tidy, with a capital. Raises RuleBroken."""
    name = clean(text).strip(" #,;")
    if not name:
        raise RuleBroken(_l("Write the name of the tag."), field="tag")
    if len(name) > LONGEST_TAG:
        raise RuleBroken(_l("A tag has at most %(most)s letters. Shorten it.", most=LONGEST_TAG), field="tag")
    return name[0].upper() + name[1:]


def list_name(text: str | None) -> str:
    """The name of a saved list. Raises RuleBroken."""
    name = clean(text or "")
    if not name:
        raise RuleBroken(_l("Give the list a name."), field="name")
    if len(name) > LONGEST_NAME:
        raise RuleBroken(_l("A name has at most %(most)s letters. Shorten it.", most=LONGEST_NAME), field="name")
    return name


class Column(StrEnum):
    """What a list can show beside the name."""

    PHONE = "phone"
    STAGE = "stage"
    STANDING = "standing"
    VOLUNTEER = "volunteer"
    NEXT_CONTACT = "next_contact"
    LAST_CONTACT = "last_contact"
    ORGANISATION = "organisation"
    SEX = "sex"
    BIRTH = "birth"
    OCCUPATION = "occupation"
    ADDRESS = "address"
    TAGS = "tags"
    OTHER_PHONE = "other_phone"
    PLACE = "place"
    NEIGHBOURHOOD = "neighbourhood"
    CITIZEN_ID = "citizen_id"
    SI_NUMBER = "si_number"
    CREATED = "created"


COLUMNS: Mapping[Column, Any] = {
    Column.PHONE: _l("Phone"),
    Column.STAGE: _l("Where they stand"),
    Column.STANDING: _l("Group"),
    Column.VOLUNTEER: _l("Volunteer"),
    Column.NEXT_CONTACT: _l("Meet"),
    Column.LAST_CONTACT: _l("Last contact"),
    Column.ORGANISATION: _l("Looked after by"),
    Column.SEX: _l("Sex"),
    Column.BIRTH: _l("Birth"),
    Column.OCCUPATION: _l("Work"),
    Column.ADDRESS: _l("Address"),
    Column.TAGS: _l("Tags"),
    Column.OTHER_PHONE: _l("Other telephone"),
    Column.PLACE: _l("Ward or commune"),
    Column.NEIGHBOURHOOD: _l("Neighbourhood"),
    Column.CITIZEN_ID: _l("Citizen number"),
    Column.SI_NUMBER: _l("Insurance number"),
    Column.CREATED: _l("Added on"),
}
ON_THE_PAGE = tuple(Column)[:12]
"""Those a page can show; a file can have all."""
USUAL_COLUMNS = (Column.PHONE, Column.STAGE, Column.STANDING, Column.VOLUNTEER, Column.NEXT_CONTACT)
NUMBERS = (Column.CITIZEN_ID, Column.SI_NUMBER)
MOST_ON_THE_PAGE = 7


def columns_in_order(chosen: Iterable[str] | None, among: Iterable[Column] = ON_THE_PAGE) -> tuple[Column, ...]:
    """The columns somebody chose, in the usual order; the usual ones when nothing was chosen yet."""
    if chosen is None:
        return USUAL_COLUMNS
    wanted = set(chosen)
    return tuple(column for column in among if column.value in wanted)


class ExportState(StrEnum):
    """Where a file of people stands."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    EXPIRED = "expired"
    FAILED = "failed"


EXPORT_STATES: Mapping[ExportState, Any] = {
    ExportState.WAITING: _l("Waiting"),
    ExportState.WORKING: _l("Being written"),
    ExportState.READY: _l("Ready"),
    ExportState.EXPIRED: _l("No longer kept"),
    ExportState.FAILED: _l("Stopped"),
}

_BEGINS_A_FORMULA = frozenset("=+-@|%")


def harmless(text: str) -> str:
    """The text as no spreadsheet takes it for a formula, not even after it was saved as CSV and opened again."""
    kept = "".join(sign for sign in text if sign.isprintable() or sign == "\n")
    return f"'{kept}" if kept.lstrip()[:1] in _BEGINS_A_FORMULA and kept.strip() else kept
