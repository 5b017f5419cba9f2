"""Tags on one person, and on many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.accounts.services import note_change_of
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.names import fold
from crm.prospects.lists import bulk
from crm.prospects.lists.bulk import Did, Doing, Kind, Then
from crm.prospects.lists.models import PersonTag, Tag
from crm.prospects.lists.queries import tag_known
from crm.prospects.lists.rules import MOST_TAGS_OF_ONE, Why, tag_name
from crm.prospects.models import Prospect


def tag_called(session: Session, town_id: UUID, text: str, *, by: User, at: datetime) -> Tag:
    """The town's tag of that name in any spelling; a new one when there is none. Raises RuleBroken."""
    name = tag_name(text)
    session.execute(
        insert(Tag)
        .values(town_id=town_id, id=new_id(), name=name, name_fold=fold(name), created_at=at, created_by_id=by.id)
        .on_conflict_do_nothing()
    )
    return session.scalars(select(Tag).where(Tag.town_id == town_id, Tag.name_fold == fold(name))).one()


def put_tag(session: Session, person: Prospect, tag: Tag, *, by: User, at: datetime) -> bool:
    """Stick a tag on somebody; False when it was there. Raises RuleBroken when they have too many."""
    on_them = (PersonTag.town_id == person.town_id) & (PersonTag.prospect_id == person.id)
    if (session.scalar(select(func.count()).select_from(PersonTag).where(on_them)) or 0) >= MOST_TAGS_OF_ONE:
        raise RuleBroken(_l("This person has too many tags. Take one away first."), field="tag")
    put = session.execute(
        insert(PersonTag)
        .values(town_id=person.town_id, tag_id=tag.id, prospect_id=person.id, at=at, by_id=by.id)
        .on_conflict_do_nothing()
        .returning(PersonTag.tag_id)
    ).first()
    if put:
        _noted(session, person, by, at, before=None, after={"tag": tag.name})
    return put is not None


def take_tag(session: Session, person: Prospect, tag: Tag, *, by: User, at: datetime) -> bool:
    """Take a tag off somebody; False when it was not there."""
    taken = session.execute(
        delete(PersonTag)
        .where(PersonTag.town_id == person.town_id, PersonTag.prospect_id == person.id, PersonTag.tag_id == tag.id)
        .returning(PersonTag.tag_id)
    ).first()
    if taken:
        _noted(session, person, by, at, before={"tag": tag.name}, after=None)
    return taken is not None


def _noted(session: Session, person: Prospect, by: User, at: datetime, **values: Any) -> None:
    note_change_of(session, person, "tag_prospect", by=by, at=at, **values)


# ---- many at once


def _check(session: Session, scope: Scope, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The tag that is meant: one there is, or `new_tag` by name, which is made when the act begins."""
    if (typed := str(sent.get("new_tag") or "").strip()) and not sent.get("tag"):
        return {"new_tag": tag_name(typed), "tag_name": tag_name(typed)}
    try:
        tag = tag_known(session, scope.town_id, UUID(str(sent.get("tag") or "")))
    except ValueError:
        raise RuleBroken(_l("Choose a tag, or write the name of a new one."), field="tag") from None
    return {"tag": str(tag.id), "tag_name": tag.name}


def _check_known(session: Session, scope: Scope, sent: Mapping[str, Any]) -> dict[str, Any]:
    return _check(session, scope, {"tag": sent.get("tag")})


def _tag_of(session: Session, doing: Doing) -> UUID:
    detail = doing.act.detail
    if "tag" not in detail:
        tag = tag_called(session, doing.scope.town_id, detail["new_tag"], by=doing.by, at=doing.at)
        doing.act.detail = {"tag": str(tag.id), "tag_name": tag.name}
    return UUID(doing.act.detail["tag"])


def _on(doing: Doing, tag: UUID, people: Sequence[UUID]) -> Any:
    return (PersonTag.town_id == doing.scope.town_id) & (PersonTag.tag_id == tag) & PersonTag.prospect_id.in_(people)


def tag_many(session: Session, doing: Doing, people: Sequence[UUID]) -> Did:
    """Stick the act's tag on these people."""
    tag, town_id = _tag_of(session, doing), doing.scope.town_id
    full = set(
        session.scalars(
            select(PersonTag.prospect_id)
            .where(PersonTag.town_id == town_id, PersonTag.prospect_id.in_(people))
            .group_by(PersonTag.prospect_id)
            .having(func.count() >= MOST_TAGS_OF_ONE)
        )
    )
    rows = [
        {
            "town_id": town_id,
            "tag_id": tag,
            "prospect_id": one,
            "at": doing.at,
            "by_id": doing.by.id,
            "act_id": doing.act.id,
        }
        for one in people
        if one not in full
    ]
    put = set()
    if rows:
        put = set(
            session.scalars(insert(PersonTag).values(rows).on_conflict_do_nothing().returning(PersonTag.prospect_id))
        )
    there = set(session.scalars(select(PersonTag.prospect_id).where(_on(doing, tag, people)))) - put
    why = {one: Why.ALREADY if one in there else Why.TOO_MANY_TAGS for one in people if one not in put}
    return Did(why, {one: {} for one in put})


def untag_again(session: Session, doing: Doing, people: Sequence[Then]) -> Mapping[UUID, Why]:
    """Take off again what this act stuck on; a tag that somebody took off or put anew since stays as it is."""
    tag = UUID(doing.act.detail["tag"])
    taken = set(
        session.scalars(
            delete(PersonTag)
            .where(_on(doing, tag, [one.person for one in people]), PersonTag.act_id == doing.act.id)
            .returning(PersonTag.prospect_id)
        )
    )
    return {one.person: Why.TOUCHED for one in people if one.person not in taken}


def untag_many(session: Session, doing: Doing, people: Sequence[UUID]) -> Did:
    """Take the act's tag off these people."""
    tag = UUID(doing.act.detail["tag"])
    taken = session.execute(
        delete(PersonTag)
        .where(_on(doing, tag, people))
        .returning(PersonTag.prospect_id, PersonTag.at, PersonTag.by_id, PersonTag.act_id)
    )
    before = {
        person: {"at": at.isoformat(), "by": str(by) if by else None, "act": str(act) if act else None}
        for person, at, by, act in taken
    }
    return Did({one: Why.ALREADY for one in people if one not in before}, before)


def tag_again(session: Session, doing: Doing, people: Sequence[Then]) -> Mapping[UUID, Why]:
    """Put back what this act took off, with who had put it there; who got the tag anew since keeps that."""
    tag = UUID(doing.act.detail["tag"])
    rows = [
        {
            "town_id": doing.scope.town_id,
            "tag_id": tag,
            "prospect_id": one.person,
            "at": datetime.fromisoformat(one.before["at"]),
            "by_id": UUID(one.before["by"]) if one.before["by"] else None,
            "act_id": UUID(one.before["act"]) if one.before["act"] else None,
        }
        for one in people
    ]
    put = set(session.scalars(insert(PersonTag).values(rows).on_conflict_do_nothing().returning(PersonTag.prospect_id)))
    return {one.person: Why.TOUCHED for one in people if one.person not in put}


bulk.register(
    Kind(
        "tag",
        _l("Put a tag"),
        May.EDIT_PEOPLE,
        _check,
        tag_many,
        untag_again,
        lambda detail: _("Tag “%(tag)s” put", tag=detail["tag_name"]),
        icon="note",
    )
)
bulk.register(
    Kind(
        "untag",
        _l("Take a tag away"),
        May.EDIT_PEOPLE,
        _check_known,
        untag_many,
        tag_again,
        lambda detail: _("Tag “%(tag)s” taken away", tag=detail["tag_name"]),
        icon="close",
    )
)
