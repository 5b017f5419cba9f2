"""Official reports: made in one click, looked at, worded, signed by another, sent; and what stands on an office's paper."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.background import ring
from crm.db import session, transaction
from crm.errors import NotFound
from crm.places.models import Place, Town
from crm.reports.documents import figures, showing
from crm.reports.documents.forms import (
    CountForm,
    HeadForm,
    OpenForm,
    PlaceForm,
    SendForm,
    SignForm,
    TemplateForm,
    TextForm,
    WithdrawForm,
)
from crm.reports.documents.models import Report
from crm.reports.documents.paper import heads, remarks, shown, to_the_right
from crm.reports.documents.printing import word
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import FINAL, STATES, Form, State, check_text, layout_on
from crm.reports.documents.services import counting, papers, signing
from crm.web.attachments import attachment
from crm.web.filters import number
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from tasks.documents import count_report

bp = Blueprint("documents", __name__, url_prefix="/reports")
WORDS = {"STATES": STATES, "period_title": showing.period_title}


@bp.get("")
@may(May.SEE_REPORTS)
def listing() -> ResponseReturnValue:
    """Every report, and the one to make next."""
    return _listing(_open_form())


@bp.post("")
@may(May.WRITE_REPORTS)
def open_report() -> ResponseReturnValue:
    """Make the report of a period, or go to the one there is."""
    form = _open_form()
    if form.validate():
        with refusals_on(form):
            return _opened(form)
    return _listing(form), 422


@bp.get("/<uuid:report_id>")
@may(May.SEE_REPORTS)
def show(report_id: UUID) -> ResponseReturnValue:
    """A report as it will stand on paper, and what is to be done next."""
    return _page(_report(report_id))


@bp.post("/<uuid:report_id>/count")
@may(May.WRITE_REPORTS)
def count(report_id: UUID) -> ResponseReturnValue:
    """Count a draft again."""
    form = CountForm()
    form.offer(showing.boundaries(session(), current_scope().town_id))
    drawn = form.drawn if form.validate() else None
    with transaction() as current:
        counting.count_again(current, _report(report_id, lock=True), drawn, by=current_user(), at=clock.now())
    ring(count_report, str(current_scope().town_id), str(report_id))
    return redirect(url_for(".show", report_id=report_id), 303)


@bp.get("/<uuid:report_id>/progress")
@may(May.SEE_REPORTS)
def progress(report_id: UUID) -> Response:
    """How far the counting is, for the page that waits."""
    report = _report(report_id)
    finished = report.state is not State.COUNTING
    following = url_for(".show", report_id=report_id) if finished else None
    return jsonify(done=report.parts, total=figures.PARTS, text=_counted(report), finished=finished, next=following)


@bp.route("/<uuid:report_id>/text", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def text(report_id: UUID) -> ResponseReturnValue:
    """Put the words right; figures stay as they were counted."""
    report = _report(report_id)
    form = TextForm() if request.method == "POST" else TextForm.of(finding.text_of(session(), report), report.wording)
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            kept = _report(report_id, lock=True)
            signing.write(current, kept, form.text(), version=_version(form), by=current_user(), at=clock.now())
            flash(_("The text is saved. Earlier wordings are kept."), "success")
            return redirect(url_for(".show", report_id=report_id), 303)
    theirs: dict[str, str] = {}
    if form.form_errors:
        together, both = signing.beside(session(), report, check_text(form.text()), version=_version(form))
        form.put(together, report.wording)
        theirs = {section.value: words for section, words in both.items()}
    return render_template(
        "reports/documents/text.html", form=form, report=report, theirs=theirs, **WORDS
    ), 422 if form.errors or form.form_errors else 200


@bp.post("/<uuid:report_id>/sign")
@may(May.WRITE_REPORTS)
def sign(report_id: UUID) -> ResponseReturnValue:
    """Number, date and sign it for good; or first show the letterhead of that day, where it is another."""
    form = SignForm()
    if form.validate():
        day = form.signed_on.data or clock.today()
        with refusals_on(form), transaction() as current:
            report = _report(report_id, lock=True)
            if signing.follow_letterhead(current, report, day, at=clock.now()):
                form = _sign_form(report, day)
                form.form_errors = [signing.LETTERHEAD_CHANGED]
                return _page(report, sign_form=form), 422
            signing.sign(
                current,
                report,
                version=_version(form),
                template_id=form.template_read,
                number=form.number.data,
                signed_on=day,
                signer=form.signer.data or "",
                by=current_user(),
                at=clock.now(),
            )
            flash(_("Signed. Figures, words and files stay as they are now."), "success")
            return redirect(url_for(".show", report_id=report_id), 303)
    report = _report(report_id)
    if form.form_errors:
        form.read_as_it_stands(report.wording, finding.template_id_of(session(), report))
    return _page(report, sign_form=form), 422


@bp.post("/<uuid:report_id>/send")
@may(May.WRITE_REPORTS)
def send(report_id: UUID) -> ResponseReturnValue:
    """Note that it was sent."""
    form = SendForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            day, way = form.sent_on.data or clock.today(), form.way.data or ""
            signing.send(
                current, _report(report_id, lock=True), sent_on=day, way=way, by=current_user(), at=clock.now()
            )
            flash(_("Noted as sent."), "success")
            return redirect(url_for(".show", report_id=report_id), 303)
    return _page(_report(report_id), send_form=form), 422


@bp.route("/<uuid:report_id>/withdraw", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def withdraw(report_id: UUID) -> ResponseReturnValue:
    """Take a report back, with the reason. Of what was withdrawn already the page says by whom and why."""
    report, form = _report(report_id), WithdrawForm()
    if report.state is State.WITHDRAWN:
        return redirect(url_for(".show", report_id=report_id), 303)
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            kept = _report(report_id, lock=True)
            signing.withdraw(current, kept, form.why.data or "", by=current_user(), at=clock.now())
            flash(_("Withdrawn. It stays on record; another report of the period can be made."), "success")
            return redirect(url_for(".listing"), 303)
    return render_template(
        "reports/documents/withdraw.html", form=form, report=report, **WORDS
    ), 422 if form.errors else 200


@bp.get("/<uuid:report_id>/file")
@may(May.SEE_REPORTS)
def take(report_id: UUID) -> ResponseReturnValue:
    """The report as Word, Excel, PDF or JSON: as it was signed, or as the draft stands."""
    form = request.args.get("format", Form.DOCX)
    if form not in set(Form):
        raise NotFound
    return showing.file(session(), _report(report_id), Form(form))


# ---- what stands on an office's paper


@bp.route("/letterhead", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def letterhead() -> ResponseReturnValue:
    """Whose paper it is, how it is numbered, who signs and who gets it, from a day on."""
    offices, place = _office()
    head = finding.head_on(session(), current_scope().town_id, place, clock.today())
    form = HeadForm() if request.method == "POST" else HeadForm.of(head, clock.today())
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            day = form.valid_from.data or clock.today()
            papers.set_head(
                current, place.id if place else None, form.head(), valid_from=day, by=current_user(), at=clock.now()
            )
            flash(_("Saved. Papers of that day and later carry it; signed reports stay as they are."), "success")
            return redirect(_of_office(".letterhead", place), 303)
    kept = finding.letterheads(session(), current_scope().town_id, place.id if place else None)
    known: dict[str, Any] = {"form": form, "offices": offices, "place": place, "kept": kept, "names": _names(kept)}
    return render_template("reports/documents/letterhead.html", **known), 422 if form.errors else 200


@bp.route("/template", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def template() -> ResponseReturnValue:
    """The Word template of an office: download, change in Word, bring back."""
    form, (offices, place) = TemplateForm(), _office()
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            name, content = form.file.data.filename or "", form.file.data.read(word.LARGEST + 1)
            sample = showing.sample(session().get_one(Town, current_scope().town_id), clock.today())
            office = place.id if place else None
            papers.add_template(current, office, name, content, sample, by=current_user(), at=clock.now())
            flash(_("From now on reports are made with this template."), "success")
            return redirect(_of_office(".template", place), 303)
    return _template_page(form, offices, place), 422 if form.errors else 200


@bp.post("/template/shipped")
@may(May.WRITE_REPORTS)
def use_shipped() -> ResponseReturnValue:
    """Back to the template that came with the program."""
    _offices, place = _office()
    with transaction() as current:
        papers.use_shipped(current, place.id if place else None, by=current_user(), at=clock.now())
    flash(_("Reports are made with the shipped template again."), "success")
    return redirect(_of_office(".template", place), 303)


@bp.get("/template/shipped.docx")
@may(May.SEE_REPORTS)
def shipped() -> ResponseReturnValue:
    """The template that came with the program, to be changed in Word."""
    return attachment(word.SHIPPED.read_bytes(), "mau-bao-cao.docx")


@bp.get("/template/<uuid:office_template_id>")
@may(May.SEE_REPORTS)
def template_file(office_template_id: UUID) -> ResponseReturnValue:
    """A template an office brought."""
    row = finding.template_seen(session(), current_scope(), office_template_id)
    return attachment(row.content or b"", row.name or "mau.docx")


# ---- pieces


def _report(report_id: UUID, *, lock: bool = False) -> Report:
    return finding.report_seen(session(), current_scope(), report_id, lock=lock)


def _open_form() -> OpenForm:
    form, scope, today = OpenForm(), current_scope(), clock.today()
    places = [(str(place.id), place.name) for place in finding.places_for(session(), scope, today)]
    whole = scope.reach is Reach.ALL
    form.offer(showing.periods(today), places, showing.boundaries(session(), scope.town_id), whole_town=whole)
    return form


def _opened(form: OpenForm) -> ResponseReturnValue:
    kind, period = form.asked
    place = finding.place_for(session(), current_scope(), form.place_id, clock.today())
    with transaction() as current:
        report = counting.open_report(current, kind, period, place, form.drawn, by=current_user(), at=clock.now())
        report_id, waits = report.id, report.state is State.COUNTING
    if waits:
        ring(count_report, str(current_scope().town_id), str(report_id))
    return redirect(url_for(".show", report_id=report_id), 303)


def _counted(report: Report) -> str:
    done, total = number(report.parts, 0, chosen()), number(figures.PARTS, 0, chosen())
    return str(_("%(done)s of %(total)s parts are counted", done=done, total=total))


def _version(form: Any) -> int:
    return int(form.version.data) if (form.version.data or "").isdecimal() else -1


def _listing(form: OpenForm) -> str:
    scope, user = current_scope(), current_user()
    found = finding.page_of(session(), scope, cursor=request.args.get("cursor"))
    snapshots = [one.signed_by_id for one in found.rows] + [one.opened_by_id for one in found.rows]
    return render_template(
        "reports/documents/listing.html",
        form=form,
        found=found,
        places=finding.place_names(session(), scope.town_id, [one.place_id for one in found.rows]),
        names=finding.names_of(session(), scope.town_id, snapshots),
        may_write=user.may(May.WRITE_REPORTS) and bool(form.place.choices),
        due=clock.today().replace(month=12, day=10),
        **WORDS,
    )


def _page(report: Report, *, sign_form: SignForm | None = None, send_form: SendForm | None = None) -> str:
    scope, user = current_scope(), current_user()
    if report.snapshot_id is None:
        return render_template(
            "reports/documents/counting.html", report=report, parts=figures.PARTS, text=_counted(report), **WORDS
        )
    version = request.args.get("version", type=int)
    paper = finding.paper_of(session(), report, version)
    writers = finding.writers_of(session(), report)
    may_write = user.may(May.WRITE_REPORTS)
    count_form = CountForm()
    count_form.offer(showing.boundaries(session(), scope.town_id))
    people = [
        report.opened_by_id,
        report.signed_by_id,
        report.sent_by_id,
        report.withdrawn_by_id,
        report.counted_for_id,
    ]
    return render_template(
        "reports/documents/show.html",
        report=report,
        paper=paper,
        snapshot=finding.snapshot_of(session(), report),
        version=version,
        texts=finding.texts_of(session(), report),
        names=finding.names_of(session(), scope.town_id, people),
        place=session().get(Place, (scope.town_id, report.place_id)) if report.place_id else None,
        town=session().get_one(Town, scope.town_id),
        may_write=may_write,
        may_sign=may_write and user.id not in writers,
        final=report.state in FINAL,
        files=[Form.DOCX, Form.XLSX, Form.PDF],
        sign_form=sign_form or _sign_form(report, clock.today()),
        send_form=send_form or SendForm(data={"sent_on": clock.today()}),
        refused=sign_form or send_form,
        count_form=count_form,
        layout=layout_on(report.signed_on or clock.today()),
        own_template=finding.own_template_named(session(), report),
        counted_text=_counted(report),
        parts=figures.PARTS,
        cells=shown,
        table_heads=heads,
        right=to_the_right,
        remarks=remarks,
        today=clock.today(),
        **WORDS,
    )


def _sign_form(report: Report, day: date) -> SignForm:
    """Filled in for a paper of a day."""
    known = {"number": signing.next_number(session(), report, day.year), "signed_on": day}
    form = SignForm(formdata=None, data=known | {"signer": report.issued_by.signer})
    form.read_as_it_stands(report.wording, finding.template_id_of(session(), report))
    return form


def _office() -> tuple[PlaceForm, Place | None]:
    """Whose paper a page is about: chosen in the address among those somebody may say it for. Who has no office of their
    own is led back to the list. Raises NotFound."""
    scope = current_scope()
    form, places = PlaceForm(request.args), finding.places_for(session(), scope, clock.today())
    if scope.reach is not Reach.ALL and not places:
        if request.method == "POST":
            raise NotFound
        abort(redirect(url_for(".listing")))
    form.offer([(str(place.id), place.name) for place in places], whole_town=scope.reach is Reach.ALL)
    return form, finding.place_for(session(), scope, form.place_id, clock.today())


def _of_office(endpoint: str, place: Place | None) -> str:
    return url_for(endpoint, place=place.id if place else None)


def _names(rows: Any) -> dict[UUID, str]:
    people = [getattr(row, "recorded_by_id", None) or getattr(row, "added_by_id", None) for row in rows]
    return finding.names_of(session(), current_scope().town_id, people)


def _template_page(form: TemplateForm, offices: PlaceForm, place: Place | None) -> str:
    town_id, office = current_scope().town_id, place.id if place else None
    kept = finding.templates(session(), town_id, office)
    return render_template(
        "reports/documents/template.html",
        form=form,
        offices=offices,
        place=place,
        kept=kept,
        own=finding.template_of(session(), town_id, office),
        names=_names(kept),
        known_places=word.PLACES,
        layout=layout_on(clock.today()),
    )
