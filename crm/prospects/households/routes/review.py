"""The annual review: whose certificate ends with the year; renewed, not yet, no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.accounts.services import note_change_of
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.households import renewing, reviewing
from crm.prospects.households.exporting import workbook
from crm.prospects.households.forms import ReviewForm
from crm.prospects.households.renewing import Asked
from crm.prospects.households.reviewing import Due, Narrowed, Tally
from crm.prospects.households.routes.blueprint import bp, is_id
from crm.prospects.households.rules import RENEWALS, Renewal, year_ending
from crm.prospects.wording import GROUNDS
from crm.web.attachments import attachment
from crm.web.guard import may

PAGE = 30
MOST_EXPORTED = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST = 10**17
"""A number that is still a moment."""


@bp.get("/certificates")
@may(May.SEE_DASHBOARD)
def review() -> ResponseReturnValue:
    """Whose certificate ends with the year, by ward and neighbourhood: renewed, not yet, no longer."""
    return _review_page()


def _review_page(wrong: str | None = None, typed: dict[str, str] | None = None) -> str:
    scope, year = current_scope(), _year()
    tallies = reviewing.tallies(session(), scope, year)
    form = ReviewForm(request.args)
    form.part.choices = [("", _l("All")), *_parts(tallies)]
    narrowed = _narrowed(form)
    found = reviewing.page_of_due(session(), scope, year, narrowed, cursor=request.args.get("cursor"), size=PAGE)
    asked = _asked_for()
    return render_template(
        "prospects/households/review.html",
        year=year,
        form=form,
        found=found.rows,
        next_url=url_for(".review", **asked, cursor=found.next) if found.next else None,
        asked=asked,
        tallies=tallies,
        sums={state: sum(row.states[state] for row in tallies) for state in Renewal},
        words=RENEWALS,
        wrong=wrong,
        typed=typed or {},
        may_export=current_user().may(May.EXPORT_PEOPLE),
        edits=current_user().may(May.EDIT_PEOPLE),
    )


def _asked_for() -> dict[str, Any]:
    """What the address narrows the list to."""
    return {name: value for name, value in request.args.items() if name in ("year", "state", "part") and value}


def _year() -> int:
    """The year whose certificates end: asked for, or the one under review today."""
    asked, today = request.args.get("year", type=int), clock.today()
    return asked if asked is not None and 2000 <= asked <= today.year else year_ending(today)


def _parts(tallies: list[Tally]) -> Iterator[tuple[str, str]]:
    wards: set[UUID] = set()
    for row in tallies:
        if row.place_id not in wards:
            wards.add(row.place_id)
            yield f"{row.place_id}", row.place
        if row.neighbourhood_id:
            yield f"{row.place_id}.{row.neighbourhood_id}", f"{row.place} · {row.neighbourhood}"


def _narrowed(form: ReviewForm) -> Narrowed:
    """What the list is narrowed to; a choice that is not offered narrows nothing."""
    if not form.validate():
        return Narrowed()
    return Narrowed(form.state_chosen, *form.place)


@bp.post("/certificates/renew")
@may(May.EDIT_PEOPLE)
def renew() -> ResponseReturnValue:
    """Renew one (its button) or all that have a new number; or say that one is no longer poor."""
    at, by, year = clock.now(), current_user(), _year() + 1
    typed = {name: value for name, value in request.form.items() if name.startswith("number-")}
    try:
        with transaction() as current:
            if gone := request.form.get("gone"):
                renewing.no_longer(current, current_scope(), _asked(gone), year=year, by=by, at=at)
                words = _("Noted: no longer poor or near-poor in %(year)s.", year=year)
            else:
                asked = _asked_all(typed)
                number = renewing.renew_all(current, current_scope(), asked, year=year, by=by, at=at)
                words = ngettext("%(num)s certificate renewed.", "%(num)s certificates renewed.", number)
    except RuleBroken as refusal:
        return _review_page(str(refusal), typed), 422
    flash((words, url_for(".undo", done=(at - EPOCH) // MICROSECOND)), "undo")  # type: ignore[arg-type]
    return redirect(url_for(".review", **_asked_for()))


def _asked_all(typed: dict[str, str]) -> list[Asked]:
    """The lines to renew: the one whose button was pressed, or all that have a number."""
    only = request.form.get("only")
    if only:
        return [_asked(only, typed.get(f"number-{only}"))]
    return [_asked(name.removeprefix("number-"), value) for name, value in typed.items() if value.strip()]


def _asked(key: str, number: str | None = None) -> Asked:
    """`h.ID` is a household, `p.ID` somebody alone. Raises RuleBroken."""
    kind, _dot, id = key.partition(".")
    if kind not in ("h", "p") or not is_id(id):
        raise RuleBroken(_l("This line is not in the list any more. Open the list again."))
    return Asked(UUID(id), None, number) if kind == "h" else Asked(None, UUID(id), number)


@bp.post("/certificates/undo/<int:done>")
@may(May.EDIT_PEOPLE)
def undo(done: int) -> ResponseReturnValue:
    """Take back one act of renewing, named by its moment."""
    with transaction() as current:
        moment = EPOCH + min(done, LAST) * MICROSECOND
        number = renewing.undo(current, current_scope(), moment, by=current_user(), at=clock.now())
    flash(ngettext("%(num)s line is as before.", "%(num)s lines are as before.", number), "success")
    return redirect(url_for(".review"))


@bp.get("/certificates.xlsx")
@may(May.EXPORT_PEOPLE)
def export() -> ResponseReturnValue:
    """The list as a workbook; that it was taken is kept."""
    scope, year, form = current_scope(), _year(), ReviewForm(request.args)
    form.part.choices = [(form.part.data, "")]
    rows: list[Due] = list(reviewing.page_of_due(session(), scope, year, _narrowed(form), size=MOST_EXPORTED).rows)
    with transaction() as current:
        who, taken = current_user(), {"year": year, "rows": len(rows)}
        note_change_of(current, who, "export_renewals", by=who, at=clock.now(), after=taken)
    name = f"giay-chung-nhan-{year}.xlsx"
    return attachment(workbook(year, rows, GROUNDS), name)
