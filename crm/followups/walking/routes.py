"""The printed walking list of a work package."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session
from crm.followups.walking.queries import Caller, Door, doors
from crm.followups.wording import figures_of
from crm.outreach.packages.queries import package_seen
from crm.outreach.packages.services import check_walker
from crm.outreach.rules import OUTCOMES, SHORT_OUTCOMES, Figures, Outcome, Reason, what_to_say
from crm.premiums.queries import law
from crm.prospects.models import Prospect
from crm.prospects.reading.values import said_once
from crm.prospects.rules import deciding
from crm.web.filters import phone as written_phone
from crm.web.guard import may

bp = Blueprint("walking", __name__)

SHOWN_OF_A_PHONE = 3


@bp.get("/packages/<uuid:package_id>/print")
@may(May.LOG_VISITS)
def sheet(package_id: UUID) -> ResponseReturnValue:
    """Whoever is still to be met, house by house, for paper. Telephones are masked unless asked for."""
    scope, day = current_scope(), clock.today()
    progress = package_seen(session(), scope, package_id)
    check_walker(progress.package, current_user())
    found = doors(session(), scope, progress.package, day)
    figures = figures_of((one.facts for door in found for one in door.people), law(session()))
    phones = request.args.get("phones") == "full"
    several = len({one.facts.place.id for door in found for one in door.people}) > 1
    return render_template(
        "followups/walking/sheet.html",
        progress=progress,
        package=progress.package,
        doors=[_door(door, figures, phones=phones, with_ward=several) for door in found],
        outcomes=[(number, SHORT_OUTCOMES[one]) for number, one in enumerate(Outcome, 1)],
        phones=phones,
        today=day,
    )


def _door(door: Door, figures: dict[UUID, Figures], *, phones: bool, with_ward: bool) -> dict[str, Any]:
    """A house as the paper shows it, with its ward where the walk goes through several: each has a Khu phố 1."""
    first = door.people[0].facts
    near = first.neighbourhood.name if first.neighbourhood else None
    parts = (said_once(door.address, near), near, first.place.name if with_ward or not near else None)
    return {
        "address": ", ".join(part for part in parts if part),
        "qr": _qr(first.person),
        "people": [_line(one, figures, phones=phones) for one in door.people],
    }


def _line(one: Caller, figures: dict[UUID, Figures], *, phones: bool) -> dict[str, Any]:
    who, ground = one.facts.person, one.facts.standing
    reasons = [Reason(reason) for reason in one.tried.reasons if reason in list(Reason)]
    outcome = next((OUTCOMES[known] for known in Outcome if known.value == who.last_outcome), None)
    return {
        "position": one.position,
        "person": who,
        "age": clock.today().year - who.birth_year if who.birth_year else None,
        "standing": ground,
        "last": outcome,
        "times": one.tried.times,
        "say": what_to_say(who.stage, deciding(one.facts.grounds_on(clock.today())), reasons, None),
        "pays": figures.get(who.id),
        "phone": _phone(who, full=phones),
    }


def _phone(who: Prospect, *, full: bool) -> str | None:
    """The telephone, or only its last figures: paper gets lost."""
    number = who.phone or who.other_phone
    if number is None:
        return None
    return written_phone(number) if full else f"… {number[-SHOWN_OF_A_PHONE:]}"


def _qr(who: Prospect) -> Markup:
    """A drawing that opens the log page of the first person of a house on a phone."""
    address = current_app.config["SETTINGS"].public_url + url_for("outreach.log", person_id=who.id)
    return Markup(segno.make(address, error="l").svg_inline(border=0, svgclass="qr", lineclass=None, omitsize=True))  # noqa: S704
