"""What a decree says, and what it may not say: read, checked and compared with the law that holds, without a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.lines import whole_number
from crm.premiums.rules.keys import PERIODS, WINDOWS, LawKey, LawStatus
from crm.premiums.rules.law import ANNOUNCED_EACH_YEAR, PER_CENT, Law, LawOnDay, LawValue, LocalTopUp
from crm.premiums.rules.wording import BY_YEAR_PAID, DECIMAL, GROUNDS, LABELS, YES_OR_NO
from crm.premiums.rules.wording import MONEY as IN_DONG
from crm.prospects.rules import Ground
from crm.web.filters import in_day, in_money

FURTHEST = timedelta(days=20 * 366)
"""A day of effect beyond this is a slip of the finger."""
MOST_ITEMS = 40
FINEST = Decimal("0.0001")
"""No percentage of the law is written more finely."""


@dataclass(frozen=True)
class Item:
    """One thing a decree says: a value of national law, or what a place adds of its own (`key` is None then)."""

    key: LawKey | None
    ground: Ground | None
    value: Decimal | None = None
    """Of national law: percent, đồng, months, years or times. Of a place: percent of the floor premium."""
    of_year: int | None = None
    """The year in which the months were paid, where the number differs by it."""
    amount: int | None = None
    """Of a place: đồng a month instead of a percent."""
    place: UUID | None = None
    until: date | None = None
    months_cap: int | None = None
    article: str = ""
    confirms: UUID | None = None
    """The announced row of the law that this confirms."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; numbers as text, so that they stay exact."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value if isinstance(value, int) or value is None else str(value) for name, value in kept.items()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Item:
        read: dict[str, Any] = {
            "key": LawKey,
            "ground": Ground,
            "value": Decimal,
            "place": UUID,
            "until": date.fromisoformat,
            "confirms": UUID,
        }
        return cls(
            **{name: read[name](value) if name in read and value is not None else value for name, value in kept.items()}
        )

    @property
    def about(self) -> tuple[Any, ...]:
        """What it is about: a decree says it once."""
        return self.key, self.ground, self.of_year, self.place


@dataclass(frozen=True)
class Said:
    """A decree as the rules read it."""

    document: str
    article: str
    source: str
    note: str
    since: date
    status: LawStatus
    items: tuple[Item, ...]

    def values(self) -> Iterator[LawValue]:
        """Its values of national law, as they would stand on record."""
        for item in self.items:
            if item.key is not None and item.value is not None:
                yield LawValue(
                    key=item.key,
                    ground=item.ground,
                    value=item.value,
                    since=self.since,
                    document=self.document,
                    article=item.article or self.article,
                    source=self.source,
                    status=self.status,
                    note=self.note,
                    of_year=item.of_year,
                )

    def top_ups(self) -> Iterator[LocalTopUp]:
        """What places add by it, as it would stand on record."""
        for item in self.items:
            if item.key is None and item.ground is not None:
                yield LocalTopUp(
                    ground=item.ground,
                    percent=item.value,
                    amount=item.amount,
                    since=self.since,
                    until=item.until,
                    months_cap=item.months_cap,
                    document=self.document,
                    place=item.place,
                    status=self.status,
                )

    def counted(self) -> Said:
        """The same as if it held: what it would change once it is in force."""
        return replace(self, status=LawStatus.IN_FORCE)

    def added_to(self, law: Law) -> Law:
        """The law with it."""
        return Law((*law.values, *self.values()))


# ---- numbers as people write them

PERCENT = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,4})?")
WHOLE = re.compile(r"[0-9]{1,12}")
DONG_DIGITS = 12


def read_value(key: LawKey, text: str) -> Decimal:
    """«22,5» and «22.5» are the same percentage; «1.500.000 đ» and «1500000» the same money. Raises RuleBroken."""
    text = text.strip()
    if key in IN_DONG:
        return Decimal(read_dong(text))
    if not _is_whole(key):
        return read_percent(text)
    if not WHOLE.fullmatch(text):
        raise RuleBroken(_l("Write a whole number in figures, such as 12."), field="value")
    return Decimal(text)


def read_percent(text: str) -> Decimal:
    """A percentage of at most four decimals. Raises RuleBroken."""
    text = text.strip().removesuffix("%").strip()
    if not PERCENT.fullmatch(text):
        raise RuleBroken(_l("Write the percentage in figures, such as 22 or 22.5."), field="value")
    value = Decimal(text.replace(",", "."))
    return value.to_integral_value() if value == value.to_integral_value() else value.normalize()


def read_dong(text: str) -> int:
    """Whole đồng, in groups of three or not. Raises RuleBroken: «1.5» and «1.500.00» are no sums of money."""
    figures = re.sub(r"\s*(đ|đồng|₫|vnd)$", "", text.strip(), flags=re.IGNORECASE)
    amount = whole_number(figures, DONG_DIGITS)
    if amount is None:
        raise RuleBroken(_l("Write the amount in figures and in whole đồng, such as 1,500,000."), field="value")
    return amount


# ---- what may not be


class Reach(NamedTuple):
    """What one line of a decree changes, and on which days: until another row takes its place."""

    key: LawKey | None
    """None: anything paid on these days may have been reckoned otherwise, whatever its snapshot names."""
    name: Any
    since: date
    until: date | None
    """The last day; None: on and on."""


def reaches(said: Said, law: Law) -> Iterator[Reach]:
    """What a decree changes if it is counted, line by line; nothing while it is only announced."""
    if said.status is LawStatus.ANNOUNCED:
        return
    for value in said.values():
        following = [one.since for one in law.values if one.of == value.of and one.since > said.since and one.counts]
        ends = [day - timedelta(days=1) for day in following]
        if value.key in ANNOUNCED_EACH_YEAR:
            ends.append(date(said.since.year, 12, 31))
        named = value.key is not LawKey.SUPPORT_PERCENT
        yield Reach(value.key if named else None, LABELS[value.key], said.since, min(ends, default=None))
    for top_up in said.top_ups():
        yield Reach(None, _l("Additions by places"), top_up.since, top_up.until)


def check_day(said: Said, today: date, reckoned: Mapping[Reach, date]) -> None:
    """Nothing may have been reckoned yet by what the decree replaces; a day that is over is possible where nothing was.

    `reckoned` names, of what the decree changes, the latest day on which a payment or a refund that stands rests on it.
    Raises RuleBroken at `effective_from`.
    """
    if said.status is LawStatus.ANNOUNCED and said.since < today:
        raise RuleBroken(
            _l(
                "%(day)s is over: what was only announced for it did not come, or is in force. Look at it again.",
                day=in_day(said.since),
            ),
            field="effective_from",
        )
    if said.since > today + FURTHEST:
        raise RuleBroken(_l("That day is very far ahead. Look at the year again."), field="effective_from")
    if reckoned:
        reach, last = max(reckoned.items(), key=lambda found: found[1])
        raise RuleBroken(
            _l(
                "%(name)s: what was paid until %(day)s is reckoned by the law of before, and stays so. "
                "Choose %(next)s or later.",
                name=reach.name,
                day=in_day(last),
                next=in_day(last + timedelta(days=1)),
            ),
            field="effective_from",
            code="reckoned_already",
        )


def check_items(said: Said) -> None:
    """What no line of a decree may say, whatever holds now. Raises RuleBroken."""
    if len(said.items) > MOST_ITEMS:
        raise RuleBroken(_l("That is too much for one decree. Make two of it."), field="key")
    for item in said.items:
        _check_item(item, said)


def _check_item(item: Item, said: Said) -> None:
    if any(other.about == item.about for other in said.items if other is not item):
        raise RuleBroken(
            _l("This decree says that already. Take the first away before you write another."), field="key"
        )
    if item.key is None:
        _check_top_up(item, said)
    else:
        if item.value is None:
            raise RuleBroken(_l("Write the new value."), field="value")
        if any(one is not None for one in (item.amount, item.place, item.until, item.months_cap)):
            raise RuleBroken(
                _l(
                    "Only what a place adds has a place, an amount, a last day or a number of months at most. "
                    "Leave these empty."
                ),
                field="key",
            )
        _check_value(item.key, item.ground, item.value)
        if item.of_year is not None and item.key not in BY_YEAR_PAID:
            raise RuleBroken(_l("This does not differ by the year in which one paid. Leave it empty."), field="of_year")
        if item.of_year is None and item.key in BY_YEAR_PAID:
            raise RuleBroken(
                _l("This differs by the year in which one paid. Say for which year it is."), field="of_year"
            )


def _check_value(key: LawKey, ground: Ground | None, value: Decimal) -> None:
    if key is LawKey.SUPPORT_PERCENT and ground is None:
        raise RuleBroken(_l("Say for whom the State's support is."), field="ground")
    if key is not LawKey.SUPPORT_PERCENT and ground is not None:
        raise RuleBroken(_l("Only the State's support differs by ground. Leave the ground empty."), field="ground")
    if key.endswith("_percent") and value > PER_CENT:
        raise RuleBroken(_l("%(name)s cannot be more than 100%%.", name=LABELS[key]), field="value")
    if _is_whole(key) and value != value.to_integral_value():
        raise RuleBroken(_l("Write a whole number in figures, such as 12."), field="value")
    _check_decimals(value)
    if key in YES_OR_NO and value not in (0, 1):
        raise RuleBroken(_l("Write 1 for yes or 0 for no."), field="value")
    if key in NOT_NOTHING and not value:
        raise RuleBroken(_l("%(name)s cannot be nothing.", name=LABELS[key]), field="value")


def _check_decimals(value: Decimal) -> None:
    if value % FINEST:
        raise RuleBroken(_l("Write at most four decimals."), field="value")


def _is_whole(key: LawKey) -> bool:
    return not key.endswith("_percent") and key not in DECIMAL


NOT_NOTHING = {
    LawKey.CONTRIBUTION_PERCENT,
    LawKey.POVERTY_LINE,
    LawKey.INCOME_STEP,
    LawKey.BASE_LEVEL,
    LawKey.CEILING_MULTIPLE,
    LawKey.PENSION_LEAST_MONTHS,
    *WINDOWS.values(),
}


def _check_top_up(item: Item, said: Said) -> None:
    if item.ground is None:
        raise RuleBroken(_l("Say for whom the addition is."), field="ground")
    if (item.value is None) is (item.amount is None):
        raise RuleBroken(_l("Write either a percentage or an amount in đồng a month."), field="value")
    if item.value is not None:
        _check_decimals(item.value)
    if item.value is not None and item.value > PER_CENT:
        raise RuleBroken(_l("A place adds at most 100% of the premium on the least income."), field="value")
    if item.until is not None and item.until < said.since:
        raise RuleBroken(_l("The last day lies before the first."), field="until")
    if item.months_cap is not None and item.months_cap < 1:
        raise RuleBroken(_l("Write at least one month, or leave it empty."), field="months_cap")


def check_whole(said: Said, law: Law, top_ups: Sequence[LocalTopUp]) -> None:
    """What the law as a whole may not become on the day of effect. Raises RuleBroken."""
    if not said.items:
        raise RuleBroken(_l("Write at least one value that changes."), field="key")
    check_items(said)
    standing = {(one.of, one.since): one for one in law.values if one.status is said.status}
    for value in said.values():
        if same := standing.get((value.of, value.since)):
            raise RuleBroken(
                _l(
                    "%(name)s is on record for that day already (%(document)s). Withdraw that first, or choose another day.",
                    name=LABELS[value.key],
                    document=same.document,
                ),
                field="effective_from",
            )
    there = {(one.place, one.ground, one.since) for one in top_ups if one.status is said.status}
    for top_up in said.top_ups():
        if (top_up.place, top_up.ground, top_up.since) in there:
            raise RuleBroken(
                _l(
                    "An addition for «%(ground)s» is on record there for that day already.",
                    ground=GROUNDS[top_up.ground],
                ),
                field="effective_from",
            )
    _check_incomes(said.counted().added_to(law).on(said.since))
    _check_change(said, law)


def _check_incomes(then: LawOnDay) -> None:
    """Least income, step and highest income fit together."""
    if then.floor % then.step:
        raise RuleBroken(
            _l(
                "The least income of %(floor)s is not a multiple of the step of %(step)s. Look at both again.",
                floor=in_money(then.floor),
                step=in_money(then.step),
            ),
            field="value",
        )
    if then.floor > then.ceiling:
        raise RuleBroken(
            _l(
                "The least income of %(floor)s would be above the highest, %(ceiling)s. Look at both again.",
                floor=in_money(then.floor),
                ceiling=in_money(then.ceiling),
            ),
            field="value",
        )
    for method, key in WINDOWS.items():
        if then.number(key) > PERIODS[method]:
            raise RuleBroken(_l("%(name)s cannot be longer than what is paid for.", name=LABELS[key]), field="value")


def _check_change(said: Said, law: Law) -> None:
    """A value that says what holds anyhow is a slip."""
    before = law.on(said.since)
    for value in said.values():
        if value.status is LawStatus.ANNOUNCED:
            continue
        held = before.rows.get(value.of)
        if held is not None and held.value == value.value and held.status is said.status:
            raise RuleBroken(
                _l("%(name)s has this value already, by %(document)s.", name=LABELS[value.key], document=held.document),
                field="value",
            )


def words_of(items: Iterable[Item]) -> str:
    """What a decree is about, in few words."""
    names = dict.fromkeys(str(LABELS[one.key]) if one.key else str(_l("Additions by places")) for one in items)
    return "; ".join(names)
