"""Small invented towns of needs and offers, and the best plan for them found by trying everything there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from crm.months import Month
from crm.prospects.rules import Ground
from crm.sponsors.matching.rules.needs import RUNS, Need, Offer, Terms, is_of_age, lives_where, order
from crm.sponsors.rules import Wish

POOR_MONTH, NEAR_POOR_MONTH = 107_800, 115_500
WARDS = tuple(UUID(int=number) for number in range(1, 4))
OCTOBER = Month(2019, 10)

Served = tuple[bool, int]
"""Whether somebody stays with who carries them, and for how many months they are carried."""


def need(number: int, **more: Any) -> Need:
    """Somebody poor in the first ward, who has waited since the spring."""
    month = more.pop("month", POOR_MONTH)
    runs = more.pop("runs", RUNS)
    values: dict[str, Any] = {
        "person_id": UUID(int=1000 + number),
        "place_id": WARDS[0],
        "neighbourhood_id": None,
        "ground": Ground.POOR,
        "female": True,
        "age": 40,
        "start": OCTOBER,
        "prices": {run: run * month for run in runs},
        "since": date(2019, 3, number % 28 + 1),
    }
    return Need(**values | more)


def offer(number: int, money: int, *, within: frozenset[UUID] | None = None, carrying: Any = (), **wish: Any) -> Offer:
    """A sponsor with so much left, and their wish."""
    return Offer(UUID(int=number), money, Wish(**wish), within, frozenset(carrying))


def town(seed: int, *, alike: bool = False) -> tuple[list[Need], list[Offer]]:
    """Few people and fewer sponsors, with everything that may stand in the way; `alike`: every run costs the same."""
    chance = Random(seed)
    offers = []
    for number in range(1, chance.randint(2, 4)):
        offers.append(
            offer(
                number,
                chance.randint(0, 14) * POOR_MONTH // 2 + chance.choice((0, 0, 7_700, 15_400, 30_000)),
                within=chance.choice((None, None, frozenset({WARDS[0]}), frozenset(WARDS[:2]))),
                grounds=chance.choice(((), (), (Ground.POOR,), (Ground.NEAR_POOR,))),
                women=chance.random() < 0.2,
                age_to=chance.choice((None, None, 45)),
                people=chance.choice((None, None, 1, 2)),
                months=1 if alike else chance.choice((None, 1, 3, 6)),
                monthly=chance.random() < 0.1,
            )
        )
    needs = []
    for number in range(chance.randint(2, 6)):
        ground = chance.choice((Ground.POOR, Ground.NEAR_POOR))
        one = need(
            number,
            place_id=chance.choice(WARDS),
            ground=ground,
            month=POOR_MONTH if alike or ground is Ground.POOR else NEAR_POOR_MONTH,
            runs=(1,) if alike else chance.choice((RUNS, (3, 1), (1,), (3,))),
            female=chance.random() < 0.7,
            age=chance.choice((None, 30, 50)),
            since=date(2019, chance.randint(1, 9), 1),
            deadline=chance.choice((None, None, date(2019, 10, 31), date(2019, 11, 30))),
            refused_by=frozenset(UUID(int=chance.randint(1, 3)) for _ in range(chance.random() < 0.15)),
        )
        if chance.random() < 0.3:
            carrier = chance.choice(offers)
            one = replace(one, carried_by=carrier.sponsor_id)
            offers[offers.index(carrier)] = carrier._replace(carrying=carrier.carrying | {one.person_id})
        needs.append(one)
    return needs, offers


def fits(need: Need, offer: Offer) -> bool:
    """Whether a sponsor may be proposed for somebody."""
    wish = offer.wish
    return (
        offer.sponsor_id not in need.refused_by
        and lives_where(offer, need.place_id, need.neighbourhood_id)
        and is_of_age(wish, need.age)
        and (not wish.grounds or need.ground in wish.grounds)
        and (need.female or not wish.women)
    )


def best(needs: Sequence[Need], offers: Sequence[Offer], terms: Terms) -> tuple[Served, ...]:
    """What each is served with, in the order of priority, in the plan that is best by trying every one: nobody could
    stay or get more months without somebody before them staying less or getting fewer."""
    queue = sorted(needs, key=order)

    def ways(one: Need, money: tuple[int, ...], room: tuple[int | None, ...]) -> Any:
        yield (False, 0), money, room
        for place, giver in enumerate(offers):
            stays, free = giver.sponsor_id == one.carried_by, room[place]
            if not fits(one, giver) or (not stays and free == 0):
                continue
            for run, cost in one.prices.items():
                if run <= giver.run(terms.months) and cost <= money[place]:
                    paid = (*money[:place], money[place] - cost, *money[place + 1 :])
                    taken = room if stays or free is None else (*room[:place], free - 1, *room[place + 1 :])
                    yield (stays, run), paid, taken

    @cache
    def rest(at: int, money: tuple[int, ...], room: tuple[int | None, ...]) -> tuple[Served, ...]:
        if at == len(queue):
            return ()
        return max((served, *rest(at + 1, paid, taken)) for served, paid, taken in ways(queue[at], money, room))

    return rest(0, tuple(one.available for one in offers), tuple(one.room for one in offers))
