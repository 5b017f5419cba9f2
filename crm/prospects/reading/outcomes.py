"""What reading a list ends in: people, rows set aside, rows rejected, or a file that cannot be read; each with its sentence."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.citizen_ids import Sex

Cell = str | float | int | bool | dt.date | dt.time | dt.timedelta | None
Ground = Literal["poor", "near_poor", "ethnic_minority", "island"]
NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})
"""What a list says that knows nothing but people."""
Standing = Literal["poor", "near_poor", "ethnic_minority", "island", "other"]


class Reason(StrEnum):
    """Why a row is rejected (it creates nobody), or what of a row was left out (a remark on a person)."""

    NO_NAME = "no_name"
    NAME_TOO_LONG = "name_too_long"
    NAME_WITH_DIGITS = "name_with_digits"
    NAME_WITH_SYMBOLS = "name_with_symbols"
    NAME_OF_ONE_WORD = "name_of_one_word"
    BIRTH_UNREADABLE = "birth_unreadable"
    NO_SUCH_DAY = "no_such_day"
    BORN_IN_FUTURE = "born_in_future"
    BORN_TOO_LONG_AGO = "born_too_long_ago"
    BIRTH_IN_BOTH_COLUMNS = "birth_in_both_columns"
    SEX_UNREADABLE = "sex_unreadable"
    PHONE_UNREADABLE = "phone_unreadable"
    PHONE_FOREIGN = "phone_foreign"
    CITIZEN_ID_UNREADABLE = "citizen_id_unreadable"
    CITIZEN_ID_OTHER_SEX = "citizen_id_other_sex"
    CITIZEN_ID_OTHER_YEAR = "citizen_id_other_year"
    SI_NUMBER_UNREADABLE = "si_number_unreadable"
    TEXT_CUT = "text_cut"
    MONTH_UNREADABLE = "month_unreadable"
    MONTH_MISSING = "month_missing"
    INCOME_UNREADABLE = "income_unreadable"
    AMOUNT_UNREADABLE = "amount_unreadable"
    COUNT_UNREADABLE = "count_unreadable"
    NO_PERIOD = "no_period"
    PAY_METHOD_UNREADABLE = "pay_method_unreadable"
    TAX_CODE_UNREADABLE = "tax_code_unreadable"
    TAX_METHOD_UNREADABLE = "tax_method_unreadable"
    SINCE_UNREADABLE = "since_unreadable"
    NO_GROUND = "no_ground"


_SENTENCES: Mapping[Reason, LazyString] = {
    Reason.NO_NAME: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: there is no name. Write the person's full name and load the list again."
    ),
    Reason.NAME_TOO_LONG: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the name is longer than 100 letters. Keep only the name in this cell."
    ),
    Reason.NAME_WITH_DIGITS: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” has digits in it. Keep only the name in this cell."
    ),
    Reason.NAME_WITH_SYMBOLS: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” has signs that no name has. Write the name with letters only."
    ),
    Reason.NAME_OF_ONE_WORD: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is only one word. Check whether the family name is missing."
    ),
    Reason.BIRTH_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a day or a year of birth."
        " Write day/month/year, or only the year."
    ),
    Reason.NO_SUCH_DAY: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: there is no day “%(value)s”. Correct it, or write only the year of birth."
    ),
    Reason.BORN_IN_FUTURE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the birth “%(value)s” is in the future. Correct the year."
    ),
    Reason.BORN_TOO_LONG_AGO: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the birth “%(value)s” is more than 120 years ago. Correct the year."
    ),
    Reason.BIRTH_IN_BOTH_COLUMNS: _l(
        "Sheet “%(sheet)s”, row %(row)s: both the men's and the women's column of birth are filled. Say whether it is a man or a woman."
    ),
    Reason.SEX_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is neither man nor woman. Write Nam or Nữ."
    ),
    Reason.PHONE_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a whole telephone number. Ask for the number again."
    ),
    Reason.PHONE_FOREIGN: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is a foreign number. Ask for a number in Vietnam."
    ),
    Reason.CITIZEN_ID_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a citizen number."
        " It has 12 digits (or 9 on the old card); check it against the card."
    ),
    Reason.CITIZEN_ID_OTHER_SEX: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the citizen number “%(value)s” belongs to the other sex."
        " Check the number and the sex."
    ),
    Reason.CITIZEN_ID_OTHER_YEAR: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the citizen number “%(value)s” belongs to another year of birth."
        " Check the number and the birth."
    ),
    Reason.SI_NUMBER_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a social insurance number. It has 10 digits."
    ),
    Reason.TEXT_CUT: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the text is very long; only its beginning is kept. Shorten it."
    ),
    Reason.MONTH_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no month. Write it as month/year, such as 09/2019."
    ),
    Reason.MONTH_MISSING: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the month paid through is missing. Write it as month/year, such as 09/2019."
    ),
    Reason.AMOUNT_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no amount in đồng. Write whole đồng, such as 462.000."
    ),
    Reason.COUNT_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no number of months. Write a number such as 3 or 12."
    ),
    Reason.NO_PERIOD: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the month the payment begins with is missing. Write it as month/year."
    ),
    Reason.INCOME_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no monthly income in đồng; it is left out."
    ),
    Reason.PAY_METHOD_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no way to pay. Write how many months are paid at once: 1, 3, 6 or 12."
    ),
    Reason.TAX_CODE_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a tax code. It has 10, 12 or 13 digits."
    ),
    Reason.TAX_METHOD_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is no way to pay tax. Write “khoán” or “kê khai”."
    ),
    Reason.SINCE_UNREADABLE: _l(
        "Sheet “%(sheet)s”, row %(row)s, column %(column)s: “%(value)s” is not a day. Write day/month/year."
    ),
    Reason.NO_GROUND: _l(
        "Sheet “%(sheet)s”, row %(row)s: the list does not say whether the household is poor or near-poor, so nothing is certified."
    ),
}


class SameBecause(StrEnum):
    """Why two rows seem to be one person."""

    CITIZEN_ID = "same_citizen_id"
    SI_NUMBER = "same_si_number"
    NAME_AND_PHONE = "same_name_and_phone"
    NAME_AND_BIRTH = "same_name_and_birth"


_SAME: Mapping[SameBecause, LazyString] = {
    SameBecause.CITIZEN_ID: _l("the same citizen number"),
    SameBecause.SI_NUMBER: _l("the same social insurance number"),
    SameBecause.NAME_AND_PHONE: _l("the same name and telephone"),
    SameBecause.NAME_AND_BIRTH: _l("the same name and birth"),
}


def because(reason: SameBecause) -> LazyString:
    """The reason in words."""
    return _SAME[reason]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a row that somebody should mend, with where it is and what stands there."""

    reason: Reason
    params: Mapping[str, str | int]

    @property
    def sentence(self) -> str:
        """Where it is, what is wrong and how to mend it, in the reader's language."""
        return str(_SENTENCES[self.reason]) % self.params


class Person(NamedTuple):
    """Somebody a row proposes. Phones are E.164; `grounds` are those of State support that the list claims.

    `sms_consent` is None when the list does not ask; an empty answer is no consent. `ward_named` is the ward or commune that
    the row, a heading or the title names, as written. `remarks` tell what of the row could not be kept.
    """

    sheet: str
    row: int
    full_name: str
    sex: Sex | None
    birth_year: int | None
    birth_date: dt.date | None
    phone: str | None
    other_phone: str | None
    citizen_id: str | None
    si_number: str | None
    grounds: tuple[Ground, ...]
    address: str | None
    neighbourhood: str | None
    occupation: str | None
    sms_consent: bool | None
    ward_named: str | None
    note: str | None
    remarks: tuple[Remark, ...]
    raw: tuple[Cell, ...]
    extra: Mapping[str, Any] = NOTHING_MORE
    """What only a list of its kind says, as plain JSON values (crm/prospects/reading/meanings.py)."""

    @property
    def standing(self) -> Standing:
        """The ground that decides the State's support, or `other`."""
        return next((ground for ground in _STRONGEST_FIRST if ground in self.grounds), "other")


_STRONGEST_FIRST: tuple[Ground, ...] = (
    "poor",
    "island",
    "near_poor",
    "ethnic_minority",
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that describes somebody but cannot be used as it stands."""

    sheet: str
    row: int
    reason: Reason
    params: Mapping[str, str | int]
    raw: tuple[Cell, ...]

    @property
    def sentence(self) -> str:
        """Where it is, what is wrong and how to mend it, in the reader's language."""
        return str(_SENTENCES[self.reason]) % self.params


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that seems to repeat an earlier one of the same file: set aside until somebody decides."""

    sheet: str
    row: int
    of_sheet: str
    of_row: int
    reasons: tuple[SameBecause, ...]
    person: Person


Outcome = Person | Rejected | Duplicate


class Refusal(StrEnum):
    """Why a whole file cannot be read."""

    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    WEB_PAGE = "web_page"
    PASSWORD = "password"
    BROKEN = "broken"
    NO_HEADER = "no_header"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_LARGE = "too_large"
    NO_SUCH_SHEET = "no_such_sheet"
    NO_SUCH_COLUMN = "no_such_column"
    NO_SUCH_HEADINGS = "no_such_headings"
    NO_SUCH_FIELD = "no_such_field"


_REFUSALS: Mapping[Refusal, LazyString] = {
    Refusal.EMPTY: _l("The file is empty. Choose the file that holds the list."),
    Refusal.WRONG_TYPE: _l(
        "This is not a spreadsheet or a text table. Save the list as Excel (.xlsx) or CSV and load that file."
    ),
    Refusal.WEB_PAGE: _l(
        "This file is a web page with an Excel name. Open it in Excel, save it as an Excel workbook (.xlsx) and load that file."
    ),
    Refusal.PASSWORD: _l(
        "The workbook is locked with a password. Open it, save a copy without a password and load that copy."
    ),
    Refusal.BROKEN: _l("The file is damaged and cannot be opened. Open it in Excel, save it again and load that file."),
    Refusal.NO_HEADER: _l(
        "No row of column headings was found. The list needs a heading such as “Họ và tên” above the names,"
        " or say which column holds the name."
    ),
    Refusal.TOO_MANY_ROWS: _l(
        "The list has %(rows)s rows; at most %(limit)s can be loaded at once. Split it into several files."
    ),
    Refusal.TOO_LARGE: _l(
        "The file is too large once unpacked. Keep only the list in it, or split it into several files."
    ),
    Refusal.NO_SUCH_SHEET: _l("The file has no sheet “%(sheet)s”. Its sheets are: %(sheets)s."),
    Refusal.NO_SUCH_HEADINGS: _l(
        "The headings cannot stand in row %(rows)s: choose up to five rows that stand together, among the first %(most)s."
    ),
    Refusal.NO_SUCH_COLUMN: _l("The list has no column “%(column)s”. Give its letter or its heading as it is written."),
    Refusal.NO_SUCH_FIELD: _l("“%(field)s” is not something a list can hold. It can hold: %(fields)s."),
}


class Unreadable(Exception):
    """The whole file is refused; the only exception that reading raises."""

    def __init__(self, reason: Refusal, **params: str | int) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.params = params

    @property
    def sentence(self) -> str:
        """What is wrong with the file and what to do, in the reader's language."""
        return str(_REFUSALS[self.reason]) % self.params

    def __str__(self) -> str:
        return self.sentence
