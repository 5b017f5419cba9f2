"""Proposals to amend policy on pages: written in a minute, sorted by the Front, sent upward as a document."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.errors import NotFound
from crm.ids import id_or_new, new_id, read_id
from crm.reports.amendments import paper, queries, services
from crm.reports.amendments.forms import (
    AnswerForm,
    FilterForm,
    LetterForm,
    OtherForm,
    SendForm,
    WordsForm,
    WriteForm,
)
from crm.reports.amendments.models import Amendment, AmendmentLetter
from crm.reports.amendments.rules import STATES, SUBJECTS, State, Subject, in_short
from crm.reports.documents.paper import heads, remarks, shown, to_the_right
from crm.reports.documents.printing import pdf, word
from crm.reports.documents.queries.naming import town_called
from crm.reports.documents.rules import Form, Head
from crm.web.attachments import attachment
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may

bp = Blueprint("amendments", __name__, url_prefix="/amendments")
WORDS: dict[str, Any] = {"STATES": STATES, "SUBJECTS": SUBJECTS, "in_short": in_short}


@bp.get("")
@may(May.SEE_AMENDMENTS)
def listing() -> ResponseReturnValue:
    """The proposals somebody may see, the last first."""
    asked = FilterForm(request.args)
    valid = asked.validate()
    state = State(asked.state.data) if valid and asked.state.data else None
    subject = Subject(asked.subject.data) if valid and asked.subject.data else None
    found = queries.page_of(session(), _seen(), state=state, subject=subject, cursor=request.args.get("cursor"))
    return render_template(
        "reports/amendments/listing.html",
        found=found,
        asked=asked,
        officer=_officer(),
        whole=_whole(),
        own=_reads_own(),
        **WORDS,
    )


@bp.route("/new", methods=["GET", "POST"])
@may(May.PROPOSE_AMENDMENTS)
def new() -> ResponseReturnValue:
    """Write one."""
    form = _write_form()
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            told = form.about, UUID(form.place.data), form.words
            row = services.write(current, id_or_new(form.key.data), *told, by=current_user(), at=clock.now())
            flash(_("Received. Here you see what becomes of it."), "success")
            return redirect(url_for(".show", amendment_id=row.id), 303)
    return render_template("reports/amendments/new.html", form=form), 422 if form.errors or form.form_errors else 200


@bp.get("/<uuid:amendment_id>")
@may(May.SEE_AMENDMENTS)
def show(amendment_id: UUID) -> ResponseReturnValue:
    """One proposal and what became of it."""
    return _page(queries.one_seen(session(), _seen(), amendment_id))


@bp.post("/<uuid:amendment_id>/words")
@may(May.WRITE_REPORTS)
def reword(amendment_id: UUID) -> ResponseReturnValue:
    """The officer puts the words right."""
    _must_be_officer()
    form = WordsForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = queries.one_seen(current, _seen(), amendment_id, lock=True)
            services.reword(current, row, form.about, form.words, by=current_user(), at=clock.now())
            flash(_("The wording is saved; the earlier ones are kept."), "success")
            return redirect(url_for(".show", amendment_id=amendment_id), 303)
    return _page(queries.one_seen(session(), _seen(), amendment_id), words_form=form), 422


@bp.post("/<uuid:amendment_id>/join")
@may(May.WRITE_REPORTS)
def join(amendment_id: UUID) -> ResponseReturnValue:
    """It says the same as another."""
    _must_be_officer()
    form = OtherForm()
    if not form.validate() or form.other_id is None:
        raise NotFound
    with refusals_flashed(), transaction() as current:
        town_id = current_scope().town_id
        services.join(current, town_id, amendment_id, form.other_id, by=current_user(), at=clock.now())
        flash(_("Joined: they go along together from now on."), "success")
    return redirect(url_for(".show", amendment_id=amendment_id), 303)


@bp.post("/<uuid:amendment_id>/part")
@may(May.WRITE_REPORTS)
def part(amendment_id: UUID) -> ResponseReturnValue:
    """It is not the same after all."""
    _must_be_officer()
    with refusals_flashed(), transaction() as current:
        row = queries.one_seen(current, _seen(), amendment_id, lock=True)
        services.part(current, row, by=current_user(), at=clock.now())
        flash(_("It stands by itself again."), "success")
    return redirect(url_for(".show", amendment_id=amendment_id), 303)


@bp.post("/<uuid:amendment_id>/answer")
@may(May.WRITE_REPORTS)
def answer(amendment_id: UUID) -> ResponseReturnValue:
    """Note what was answered; whoever wrote it reads it."""
    _must_be_officer()
    form = AnswerForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = queries.one_seen(current, _seen(), amendment_id, lock=True)
            told: dict[str, Any] = {"document": form.document.data, "on_day": form.on_day.data or clock.today()}
            services.answer(
                current, row, form.words.data, form.answered_by.data, **told, by=current_user(), at=clock.now()
            )
            flash(_("Noted. Everybody who wrote it can read the answer."), "success")
            return redirect(url_for(".show", amendment_id=amendment_id), 303)
    return _page(queries.one_seen(session(), _seen(), amendment_id), answer_form=form), 422


@bp.post("/<uuid:amendment_id>/take-back")
@may(May.PROPOSE_AMENDMENTS)
def take_back(amendment_id: UUID) -> ResponseReturnValue:
    """Whoever wrote it takes it back."""
    with refusals_flashed(), transaction() as current:
        row = queries.one_seen(current, _seen(), amendment_id, lock=True)
        services.take_back(current, row, by=current_user(), at=clock.now())
        flash(_("Taken back."), "success")
    return redirect(url_for(".show", amendment_id=amendment_id), 303)


# ---- documents


@bp.get("/letters")
@may(May.SEE_REPORTS)
def letters() -> ResponseReturnValue:
    """The documents in which proposals went upward; who sees only their own unit's is led back to those."""
    if not _whole():
        return redirect(url_for(".listing"))
    found = queries.letters(session(), current_scope().town_id, cursor=request.args.get("cursor"))
    return render_template("reports/amendments/letters.html", found=found, officer=_officer())


@bp.post("/letters")
@may(May.WRITE_REPORTS)
def choose() -> ResponseReturnValue:
    """Put chosen proposals into the draft there is, or begin one."""
    _must_be_officer()
    ids = [key for key in map(read_id, request.form.getlist("chosen")) if key]
    if not ids:
        flash(_("Choose at least one proposal."), "warning")
        return redirect(url_for(".listing", state=State.RECEIVED.value), 303)
    with refusals_flashed(), transaction() as current:
        letter_id = _draft_id(current)
        letter = queries.letter_of_town(current, current_scope().town_id, letter_id, lock=True)
        many = services.choose(current, letter, ids)
        flash(ngettext("%(num)s proposal is in the draft.", "%(num)s proposals are in the draft.", many), "success")
        return redirect(url_for(".letter", letter_id=letter_id), 303)
    return redirect(url_for(".listing", state=State.RECEIVED.value), 303)


@bp.get("/letters/<uuid:letter_id>")
@may(May.SEE_REPORTS)
def letter(letter_id: UUID) -> ResponseReturnValue:
    """A document as it will stand on paper, and what comes next."""
    _must_see_all()
    return _letter_page(_letter(letter_id))


@bp.post("/letters/<uuid:letter_id>")
@may(May.WRITE_REPORTS)
def set_head(letter_id: UUID) -> ResponseReturnValue:
    """Whose paper it is and to whom it goes."""
    _must_be_officer()
    form = LetterForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = queries.letter_of_town(current, current_scope().town_id, letter_id, lock=True)
            services.set_head(current, row, form.head(), form.to_whom.data or "")
            return redirect(url_for(".letter", letter_id=letter_id), 303)
    return _letter_page(_letter(letter_id), head_form=form), 422


@bp.post("/letters/<uuid:letter_id>/leave-out")
@may(May.WRITE_REPORTS)
def leave_out(letter_id: UUID) -> ResponseReturnValue:
    """Take one out of the draft."""
    _must_be_officer()
    form = OtherForm()
    if not form.validate() or form.other_id is None:
        raise NotFound
    with refusals_flashed(), transaction() as current:
        row = queries.letter_of_town(current, current_scope().town_id, letter_id, lock=True)
        services.leave_out(current, row, form.other_id)
    return redirect(url_for(".letter", letter_id=letter_id), 303)


@bp.post("/letters/<uuid:letter_id>/send")
@may(May.WRITE_REPORTS)
def send(letter_id: UUID) -> ResponseReturnValue:
    """Number it, date it and keep it as it goes out."""
    _must_be_officer()
    form = SendForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = queries.letter_of_town(current, current_scope().town_id, letter_id, lock=True)
            day = form.sent_on.data or clock.today()
            told: dict[str, Any] = {"number": form.number.data, "sent_on": day, "made": _made(row)}
            services.send(current, row, **told, by=current_user(), at=clock.now())
            flash(_("Sent. Everybody who wrote one of these sees it, with the day and to whom."), "success")
            return redirect(url_for(".letter", letter_id=letter_id), 303)
    return _letter_page(_letter(letter_id), send_form=form), 422


@bp.get("/letters/<uuid:letter_id>/file")
@may(May.SEE_REPORTS)
def take(letter_id: UUID) -> ResponseReturnValue:
    """The document as Word, as it was sent or as the draft stands, or as PDF."""
    _must_see_all()
    row = _letter(letter_id)
    one = _paper(row)
    if request.args.get("format", Form.DOCX) == Form.PDF:
        return attachment(pdf.document(one), f"{one.filename}.pdf")
    return attachment(row.content or word.document(one), f"{one.filename}.docx")


# ---- pieces


def _officer() -> bool:
    """Whether somebody sorts, answers and sends: the Front's officer, and the office that leads the whole."""
    scope, user = current_scope(), current_user()
    if not user.may(May.WRITE_REPORTS):
        return False
    return scope.reach is Reach.ALL or _front()


def _front() -> bool:
    return queries.is_the_fronts(session(), current_scope())


def _must_be_officer() -> None:
    if not _officer():
        raise NotFound


def _must_see_all() -> None:
    if not _whole():
        raise NotFound


def _whole() -> bool:
    return current_scope().reach is Reach.ALL or _front()


def _reads_own() -> bool:
    return current_scope().reach is Reach.OWN


def _seen() -> ColumnElement[bool]:
    return queries.seen_by(current_scope(), front=_front())


def _write_form() -> WriteForm:
    scope, user, today = current_scope(), current_user(), clock.today()
    places = [(str(place.id), place.name) for place in queries.places_for(session(), scope, today)]
    first: dict[str, Any] = {"key": str(new_id()), "place": str(user.place_id) if user.place_id else None}
    form = WriteForm() if request.method == "POST" else WriteForm(data=first)
    form.offer(places)
    return form


def _page(row: Amendment, *, words_form: WordsForm | None = None, answer_form: AnswerForm | None = None) -> str:
    scope, officer = current_scope(), _officer()
    line = queries.line_of(session(), row)
    leader = session().get_one(Amendment, (row.town_id, row.joined_to_id)) if row.joined_to_id else row
    letter = session().get(AmendmentLetter, (row.town_id, leader.letter_id)) if leader.letter_id else None
    said = {name: getattr(line.words, name) for name in ("law", "happens", "change")}
    first = {"on_day": clock.today(), "answered_by": letter.to_whom if letter and letter.sent_on else None}
    everything = officer or scope.reach is Reach.ALL
    return render_template(
        "reports/amendments/show.html",
        line=line,
        leader=leader,
        letter=letter,
        answers=queries.answers_to(session(), leader),
        officer=officer,
        whole=everything,
        mine=row.written_by_id == scope.user_id,
        joined=queries.joined_to(session(), row) if everything and line.joined else [],
        alike=queries.alike(session(), row) if officer and row.state is State.RECEIVED else [],
        wordings=queries.wordings_of(session(), row) if row.wordings > 1 else [],
        words_form=words_form or WordsForm(formdata=None, data={"subject": row.subject.value} | said),
        answer_form=answer_form or AnswerForm(formdata=None, data=first),
        refused=words_form or answer_form,
        **WORDS,
    )


def _letter(letter_id: UUID) -> AmendmentLetter:
    return queries.letter_of_town(session(), current_scope().town_id, letter_id)


def _draft_id(current: Any) -> UUID:
    town_id = current_scope().town_id
    draft = queries.draft_letter(current, town_id)
    if draft is not None:
        return draft.id
    last = queries.last_letter(current, town_id)
    head = Head.from_json(last.head) if last else paper.usual_head(_town())
    to_whom = last.to_whom if last else paper.USUAL_WHOM
    return services.open_letter(current, new_id(), head, to_whom, by=current_user(), at=clock.now()).id


def _town(day: date | None = None) -> str:
    return town_called(session(), current_scope().town_id, day or clock.today())


def _paper(row: AmendmentLetter, number: int | None = None, day: date | None = None) -> paper.Proposals:
    """As it was sent, or as the draft stands."""
    told = row.facts["proposals"] if row.facts else paper.told_of(queries.chosen_for(session(), row))
    on = day or row.sent_on
    town = (row.facts or {}).get("town") or _town(on)
    dated: dict[str, Any] = {"number": number or row.number, "day": on}
    return paper.written(told, Head.from_json(row.head), row.to_whom, town, **dated, at=row.sent_at or clock.now())


def _made(row: AmendmentLetter) -> Any:
    def made(number: int, day: date) -> services.Made:
        one = _paper(row, number, day)
        return services.Made({name: one.facts[name] for name in ("proposals", "town")}, word.document(one), one.digest)

    return made


def _letter_page(
    row: AmendmentLetter, *, head_form: LetterForm | None = None, send_form: SendForm | None = None
) -> str:
    head, today = Head.from_json(row.head), clock.today()
    number = row.number or queries.next_number(session(), row.town_id, today.year, row.symbol)
    told = head.as_json() | {"recipients": "\n".join(head.recipients), "to_whom": row.to_whom}
    return render_template(
        "reports/amendments/letter.html",
        letter=row,
        chosen=queries.chosen_for(session(), row),
        paper=_paper(row),
        officer=_officer(),
        head_form=head_form or LetterForm(formdata=None, data=told),
        send_form=send_form or SendForm(formdata=None, data={"number": number, "sent_on": today}),
        refused=head_form or send_form,
        cells=shown,
        table_heads=heads,
        right=to_the_right,
        remarks=remarks,
        **WORDS,
    )
