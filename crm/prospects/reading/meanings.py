"""What a row of another office's list says besides who somebody is. Each kind's facts are plain JSON values:

household businesses: `tax_code`, `name`, `trade`, `method` (lump_sum, declaration), `since` (day);
participants: `paid_through` (month), `months_at_once` (1, 3, 6, 12; 0 several years), `income`, `since` (month);
payments: `from_month`, `months`, `total`, `own`, `state`, `local`, `other` (đồng), `paid_on` (day), `receipt`, `list_number`,
`income`;
poor households: `household` (what members of one household share), `code`, `kinship`, `ground`, `certificate`, `year`.
Absent is what the list does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from crm.names import clean, fold
from crm.prospects.reading.columns import Field, Table
from crm.prospects.reading.kinds import (
    read_amount,
    read_count_of_months,
    read_income,
    read_kinship,
    read_month,
    read_months_at_once,
    read_tax_code,
    read_tax_method,
)
from crm.prospects.reading.outcomes import Cell, Ground, Reason
from crm.prospects.reading.values import as_text, read_birth
from crm.prospects.rules import ListKind

LONGEST = 200
_AMOUNTS = (
    (Field.TOTAL_PAID, "total"),
    (Field.OWN_PAID, "own"),
    (Field.STATE_PAID, "state"),
    (Field.LOCAL_PAID, "local"),
    (Field.OTHER_PAID, "other"),
)


@dataclass(frozen=True, slots=True)
class Slip:
    """A cell that cannot be read: with `fatal` the row is of no use."""

    reason: Reason
    index: int
    fatal: bool = False


@dataclass
class Meant:
    """What a row says, and what of it could not be read."""

    says: dict[str, Any] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)


class Home(NamedTuple):
    """Where a row says that somebody lives."""

    address: str | None
    neighbourhood: str | None
    ward: str | None


@dataclass
class _Household:
    """The household that the rows below its head belong to."""

    key: str = ""
    code: str | None = None
    ground: str | None = None
    certificate: str | None = None
    people: int = 0
    home: Home | None = None


class Meanings:
    """Reads the columns of one table that only its kind has; rows come in their order."""

    def __init__(self, table: Table, today: date) -> None:
        self._table, self._today = table, today
        self._at = {each: column.index for each, column in table.mapping.items()}
        self._household = _Household()
        self._number = 0
        self._of: Callable[[Sequence[Cell], Sequence[Ground]], Meant] | None = {
            ListKind.HOUSEHOLD_BUSINESSES: self._business,
            ListKind.PARTICIPANTS: self._participant,
            ListKind.POOR_HOUSEHOLDS: self._member,
            ListKind.PAYMENTS: self._payment,
        }.get(table.kind)

    def of(self, cells: Sequence[Cell], grounds: Sequence[Ground]) -> Meant | None:
        """What this row says; None in a list of people as such. `grounds` are those its usual columns claim."""
        return self._of(cells, grounds) if self._of else None

    def tells_of_a_member(self, cells: Sequence[Cell]) -> bool:
        """Whether a row without number or birth still tells of somebody: a member of the household above."""
        return self._table.kind is ListKind.POOR_HOUSEHOLDS and bool(self._text(cells, Field.KINSHIP))

    def name_of_head(self, cells: Sequence[Cell]) -> str:
        """The name in the column of heads, for a head who has no line among the members."""
        return self._text(cells, Field.HOUSEHOLDER) if self._table.kind is ListKind.POOR_HOUSEHOLDS else ""

    def home(self, own: Home, *, told: bool) -> Home:
        """Where somebody of the household that was read last lives: lists say it in the row of the head only. `told`: this
        row says so itself, not just a heading above it."""
        if self._table.kind is not ListKind.POOR_HOUSEHOLDS:
            return own
        if told:
            self._household.home = own
        return own if told else self._household.home or own

    def _cell(self, cells: Sequence[Cell], each: Field) -> Cell:
        return cells[self._at[each]] if each in self._at else None

    def _text(self, cells: Sequence[Cell], each: Field) -> str:
        return clean(as_text(self._cell(cells, each))[:LONGEST])

    def _read(
        self, meant: Meant, cells: Sequence[Cell], each: Field, to: str, read: Callable[[Cell], Any], wrong: Reason
    ) -> None:
        if not self._text(cells, each):
            return
        found = read(self._cell(cells, each))
        if found is None:
            meant.slips.append(Slip(wrong, self._at[each]))
        else:
            meant.says[to] = found

    def _business(self, cells: Sequence[Cell], _grounds: Sequence[Ground]) -> Meant:
        meant = Meant()
        self._read(meant, cells, Field.TAX_CODE, "tax_code", read_tax_code, Reason.TAX_CODE_UNREADABLE)
        self._read(meant, cells, Field.TAX_METHOD, "method", read_tax_method, Reason.TAX_METHOD_UNREADABLE)
        self._read(meant, cells, Field.SINCE, "since", self._day, Reason.SINCE_UNREADABLE)
        for each, to in ((Field.BUSINESS_NAME, "name"), (Field.TRADE, "trade")):
            if text := self._text(cells, each):
                meant.says[to] = text
        return meant

    def _day(self, cell: Cell) -> str | None:
        found = read_birth(cell, self._today)
        return found.date.isoformat() if found.date else None

    def _participant(self, cells: Sequence[Cell], _grounds: Sequence[Ground]) -> Meant:
        meant = Meant()
        if Field.PAID_THROUGH in self._at:
            month, index = read_month(self._cell(cells, Field.PAID_THROUGH)), self._at[Field.PAID_THROUGH]
            if month:
                meant.says["paid_through"] = month
            elif self._text(cells, Field.PAID_THROUGH):
                meant.slips.append(Slip(Reason.MONTH_UNREADABLE, index, fatal=True))
            else:
                meant.slips.append(Slip(Reason.MONTH_MISSING, index))
        self._read(meant, cells, Field.SINCE, "since", read_month, Reason.MONTH_UNREADABLE)
        self._read(meant, cells, Field.PAY_METHOD, "months_at_once", read_months_at_once, Reason.PAY_METHOD_UNREADABLE)
        self._read(meant, cells, Field.INCOME, "income", read_income, Reason.INCOME_UNREADABLE)
        return meant

    def _payment(self, cells: Sequence[Cell], _grounds: Sequence[Ground]) -> Meant:
        meant = Meant()
        for each, to, read, wrong in (
            (Field.FROM_MONTH, "from_month", read_month, Reason.MONTH_UNREADABLE),
            (Field.MONTHS_COUNT, "months", read_count_of_months, Reason.COUNT_UNREADABLE),
        ):
            found = read(self._cell(cells, each))
            if found is None:
                missing = each is Field.FROM_MONTH and not self._text(cells, each)
                reason = Reason.NO_PERIOD if missing else wrong
                meant.slips.append(Slip(reason, self._at.get(each, 0), fatal=True))
            else:
                meant.says[to] = found
        for each, to in _AMOUNTS:
            self._read(meant, cells, each, to, read_amount, Reason.AMOUNT_UNREADABLE)
        meant.slips = [
            replace(slip, fatal=slip.fatal or slip.reason is Reason.AMOUNT_UNREADABLE) for slip in meant.slips
        ]
        self._read(meant, cells, Field.PAID_ON, "paid_on", self._day, Reason.SINCE_UNREADABLE)
        self._read(meant, cells, Field.INCOME, "income", read_income, Reason.INCOME_UNREADABLE)
        for each, to in ((Field.RECEIPT, "receipt"), (Field.LIST_NUMBER, "list_number")):
            if text := self._text(cells, each):
                meant.says[to] = text
        return meant

    def _member(self, cells: Sequence[Cell], grounds: Sequence[Ground]) -> Meant:
        kinship = read_kinship(self._cell(cells, Field.KINSHIP))
        if self._begins(cells, kinship):
            self._number += 1
            code = self._text(cells, Field.HOUSEHOLD_CODE) or None
            self._household = _Household(code or f"{self._table.sheet} {self._number}", code)
        household = self._household
        household.people += 1
        claimed = next((ground for ground in grounds if ground in ("poor", "near_poor")), None)
        household.ground = claimed or household.ground or self._table.ground
        household.certificate = self._text(cells, Field.CERTIFICATE) or household.certificate
        says = {
            "household": household.key,
            "code": household.code,
            "kinship": kinship or ("head" if household.people == 1 else "other"),
            "ground": household.ground,
            "certificate": household.certificate,
            "year": self._table.year or self._today.year,
        }
        slips = [] if household.ground else [Slip(Reason.NO_GROUND, self._at.get(Field.STANDING, 0))]
        return Meant({name: value for name, value in says.items() if value is not None}, slips)

    def _begins(self, cells: Sequence[Cell], kinship: str | None) -> bool:
        """Whether a household begins here: by its code, its head in a column of their own, «chủ hộ», else its number."""
        if not self._household.people:
            return True
        if Field.HOUSEHOLD_CODE in self._at:
            code = self._text(cells, Field.HOUSEHOLD_CODE)
            return bool(code) and fold(code) != fold(self._household.code or "")
        if Field.HOUSEHOLDER in self._at:
            return bool(self._text(cells, Field.HOUSEHOLDER)) and kinship in (None, "head")
        if Field.KINSHIP in self._at:
            return kinship == "head"
        return bool(self._text(cells, Field.SERIAL)) or Field.SERIAL not in self._at


def without_the_certified(grounds: Sequence[Ground], kind: ListKind) -> tuple[Ground, ...]:
    """The grounds a row claims by itself: a certificate makes poor and near-poor, and it holds for the list's year."""
    if kind is not ListKind.POOR_HOUSEHOLDS:
        return tuple(grounds)
    return tuple(ground for ground in grounds if ground not in ("poor", "near_poor"))


NOTHING: Mapping[str, Any] = {}
