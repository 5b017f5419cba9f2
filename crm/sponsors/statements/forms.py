"""What is asked when a statement is handed in and when somebody says what a line was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from crm.errors import RuleBroken
from crm.premiums.forms import DongField, MayBeEmptyDong
from crm.sponsors.statements.rules.kinds import NOT_GIFTS, USES, Share, Use
from crm.web.forms import Form, stripped

ROWS = 6
"""So many parts a line can be divided into on its page at first, and so many more each time one asks for more."""
MOST_PARTS = 60
"""Into more parts nobody divides a line on a page."""


class HandInForm(Form):
    """A statement, and the account it is of."""

    file = FileField(
        _l("The statement"), validators=[FileRequired(_l("Choose the statement you downloaded from the bank."))]
    )
    account = SelectField(_l("Bank account"), default="")
    number = StringField(_l("Number of a new account"), filters=[stripped], validators=[Length(max=40)])

    def offering(self, accounts: Iterable[tuple[UUID, str]]) -> Self:
        """The form with the accounts whose statements were loaded before."""
        self.account.choices = [("", _("As the file says")), *((str(key), words) for key, words in accounts)]
        return self

    @property
    def account_id(self) -> UUID | None:
        """The account chosen."""
        return UUID(self.account.data) if self.account.data else None


class AccountForm(Form):
    """What of the money before the first statement is no sponsor's."""

    name = StringField(_l("What you call this account"), filters=[stripped], validators=[Length(max=100)])
    amount = MayBeEmptyDong(_l("Money that is no sponsor's"))
    why = StringField(_l("Whose money it is"), filters=[stripped], validators=[Length(max=200)])


class SetAsideForm(Form):
    """A line that is no sponsor's money."""

    use = RadioField(
        _l("What was it?"),
        choices=[(use.value, USES[use]) for use in NOT_GIFTS],
        validators=[DataRequired(_l("Choose what the line was."))],
    )
    why = StringField(_l("In a few words"), filters=[stripped], validators=[Length(max=200)])

    @property
    def what(self) -> Use:
        """What the line was, once the form is valid."""
        return Use(self.use.data)


class UndoForm(Form):
    """Why what was said of a line was wrong."""

    reason = StringField(_l("Why is it undone?"), filters=[stripped], validators=[DataRequired(), Length(max=200)])


class _Amount(Form):
    amount = DongField("")


def columns_chosen(form: Mapping[str, str], letters: Sequence[str]) -> dict[str, str]:
    """Letter → field, as the page with the columns sends them."""
    return {letter: form.get(f"column-{letter}", "") for letter in letters}


def write_shares(shares: Iterable[Share]) -> str:
    """Shares as one text that a form can carry."""
    return " ".join(f"{share.sponsor_id}:{share.pledge_id or ''}:{share.amount}" for share in shares)


def read_shares(text: str) -> list[Share]:
    """The shares again. Raises RuleBroken for what this program did not write."""
    try:
        return [_share(part) for part in text.split()]
    except (ValueError, TypeError):
        raise _unreadable() from None


def _share(text: str) -> Share:
    sponsor, pledge, amount = text.split(":")
    if not (amount.isascii() and amount.isdecimal() and len(amount) < 16):
        raise ValueError
    return Share(UUID(sponsor), UUID(pledge) if pledge else None, int(amount))


def rows_of_parts(form: MultiDict[str, str]) -> int:
    """How many parts a line's page has room for: those that were sent, and more when they are asked for."""
    sent = sum(f"whose-{row}" in form for row in range(MOST_PARTS))
    return min(max(sent, ROWS) + (ROWS if "more" in form else 0), MOST_PARTS)


def divided(form: MultiDict[str, str], whole: int) -> list[Share]:
    """The parts typed on the page of a line; the one part without an amount takes what is left. Raises RuleBroken."""
    parts: list[tuple[str, int | None]] = []
    for row in range(MOST_PARTS):
        whose, typed = form.get(f"whose-{row}", ""), form.get(f"amount-{row}", "").strip()
        if whose:
            parts.append((whose, _dong(typed) if typed else None))
        elif typed:
            raise RuleBroken(_l("Choose for whom each amount is."), code="shares")
    left = whole - sum(amount or 0 for _whose, amount in parts)
    if sum(amount is None for _whose, amount in parts) > 1:
        raise RuleBroken(_l("Write the amount of each part; one at most may be left empty."), code="shares")
    if left <= 0 and any(amount is None for _whose, amount in parts):
        raise RuleBroken(_l("The parts are more than the line."), code="sums_differ")
    try:
        return [_share(f"{whose}:{left if amount is None else amount}") for whose, amount in parts]
    except (ValueError, TypeError):
        raise _unreadable() from None


def _dong(text: str) -> int:
    form = _Amount(MultiDict({"amount": text}), meta={"csrf": False})
    if not form.validate() or form.amount.data is None:
        raise RuleBroken(_l("Write the amount in figures, such as 1,500,000."), code="shares")
    amount: int = form.amount.data
    return amount


def _unreadable() -> RuleBroken:
    return RuleBroken(_l("This choice cannot be read. Open the page again."), code="shares")


def ids_of(texts: Iterable[str]) -> list[UUID]:
    """The ids that check boxes send. Raises RuleBroken."""
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise _unreadable() from None
