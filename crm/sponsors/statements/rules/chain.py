"""Whether a statement is whole: each balance follows from the one before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from crm.money import Vnd


class Step(NamedTuple):
    """A line's row in the file, its signed amount, and the balance the bank printed after it."""

    row: int
    amount: Vnd
    balance: Vnd | None


class Break(NamedTuple):
    """At this row the bank's balance is not what it must be."""

    row: int
    expected: Vnd
    told: Vnd


class Chain(NamedTuple):
    """Opening and closing balance (None where nothing tells them), and where the chain breaks."""

    newest_first: bool
    opening: Vnd | None
    closing: Vnd | None
    breaks: tuple[Break, ...]
    checked: int
    """Lines whose balance could be checked."""


def chain_of(steps: Sequence[Step], opening: Vnd | None = None, closing: Vnd | None = None) -> Chain:
    """The chain of lines as they stand in the file. `opening` and `closing` are what the file says beside its lines."""
    newest_first = _fits(steps[::-1]) > _fits(steps)
    ordered = steps[::-1] if newest_first else steps
    if opening is None:
        opening = _opening(ordered)
    breaks: list[Break] = []
    checked, running = 0, opening
    for step in ordered:
        running = None if running is None else running + step.amount
        if step.balance is None:
            continue
        if running is not None:
            checked += 1
            if running != step.balance:
                breaks.append(Break(step.row, running, step.balance))
        running = step.balance
    if closing is not None and running is not None and running != closing and ordered:
        breaks.append(Break(ordered[-1].row, running, closing))
    return Chain(newest_first, opening, closing if closing is not None else running, tuple(breaks), checked)


def _opening(ordered: Sequence[Step]) -> Vnd | None:
    """From the first line whose balance is printed, back to before the first line."""
    before = 0
    for step in ordered:
        before += step.amount
        if step.balance is not None:
            return step.balance - before
    return None


def _fits(steps: Sequence[Step]) -> int:
    """How many balances follow from the balance of the line just before."""
    return sum(
        before.balance + step.amount == step.balance
        for before, step in itertools.pairwise(steps)
        if before.balance is not None and step.balance is not None
    )
