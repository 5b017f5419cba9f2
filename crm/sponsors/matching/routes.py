"""Asking whom to fund, looking at the answer, and accepting, changing or refusing its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import NotFound
from crm.months import Month
from crm.premiums.rules.wording import GROUNDS
from crm.sponsors import queries as sponsors
from crm.sponsors.ledger.rules import DECISIONS
from crm.sponsors.matching import queries, services, showing
from crm.sponsors.matching.forms import AskForm, EditForm, RefuseForm
from crm.sponsors.matching.models import BEYOND_WISH, FundingLine, FundingProposal
from crm.sponsors.matching.reading import with_money
from crm.sponsors.matching.rules.needs import Terms, Why
from crm.sponsors.matching.rules.states import OPEN, LineState, ProposalState
from crm.sponsors.matching.rules.wording import LINE_SIGNS, LINE_STATES, PROPOSAL_STATES, WHAT_HELPS, WHY
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may
from tasks.matching import make, settle

bp = Blueprint("matching", __name__, url_prefix="/sponsors")
WORDS: dict[str, Any] = {
    "STATES": PROPOSAL_STATES,
    "LINE_STATES": LINE_STATES,
    "SIGNS": LINE_SIGNS,
    "WHY": WHY,
    "WHAT_HELPS": WHAT_HELPS,
    "GROUNDS": GROUNDS,
    "showing": showing,
    "Month": Month,
}
SPONSORS_AT_ONCE, LINES_EACH, PAGE = 15, 5, 50


@bp.get("/proposals")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """The latest proposals, and what came of each."""
    return render_template(
        "sponsors/matching/listing.html", found=queries.proposals(session(), current_scope()), **WORDS
    )


@bp.get("/proposals/new")
@may(May.RECORD_MONEY)
def new() -> ResponseReturnValue:
    """Whose money is to be shared out?"""
    return render_template("sponsors/matching/new.html", form=_ask_form(request.args.get("sponsor", type=UUID)))


@bp.post("/proposals")
@may(May.RECORD_MONEY)
def ask() -> ResponseReturnValue:
    """A proposal to be worked out in the background."""
    form = _ask_form()
    if form.validate():
        with refusals_on(form):
            with transaction() as current:
                by = current_user()
                given: Any = {"by_id": by.id, "on": clock.today(), "at": clock.now()}
                proposal_id = services.ask(current, by.town_id, form.terms, **given).id
            ring(make, str(current_user().town_id), str(proposal_id))
            return redirect(url_for(".show", proposal_id=proposal_id), 303)
    return render_template("sponsors/matching/new.html", form=form), 422


@bp.get("/proposals/<uuid:proposal_id>")
@may(May.SEE_SPONSORS)
def show(proposal_id: UUID) -> ResponseReturnValue:
    """A proposal, sponsor by sponsor: to whoever decides first those that are left, from the one they came to."""
    row, scope = _proposal(proposal_id), current_scope()
    sponsors_in, left = queries.sponsors_of(session(), row)
    deciding = current_user().may(May.RECORD_MONEY) and row.state is ProposalState.READY and left > 0
    undecided = deciding and request.args.get("which") != "all"
    since = request.args.get("since", type=UUID)
    asked: dict[str, Any] = {"undecided": undecided, "size": SPONSORS_AT_ONCE}
    found = queries.given(session(), row, **asked, cursor=request.args.get("cursor"), since=since)
    if since and not found.rows:  # those after it are decided: go on with whom one passed by
        since, found = None, queries.given(session(), row, **asked)
    lines = queries.lines_for(session(), scope, row, [one.sponsor.id for one in found.rows], each=LINES_EACH)
    shown = [one.row for each in lines.values() for one in each]
    return render_template(
        "sponsors/matching/show.html",
        row=row,
        told=queries.told(session(), row),
        terms=Terms.from_json(row.terms),
        found=found,
        lines=lines,
        each=LINES_EACH,
        sponsors_in=sponsors_in,
        left=left,
        deciding=deciding,
        undecided=undecided,
        inside=bool(since or request.args.get("cursor")),
        passed=queries.passed_by_reason(session(), scope, row),
        names=_names(shown),
        decided=_decided(shown),
        today=clock.today(),
        **_common(),
    )


@bp.get("/proposals/<uuid:proposal_id>/progress")
@may(May.SEE_SPONSORS)
def progress(proposal_id: UUID) -> Response:
    """Whether a proposal is ready, for the page that waits."""
    row = _proposal(proposal_id)
    ready = row.state is not ProposalState.WAITING
    return jsonify(done=int(ready), total=1, text=str(PROPOSAL_STATES[row.state]), finished=ready)


@bp.get("/proposals/<uuid:proposal_id>/from/<uuid:sponsor_id>")
@may(May.SEE_SPONSORS)
def lines(proposal_id: UUID, sponsor_id: UUID) -> ResponseReturnValue:
    """Everybody that one sponsor would carry."""
    row, scope = _proposal(proposal_id), current_scope()
    given = queries.given(session(), row, sponsor_id=sponsor_id, size=1).rows
    if not given:
        raise NotFound
    found = queries.lines(session(), scope, row, sponsor_id=sponsor_id, cursor=request.args.get("cursor"), size=PAGE)
    return render_template(
        "sponsors/matching/lines.html",
        row=row,
        given=given[0],
        found=found,
        names=_names([one.row for one in found.rows]),
        decided=_decided([one.row for one in found.rows]),
        **_common(),
    )


@bp.get("/proposals/<uuid:proposal_id>/passed")
@may(May.SEE_SPONSORS)
def passed(proposal_id: UUID) -> ResponseReturnValue:
    """Who gets nothing, and why."""
    row, scope, why = _proposal(proposal_id), current_scope(), request.args.get("why", type=Why)
    found = queries.lines(session(), scope, row, passed=True, why=why, cursor=request.args.get("cursor"), size=PAGE)
    counts = queries.passed_by_reason(session(), scope, row)
    return render_template("sponsors/matching/passed.html", row=row, found=found, why=why, counts=counts, **_common())


@bp.post("/proposals/<uuid:proposal_id>/accept")
@may(May.RECORD_MONEY)
def accept(proposal_id: UUID) -> ResponseReturnValue:
    """Set the money aside for all lines that are proposed still, or for those of one sponsor."""
    sponsor_id = request.form.get("sponsor", type=UUID)
    return _accept(proposal_id, sponsor_id, sponsor_id=sponsor_id)


@bp.post("/proposals/<uuid:proposal_id>/close")
@may(May.RECORD_MONEY)
def close(proposal_id: UUID) -> ResponseReturnValue:
    """Accept nothing more of it."""
    with refusals_flashed(), transaction() as current:
        services.close(current, _proposal(proposal_id), by_id=current_user().id, at=clock.now())
        flash(_("The proposal is closed. What was set aside stays."), "success")
    return redirect(url_for(".listing"), 303)


@bp.post("/proposals/lines/<uuid:funding_line_id>/accept")
@may(May.RECORD_MONEY)
def accept_line(funding_line_id: UUID) -> ResponseReturnValue:
    """Set the money aside for one person."""
    line = _line(funding_line_id)
    return _accept(line.proposal_id, line.sponsor_id, line_ids=[funding_line_id])


@bp.route("/proposals/lines/<uuid:funding_line_id>/edit", methods=["GET", "POST"])
@may(May.RECORD_MONEY)
def edit(funding_line_id: UUID) -> ResponseReturnValue:
    """Other months, or another sponsor."""
    line = _line(funding_line_id)
    now = line.sponsor_id, line.months, line.facts.get(BEYOND_WISH)
    form = EditForm.of(queries.choices(session(), _proposal(line.proposal_id)), *now)
    if request.method == "POST" and form.validate():
        with refusals_on(form), transaction() as current:
            giver = sponsors.sponsor(current, current_scope(), UUID(form.sponsor.data))
            given: Any = {"reason": form.reason.data or None, "by_id": current_user().id, "at": clock.now()}
            services.edit(current, line, giver, form.months.data, **given)
            flash(_("The line is changed. Nothing is set aside until you accept it."), "success")
            return _back(line.proposal_id, giver.id)
    return _line_page("edit", funding_line_id, form)


@bp.route("/proposals/lines/<uuid:funding_line_id>/refuse", methods=["GET", "POST"])
@may(May.RECORD_MONEY)
def refuse(funding_line_id: UUID) -> ResponseReturnValue:
    """Not this sponsor for this person, and why."""
    line, form = _line(funding_line_id), RefuseForm()
    if request.method == "POST" and form.validate():
        with refusals_on(form), transaction() as current:
            services.refuse(current, line, form.words.data or "", by_id=current_user().id, at=clock.now())
            flash(_("Not accepted. This sponsor is not proposed for them again until you lift it."), "success")
            return _back(line.proposal_id, line.sponsor_id)
    return _line_page("refuse", funding_line_id, form)


@bp.get("/<uuid:sponsor_id>/refusals")
@may(May.SEE_SPONSORS)
def refusals(sponsor_id: UUID) -> ResponseReturnValue:
    """Whom a sponsor is not proposed for any more."""
    scope = current_scope()
    by = sponsors.sponsor(session(), scope, sponsor_id)
    found = queries.refusals(session(), scope, by, cursor=request.args.get("cursor"), size=PAGE)
    return render_template("sponsors/matching/refusals.html", sponsor=by, found=found)


@bp.post("/refusals/<uuid:refusal_id>/lift")
@may(May.RECORD_MONEY)
def lift(refusal_id: UUID) -> ResponseReturnValue:
    """They may be proposed again."""
    sponsor_id = queries.refusal(session(), current_scope(), refusal_id).sponsor_id
    with refusals_flashed(), transaction() as current:
        row = queries.refusal(current, current_scope(), refusal_id)
        services.lift(current, row, by_id=current_user().id, at=clock.now())
        flash(_("They may be proposed for this sponsor again."), "success")
    return redirect(url_for(".refusals", sponsor_id=sponsor_id), 303)


# ---- pieces


def _proposal(proposal_id: UUID) -> FundingProposal:
    return queries.proposal(session(), current_scope(), proposal_id)


def _line(line_id: UUID) -> FundingLine:
    return queries.line(session(), current_scope(), line_id)


def _ask_form(chosen: UUID | None = None) -> AskForm:
    return AskForm.offering(with_money(session(), current_user().town_id), chosen)


def _names(lines: list[FundingLine]) -> dict[str, str]:
    return queries.sponsor_names(session(), current_scope().town_id, showing.sponsors_named_in(lines))


def _decided(lines: list[FundingLine]) -> dict[UUID, str]:
    return {
        line_id: str(DECISIONS[decision])
        for line_id, decision in queries.decisions(session(), current_scope().town_id, lines).items()
    }


def _common() -> dict[str, Any]:
    return {**WORDS, "money": current_user().may(May.RECORD_MONEY), "OPEN": OPEN, "LineState": LineState}


def _back(proposal_id: UUID, sponsor_id: UUID | None) -> ResponseReturnValue:
    """To where one was: at this sponsor, or at the next when nothing of theirs is left to decide."""
    return redirect(url_for(".show", proposal_id=proposal_id, since=sponsor_id), 303)


def _accept(proposal_id: UUID, at: UUID | None, **which: Any) -> ResponseReturnValue:
    """Choose the lines; few are settled while one waits, many by a worker."""
    town_id = current_scope().town_id
    with refusals_flashed():
        _flash_accepted(town_id, proposal_id, **which)
    return _back(proposal_id, at)


def _flash_accepted(town_id: UUID, proposal_id: UUID, **which: Any) -> None:
    with transaction() as current:
        chosen = services.choose(current, _proposal(proposal_id), **which, by_id=current_user().id, at=clock.now())
        at_once = 0 < len(chosen) <= services.AT_ONCE
        if at_once:
            services.settle_some(current, town_id, proposal_id, at=clock.now())
        became = queries.became(current, town_id, chosen)
    if not chosen:
        flash(_("Somebody has settled this meanwhile. Look at it again."), "warning")
    elif at_once:
        _flash_became(became)
    else:
        ring(settle, str(town_id), str(proposal_id))
        flash(
            ngettext(
                "The money is being set aside for %(num)s person; this takes a moment.",
                "The money is being set aside for %(num)s people; this takes a moment.",
                len(chosen),
            ),
            "message",
        )


def _flash_became(became: Mapping[LineState, int]) -> None:
    """What accepting came to: not every line is settled by it."""
    if done := became.get(LineState.ACCEPTED, 0):
        flash(ngettext("%(num)s line is settled.", "%(num)s lines are settled.", done), "success")
    if asked := became.get(LineState.ASKED, 0):
        flash(
            ngettext("%(num)s line waits for a second person.", "%(num)s lines wait for a second person.", asked),
            "message",
        )
    if changed := became.get(LineState.CHANGED, 0):
        flash(
            ngettext(
                "%(num)s line could not be settled: beside it stands why.",
                "%(num)s lines could not be settled: beside each stands why.",
                changed,
            ),
            "warning",
        )


def _line_page(name: str, line_id: UUID, form: Any) -> ResponseReturnValue:
    row = _line(line_id)
    shown = queries.shown(session(), row)
    page = render_template(
        f"sponsors/matching/{name}.html", row=row, shown=shown, names=_names([row]), form=form, **_common()
    )
    return page, 422 if form.errors else 200
