"""What lists add to a person's page: their tags."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.kept import kept
from crm.prospects import cards
from crm.prospects.cards import Card
from crm.prospects.lists.queries import tags_of, tags_on
from crm.prospects.models import Prospect


def _known(town_id: UUID) -> list[str]:
    return [tag.name for tag in session().scalars(tags_of(town_id).limit(100))]


def tags_card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The tags somebody has, and a box for another; nothing for readers of somebody without tags."""
    found, edits = tags_on(session(), person), current_user().may(May.EDIT_PEOPLE)
    if not found and not edits:
        return None
    known = kept(("tags", scope.town_id), lambda: _known(scope.town_id)) if edits else []
    return Card("prospects/lists/_tags.html", {"tags": found, "edits": edits, "known": known}, order=70)


cards.register(card=tags_card)
