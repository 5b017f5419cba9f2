"""Random stories of merging and taking back: at the end every record is what it was, to the last column."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from crm import clock
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.merging.models import Merge
from crm.prospects.merging.rules import CHOSEN
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.models import Prospect
from tests.factories import Make
from tests.prospects.merging import world as told
from tests.prospects.merging.world import OUTCOMES, World

DEEP = 9
"""How many acts every twentieth story has; the others have one or two, and then everything is taken back."""
STORIES = int(os.environ.get("MERGING_STORIES", "250"))
"""A thousand take minutes: `MERGING_STORIES=1000`, before a change of merging goes out."""
LATER = STORIES // 10
SEED = int(os.environ.get("MERGING_SEED", "20191015"))


class Story:
    """Merges in force, as a forest, and random acts on it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.session = world, world.session
        self.random = random.Random(seed)
        self.forest: dict[UUID, list[Merge]] = {}
        self.merged: dict[UUID, UUID] = {}
        self.visits: list[tuple[UUID, UUID, int, int]] = []
        self.acts: list[str] = []
        self.day_before = clock.now().replace(second=0, microsecond=0) - timedelta(days=1)
        """One hour for the whole story: told again a minute later, its visits still took place at the same time."""

    def tops(self) -> list[UUID]:
        return [key for key in self.world.ids if key not in self.merged]

    def person(self, key: UUID) -> Prospect:
        return self.session.get_one(Prospect, (self.world.scope.town_id, key))

    def now(self) -> timedelta:
        return timedelta(minutes=len(self.acts))

    def merge(self) -> None:
        kept, gone = self.random.sample(self.tops(), 2)
        taken = None if self.random.random() < 0.3 else self.random.sample(CHOSEN, self.random.randrange(len(CHOSEN)))
        try:
            row = merge(
                self.session,
                self.person(kept),
                self.person(gone),
                taken,
                by=self.world.office,
                at=clock.now() + self.now(),
            )
        except RuleBroken as refusal:
            if refusal.code != "cannot_be_merged":
                raise
            return
        self.merged[gone] = kept
        self.forest.setdefault(kept, []).append(row)
        self.acts.append(f"{self.world.ids.index(gone)} → {self.world.ids.index(kept)}")

    def undoable(self) -> list[Merge]:
        return [row for kept in self.tops() for row in self.forest.get(kept, [])]

    def undo(self) -> None:
        possible = self.undoable()
        if not possible:
            return
        row = self.random.choice(possible)
        unmerge(self.session, row, by=self.world.office, at=clock.now() + self.now())
        self.forest[row.kept_id].remove(row)
        del self.merged[row.gone_id]
        self.acts.append(f"{self.world.ids.index(row.gone_id)} back")

    def visit(self) -> None:
        asked, outcome = self.random.randrange(8), self.random.randrange(len(OUTCOMES))
        key = new_id()
        self.visits.append((key, self.world.ids[asked], outcome, len(self.acts)))
        self.record(*self.visits[-1])
        self.acts.append(f"visit to {asked}")

    def record(self, key: UUID, asked: UUID, outcome: int, minute: int) -> None:
        told.visit(self.world, asked, OUTCOMES[outcome], self.day_before + timedelta(minutes=minute), key)

    def undo_everything(self) -> None:
        while self.merged:
            self.undo()


def test_random_stories_give_back_equal_records(session: Session, make: Make) -> None:
    world = told.build(make)
    names = told.tables(session)
    before, everything = told.digest(session, names), told.digest(session, told.every_table())
    rows = {name: told.contents(session, name) for name in names}
    dump = told.Digest(names)
    chain, merges = 0, 0
    for number in range(STORIES):
        story = Story(world, SEED + number)
        with session.begin_nested() as point:
            for _ in range(story.random.randrange(1, 3) if number % 20 else DEEP):
                story.random.choice((story.merge, story.merge, story.undo))()
            chain = max(chain, len(story.merged))
            story.undo_everything()
            merges += len(story.acts) // 2
            after = dump(session)
            if after != before:
                wrong = [name for name in names if after[name] != before[name]]
                differ = {name: told.contents(session, name) ^ rows[name] for name in wrong}
                raise AssertionError(f"story {SEED + number}: {story.acts}: {differ}")
            if number % 50 == 0:
                assert told.digest(session, told.every_table()) == everything
            point.rollback()  # not for the rows, which are what they were, but for the versions of them left behind
        session.expire_all()
    assert told.digest(session, told.every_table()) == everything
    assert session.scalar(text("select count(*) from merged_row")) == 0
    assert merges > STORIES
    assert chain >= 4 or STORIES < 1000


def test_what_came_later_goes_where_it_came_in(session: Session, make: Make) -> None:
    """Visits recorded while people were merged, under whichever id: afterwards everybody has theirs, and stands where
    they would stand had nobody ever been merged."""
    world = told.build(make)
    names = [name for name in told.tables(session) if name != "stage_change"]
    for number in range(LATER):
        story = Story(world, SEED + number)
        with session.begin_nested() as point:
            for _ in range(story.random.randrange(4, 10)):
                story.random.choice((story.merge, story.undo, story.visit))()
            story.undo_everything()
            merged_and_parted = {name: told.contents(session, name) for name in names}
            steps = told.holders(session, "stage_change")
            because = session.execute(text("select id, because_id from stage_change"))
            caused: dict[UUID, UUID] = {row[0]: row[1] for row in because}
            point.rollback()
        session.expire_all()
        asked = {key: person for key, person, _outcome, _minute in story.visits}
        assert {person for key, person in steps.items() if caused[key] in asked} <= set(asked.values())
        assert all(person == asked[caused[key]] for key, person in steps.items() if caused[key] in asked)
        with session.begin_nested() as point:
            for one in story.visits:
                story.record(*one)
            never_merged = {name: told.contents(session, name) for name in names}
            point.rollback()
        session.expire_all()
        differ = {name: merged_and_parted[name] ^ never_merged[name] for name in names}
        assert not any(differ.values()), f"story {SEED + number}: {story.acts}: {differ}"
