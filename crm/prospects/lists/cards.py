"""What lists add to a person's page: their tags, and the steps of a stage that were set by hand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import and_, select

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.kept import kept
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Happened, Kind, Trail, facts_as, of_person
from crm.prospects.lists.models import BulkAct
from crm.prospects.lists.queries import tags_of, tags_on
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.prospects.wording import STAGE_SIGNS, STAGES


def _known(town_id: UUID) -> list[str]:
    return [tag.name for tag in session().scalars(tags_of(town_id).limit(100))]


def tags_card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The tags somebody has, and a box for another; nothing for readers of somebody without tags."""
    found, edits = tags_on(session(), person), current_user().may(May.EDIT_PEOPLE)
    if not found and not edits:
        return None
    known = kept(("tags", scope.town_id), lambda: _known(scope.town_id)) if edits else []
    return Card("prospects/lists/_tags.html", {"tags": found, "edits": edits, "known": known}, order=70)


def _set_by_hand(row: Happened) -> Event:
    """Somebody was moved with others, with the reason given for all of them, or moved back."""
    to = Stage(row.facts["to"])
    icon, kind = STAGE_SIGNS[to]
    if row.facts["to"] != row.facts["meant"]:
        return Event(row.at, STAGES[to], "undo", "quiet", row.by, text=_("The move to another stage was undone"))
    return Event(row.at, STAGES[to], icon, kind, row.by, text=_("Moved by hand"), note=row.facts["reason"])


MOVED = Trail(
    "moved_by_hand",
    Kind.VISITS,
    select(StageChange)
    .join(BulkAct, and_(BulkAct.town_id == StageChange.town_id, BulkAct.id == StageChange.because_id))
    .where(of_person(StageChange)),
    at=StageChange.at,
    id=StageChange.id,
    by=StageChange.by_id,
    facts=facts_as(to=StageChange.to_stage, meant=BulkAct.detail["stage"].astext, reason=BulkAct.reason),
    tell=_set_by_hand,
)

cards.register(card=tags_card, trails=(MOVED,))
