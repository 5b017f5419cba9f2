"""What merging adds to a person's page: of which records they were made, and the way back."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.prospects import cards
from crm.prospects.cards import PERSON, TOWN, Card
from crm.prospects.merging.models import Merge
from crm.prospects.merging.queries import merges_into
from crm.prospects.models import Prospect


def merged_from(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The records that became part of this one; nothing when there is none."""
    if not current_user().may(May.SEE_ALIKE):
        return None
    merges = merges_into(session(), person)
    return Card("prospects/merging/_card.html", {"merges": merges}, order=90) if merges else None


_MERGED = exists().where(Merge.town_id == TOWN, Merge.kept_id == PERSON, Merge.undone_at.is_(None))
cards.register(card=merged_from, when=_MERGED)
