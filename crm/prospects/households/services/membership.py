"""Founding households, moving in and out, who is the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.names import clean
from crm.prospects.households.following import follow, papers_of
from crm.prospects.households.models import HouseholdMember
from crm.prospects.households.rules import LONGEST_CODE, Living
from crm.prospects.households.services.certificates import cut
from crm.prospects.households.services.holding import hold, note
from crm.prospects.models import Household, Prospect
from crm.prospects.rules import Kinship, text_of
from crm.prospects.services.people import change_prospect
from crm.prospects.services.standing import EARLIEST
from crm.web.filters import in_day


def found(
    session: Session,
    living: Sequence[Living],
    *,
    by: User,
    at: datetime,
    since: date | None = None,
    code: str | None = None,
    address: str | None = None,
    id: UUID | None = None,
    to_its_address: bool = False,
) -> Household:
    """A household of these people, who have lived together since a day (None: always). It lies where its head does.

    Without an address it has its head's, or that of somebody else recorded in the same neighbourhood. With
    `to_its_address` its ward, neighbourhood and address become everybody's, each as a change that can be put back.
    Raises RuleBroken when one of them lives in a household already, or more than one is the head.
    """
    if not living:
        raise RuleBroken(_l("Choose who lives in this household."), field="members")
    if len({one.prospect_id for one in living}) < len(living):
        raise RuleBroken(_l("The same person stands here twice. Choose somebody else."), field="members")
    people = [_person(session, by.town_id, one.prospect_id) for one in living]
    for person in people:
        if person.household_id:
            raise RuleBroken(
                _l("%(name)s lives in a household already. Open it and add the others there.", name=person.full_name),
                field="members",
                code="has_household",
            )
    head = next((person for person, one in zip(people, living, strict=True) if one.kinship is Kinship.HEAD), people[0])
    row = Household(
        town_id=by.town_id,
        id=id or new_id(),
        place_id=head.place_id,
        neighbourhood_id=head.neighbourhood_id,
        address=text_of(address, "address") or _address_of(head, people),
        code=_free_code(session, by.town_id, code),
        created_at=at,
        created_by_id=by.id,
    )
    if session.get(Household, (row.town_id, row.id)):
        raise RuleBroken(_l("A household with this id is here already."), field="id", code="id_taken")
    session.add(row)
    session.flush()
    note(session, row, "found_household", by, at, {"people": len(people), "code": row.code})
    for person, one in zip(people, living, strict=True):
        _move_in(session, row, person, one.kinship, since, by=by, at=at)
        if to_its_address:
            _live_at(session, row, person, by=by, at=at)
    return row


def _address_of(head: Prospect, people: Sequence[Prospect]) -> str | None:
    """The head's address, or the first that is known of those recorded in the same ward and neighbourhood."""
    where = (head.place_id, head.neighbourhood_id)
    known = (one.address for one in people if (one.place_id, one.neighbourhood_id) == where and one.address)
    return head.address or next(known, None)


def join(
    session: Session,
    household: Household,
    person: Prospect,
    kinship: Kinship,
    *,
    on: date | None,
    by: User,
    at: datetime,
    to_its_address: bool = False,
) -> None:
    """Somebody lives in the household from a day (None: has always lived there), and leaves the one before that day.

    The household's certificate counts for them from that day. With `to_its_address` the household's ward, neighbourhood
    and address become theirs, as one change that can be put back; without it theirs stay. Raises RuleBroken.
    """
    hold(session, household)
    if person.household_id == household.id:
        raise RuleBroken(_l("%(name)s lives in this household already.", name=person.full_name), field="person")
    if person.household_id:
        if on is None:
            raise RuleBroken(
                _l("%(name)s lives in another household. Write the day of the move.", name=person.full_name), field="on"
            )
        leave(session, person, on=on, by=by, at=at)
    _move_in(session, household, person, kinship, on, by=by, at=at)
    if to_its_address:
        _live_at(session, household, person, by=by, at=at)
    follow(session, household, papers_of(session, household), by=by, at=at)


def _live_at(session: Session, household: Household, person: Prospect, *, by: User, at: datetime) -> None:
    """The household's ward, neighbourhood and address become those of somebody who lives there."""
    change_prospect(session, person, _home_for(household, person), by=by, at=at, expected_version=person.version)


def _home_for(household: Household, person: Prospect) -> dict[str, Any]:
    """Where the household lives, as a change of somebody who moves in. A house nobody wrote down takes away only the address
    of another neighbourhood."""
    home = {name: getattr(household, name) for name in ("place_id", "neighbourhood_id", "address")}
    stays = (person.place_id, person.neighbourhood_id) == (household.place_id, household.neighbourhood_id)
    if stays and household.address is None:
        del home["address"]
    return home


def _move_in(
    session: Session,
    household: Household,
    person: Prospect,
    kinship: Kinship,
    on: date | None,
    *,
    by: User,
    at: datetime,
) -> None:
    _possible(on, at)
    if household.ended_on is not None:
        raise RuleBroken(_l("This household has ended. Found a new one."), code="ended")
    if kinship is Kinship.HEAD and head_id(session, household):
        raise RuleBroken(
            _l("This household has a head. Say what this person is to them, or change the head first."),
            field="kinship",
            code="has_head",
        )
    earlier = session.scalars(
        select(HouseholdMember).where(
            HouseholdMember.town_id == person.town_id, HouseholdMember.prospect_id == person.id
        )
    ).all()
    latest = max((row.until for row in earlier if row.until), default=None)
    if latest and (on is None or on < latest):
        raise RuleBroken(
            _l(
                "%(name)s lived in another household until %(day)s. Write that day or a later one.",
                name=person.full_name,
                day=in_day(latest),
            ),
            field="on",
        )
    session.add(
        HouseholdMember(
            town_id=person.town_id,
            household_id=household.id,
            prospect_id=person.id,
            since=on,
            recorded_at=at,
            by_id=by.id,
        )
    )
    person.household_id, person.kinship, person.updated_at = household.id, kinship, at
    note(session, person, "join_household", by, at, {"household": str(household.id), "since": _plain(on)})
    session.flush()


def leave(session: Session, person: Prospect, *, on: date, by: User, at: datetime) -> Household:
    """Somebody lives there no more from this day on; the household's certificate counts for them until the day before.

    Where the head leaves, the others' kinship is to be asked again. A household whose last member leaves ends, and
    its certificate with it. Raises RuleBroken.
    """
    if person.household_id is None:
        raise RuleBroken(_l("%(name)s lives in no household here.", name=person.full_name), field="person")
    _possible(on, at)
    household = session.get_one(Household, (person.town_id, person.household_id))
    hold(session, household)
    stay = _open_stay(session, person)
    if stay is None:
        stay = HouseholdMember(
            town_id=person.town_id,
            household_id=household.id,
            prospect_id=person.id,
            recorded_at=at,
            by_id=by.id,
        )
        session.add(stay)
    if stay.since is not None and on < stay.since:
        raise RuleBroken(
            _l(
                "%(name)s came on %(day)s. Write that day or a later one.",
                name=person.full_name,
                day=in_day(stay.since),
            ),
            field="on",
        )
    if stay.since == on:
        session.delete(stay)
    else:
        stay.until = on
    was_head = person.kinship is Kinship.HEAD
    person.household_id, person.kinship, person.updated_at = None, None, at
    note(session, person, "leave_household", by, at, {"household": str(household.id), "until": str(on)})
    session.flush()
    if was_head:
        _ask_again(session, household, {}, at)
    papers = list(papers_of(session, household))
    if not members_of(session, household):
        household.ended_on = on
        note(session, household, "end_household", by, at, {"on": str(on)})
        papers = cut(session, household, papers, on, by=by, at=at)
    follow(session, household, papers, by=by, at=at)
    return household


def set_head(
    session: Session,
    household: Household,
    person: Prospect,
    kinships: Mapping[UUID, Kinship],
    *,
    by: User,
    at: datetime,
) -> None:
    """Somebody of the household is its head from now on; the others are to them what `kinships` says, or OTHER."""
    hold(session, household)
    if person.household_id != household.id:
        raise RuleBroken(_l("Choose somebody who lives in this household."), field="head")
    if any(kin is Kinship.HEAD for id, kin in kinships.items() if id != person.id):
        raise RuleBroken(_l("A household has one head. Say what the others are to them."), field="head")
    before = head_id(session, household)
    person.kinship = None
    _ask_again(session, household, kinships, at)
    person.kinship, person.updated_at = Kinship.HEAD, at
    session.flush()
    if before != person.id:
        note(session, household, "set_head", by, at, {"head": str(person.id), "before": _plain(before)})


def set_kinship(session: Session, person: Prospect, kinship: Kinship, *, by: User, at: datetime) -> None:
    """What somebody is to the head. The head is made by `set_head`. Raises RuleBroken."""
    if person.household_id is None:
        raise RuleBroken(_l("%(name)s lives in no household here.", name=person.full_name), field="kinship")
    if (kinship is Kinship.HEAD) != (person.kinship is Kinship.HEAD):
        raise RuleBroken(_l("Change who is the head on the household's page."), field="kinship")
    before, person.kinship, person.updated_at = person.kinship, kinship, at
    if before is not kinship:
        after: dict[str, object] = {"kinship": kinship.value, "before": before.value if before else None}
        note(session, person, "set_kinship", by, at, after)
    session.flush()


def describe(
    session: Session, household: Household, *, code: str | None, address: str | None, by: User, at: datetime
) -> None:
    """The household's number in the labour office's books, and its address. Raises RuleBroken."""
    before = {"code": household.code, "address": household.address}
    if (clean(code or "") or None) != household.code:
        household.code = _free_code(session, household.town_id, code)
    household.address = text_of(address, "address")
    after = {"code": household.code, "address": household.address}
    if before != after:
        note(session, household, "describe_household", by, at, {**after, "before": before})
    session.flush()


def members_of(session: Session, household: Household) -> Sequence[Prospect]:
    """Everybody who lives there now, the head first; whoever asks must narrow it to whom they may see."""
    rows = session.scalars(
        select(Prospect)
        .where(
            Prospect.town_id == household.town_id,
            Prospect.household_id == household.id,
            Prospect.merged_into_id.is_(None),
        )
        .order_by(Prospect.id)
    )
    return sorted(rows, key=lambda one: one.kinship is not Kinship.HEAD)


def member(household: Household, person: Prospect) -> Prospect:
    """Somebody who lives in this household. Raises RuleBroken when they do not, or have left meanwhile."""
    if person.household_id != household.id:
        raise RuleBroken(_l("%(name)s lives in this household no more.", name=person.full_name), field="on")
    return person


def head_id(session: Session, household: Household) -> UUID | None:
    """Who is the head now."""
    return session.scalar(
        select(Prospect.id).where(
            Prospect.town_id == household.town_id,
            Prospect.household_id == household.id,
            Prospect.kinship == Kinship.HEAD,
            Prospect.merged_into_id.is_(None),
        )
    )


def _ask_again(session: Session, household: Household, kinships: Mapping[UUID, Kinship], at: datetime) -> None:
    """Everybody is to a new head what `kinships` says; who is not named becomes OTHER until somebody asks."""
    for one in members_of(session, household):
        one.kinship, one.updated_at = kinships.get(one.id, Kinship.OTHER), at
        if one.kinship is Kinship.HEAD:
            one.kinship = Kinship.OTHER
    session.flush()


def _person(session: Session, town_id: UUID, prospect_id: UUID) -> Prospect:
    row = session.get(Prospect, (town_id, prospect_id), with_for_update={"key_share": True})
    if row is None or row.merged_into_id is not None:
        raise RuleBroken(_l("One of these people is not here any more. Look for them again."), field="members")
    return row


def _open_stay(session: Session, person: Prospect) -> HouseholdMember | None:
    return session.scalar(
        select(HouseholdMember).where(
            HouseholdMember.town_id == person.town_id,
            HouseholdMember.prospect_id == person.id,
            HouseholdMember.until.is_(None),
        )
    )


def _possible(on: date | None, at: datetime) -> None:
    if on is None:
        return
    if on > local_day(at):
        raise RuleBroken(_l("This day has not come yet. Write it down when they have moved."), field="on")
    if on < EARLIEST:
        raise RuleBroken(_l("This day is too far away. Correct the year."), field="on")


def _free_code(session: Session, town_id: UUID, text: str | None) -> str | None:
    """A household code nobody has yet. Raises RuleBroken."""
    code = clean(text or "") or None
    if code is None:
        return None
    if len(code) > LONGEST_CODE:
        raise RuleBroken(
            _l("The household number is longer than %(most)s signs. Copy it again.", most=LONGEST_CODE), field="code"
        )
    taken = select(Household.id).where(
        Household.town_id == town_id, Household.code == code, Household.ended_on.is_(None)
    )
    if session.scalar(taken):
        raise RuleBroken(_l("Another household has this number. Look it up first."), field="code", code="code_taken")
    return code


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
