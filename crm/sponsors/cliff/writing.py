"""The e-mail and the text to a sponsor whose help for somebody ends. Nobody's name, place or number is in it. Pure."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from crm.money import Vnd
from crm.months import Month
from crm.sponsors.giving.writing import Written
from crm.sponsors.rules import in_month
from crm.web.filters import in_money


def ending(name: str, town: str, people: int, until: Month, *, left: tuple[Vnd, int] | None, renew: str) -> Written:
    """How many, until when, what is left for them (`left`: đồng, months) and where to go on with one tap."""
    lines = (
        _("Dear %(name)s,", name=name),
        ngettext(
            "Because of you %(num)s neighbour pays into social insurance. Your gift carries them until %(month)s; "
            "after that nobody's money follows yet.",
            "Because of you %(num)s neighbours pay into social insurance. Your gift carries the first of them until "
            "%(month)s; after that nobody's money follows yet.",
            people,
            month=in_month(until),
        ),
        *_of_what_is_left(left),
        _("If you would like to go on with the same people for as many months again, open this address:"),
        renew,
        _("You see there what it would cost before you decide. If you cannot go on, thank you for what you gave."),
        _("The steering office for social insurance, %(town)s", town=town),
    )
    return Written(
        _("Your help ends after %(month)s: would you like to go on?", month=in_month(until)), "\n\n".join(lines) + "\n"
    )


def _of_what_is_left(left: tuple[Vnd, int] | None) -> tuple[str, ...]:
    if left is None:
        return ()
    amount, months = left
    words: str = ngettext(
        "%(amount)s of your gift is not used yet: enough for %(num)s month of theirs. The page lets you use that first, so "
        "that you give only what is wanting, or nothing.",
        "%(amount)s of your gift is not used yet: enough for %(num)s months of theirs. The page lets you use that first, so "
        "that you give only what is wanting, or nothing.",
        months,
        amount=in_money(amount),
    )
    return (words,)


def ending_text(town: str, people: int, until: Month, *, left: tuple[Vnd, int] | None, renew: str) -> str:
    """The same on a telephone; whoever sends it takes the accents off."""
    told = {"town": town, "people": people, "month": in_month(until), "renew": renew}
    if left is None:
        words: str = _(
            "Social insurance fund of %(town)s: your gift carries %(people)s of your neighbours until %(month)s. Look, and go on: %(renew)s",
            **told,
        )
    else:
        words = _(
            "Social insurance fund of %(town)s: your gift carries %(people)s of your neighbours until %(month)s. %(left)s are not "
            "used yet, enough for %(months)s months. Look, and go on: %(renew)s",
            left=in_money(left[0]),
            months=left[1],
            **told,
        )
    return words
