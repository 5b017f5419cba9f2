"""The inbox: what people wrote back, who looks at it, and an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.inbox import queries, services
from crm.campaigns.inbox.forms import GiveForm, ReplyForm
from crm.campaigns.inbox.models import Conversation
from crm.campaigns.inbox.rules import TALKS, Talk
from crm.campaigns.numbers.queries import Holders, holders
from crm.campaigns.numbers.routes.pages import written
from crm.campaigns.routes.pages import public_url
from crm.campaigns.rules.answers import MEANINGS
from crm.campaigns.rules.delivery import DELIVERY_NAMES
from crm.campaigns.rules.reasons import REASONS
from crm.db import session, transaction
from crm.errors import NotFound
from crm.phones import is_mobile
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import Purpose
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.campaigns import send_some

bp = Blueprint("inbox", __name__, url_prefix="/answers")
bp.context_processor(
    lambda: {
        "talks": TALKS,
        "meanings": MEANINGS,
        "delivery_names": DELIVERY_NAMES,
        "reasons": REASONS,
        "written": written,
        "is_mobile": is_mobile,
    }
)


@bp.get("")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """What waits to be looked at, or was, the latest first."""
    scope, asked = current_scope(), request.args
    state = Talk.DONE if asked.get("state") == Talk.DONE else Talk.OPEN
    mine, campaign_id = asked.get("mine") == "1", _uuid(asked.get("campaign", ""))
    query = queries.talks(scope, state, mine=mine, campaign_id=campaign_id)
    page = queries.talks_page(session(), query, cursor=asked.get("cursor"))
    return render_template("campaigns/inbox/listing.html", page=page, state=state, mine=mine, campaign_id=campaign_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound from None


@bp.get("/<uuid:talk_id>")
@may(May.SEE_PEOPLE)
def show(talk_id: UUID) -> ResponseReturnValue:
    """One number's conversation."""
    return _page(_talk(talk_id), ReplyForm(formdata=None))


def _talk(talk_id: UUID, *, hold: bool = False) -> Conversation:
    return queries.talk_seen(session(), current_scope(), talk_id, hold=hold)


def _page(talk: Conversation, form: ReplyForm) -> str:
    return render_template("campaigns/inbox/show.html", **_shown(talk), form=_with_templates(form))


def _shown(talk: Conversation) -> dict[str, Any]:
    scope, current = current_scope(), session()
    said = consents_of(current, talk.town_id, talk.phone).get(Purpose.SERVICE)
    return {
        "talk": talk,
        "said": queries.said_in(current, talk),
        "steps": queries.steps_of(current, talk),
        "holders": _holders(talk),
        "giving": GiveForm(formdata=None).offering(queries.who_may_take(current, scope), talk.assigned_to_id),
        "may_reply": bool(said and said.given and is_mobile(talk.phone)),
    }


def _holders(talk: Conversation) -> Holders:
    return holders(session(), current_scope(), talk.phone)


def _with_templates(form: ReplyForm) -> ReplyForm:
    found = queries.templates_for_replies(session(), current_scope().town_id)
    return form.offering((template.id, template.name, text) for template, text in found)


@bp.post("/<uuid:talk_id>/give")
@may(May.LOG_VISITS)
def give(talk_id: UUID) -> ResponseReturnValue:
    """Hand a conversation to whoever knows the person."""
    form = GiveForm().offering(queries.who_may_take(session(), current_scope()), None)
    talk = _talk(talk_id)
    if not form.validate():
        return _page(talk, ReplyForm(formdata=None)), 422
    with transaction() as current:
        services.give(current, _talk(talk_id, hold=True), form.to_id, by=current_user(), at=clock.now())
    flash(_("Handed on."), "success")
    return redirect(url_for(".listing"), 303)


@bp.post("/<uuid:talk_id>/done")
@may(May.LOG_VISITS)
def done(talk_id: UUID) -> ResponseReturnValue:
    """Nothing is left to do."""
    with transaction() as current:
        services.finish(current, _talk(talk_id, hold=True), by=current_user(), at=clock.now())
    flash(_("Done. It stands under “Done” now."), "success")
    return redirect(url_for(".listing"), 303)


@bp.post("/<uuid:talk_id>/open")
@may(May.LOG_VISITS)
def open_again(talk_id: UUID) -> ResponseReturnValue:
    """There is something to do after all."""
    with transaction() as current:
        services.open_again(current, _talk(talk_id, hold=True), by=current_user(), at=clock.now())
    return redirect(url_for(".show", talk_id=talk_id), 303)


@bp.post("/<uuid:talk_id>/reply")
@may(May.LOG_VISITS)
def reply(talk_id: UUID) -> ResponseReturnValue:
    """Answer, once: two who answer at the same time are told of each other."""
    form = _with_templates(ReplyForm())
    if form.validate():
        with refusals_on(form), transaction() as current:
            talk, seen = _talk(talk_id, hold=True), _holders(_talk(talk_id)).seen
            to = seen[0] if seen else None
            told: Any = {"by": current_user(), "at": clock.now(), "public_url": public_url()}
            services.reply(current, talk, to, _text(form), **told)
            flash(_("The answer leaves within the hours in which messages may go."), "success")
        if not form.errors:
            ring(send_some)
            return redirect(url_for(".show", talk_id=talk_id), 303)
    return _page(_talk(talk_id), form), 422


def _text(form: ReplyForm) -> str:
    if form.words.data or not form.template.data:
        return form.words.data or ""
    return form.texts.get(form.template.data, "")
