"""Tags of one person."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import transaction
from crm.errors import NotFound
from crm.prospects.lists import queries
from crm.prospects.lists.forms import TagForm
from crm.prospects.lists.routes.blueprint import bp
from crm.prospects.lists.services import tags
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may


@bp.post("/<uuid:prospect_id>/tags")
@may(May.EDIT_PEOPLE)
def put_tag(prospect_id: UUID) -> ResponseReturnValue:
    """Stick a tag on somebody."""
    with transaction() as current:
        person, form, at = person_seen(current, current_scope(), prospect_id), TagForm(), clock.now()
        tag = tags.tag_called(current, person.town_id, form.tag.data or "", by=current_user(), at=at)
        tags.put_tag(current, person, tag, by=current_user(), at=at)
    return redirect(url_for("prospects.show", prospect_id=prospect_id), 303)


@bp.post("/<uuid:prospect_id>/tags/<uuid:tag_id>/remove")
@may(May.EDIT_PEOPLE)
def take_tag(prospect_id: UUID, tag_id: UUID) -> ResponseReturnValue:
    """Take a tag off somebody who has it."""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        tag = next((tag for tag in queries.tags_on(current, person) if tag.id == tag_id), None)
        if tag is None:
            raise NotFound
        tags.take_tag(current, person, tag, by=current_user(), at=clock.now())
    return redirect(url_for("prospects.show", prospect_id=prospect_id), 303)
