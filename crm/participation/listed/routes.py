"""The page of listed payments: what agrees, what is new, what has to be decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.participation.listed import queries, services
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import AMOUNT_NAMES, AMOUNTS, OPEN, VERDICTS, WHY, Amounts, Verdict, Why, differing
from crm.web.guard import may
from tasks.participation import record_accepted

bp = Blueprint("listed_payments", __name__)


@bp.get("/payments/from-lists")
@may(May.RECORD_MONEY)
def listing() -> ResponseReturnValue:
    """The payments that lists of the insurance office tell of, beside what is on record."""
    import_id, counts = _import_id(), queries.counts(session(), current_scope(), _import_id())
    asked = request.args.get("verdict", "")
    first = next((one for one in (Verdict.DIFFERS, Verdict.NEW) if counts[one]), Verdict.AGREES)
    verdict = Verdict(asked) if asked in set(Verdict) else first
    shown = queries.page_of(session(), current_scope(), verdict, import_id, cursor=request.args.get("cursor"))
    return render_template(
        "participation/listed.html",
        counts=counts,
        known=bool(import_id) and not any(counts.values()),
        verdict=verdict,
        verdicts=VERDICTS,
        shown=shown,
        import_id=import_id,
        amounts=AMOUNTS,
        names=AMOUNT_NAMES,
        whys={why.value: words for why, words in WHY.items()},
        differs={one.listed.id: _differing(one) for one in shown.rows},
        is_open=verdict in OPEN,
        as_listed={one.listed.id: _may_be_as_listed(one) for one in shown.rows},
    )


@bp.post("/payments/from-lists/record")
@may(May.RECORD_MONEY)
def record_new() -> ResponseReturnValue:
    """Let what is new and just as the law has it be recorded."""
    ids = queries.seen(current_scope(), _import_id()).with_only_columns(ListedPayment.id)
    with transaction():
        taken = services.accept_new(session(), current_scope().town_id, ids, by=current_user(), at=clock.now())
    ring(record_accepted)
    if taken:
        flash(ngettext("%(num)s payment is being recorded.", "%(num)s payments are being recorded.", taken), "success")
    else:
        flash(_("Somebody has decided this already."), "error")
    return redirect(url_for(".listing", import_id=_import_id(), verdict=Verdict.ACCEPTED.value))


@bp.post("/payments/from-lists/<uuid:listed_id>/record")
@may(May.RECORD_MONEY)
def record(listed_id: UUID) -> ResponseReturnValue:
    """Record one, by our reckoning or with the amounts of the list."""
    return _decide(listed_id, request.form.get("decision", ""))


def _decide(listed_id: UUID, decision: str) -> ResponseReturnValue:
    act: dict[str, Any] = {"by": current_user(), "at": clock.now()}
    words = _("The payment is recorded.")
    try:
        with transaction():
            listed = queries.one_seen(session(), current_scope(), listed_id)
            if decision == "leave":
                services.leave(session(), listed, **act)
                words = _("Left as it was.")
            elif not services.record_or_ask(session(), listed, as_listed=decision == "as_listed", **act):
                words = _("This is above the limit: it is recorded once a second person approves it.")
        flash(words, "success")
    except RuleBroken as refusal:
        flash(str(refusal), "error")
    back = request.form.get("back", "")
    return redirect(back if back.startswith("/payments/from-lists") else url_for(".listing"))


def _import_id() -> UUID | None:
    try:
        return UUID(request.values["import_id"])
    except (KeyError, ValueError):
        return None


def _differing(line: queries.Line) -> tuple[str, ...]:
    """Which amounts the page marks."""
    return differing(Amounts(**line.listed.said), Amounts(**line.listed.ours)) if line.listed.ours else ()


def _may_be_as_listed(line: queries.Line) -> bool:
    """Whether the list's own amounts may be recorded: its months are free and its parts sum."""
    return not {Why.OVERLAP, Why.SUMS} & set(line.listed.why) and line.listed.payment_id is None
