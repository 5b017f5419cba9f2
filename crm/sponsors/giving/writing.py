"""The e-mails to sponsors: subject and text. Plain words, no picture, nothing that is not needed. Pure."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from flask_babel import gettext as _

from crm.money import Vnd
from crm.sponsors.giving.rules import LINK_LIVES, Reminder, Step
from crm.sponsors.rules import FundAccount
from crm.web.filters import in_day, in_money


class Written(NamedTuple):
    """An e-mail."""

    subject: str
    body: str


def to_confirm(name: str, town: str, amount: Vnd, address: str) -> Written:
    """Asks whoever reads the mailbox whether they meant it."""
    lines = (
        _("Dear %(name)s,", name=name),
        _(
            "On the page of the fund of %(town)s a contribution of %(amount)s was registered in your name.",
            town=town,
            amount=in_money(amount),
        ),
        _("Please open this address, look at it and press the button to confirm:"),
        address,
        _(
            "The address works once, for %(days)s days. If it was not you, you need do nothing: without the "
            "confirmation nothing is kept as a promise.",
            days=LINK_LIVES.days,
        ),
        _signed(town),
    )
    return Written(_("Please confirm your contribution"), _letter(lines))


def confirmed(
    name: str, town: str, amount: Vnd, code: str, account: FundAccount | None, *, pay: str, own_page: str | None
) -> Written:
    """Thanks, how to pay, and the address of the sponsor's own page."""
    lines = [
        _("Dear %(name)s,", name=name),
        _("Thank you. Your promise of %(amount)s is written down.", amount=in_money(amount)),
        _("How to transfer it, with a QR to scan:"),
        pay,
        _transfer(code, account),
    ]
    if own_page:
        lines += [_("Your own page tells you later whom it helps. The address is yours alone:"), own_page]
    return Written(_("Thank you for your promise"), _letter([*lines, _signed(town)]))


def reminder(
    name: str,
    town: str,
    which: Reminder,
    due_on: date,
    amount: Vnd,
    code: str,
    account: FundAccount | None,
    *,
    pay: str,
) -> Written:
    """A friendly word before or after the day of an instalment."""
    told = {"amount": in_money(amount), "day": in_day(due_on)}
    if which is Reminder.BEFORE:
        subject = _("Your contribution for %(day)s", day=told["day"])
        about = _("On %(day)s your next contribution of %(amount)s is expected.", **told)
    else:
        subject = _("Did your contribution of %(day)s get lost?", day=told["day"])
        about = _("Of your contribution for %(day)s, %(amount)s has not arrived yet.", **told)
    lines = (
        _("Dear %(name)s,", name=name),
        about,
        _("How to transfer it, with a QR to scan:"),
        pay,
        _transfer(code, account),
        _("If you have paid already, or would like to change or end your promise, please tell us."),
        _signed(town),
    )
    return Written(subject, _letter(lines))


def by_own_hand(
    step: Step,
    reason: str,
    address: str,
    *,
    name: str,
    code: str,
    total: Vnd,
    left: Vnd,
    town: str,
    rests_until: date | None,
) -> Written:
    """Tells the office what a sponsor did to their promise; of a pause, on which day it goes on (`rests_until`)."""
    lines = (
        _("%(name)s decided about the promise %(code)s on their own page:", name=name, code=code),
        reason,
        _standing(step, total, left, rests_until),
        address,
        _signed(town),
    )
    if step is Step.ENDED:
        subject = _("%(name)s ended the promise %(code)s", name=name, code=code)
    elif step is Step.PAUSED:
        subject = _("%(name)s paused the promise %(code)s", name=name, code=code)
    else:
        subject = _("%(name)s changed the promise %(code)s", name=name, code=code)
    return Written(subject, _letter(lines))


def as_you_asked(
    step: Step, *, name: str, code: str, total: Vnd, left: Vnd, town: str, rests_until: date | None
) -> Written:
    """Tells the sponsor that it is done: it may not have been them."""
    lines = (
        _("Dear %(name)s,", name=name),
        _(
            "On your own page the promise %(code)s was changed, paused or ended. Everything you gave stays as it is.",
            code=code,
        ),
        _standing(step, total, left, rests_until),
        _("If it was not you, please call us at once."),
        _signed(town),
    )
    return Written(_("Your promise %(code)s", code=code), _letter(lines))


def _standing(step: Step, total: Vnd, left: Vnd, rests_until: date | None) -> str:
    if step is Step.ENDED:
        return str(_("Nothing more is expected."))
    if rests_until:
        return str(
            _(
                "It is paused: nothing is expected before %(day)s. After that %(left)s are still to come.",
                day=in_day(rests_until),
                left=in_money(left),
            )
        )
    return str(
        _(
            "The promise is %(total)s now, of which %(left)s are still to come.",
            total=in_money(total),
            left=in_money(left),
        )
    )


def _transfer(code: str, account: FundAccount | None) -> str:
    if account is None:
        return str(_("We will call you with the account to transfer to."))
    told = _(
        "Account %(account)s, in the name of %(name)s. Please do not change the transfer message: %(code)s",
        account=account.account,
        name=account.name,
        code=code,
    )
    return str(told)


def _signed(town: str) -> str:
    return str(_("The steering office for social insurance, %(town)s", town=town))


def _letter(lines: tuple[str, ...] | list[str]) -> str:
    return "\n\n".join(lines) + "\n"
