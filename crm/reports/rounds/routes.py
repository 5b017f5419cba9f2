"""The reporting round on pages: a unit's duty, the office's table, deadlines, and all of it put together in one click."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.background import ring
from crm.db import one_moment, session, transaction
from crm.errors import Conflict
from crm.reports.documents.models import Report
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import STATES as REPORT_STATES
from crm.reports.documents.rules import State as ReportState
from crm.reports.documents.services import counting
from crm.reports.documents.showing import period_title
from crm.reports.periods import ReportKind
from crm.reports.rounds import correcting, queries, services
from crm.reports.rounds.consolidating import told_of
from crm.reports.rounds.correcting import CHANGED_MEANWHILE
from crm.reports.rounds.forms import (
    KIND_WORDS,
    CloseForm,
    CorrectForm,
    DueForm,
    ExcuseForm,
    OpenForm,
    ReturnForm,
    RuleForm,
    SubmitForm,
)
from crm.reports.rounds.knowing import KNOWN
from crm.reports.rounds.models import ReportingRound, ReportOwed
from crm.reports.rounds.rules import (
    AT_A_DATE,
    GROUPS,
    KINDS,
    OWN_WORDS,
    STATES,
    Own,
    State,
    ends,
    late_by,
    periods_around,
    sent_early,
    together,
)
from crm.web.filters import number
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from crm.web.parts import part_of
from tasks.documents import count_report

bp = Blueprint("rounds", __name__, url_prefix="/reporting")
MOST_NOTES = 20
"""So many units' words stand in full on the page of a round."""
WORDS: dict[str, Any] = {
    "STATES": STATES,
    "OWN": OWN_WORDS,
    "KNOWN": KNOWN,
    "GROUPS": GROUPS,
    "AT_A_DATE": AT_A_DATE,
    "REPORT_STATES": REPORT_STATES,
    "KINDS": dict(KIND_WORDS),
    "period_title": period_title,
    "late_by": late_by,
    "iso": date.fromisoformat,
}


@bp.get("")
@may(May.SEE_REPORTS)
def listing() -> ResponseReturnValue:
    """A unit: what it still owes, then its rounds. The office: every round, how many reports have come."""
    return _listing(_open_form())


@bp.post("")
@may(May.SET_TARGETS)
def open_round() -> ResponseReturnValue:
    """Begin a round by hand, or go to the one there is."""
    form = _open_form()
    if form.validate():
        with refusals_on(form), transaction() as current:
            kind, period = form.asked
            town_id, by = current_scope().town_id, current_user()
            row = services.open_round(current, town_id, kind, period, by=by, at=clock.now())
            return redirect(url_for(".show", round_id=row.id), 303)
    return _listing(form), 422


@bp.get("/<uuid:round_id>")
@may(May.SEE_REPORTS)
def show(round_id: UUID) -> ResponseReturnValue:
    """One round: every unit, what has come, what is late."""
    return _page(queries.round_seen(session(), current_scope(), round_id))


@bp.post("/<uuid:round_id>/due")
@may(May.SET_TARGETS)
def move(round_id: UUID) -> ResponseReturnValue:
    """Another last day for this round."""
    form = DueForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row, day = _round(round_id, lock=True), form.due_on.data or clock.today()
            services.move_last_day(current, row, day, by=current_user(), at=clock.now())
            flash(_("The last day is changed."), "success")
            return redirect(url_for(".show", round_id=round_id), 303)
    return _page(_round(round_id), due_form=form), 422


@bp.post("/<uuid:round_id>/consolidate")
@may(May.SET_TARGETS)
def consolidate(round_id: UUID) -> ResponseReturnValue:
    """Put it all together: the official report of the period, counted with what units sent."""
    row = _round(round_id)
    with refusals_flashed(), transaction() as current:
        by, at = current_user(), clock.now()
        report = counting.open_report(current, ReportKind(row.kind), row.period, None, None, by=by, at=at)
        if report.state is ReportState.DRAFT:
            held = finding.report_seen(current, current_scope(), report.id, lock=True)
            counting.count_again(current, held, held.drawn_on, by=by, at=at)
        report_id, waits = report.id, report.state is ReportState.COUNTING
    if waits:
        ring(count_report, str(current_scope().town_id), str(report_id))
    return redirect(url_for("documents.show", report_id=report_id), 303)


@bp.route("/<uuid:round_id>/close", methods=["GET", "POST"])
@may(May.SET_TARGETS)
def close(round_id: UUID) -> ResponseReturnValue:
    """Close it for good, after a page that says what that means."""
    row, form = _round(round_id), CloseForm()
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            services.close(current, _round(round_id, lock=True), by=current_user(), at=clock.now())
            flash(_("The round is closed."), "success")
            return redirect(url_for(".show", round_id=round_id), 303)
    found = queries.counts(session(), current_scope(), [row.id], clock.today())
    known = {"row": row, "form": form, "counts": found.get(row.id, queries.Counts())}
    return render_template(
        "reports/rounds/close.html", **known, **WORDS
    ), 422 if form.errors or form.form_errors else 200


# ---- one unit


@bp.get("/units/<uuid:owed_id>")
@may(May.SEE_REPORTS)
def unit(owed_id: UUID) -> ResponseReturnValue:
    """What one unit sent, every version of it, and what is to be done next."""
    return _unit(queries.owed_seen(session(), current_scope(), owed_id))


@bp.route("/units/<uuid:owed_id>/write", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def write(owed_id: UUID) -> ResponseReturnValue:
    """The register's figures filled in; the unit adds its own and sends it."""
    scope = current_scope()
    owed = queries.owed_seen(session(), scope, owed_id)
    line, row = queries.line_of(session(), scope, owed), queries.round_of(session(), owed)
    form = SubmitForm() if request.method == "POST" else _filled(owed, row, line)
    known = _known(owed, row)
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            held = queries.owed_seen(current, scope, owed_id, lock=True)
            told: dict[str, Any] = {"who": line.who, "known": known, "knowing_version": form.read_in}
            row, own = queries.round_of(current, held), form.own(line.who)
            services.submit(current, held, row, own, form.note.data, **told, by=current_user(), at=clock.now())
            flash(
                _("Sent. The office sees it at once; you can send a correction until the round is closed."), "success"
            )
            return redirect(url_for(".unit", owed_id=owed_id), 303)
    as_of, kind = date.fromisoformat(known["as_of"]), ReportKind(row.kind)
    early = ends(kind, row.period)[1] if sent_early(kind, row.period, row.due_on, as_of) else None
    given = {"line": line, "row": row, "form": form, "pairs": form.pairs(line.who), "known": known, "early": early}
    wrong = form.errors or form.form_errors
    return render_template("reports/rounds/write.html", **given, today=clock.today(), **WORDS), 422 if wrong else 200


@bp.post("/units/<uuid:owed_id>/return")
@may(May.SET_TARGETS)
def send_back(owed_id: UUID) -> ResponseReturnValue:
    """Send it back for correction, with the reason."""
    form = ReturnForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            owed = queries.owed_seen(current, current_scope(), owed_id, lock=True)
            row, why = queries.round_of(current, owed), form.why.data or ""
            services.send_back(current, owed, row, why, by=current_user(), at=clock.now())
            flash(_("Returned. The unit sees why."), "success")
            return redirect(url_for(".unit", owed_id=owed_id), 303)
    return _unit(queries.owed_seen(session(), current_scope(), owed_id), return_form=form), 422


@bp.post("/units/<uuid:owed_id>/correct")
@may(May.WRITE_REPORTS)
def correct(owed_id: UUID) -> ResponseReturnValue:
    """Put a figure of a closed round right; old and new go into the next report."""
    scope = current_scope()
    owed = queries.owed_seen(session(), scope, owed_id)
    form, who = _correct_form(owed), queries.line_of(session(), scope, owed).who
    if form.validate():
        with refusals_on(form), transaction() as current:
            held = queries.owed_seen(current, scope, owed_id, lock=True)
            told: dict[str, Any] = {"who": who, "read": form.read_in, "by": current_user(), "at": clock.now()}
            row, figure, number = queries.round_of(current, held), Own(form.figure.data), form.number.data or 0
            try:
                correcting.correct(current, held, row, figure, number, form.source.data, form.why.data, **told)
            except Conflict as refused:
                if refused.code == CHANGED_MEANWHILE:  # theirs stand on the page that tells of it: now they are read
                    form.read.data = str(correcting.how_many(current, held))
                raise
            flash(_("Kept: the old figure and the right one go into the next report."), "success")
            return redirect(url_for(".unit", owed_id=owed_id), 303)
    return _unit(queries.owed_seen(session(), scope, owed_id), correct_form=form), 422


@bp.post("/units/<uuid:owed_id>/excuse")
@may(May.SET_TARGETS)
def excuse(owed_id: UUID) -> ResponseReturnValue:
    """It need not report this time."""
    form = ExcuseForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            owed = queries.owed_seen(current, current_scope(), owed_id, lock=True)
            row, why = queries.round_of(current, owed), form.why.data or ""
            services.excuse(current, owed, row, why, by=current_user(), at=clock.now())
            return redirect(url_for(".unit", owed_id=owed_id), 303)
    return _unit(queries.owed_seen(session(), current_scope(), owed_id), excuse_form=form), 422


@bp.post("/units/<uuid:owed_id>/ask-again")
@may(May.SET_TARGETS)
def ask_again(owed_id: UUID) -> ResponseReturnValue:
    """It was excused and is to report after all."""
    with refusals_flashed(), transaction() as current:
        owed = queries.owed_seen(current, current_scope(), owed_id, lock=True)
        services.ask_again(current, owed, queries.round_of(current, owed), by=current_user(), at=clock.now())
        flash(_("The unit owes its report again."), "success")
    return redirect(url_for(".unit", owed_id=owed_id), 303)


# ---- deadlines


@bp.route("/deadlines", methods=["GET", "POST"])
@may(May.SET_TARGETS)
def deadlines() -> ResponseReturnValue:
    """Until when and by whom reports are owed, from a day on."""
    form = RuleForm() if request.method == "POST" else _rule_form()
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            day, source = form.valid_from.data or clock.today(), form.source.data or ""
            told: dict[str, Any] = {"valid_from": day, "by": current_user(), "at": clock.now()}
            kind = ReportKind(form.kind.data)
            services.set_rule(current, kind, form.deadline, form.groups, source, **told)
            flash(_("Saved. Rounds that have begun keep their last day; change it on their page."), "success")
            return redirect(url_for(".deadlines"), 303)
    kept = queries.rules(session(), current_scope().town_id)
    return render_template("reports/rounds/deadlines.html", form=form, kept=kept, **WORDS), 422 if form.errors else 200


# ---- pieces


def _round(round_id: UUID, *, lock: bool = False) -> ReportingRound:
    return queries.round_seen(session(), current_scope(), round_id, lock=lock)


def _open_form() -> OpenForm:
    form, today = OpenForm(), clock.today()
    form.offer([(f"{kind}:{one}", period_title(kind, one)) for kind in KINDS for one in periods_around(kind, today)])
    return form


def _rule_form() -> RuleForm:
    asked = request.args.get("kind", "")
    kind = ReportKind(asked) if asked in {one.value for one in KINDS} else KINDS[0]
    today = clock.today()
    return RuleForm.of(kind, queries.rule_on(session(), current_scope().town_id, kind, today), today.replace(day=1))


def _filled(owed: ReportOwed, row: ReportingRound, line: queries.Line) -> SubmitForm:
    before = queries.before(session(), owed) if owed.version == 0 else None
    return SubmitForm.of(owed.version, line.last, before, services.logged_of(session(), owed, row, clock.today()))


def _known(owed: ReportOwed, row: ReportingRound) -> dict[str, Any]:
    with one_moment() as still:
        return services.known_of(still, owed, row, max(clock.today(), ends(ReportKind(row.kind), row.period)[0]))


def _listing(form: OpenForm) -> str:
    scope, today = current_scope(), clock.today()
    found = queries.page_of(session(), scope, cursor=request.args.get("cursor"))
    office = scope.reach is Reach.ALL
    return render_template(
        "reports/rounds/listing.html",
        found=found,
        counts=queries.counts(session(), scope, [one.id for one in found.rows], today),
        nothing=queries.Counts(),
        tasks=queries.to_write(session(), scope, today),
        form=form,
        office=office,
        may_lead=office and current_user().may(May.SET_TARGETS),
        today=today,
        **WORDS,
    )


def _page(row: ReportingRound, *, due_form: DueForm | None = None) -> str:
    scope, today = current_scope(), clock.today()
    office = scope.reach is Reach.ALL
    whole = queries.lines_of(session(), scope, row, most=queries.MOST_UNITS * 10) if office else []
    report = finding.standing(session(), scope.town_id, ReportKind(row.kind), row.period, None) if office else None
    return render_template(
        "reports/rounds/show.html",
        row=row,
        lines=part_of(
            "units",
            lambda most, skip: queries.lines_of(session(), scope, row, most=most, skip=skip, urgent=True),
            size=queries.MOST_UNITS,
        ),
        counts=queries.counts(session(), scope, [row.id], today).get(row.id, queries.Counts()),
        sums=together(told_of(whole)) if office else {},
        notes=[(one.name, one.last.note) for one in whole if one.last and one.last.note],
        MOST_NOTES=MOST_NOTES,
        report=report,
        put_right=correcting.of_round(session(), row) if office and row.closed_at else [],
        not_in_it=_came_after(report, whole),
        office=office,
        may_lead=office and current_user().may(May.SET_TARGETS),
        due_form=due_form or DueForm(data={"due_on": row.due_on}),
        refused=due_form,
        closed_by=finding.names_of(session(), scope.town_id, [row.closed_by_id]).get(row.closed_by_id)
        if row.closed_by_id
        else None,
        today=today,
        **WORDS,
    )


def _came_after(report: Report | None, lines: list[queries.Line]) -> list[str]:
    """The units whose report, or its correction, came after the figures of the official one were frozen."""
    frozen = finding.snapshot_of(session(), report) if report else None
    if frozen is None:
        return []
    sent = [one for one in lines if one.last is not None and one.owed.state is State.SUBMITTED]
    return [one.name for one in sent if one.last and one.last.submitted_at > frozen.taken_at]


def _correct_form(owed: ReportOwed, **more: Any) -> CorrectForm:
    form, who = CorrectForm(**more), queries.line_of(session(), current_scope(), owed).who
    form.offer(who, correcting.holding(session(), owed), in_chosen)
    return form


def in_chosen(value: int) -> str:
    """A number in the language that was chosen."""
    return number(value, 0, chosen())


def _unit(
    owed: ReportOwed,
    *,
    return_form: ReturnForm | None = None,
    excuse_form: ExcuseForm | None = None,
    correct_form: CorrectForm | None = None,
) -> str:
    scope, user = current_scope(), current_user()
    row, line = queries.round_of(session(), owed), queries.line_of(session(), scope, owed)
    open_now = row.closed_at is None and owed.state is not State.EXCUSED
    office = scope.reach is Reach.ALL and user.may(May.SET_TARGETS)
    to_correct = row.closed_at is not None and owed.state is not State.EXCUSED and user.may(May.WRITE_REPORTS)
    # before the list: what comes between is shown and not counted as read
    read = correcting.how_many(session(), owed) if to_correct else 0
    put_right = correcting.of_unit(session(), owed) if row.closed_at else []
    fresh = _correct_form(owed, formdata=None, data={"read": read}) if to_correct else None
    return render_template(
        "reports/rounds/unit.html",
        line=line,
        row=row,
        versions=queries.versions_of(session(), owed),
        may_write=open_now and user.may(May.WRITE_REPORTS),
        may_lead=open_now and office,
        may_ask_again=office and row.closed_at is None and owed.state is State.EXCUSED,
        office=scope.reach is Reach.ALL,
        return_form=return_form or ReturnForm(formdata=None),
        excuse_form=excuse_form or ExcuseForm(formdata=None),
        correct_form=(correct_form or fresh) if to_correct else None,
        put_right=put_right,
        refused=return_form or excuse_form or correct_form,
        ward=owed.place_id,
        today=clock.today(),
        **WORDS,
    )
