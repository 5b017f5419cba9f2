"""The calculator as a page: for anybody, and with what is known filled in for somebody on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import current_app, render_template, request, url_for

from crm.months import Month
from crm.premiums.calculator.forms import CalculatorForm
from crm.premiums.calculator.phone import in_text
from crm.premiums.calculator.rules import Told, tell
from crm.premiums.calculator.showing import NO_SHEET, sheet
from crm.premiums.queries import Additions
from crm.premiums.rules.law import Law
from crm.web.forms import refusals_on
from crm.web.language import chosen


@dataclass(frozen=True)
class About:
    """Of whom a page is: what their card says, and the places they live within."""

    name: str
    page: str
    """The address of what is known of them."""
    place: str
    contact: str
    within: Collection[UUID]
    only_the_year: bool
    """Of the birth only the year is known: 1 January counts."""
    next_due: tuple[Month, date] | None = None
    """Of whoever takes part: the next month to pay, and the last day for it. What is worked out begins this month."""


def page(
    form: CalculatorForm, law: Law, additions: Additions, today: date, *, kept: bool = False, about: About | None = None
) -> tuple[str, int]:
    """The page and its status: 422 while there is no answer. What it passes on of somebody on record holds no person."""
    told: Told | None = None
    if form.validate():
        within = about.within if about else additions.around(form.place.data or "")
        with refusals_on(form):
            told = tell(law, form.asked, today, additions.top_ups, within)
    shown = sheet(told, law.on(today), chosen(), of_somebody=about is not None) if told else NO_SHEET
    known: dict[str, Any] = {"form": form, "now": law.on(today), "shown": shown, "answered": told is not None}
    if about:
        known |= {"name": about.name, "place": about.place, "contact": about.contact}
        known["around"] = " ".join(in_text(about.within))
    made = render_template(
        "premiums/calculator/page.html", **known, about=about, kept=kept, address=address(), today=today
    )
    return made, 200 if told else 422


def address(query: str = "") -> str:
    """The calculator's address for people elsewhere."""
    own: str = current_app.config["SETTINGS"].public_url
    return own + url_for("calculator.page") + (f"?{query}" if query else "")


def answers() -> dict[str, str | Sequence[str]]:
    """What the address answers, by the names of the form's fields; of the grounds all that are ticked."""
    several = request.args.getlist("ground")
    return {name: several if name == "ground" else text for name, text in request.args.to_dict().items()}


def questions(law: Law, given: Mapping[str, str | Sequence[str]], additions: Additions, today: date) -> CalculatorForm:
    """The form as somebody has answered it so far, with the wards between which the answer may differ."""
    wards = [(code, ward.name) for code, ward in additions.wards.items()]
    return CalculatorForm.under(law.on(today), given, wards)
