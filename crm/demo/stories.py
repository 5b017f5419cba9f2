"""A year of conversations: who looked after whom, what was said, and how far people came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from crm.clock import at, local_day
from crm.demo.notes import note
from crm.demo.numbering import Numbering
from crm.demo.people import Person
from crm.demo.taking_part import Spell
from crm.demo.team import Helper
from crm.outreach.rules import NOT_FOR_US, Channel, Outcome, Reason, contact_after, stage_after
from crm.participation.services import AFTER
from crm.prospects.rules import Stage

CHANNELS: Mapping[Channel, float] = {
    Channel.HOME_VISIT: 62,
    Channel.PHONE_CALL: 26,
    Channel.MEETING: 8,
    Channel.EVENT: 4,
}
OF_A_PROSPECT: Mapping[Outcome, float] = {
    Outcome.NOT_MET: 21,
    Outcome.REFUSED: 14,
    Outcome.CONSIDERING: 33,
    Outcome.INTERESTED: 25,
    Outcome.AGREED: 7,
}
OF_A_PARTICIPANT: Mapping[Outcome, float] = {
    Outcome.JOINED: 45,
    Outcome.INTERESTED: 30,
    Outcome.CONSIDERING: 9,
    Outcome.NOT_MET: 16,
}
OF_SOMEONE_LAPSED: Mapping[Outcome, float] = {
    Outcome.NOT_MET: 45,
    Outcome.CONSIDERING: 28,
    Outcome.INTERESTED: 12,
    Outcome.REFUSED: 15,
}
BEFORE_JOINING: Mapping[Outcome, float] = {Outcome.CONSIDERING: 45, Outcome.INTERESTED: 40, Outcome.NOT_MET: 15}
AT_JOINING: Mapping[Outcome, float] = {Outcome.AGREED: 65, Outcome.JOINED: 35}

WHY: Mapping[Outcome, Mapping[Reason, float]] = {
    Outcome.CONSIDERING: {
        Reason.NO_MONEY: 34,
        Reason.ASK_FAMILY: 27,
        Reason.NOT_AWARE: 15,
        Reason.NO_TRUST: 9,
        Reason.CONFUSED_WITH_COMMERCIAL: 7,
        Reason.PAPERWORK: 5,
        Reason.TOO_OLD: 3,
    },
    Outcome.REFUSED: {
        Reason.NO_MONEY: 33,
        Reason.NO_TRUST: 20,
        Reason.CONFUSED_WITH_COMMERCIAL: 12,
        Reason.TOO_OLD: 13,
        Reason.HAS_COMPULSORY: 12,
        Reason.MOVED_AWAY: 6,
        Reason.JOINED_ELSEWHERE: 4,
    },
}
NO_REASON: Mapping[Outcome, float] = {Outcome.CONSIDERING: 0.08, Outcome.REFUSED: 0.05}

VISITS = (0, 1, 2, 3, 4, 5)
VISITS_OFTEN = (8, 27, 31, 20, 10, 4)
DAYS_LATE = (0, 0, 0, 1, 1, 2, 3, 4, 5, 7, 9, 12)
OFTEN_DUE, OFTEN_DUE_EARLY, OFTEN_DUE_REFUSED = 1.0, 0.3, 0.5
"""How likely somebody is to be due: whose day has come, whose has not, and who refused a quarter ago."""

A_DAY = timedelta(days=1)


class Talk(NamedTuple):
    """A conversation, or a closed door."""

    id: UUID
    at: datetime
    by: Helper
    channel: Channel
    outcome: Outcome
    reasons: tuple[Reason, ...]
    note: str | None
    next_contact_on: date | None


class Step(NamedTuple):
    """A stage somebody went to, when, by whom and because of what."""

    from_stage: Stage | None
    to_stage: Stage
    at: datetime
    by_id: UUID | None
    because_id: UUID | None


class Care(NamedTuple):
    """Someone looks after a person for a time."""

    by: Helper
    since: datetime
    until: datetime | None
    before: Helper | None


@dataclass(slots=True)
class Story:
    """All that happened to one person."""

    talks: list[Talk] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    cares: list[Care] = field(default_factory=list)


class Said(NamedTuple):
    """What happened, before it is known what follows from it."""

    at: datetime
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()


class Moved(NamedTuple):
    """A spell began or ended."""

    at: datetime
    stage: Stage
    because_id: UUID
    by_id: UUID | None


@dataclass
class Teller:
    """Makes up what happened between a person's listing and the day before the demo's."""

    random: Random
    number: Numbering
    as_of: date
    manager_id: UUID

    # ---- what happened

    def courting(self, person: Person, helper: Helper) -> Story:
        """Somebody who has not joined so far."""
        happened: list[Said] = []
        day = self._from(local_day(person.created_at) + A_DAY)
        for _ in range(self.random.choices(VISITS, VISITS_OFTEN)[0]):
            if day >= self.as_of:
                break
            said = self._say(day, OF_A_PROSPECT)
            if said.outcome is Outcome.AGREED and day < self.as_of - timedelta(days=16):
                said = said._replace(outcome=Outcome.INTERESTED)
            happened.append(said)
            again = contact_after(said.outcome, day, frozenset(said.reasons))
            if again is None or (said.outcome is Outcome.REFUSED and self.random.random() < 0.8):
                break
            day = again + timedelta(days=self.random.randint(0, 6))
        return self._told(person, helper, happened, [])

    def joining(self, person: Person, helper: Helper, spell: Spell) -> Story:
        """Somebody who joined this year, after some visits."""
        happened = self._leading_to(spell.started_on, local_day(person.created_at) + A_DAY)
        return self._told(person, helper, happened, [self._begins(spell, helper)])

    def keeping(self, person: Person, helper: Helper | None, spell: Spell) -> Story:
        """Somebody who took part at the year's beginning; some of them left since."""
        listed = local_day(person.created_at)
        begins = Moved(person.created_at + timedelta(minutes=1), Stage.JOINED, spell.id, self.manager_id)
        moves, happened, until = [begins], list[Said](), spell.ended_on or self.as_of
        if spell.ended_on and spell.ended_as:
            ends = max(at(spell.ended_on, 0, 30), begins.at + timedelta(minutes=1))
            moves.append(Moved(ends, AFTER.get(spell.ended_as, Stage.NOT_ELIGIBLE), spell.id, None))
        if helper:
            for _ in range(self.random.choices((0, 1, 2), (25, 50, 25))[0]):
                day = listed + A_DAY + timedelta(days=self.random.randrange(max(1, (self.as_of - listed).days - 2)))
                if day < until:
                    happened.append(self._say(day, OF_A_PARTICIPANT))
            if moves[-1].stage is Stage.LAPSED:
                happened += self._after_lapsing(until)
        return self._told(person, helper, happened, moves)

    def lapsed_before(self, person: Person, helper: Helper, old: Spell, back: Spell | None) -> Story:
        """Somebody who gave up before the year began; some of them came back."""
        moves = [Moved(person.created_at + timedelta(minutes=1), Stage.LAPSED, old.id, self.manager_id)]
        listed = local_day(person.created_at)
        if back:
            moves.append(self._begins(back, helper))
            happened = self._leading_to(back.started_on, listed + A_DAY)
        else:
            happened = self._after_lapsing(self._from(listed))
        return self._told(person, helper, happened, moves)

    def _from(self, first: date) -> date:
        """When somebody is called on for the first time: all through the year, more often of late."""
        span = max(1, (self.as_of - first).days - 1)
        return first + timedelta(days=int(span * self.random.random() ** 0.8))

    def _begins(self, spell: Spell, helper: Helper) -> Moved:
        return Moved(at(spell.started_on, 10, 30), Stage.JOINED, spell.id, helper.id)

    def _leading_to(self, day: date, earliest: date) -> list[Said]:
        """Visits that end in a yes, some days before `day`."""
        last = max(earliest, day - timedelta(days=self.random.randint(1, 5)))
        happened = [self._say(last, AT_JOINING)]
        for _ in range(self.random.choices((0, 1, 2, 3), (30, 36, 24, 10))[0]):
            last -= timedelta(days=self.random.randint(4, 22))
            if last < earliest:
                break
            happened.append(self._say(last, BEFORE_JOINING))
        return happened

    def _after_lapsing(self, lapsed: date) -> list[Said]:
        day = lapsed + timedelta(days=self.random.randint(6, 25))
        met = self.random.random() < 0.55 and day < self.as_of
        return [self._say(day, OF_SOMEONE_LAPSED)] if met else []

    def _say(self, day: date, often: Mapping[Outcome, float]) -> Said:
        random = self.random
        moment = at(day, random.choice((8, 9, 10, 14, 15, 16, 17, 18, 19, 19)), random.randrange(60))
        outcome = random.choices(tuple(often), tuple(often.values()))[0]
        why = WHY.get(outcome)
        if why is None or random.random() < NO_REASON[outcome]:
            return Said(moment, outcome)
        first = random.choices(tuple(why), tuple(why.values()))[0]
        second = random.choices(tuple(why), tuple(why.values()))[0] if random.random() < 0.18 else first
        both = {first, second} if not {first, second} & NOT_FOR_US else {first}
        return Said(moment, outcome, tuple(sorted(both)))

    # ---- what follows from it

    def _told(self, person: Person, helper: Helper | None, happened: Sequence[Said], moves: Sequence[Moved]) -> Story:
        """Put everything in the order of time, and the person where it leaves them."""
        story = Story(steps=[Step(None, Stage.NEW, person.created_at, self.manager_id, None)])
        stage = Stage.NEW
        events: list[Said | Moved] = [*happened, *moves]
        for event in sorted(events, key=lambda one: one.at):
            if isinstance(event, Moved):
                stage = self._step(story, stage, event.stage, event.at, event.by_id, event.because_id)
                continue
            assert helper is not None
            again = contact_after(event.outcome, local_day(event.at), frozenset(event.reasons), stage=stage)
            talk = self._talk(helper, event, again, takes_part=stage is Stage.JOINED)
            story.talks.append(talk)
            after = stage_after(stage, event.outcome, frozenset(event.reasons))
            stage = self._step(story, stage, after, event.at, helper.id, talk.id)
        person.stage, person.helper = stage, helper
        if story.talks and helper:
            self._promise(story, stage, helper)
            last = story.talks[-1]
            person.last_contact_at, person.last_outcome = last.at, last.outcome.value
            person.next_contact_on = last.next_contact_on
        person.updated_at = max([step.at for step in story.steps] + [talk.at for talk in story.talks])
        if helper:
            self._assign(person, helper, story)
        return story

    def _step(self, story: Story, stage: Stage, to: Stage, at: datetime, by_id: UUID | None, because_id: UUID) -> Stage:
        if to is not stage:
            story.steps.append(Step(stage, to, at, by_id, because_id))
        return to

    def _talk(self, helper: Helper, said: Said, again: date | None, *, takes_part: bool) -> Talk:
        random = self.random
        channel = random.choices(tuple(CHANNELS), tuple(CHANNELS.values()))[0]
        text = note(random, said.outcome, said.reasons, takes_part=takes_part)
        return Talk(self.number(), said.at, helper, channel, said.outcome, said.reasons, text, again)

    def _promise(self, story: Story, stage: Stage, helper: Helper) -> None:
        """The day of the next contact as it was promised last: a few are due or late, the others still to come."""
        last = story.talks[-1]
        again = last.next_contact_on
        if stage is Stage.NOT_ELIGIBLE or again is None or (stage is Stage.JOINED and again < self.as_of):
            again = None
        elif helper.wants_more and self.random.random() < self._likely_due(again, stage):
            late = timedelta(days=self.random.choice(DAYS_LATE))
            again = max(self.as_of - late, local_day(last.at) + A_DAY)
            helper.due += 1
        elif again <= self.as_of:
            again = self.as_of + timedelta(days=self.random.randint(1, 24))
        story.talks[-1] = last._replace(next_contact_on=again)

    def _likely_due(self, again: date, stage: Stage) -> float:
        if stage is Stage.REFUSED:
            return OFTEN_DUE_REFUSED if again <= self.as_of else 0
        return OFTEN_DUE if again <= self.as_of else OFTEN_DUE_EARLY

    def _assign(self, person: Person, helper: Helper, story: Story) -> None:
        first = min([talk.at for talk in story.talks], default=at(self.as_of - A_DAY, 8))
        since = person.created_at + (first - person.created_at) * (0.2 + 0.6 * self.random.random())
        since = since.replace(microsecond=0)
        before = None
        if self.random.random() < 0.09:
            unit = person.home.unit
            before = self.random.choice(unit.volunteers)
        if before and before is not helper:
            earlier = person.created_at + (since - person.created_at) / 2
            story.cares.append(Care(before, earlier.replace(microsecond=0), since, None))
            story.cares.append(Care(helper, since, None, before))
        else:
            story.cares.append(Care(helper, since, None, None))
