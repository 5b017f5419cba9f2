"""Giving many people of a list to somebody, and taking them back: what lists can do because this package knows how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, volunteers_for
from crm.accounts.rules import May
from crm.errors import RuleBroken
from crm.outreach.models import Assignment
from crm.outreach.services import Hands, assign, hand_over, held_people, met_since, unassign
from crm.prospects.lists import bulk
from crm.prospects.lists.bulk import Did, Doing, Kind, Then
from crm.prospects.lists.rules import Why
from crm.prospects.models import Prospect


def _check(session: Session, scope: Scope, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The volunteer of one's own unit who is meant."""
    try:
        wanted = UUID(str(sent.get("volunteer") or ""))
    except ValueError:
        raise RuleBroken(_l("Choose who shall look after these people."), field="volunteer") from None
    found = session.scalar(volunteers_for(scope).where(User.id == wanted))
    if found is None:
        raise RuleBroken(_l("Choose somebody of your own unit who is active."), field="volunteer")
    return {"volunteer": str(found.id), "volunteer_name": found.full_name}


def _whose(session: Session, doing: Doing, people: Sequence[UUID]) -> dict[UUID, UUID | None]:
    query = select(Prospect.id, Prospect.volunteer_id).where(
        Prospect.town_id == doing.scope.town_id, Prospect.id.in_(people)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def give_many(session: Session, doing: Doing, people: Sequence[UUID]) -> Did:
    """Give these people to the act's volunteer."""
    to, whose = UUID(doing.act.detail["volunteer"]), _whose(session, doing, people)
    mine = [one for one in people if whose[one] != to]
    assign(session, doing.scope, mine, to, by=doing.by, at=doing.at)
    return Did({one: Why.ALREADY for one in people if whose[one] == to}, {})


def take_many(session: Session, doing: Doing, people: Sequence[UUID]) -> Did:
    """Take these people back from whoever looks after them."""
    whose = _whose(session, doing, people)
    unassign(session, doing.scope, [one for one in people if whose[one]], by=doing.by, at=doing.at)
    return Did({one: Why.ALREADY for one in people if not whose[one]}, {})


def put_right(session: Session, doing: Doing, people: Sequence[Then]) -> Mapping[UUID, Why]:
    """Everybody belongs to whom they belonged before, but not who was handed on or met since."""
    given = {one.person: one.at for one in people}
    mine = (
        select(Assignment.prospect_id, Assignment.since, Assignment.volunteer_was_id, Assignment.organisation_was_id)
        .where(Assignment.town_id == doing.scope.town_id, Assignment.by_id == doing.act.by_id)
        .where(Assignment.prospect_id.in_(given), Assignment.until.is_(None))
    )
    before = {row[0]: (row[2], row[3]) for row in session.execute(mine) if given[row[0]] == row[1]}
    for met in met_since(session, doing.scope.town_id, {one: given[one] for one in before}):
        del before[met]
    held = held_people(session, doing.scope, list(before))
    changes = [Hands(*row, *before[row[0]]) for row in held]
    hand_over(session, doing.scope.town_id, changes, by=doing.by, at=doing.at)
    return {one: Why.TOUCHED for one in given if one not in before}


bulk.register(
    Kind(
        "assign",
        _l("Give to a volunteer"),
        May.ASSIGN,
        _check,
        give_many,
        put_right,
        lambda detail: _("Given to %(name)s", name=detail["volunteer_name"]),
        icon="family",
    )
)
bulk.register(
    Kind(
        "unassign",
        _l("Take back from their volunteer"),
        May.ASSIGN,
        lambda _session, _scope, _sent: {},
        take_many,
        put_right,
        lambda _detail: _("Taken back from their volunteer"),
        icon="undo",
    )
)
