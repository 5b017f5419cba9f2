"""The plan is the best there is, and nobody's money is spent twice or against their wish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from random import Random
from uuid import UUID

import pytest

from crm.prospects.rules import Ground
from crm.sponsors.matching.rules import planning
from crm.sponsors.matching.rules.needs import RUNS, Need, Offer, Rest, Terms, Why, order
from crm.sponsors.matching.rules.planning import Plan, propose
from tests.sponsors.matching.towns import (
    NEAR_POOR_MONTH,
    POOR_MONTH,
    WARDS,
    Served,
    best,
    fits,
    need,
    offer,
    town,
)


def served(plan: Plan, needs: Sequence[Need]) -> tuple[Served, ...]:
    """What each gets, in the order of priority."""
    got = {line.need.person_id: (line.sponsor_id == line.need.carried_by, line.months) for line in plan.lines}
    return tuple(got.get(one.person_id, (False, 0)) for one in sorted(needs, key=order))


def keeps_the_rules(plan: Plan, needs: Sequence[Need], offers: Sequence[Offer], terms: Terms) -> None:
    """Whole runs at their price, within money, wishes, months and numbers of people; everybody once."""
    by_id = {one.sponsor_id: one for one in offers}
    spent, new = Counter[UUID](), Counter[UUID]()
    for line in plan.lines:
        giver = by_id[line.sponsor_id]
        assert fits(line.need, giver)
        assert line.amount == line.need.prices[line.months]
        assert line.months <= giver.run(terms.months)
        spent[line.sponsor_id] += line.amount
        new[line.sponsor_id] += line.sponsor_id != line.need.carried_by
    for left in plan.left:
        giver = by_id[left.sponsor_id]
        assert left.after == giver.available - spent[left.sponsor_id] >= 0
        assert giver.room is None or new[left.sponsor_id] <= giver.room
    told = [line.need.person_id for line in plan.lines] + [one.need.person_id for one in plan.passed]
    assert sorted(told) == sorted(one.person_id for one in needs)


@pytest.mark.parametrize("part", range(8))
def test_no_other_plan_is_better(part: int) -> None:
    for seed in range(part * 300, part * 300 + 300):
        needs, offers = town(seed)
        terms = Terms(months=Random(seed).choice((1, 3, 12)))
        plan = propose(needs, offers, terms)
        keeps_the_rules(plan, needs, offers, terms)
        assert served(plan, needs) == best(needs, offers, terms), seed


@pytest.mark.parametrize("part", range(4))
def test_no_other_plan_is_better_when_every_month_costs_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here chains of moves alone are enough, so the plan is the best at any size: nothing is tried out."""
    monkeypatch.setattr(planning, "FEW", -1)
    for seed in range(part * 300, part * 300 + 300):
        needs, offers = town(seed, alike=True)
        plan = propose(needs, offers)
        assert served(plan, needs) == best(needs, offers, Terms()), seed


def test_it_does_not_matter_in_which_order_people_and_sponsors_are_told() -> None:
    needs, offers = town(77)
    assert propose(needs, offers) == propose(needs[::-1], offers[::-1])


def test_broad_money_is_not_spent_on_whom_a_narrow_wish_could_carry() -> None:
    anybody = offer(1, POOR_MONTH)
    first_ward = offer(2, POOR_MONTH, within=frozenset({WARDS[0]}))
    here, elsewhere = need(1), need(2, place_id=WARDS[1])
    plan = propose([here, elsewhere], [anybody, first_ward], Terms(months=1))
    assert {line.need.place_id: line.sponsor_id for line in plan.lines} == {
        WARDS[0]: first_ward.sponsor_id,
        WARDS[1]: anybody.sponsor_id,
    }


def test_people_move_along_a_chain_to_make_room() -> None:
    """Each sponsor has room for one; whoever comes last fits only the first, who was given away already."""
    ward = [frozenset({WARDS[0], WARDS[1]}), frozenset({WARDS[1], WARDS[2]}), frozenset({WARDS[2], UUID(int=9)})]
    offers = [offer(number, POOR_MONTH, within=within) for number, within in enumerate(ward, 1)]
    needs = [need(1, place_id=WARDS[1]), need(2, place_id=WARDS[2]), need(3, place_id=WARDS[0])]
    for queue in (needs, needs[::-1]):
        assert len(propose(queue, offers, Terms(months=1)).lines) == 3


def test_whom_a_sponsor_carries_comes_first_and_stays() -> None:
    theirs = offer(2, 3 * POOR_MONTH, carrying=[UUID(int=1001)], people=1, months=3)
    carried = need(1, carried_by=theirs.sponsor_id, since=date(2019, 9, 9))
    plan = propose([need(2, deadline=date(2019, 10, 16)), carried], [offer(1, 3 * POOR_MONTH, months=3), theirs])
    assert [(line.need.person_id, line.sponsor_id) for line in plan.lines] == [
        (carried.person_id, theirs.sponsor_id),
        (UUID(int=1002), UUID(int=1)),
    ]


def test_when_their_sponsor_has_nothing_left_another_carries_on() -> None:
    spent = offer(2, POOR_MONTH - 1, carrying=[UUID(int=1001)])
    carried = need(1, carried_by=spent.sponsor_id)
    plan = propose([need(2), carried], [offer(1, POOR_MONTH), spent], Terms(months=1))
    assert [(line.need.person_id, line.sponsor_id) for line in plan.lines] == [(carried.person_id, UUID(int=1))]


def test_the_nearest_last_day_then_the_poor_then_who_has_waited_longest() -> None:
    late = need(1, ground=Ground.NEAR_POOR, month=NEAR_POOR_MONTH, deadline=date(2019, 10, 31))
    later = need(2, deadline=date(2019, 11, 30))
    near_poor = need(3, ground=Ground.NEAR_POOR, month=NEAR_POOR_MONTH, since=date(2018, 1, 1))
    poor, waited = need(4, since=date(2019, 9, 1)), need(5, since=date(2019, 1, 1))
    plan = propose([near_poor, poor, waited, later, late], [offer(1, 10**9)])
    assert [line.need for line in plan.lines] == [late, later, waited, poor, near_poor]


def test_the_longest_run_that_the_money_and_the_wish_allow() -> None:
    plan = propose([need(1), need(2)], [offer(1, 10 * POOR_MONTH, months=7)])
    assert [(line.months, line.wished) for line in plan.lines] == [(6, 7), (3, 7)]
    assert plan.left[0].after == POOR_MONTH


def test_who_gives_month_by_month_carries_month_by_month() -> None:
    plan = propose([need(1), need(2)], [offer(1, 6 * POOR_MONTH, months=12, monthly=True)])
    assert [line.months for line in plan.lines] == [1, 1]


def test_why_somebody_is_passed_over() -> None:
    women = offer(1, POOR_MONTH, women=True, people=1)
    rich = offer(2, 100 * POOR_MONTH, grounds=(Ground.NEAR_POOR,), people=1)
    needs = [
        need(1),
        need(2),
        need(3, female=False),
        need(4, ground=Ground.NEAR_POOR, month=NEAR_POOR_MONTH),
        need(5, ground=Ground.NEAR_POOR, month=NEAR_POOR_MONTH),
        need(6, refused_by=frozenset({women.sponsor_id})),
    ]
    plan = propose(needs, [women, rich], Terms(months=1))
    assert {one.need.person_id.int - 1000: one.why for one in plan.passed} == {
        2: Why.NO_MONEY,
        3: Why.NO_WISH,
        5: Why.ENOUGH_PEOPLE,
        6: Why.REFUSED_BEFORE,
    }


def test_why_money_is_left() -> None:
    offers = [
        offer(1, POOR_MONTH + 35_000, within=frozenset({WARDS[0]})),
        offer(2, 5 * POOR_MONTH, grounds=(Ground.NEAR_POOR,)),
        offer(3, 9 * POOR_MONTH, within=frozenset({WARDS[1]}), people=1, months=3),
        offer(4, 9 * POOR_MONTH, within=frozenset({WARDS[2]}), months=1),
        offer(5, 0),
    ]
    needs = [need(1), need(2), need(3, place_id=WARDS[1]), need(4, place_id=WARDS[1]), need(5, place_id=WARDS[2])]
    left = {one.sponsor_id.int: (one.after, one.why) for one in propose(needs, offers, Terms(months=1)).left}
    assert left == {
        1: (35_000, Rest.LESS_THAN_A_MONTH),
        2: (5 * POOR_MONTH, Rest.NOBODY_FITS),
        3: (6 * POOR_MONTH, Rest.ENOUGH_PEOPLE),
        4: (8 * POOR_MONTH, Rest.EVERYBODY_CARRIED),
        5: (0, Rest.NOTHING),
    }


def test_what_is_left_is_too_little_for_the_months_that_were_wished() -> None:
    (left,) = propose([need(1)], [offer(1, 2 * POOR_MONTH, months=3)]).left
    assert (left.after, left.why, left.cheapest) == (POOR_MONTH, Rest.LESS_THAN_A_MONTH, None)


def test_nobody_is_left_waiting_whom_a_sponsor_could_still_pay_a_month() -> None:
    """In a town too large to try everything: what is left of a sponsor is less than a month of anybody who fits."""
    chance = Random(5)
    offers = [
        offer(
            number,
            chance.randint(1, 40) * 100_000,
            within=chance.choice((None, frozenset({chance.choice(WARDS)}))),
            grounds=chance.choice(((), (Ground.POOR,))),
            months=chance.choice((None, 1, 3, 12)),
        )
        for number in range(1, 25)
    ]
    needs = [
        need(
            number,
            place_id=chance.choice(WARDS),
            ground=(ground := chance.choice((Ground.POOR, Ground.NEAR_POOR))),
            month=POOR_MONTH if ground is Ground.POOR else NEAR_POOR_MONTH,
            runs=RUNS,
        )
        for number in range(300)
    ]
    plan = propose(needs, offers)
    keeps_the_rules(plan, needs, offers, Terms())
    left = {one.sponsor_id: one for one in plan.left}
    waiting = [one.need for one in plan.passed]
    assert waiting
    for giver in offers:
        least = min((one.cheapest for one in waiting if fits(one, giver)), default=None)
        assert least is None or left[giver.sponsor_id].after < least
