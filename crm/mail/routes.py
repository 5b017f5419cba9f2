"""The mailbox of a machine without a mail server: what would have been sent."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from crm.db import session
from crm.errors import NotFound
from crm.mail import queries
from crm.mail.gateway import sandboxed
from crm.mail.rules import STATES
from crm.web.guard import public

bp = Blueprint("mail", __name__)


@bp.get("/sandbox/mail")
@public
def mailbox() -> ResponseReturnValue:
    """The latest e-mails, of one address when it is asked for."""
    _only_for_trying()
    to = request.args.get("to", "").replace("\x00", "").strip()[:200]
    return render_template("mail/mailbox.html", emails=queries.latest(session(), to), to=to, states=STATES)


@bp.get("/sandbox/mail/<uuid:email_id>")
@public
def one(email_id: UUID) -> ResponseReturnValue:
    """One e-mail, its links to be tapped."""
    _only_for_trying()
    return render_template("mail/one.html", email=queries.one(session(), email_id), states=STATES)


def _only_for_trying() -> None:
    if not sandboxed(current_app.config["SETTINGS"]):
        raise NotFound
