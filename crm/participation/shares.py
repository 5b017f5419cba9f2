"""Who paid each month: a payment's layers spread over its months, without a database.

The layers of a payment are its truth, in whole đồng; what stands with a month is read off them by one rule, so that the
same payment always gives the same months (docs/decisions/months.md):

* an amount is divided evenly, and single đồng that are left over go to the earliest months (crm.money.split);
* the State's support lies on the supported months only, the place's and other payers' on all months;
* a month's premium is its part of the whole: the same each month, or, when years ahead were paid, less by the fund's
  interest for each month that it lies ahead (decree 159/2025, article 6), of missing months more by it (article 7), the
  largest remainders first;
* what is left of a month's premium is the person's own part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from crm.money import Vnd, split, split_evenly
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import share_of_percent


class PayerKind(StrEnum):
    """Who may bear a part of a month besides the person, the State and the place's budget."""

    SPONSOR = "sponsor"
    UNNAMED = "unnamed"
    """Somebody paid, and who is not on record."""


class Payer(NamedTuple):
    """One who pays for others. Whoever knows more of payers of a kind names them (crm.participation.payers)."""

    kind: PayerKind
    id: UUID | None = None


UNNAMED = Payer(PayerKind.UNNAMED)


class Share(NamedTuple):
    """What one payer offers or gives, đồng: for a whole payment, or for one of its months."""

    payer: Payer
    amount: Vnd


@dataclass(frozen=True, slots=True)
class Layers:
    """A whole payment: who bears what, đồng, and over how many months."""

    months: int
    supported_months: int
    own: Vnd
    state: Vnd
    local: Vnd
    others: tuple[Share, ...] = ()
    weights: tuple[int, ...] | None = None
    """How dear each month is beside the others; None when all are alike."""

    @property
    def other(self) -> Vnd:
        """What others than the person, the State and the place bear."""
        return sum(share.amount for share in self.others)


@dataclass(frozen=True, slots=True)
class MonthShare:
    """One month of a payment: who bears what, đồng."""

    supported: bool
    own: Vnd
    state: Vnd
    local: Vnd
    others: tuple[Share, ...]

    @property
    def other(self) -> Vnd:
        """What others bear of this month."""
        return sum(share.amount for share in self.others)

    @property
    def gross(self) -> Vnd:
        """The month's premium."""
        return self.own + self.state + self.local + self.other


def by_month(paid: Layers) -> list[MonthShare]:
    """The months of a payment in their order; every layer sums to that of the payment exactly, and none is negative."""
    supported = paid.supported_months
    state = [*(split_evenly(paid.state, supported) if supported else ()), *[0] * (paid.months - supported)]
    local = split_evenly(paid.local, paid.months)
    others = [split_evenly(share.amount, paid.months) for share in paid.others]
    premiums = split(paid.own + paid.state + paid.local + paid.other, paid.weights or [1] * paid.months)
    helped = [sum(parts) for parts in zip(state, local, *others, strict=True)]
    room = [max(0, premium - help) for premium, help in zip(premiums, helped, strict=True)]
    own = split(paid.own, room) if paid.own else [0] * paid.months
    return [
        MonthShare(
            supported=number < supported,
            own=own[number],
            state=state[number],
            local=local[number],
            others=tuple(
                Share(share.payer, parts[number])
                for share, parts in zip(paid.others, others, strict=True)
                if parts[number]
            ),
        )
        for number in range(paid.months)
    ]


def weights_under(rules: Iterable[Mapping[str, Any]], months: int, *, missing: bool = False) -> tuple[int, ...] | None:
    """How dear each month is under the rules kept with a payment: those paid years ahead are discounted, missing ones
    bear interest, others are alike."""
    percent = next((rule["value"] for rule in rules if rule["name"] == LawKey.INVESTMENT_PERCENT), None)
    if percent is None:
        return None
    interest = 1 + share_of_percent(Decimal(percent))
    later, sooner = interest.denominator, interest.numerator
    if missing:
        later, sooner = sooner, later
    return tuple(later**number * sooner ** (months - 1 - number) for number in range(months))


def needed_of(offered: Sequence[Share], needed: Vnd) -> tuple[Share, ...]:
    """What of several offers is taken, the first first, until what is needed is there."""
    taken: list[Share] = []
    for share in offered:
        amount = min(share.amount, needed - sum(one.amount for one in taken))
        if amount > 0:
            taken.append(Share(share.payer, amount))
    return tuple(taken)
