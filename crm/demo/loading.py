"""The whole town, from its households to its ledger, unit by unit and in small sheaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from itertools import pairwise
from random import Random

from sqlalchemy.orm import Session

from crm.clock import at
from crm.demo.giving import Gifts, Ledger
from crm.demo.numbering import Numbering
from crm.demo.people import Census, Person
from crm.demo.repeats import Repeats
from crm.demo.sheaf import Sheaf
from crm.demo.stories import Teller
from crm.demo.taking_part import Books
from crm.demo.team import Helper, Team, Unit
from crm.demo.texting import Texting
from crm.participation.rules import Beginning
from crm.premiums.queries import law
from crm.prospects.rules import Kinship

IN_A_SHEAF = 4000
WITH_HISTORY = 12_000
"""At most so many prospects were called on: the others of a large town are on the lists only."""

CALLED_ON = 0.7
STILL_AWAY = 4
"""So many in each unit gave up before the year and did not come back."""

MORE_FOR_THE_FIRST = 0.07

TO_JOIN = 0.4
"""At most this part of the prospects joins, in a very small town."""

LEAST_AGE_THEN = 19
"""Who takes part is at least so old by the end of the year: they could join years ago."""


class Fate(Enum):
    """What became of somebody on the lists."""

    LISTED = auto()
    CALLED_ON = auto()
    JOINED = auto()
    STAYED = auto()
    LEFT = auto()
    LAPSED_BEFORE = auto()
    RETURNED = auto()


@dataclass
class Loader:
    """Makes up a town and writes it."""

    session: Session
    team: Team
    random: Random
    number: Numbering
    as_of: date

    def __post_init__(self) -> None:
        listed_at = at(self.as_of.replace(month=1, day=3), 8)
        self.since = listed_at.date()
        self.census = Census(self.random, self.number, listed_at)
        self.gifts = Gifts(self.as_of, self.random)
        self.books = Books(law(self.session), self.gifts, self.random, self.number, self.as_of)
        self.teller = Teller(self.random, self.number, self.as_of, self.team.manager_id)
        self.sheaf = Sheaf(self.session, self.team, self.random, self.number, self.as_of)
        self.texting = Texting(self.team, self.random, self.number, self.as_of)
        self.repeats = Repeats()

    def load(self, prospects: int) -> None:
        """`prospects` people who do not take part, and beside them those who did when the year began."""
        for unit, count in zip(self.team.units, shares_of(prospects, self.team.units), strict=True):
            history = min(count, -(-WITH_HISTORY * unit.share.inhabitants // 1000))
            self._with_history(unit, history)
            for person in self.census.people(unit, count - history):
                self._bind_between_households(person)
                self.sheaf.person(person)
        self.sheaf.bind()
        self.texting.write(self.session)
        Ledger(self.session, self.team, self.gifts, self.number).write()

    def _with_history(self, unit: Unit, prospects: int) -> None:
        fates = self._fates(unit, prospects)
        for person, fate in zip(self.census.people(unit, len(fates)), fates, strict=True):
            self._bind_between_households(person)
            self._live(person, fate)

    def _fates(self, unit: Unit, prospects: int) -> list[Fate]:
        share = unit.share
        joined = min(self._so_far(share.joined), int(prospects * TO_JOIN))
        called_on = max(0, round(prospects * CALLED_ON) - joined)
        left, returned = self._so_far(share.left), self._so_far(share.returned)
        fates = [Fate.JOINED] * joined + [Fate.CALLED_ON] * called_on
        fates += [Fate.LISTED] * (prospects - joined - called_on)
        fates += [Fate.STAYED] * (share.baseline - left) + [Fate.LEFT] * left
        fates += [Fate.RETURNED] * returned + [Fate.LAPSED_BEFORE] * STILL_AWAY
        self.random.shuffle(fates)
        return fates

    def _so_far(self, by_the_day_of_the_plan: int) -> int:
        """Movements of a year in proportion to how much of it is over; 288 days are on 15 October."""
        return min(
            round(by_the_day_of_the_plan * self.as_of.timetuple().tm_yday / 288), by_the_day_of_the_plan * 5 // 4
        )

    def _live(self, person: Person, fate: Fate) -> None:
        if fate is Fate.LISTED:
            self.sheaf.person(self.repeats.perhaps(person))
        elif fate is Fate.CALLED_ON:
            story = self.teller.courting(person, self._volunteer(person.home.unit))
            self.sheaf.person(person)
            self.sheaf.story(person, story)
            self.texting.invite(person)
            self.repeats.remember(person)
        else:
            self._take_part(person, fate)

    def _take_part(self, person: Person, fate: Fate) -> None:
        """Somebody who takes part, or did."""
        unit, books, teller = person.home.unit, self.books, self.teller
        self._old_enough(person)
        person.insurance_number = f"38{self.random.randrange(10**8):08d}"
        if fate is Fate.JOINED:
            spells = [books.joins(person, self._some_day())]
            story = teller.joining(person, self._volunteer(unit), spells[0])
        elif fate in (Fate.STAYED, Fate.LEFT):
            spells = [books.left(person) if fate is Fate.LEFT else books.from_before(person)]
            story = teller.keeping(person, self._keeper(unit), spells[0])
        else:
            spells = [books.lapsed_before()]
            if fate is Fate.RETURNED:
                spells.append(books.joins(person, self._some_day(), Beginning.RETURNED))
            story = teller.lapsed_before(
                person, self._volunteer(unit), spells[0], spells[1] if len(spells) > 1 else None
            )
        self.sheaf.person(person, since=self.as_of.year - 1)
        self.sheaf.story(person, story)
        books.set_aside(spells[-1], person)
        for spell in spells:
            self.sheaf.spell(person, spell)
            self.texting.remind(person, spell)
        self.repeats.remember(person)

    def _old_enough(self, person: Person) -> None:
        latest = self.as_of.year - LEAST_AGE_THEN
        if person.birth_year > latest:
            person.birth_year, person.birth_date, person.citizen_id = latest, None, None

    def _some_day(self) -> date:
        """A day on which somebody joined: more of them of late."""
        first = self.since + timedelta(days=9)
        return first + timedelta(days=int((self.as_of - first).days * self.random.random() ** 0.8))

    def _volunteer(self, unit: Unit) -> Helper:
        """One of the unit's, the first of them (the account to try, in her ward) more often."""
        if self.random.random() < MORE_FOR_THE_FIRST:
            return unit.volunteers[0]
        return self.random.choice(unit.volunteers)

    def _keeper(self, unit: Unit) -> Helper | None:
        """Who looks after somebody who takes part: the collection agent, who won them, or nobody."""
        drawn = self.random.random()
        return None if drawn < 0.1 else unit.agents[0] if drawn < 0.5 else self._volunteer(unit)

    def _bind_between_households(self, person: Person) -> None:
        if person.kinship is Kinship.HEAD and len(self.sheaf) >= IN_A_SHEAF:
            self.sheaf.bind()


def shares_of(count: int, units: Sequence[Unit]) -> list[int]:
    """`count` people by the units' inhabitants; the sum is `count`."""
    bounds = [0]
    for unit in units:
        bounds.append(bounds[-1] + unit.share.inhabitants)
    whole = bounds[-1]
    return [count * upper // whole - count * lower // whole for lower, upper in pairwise(bounds)]
