"""What is said of a line: why this person, why so many months, and why money is left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext, ngettext

from crm.money import Vnd
from crm.months import Month
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.rules import Ground
from crm.sponsors.matching.models import BEYOND_WISH, FundingLine
from crm.sponsors.matching.rules.needs import RUNS, Rest
from crm.sponsors.matching.rules.wording import WHY
from crm.sponsors.rules import in_month
from crm.web import filters
from crm.web.language import chosen


def _(text: str, **values: Any) -> str:
    return str(gettext(text, **values))


def sponsors_named_in(lines: Collection[FundingLine]) -> set[Any]:
    """The sponsors whose names the words of these lines need."""
    return {line.sponsor_id for line in lines} | {line.facts.get("carried_by") for line in lines}


def because(line: FundingLine, names: Mapping[str, str]) -> str:
    """One sentence: why this person is served before others."""
    facts, standing = line.facts, _standing(line.facts)
    if facts.get("edited"):
        return _("Chosen so by the treasurer.")
    if facts.get("meant_by") == str(line.sponsor_id):
        return _("%(sponsor)s said that what is left goes on with them.", sponsor=names[str(line.sponsor_id)])
    if carrier := facts.get("carried_by"):
        until = in_month(Month.parse(facts["paid_until"]))
        if carrier == str(line.sponsor_id):
            return _(
                "%(sponsor)s has carried them until %(until)s: no gap follows.", sponsor=names[carrier], until=until
            )
        return _(
            "Carried until %(until)s by %(sponsor)s, who can no longer; another goes on without a gap.",
            sponsor=names.get(carrier, ""),
            until=until,
        )
    if facts.get("deadline"):
        return _(
            "%(standing)s; takes part and has to pay by %(day)s, or the months break off.",
            standing=standing,
            day=_day(facts["deadline"]),
        )
    return _("%(standing)s; has waited since %(day)s.", standing=standing, day=_day(facts["since"]))


def besides(line: FundingLine) -> Iterator[str]:
    """What else the treasurer should know of the months."""
    facts, months = line.facts, line.months or 0
    within, left = facts.get("within"), facts.get("support_left")
    if reason := facts.get(BEYOND_WISH):
        yield _("Outside the sponsor's wish, because: %(reason)s", reason=reason)
    if within is not None and months > within:
        yield _("Goes on after the certificate has ended on %(day)s.", day=_day(facts["certificate_ends"]))
    if left is not None and left < months:
        yield _("The State helps with %(left)s of these months only; the sponsor bears the others whole.", left=left)
    wished, free = facts.get("wished", months), facts.get("free", months)
    certain = wished if within is None else max(within, months)
    most = _run(min(wished, certain, free))
    if facts.get("edited") or months >= _run(wished):
        return
    if months < most:
        yield _("%(months)s of %(most)s months: there was not money for more.", months=months, most=most)
    elif free < certain:
        yield ngettext(
            "%(num)s month only: the months after are carried already.",
            "%(num)s months only: the months after are carried already.",
            months,
        )
    elif certain == months:
        yield _("%(months)s months only: the certificate ends on %(day)s.", **_months(line, "certificate_ends"))
    else:
        yield _(
            "%(months)s months only: the certificate ends on %(day)s, and one pays for 1, 3, 6 or 12 months at a time.",
            **_months(line, "certificate_ends"),
        )


def _run(most: int) -> int:
    """The longest run that is no longer than so many months."""
    return max((run for run in RUNS if run <= most), default=0)


def passed_over(line: FundingLine) -> str:
    """Why somebody gets nothing, with the day that matters."""
    assert line.why, "the line is of somebody who was passed over"
    facts, words = line.facts, [str(WHY[line.why])]
    if line.why == "certificate_ends" and facts.get("certificate_ends"):
        words.append(_("it ends on %(day)s", day=_day(facts["certificate_ends"])))
    if line.why in ("carried", "paid_ahead") and facts.get("paid_until"):
        words.append(_("until %(until)s", until=in_month(Month.parse(facts["paid_until"]))))
    return ": ".join(words)


def why_left(why: Rest, after: Vnd, cheapest: Vnd | None) -> str:
    """Why what is left of a sponsor's money could not be used."""
    left = filters.vnd(after, chosen())
    if not after:
        return _("All of it is used.")
    if why is Rest.LESS_THAN_A_MONTH and cheapest is not None and after < cheapest:
        least = filters.vnd(cheapest, chosen())
        return _("%(left)s left: less than a month of anybody who waits (%(least)s).", left=left, least=least)
    if why is Rest.LESS_THAN_A_MONTH and cheapest is None:
        return _("%(left)s left: everybody who fits is served, and more months for one of them cost more.", left=left)
    if why is Rest.ENOUGH_PEOPLE:
        return _("%(left)s left: they help as many people as they wished.", left=left)
    if why is Rest.NOBODY_FITS:
        return _("%(left)s left: nobody in need is as they wish.", left=left)
    if why is Rest.EVERYBODY_CARRIED:
        return _("%(left)s left: everybody who fits is served.", left=left)
    return _("%(left)s left.", left=left)


def _months(line: FundingLine, day: str) -> dict[str, Any]:
    return {"months": line.months, "day": _day(line.facts[day])}


def _standing(facts: Mapping[str, Any]) -> str:
    return str(GROUNDS[Ground(facts["ground"])]) if facts.get("ground") else ""


def _day(text: str) -> str:
    return str(filters.in_day(date.fromisoformat(text)))
