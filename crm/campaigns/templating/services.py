"""Making templates, changing them by new versions, and writing down what the carrier said."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.campaigns.rules.places import OF_REMINDERS, PLACES
from crm.campaigns.services.drafting import check_text
from crm.campaigns.templating.models import MessageTemplate, TemplateRegistration, TemplateVersion
from crm.campaigns.templating.rules import Registered
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.names import fold
from crm.prospects.rules import Purpose


def add_template(
    session: Session, town_id: UUID, *, name: str, purpose: Purpose, text: str, by_id: UUID | None, at: datetime
) -> MessageTemplate:
    """A new template with its first version. Raises RuleBroken for a text that cannot be, or a name that is taken."""
    _check(text)
    template = MessageTemplate(
        town_id=town_id,
        id=new_id(),
        name=name,
        name_fold=fold(name),
        purpose=purpose,
        number=1,
        made_at=at,
        made_by_id=by_id,
    )
    _keep_named(session, template)
    _version(session, template, text, by_id, at)
    return template


def change_template(
    session: Session, template: MessageTemplate, *, name: str, text: str, number: int | None, by_id: UUID, at: datetime
) -> bool:
    """Another name or another text; another text is a new version, and what was sent keeps its own. Whether there is one.

    `number` is the version the person looked at (None: whatever there is). Raises Conflict when there is a newer one."""
    _check(text)
    session.refresh(template, with_for_update=True)
    _in_use(template)
    if number is not None and number != template.number:
        raise Conflict(
            _l("Somebody else changed this template meanwhile. Look at it as it is now, then change it."), code="stale"
        )
    template.name, template.name_fold = name, fold(name)
    _keep_named(session, template)
    if _latest_text(session, template) == text:
        return False
    template.number += 1
    _version(session, template, text, by_id, at)
    return True


def archive(session: Session, template: MessageTemplate, *, by_id: UUID, at: datetime) -> None:
    """It is offered no more; what used it keeps it."""
    session.refresh(template, with_for_update=True)
    _in_use(template)
    template.archived_at, template.archived_by_id = at, by_id
    session.flush()


def restore(session: Session, template: MessageTemplate) -> None:
    """It is offered again. Raises RuleBroken when its name is taken meanwhile."""
    session.refresh(template, with_for_update=True)
    template.archived_at = template.archived_by_id = None
    _keep_named(session, template)


def register(
    session: Session,
    version: TemplateVersion,
    *,
    sender: str,
    state: Registered,
    number: str | None,
    words: str | None,
    on: date,
    by_id: UUID,
    at: datetime,
) -> TemplateRegistration:
    """Write down that a version was handed in, or what the carrier said of it. Raises RuleBroken for an answer without
    its reason, or a day to come."""
    if state is Registered.DRAFT:
        raise RuleBroken(_l("Choose what became of the registration."), field="state")
    if state is Registered.REJECTED and not words:
        raise RuleBroken(_l("Write why the carrier refused it."), field="words")
    row = TemplateRegistration(
        town_id=version.town_id,
        id=new_id(),
        version_id=version.id,
        sender=sender,
        state=state,
        number=number,
        words=words,
        on=on,
        at=at,
        by_id=by_id,
    )
    session.add(row)
    session.flush()
    return row


def _check(text: str) -> None:
    """As `check_text`, and what reminders name besides: {nguoi}, {ma}. Of a campaign a person cannot fill those, and the
    campaign says so."""
    check_text(text, (*PLACES, *OF_REMINDERS))


def _version(session: Session, template: MessageTemplate, text: str, by_id: UUID | None, at: datetime) -> None:
    session.add(
        TemplateVersion(
            town_id=template.town_id,
            id=new_id(),
            template_id=template.id,
            number=template.number,
            text=text,
            made_at=at,
            made_by_id=by_id,
        )
    )
    session.flush()


def _latest_text(session: Session, template: MessageTemplate) -> str:
    return session.scalars(
        select(TemplateVersion.text).where(
            TemplateVersion.town_id == template.town_id,
            TemplateVersion.template_id == template.id,
            TemplateVersion.number == template.number,
        )
    ).one()


def _in_use(template: MessageTemplate) -> None:
    if template.archived_at is not None:
        raise Conflict(_l("This template is put away. Take it out again first."), code="archived")


def _keep_named(session: Session, template: MessageTemplate) -> None:
    try:
        with session.begin_nested():
            session.add(template)
            session.flush()
    except IntegrityError as refused:
        if "uq_message_template_name" not in str(refused.orig):
            raise
        raise RuleBroken(_l("Another template has this name. Choose a name of its own."), field="name") from None
