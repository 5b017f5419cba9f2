"""Lists of people who are near a lapse: the database finds whom the rules name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.months import Month
from crm.participation.guard.conditions import (
    CERTIFICATE_ENDS,
    JUST_LAPSED,
    KEYS,
    SUPPORT_ENDS,
    WIN_BACK_FIRST,
    WIN_BACK_LAST,
)
from crm.participation.guard.queries import unasked
from crm.participation.guard.rules import PaymentState, StopReason, asked_since, notice_of, payment_state, support_ends
from crm.participation.models import Participation
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import Answer, State
from crm.participation.rules import Ending
from crm.premiums.queries import law
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from tests.factories import Make
from tests.participation.stories import join, pay, spell

DAY = date(2019, 10, 15)
CAP = 120


def found(session: Session, make: Make, key: str, day: date = DAY) -> set[str]:
    holds = conditions.named(key).holds(make.town.id, day)
    return set(session.scalars(select(Prospect.full_name).where(Prospect.town_id == make.town.id, holds)))


def test_everybody_stands_in_the_list_of_their_state_and_in_no_other(session: Session, make: Make) -> None:
    states: dict[str, PaymentState] = {}
    for left in (-3, 0, 1, 2, 3, 4, 7, 8, 14, 15, 30, 31, 200):
        for paid in (-1, 0, 2):
            who = make.prospect(f"Hạn {left} đóng {paid}")
            through, deadline = Month.of(DAY) + paid, DAY + timedelta(days=left)
            spell(make, who, date(2019, 1, 1), paid_through=through.first_day, deadline_on=deadline)
            states[who.full_name] = payment_state(deadline, through, DAY)
    gone = make.prospect("Đã dừng")
    spell(make, gone, date(2019, 1, 1), date(2019, 9, 1), deadline_on=DAY)
    mistaken = make.prospect("Ghi nhầm")
    spell(make, mistaken, date(2019, 1, 1), deadline_on=DAY, withdrawn_at=clock.now())
    for state, key in KEYS.items():
        assert found(session, make, key) == {name for name, theirs in states.items() if theirs is state}


def test_who_lapsed_is_to_be_won_back_until_they_return(session: Session, make: Make) -> None:
    for ago in (0, 29, 30, 89, 90, 400):
        spell(make, make.prospect(f"Dừng {ago}"), date(2018, 1, 1), DAY - timedelta(days=ago))
    back = make.prospect("Đã trở lại")
    spell(make, back, date(2018, 1, 1), DAY - timedelta(days=40))
    spell(make, back, DAY - timedelta(days=10))
    spell(make, make.prospect("Sang bắt buộc"), date(2018, 1, 1), DAY - timedelta(days=40), ended_as=Ending.COMPULSORY)
    asked = ((State.SENT, None), (State.ANSWERED, Answer.ENROLLED), (State.ANSWERED, Answer.NOT_SUBJECT))
    for state, answer in asked:
        who = make.prospect(f"Cơ quan BHXH trả lời {answer}")
        spell(make, who, date(2018, 1, 1), DAY - timedelta(days=50))
        _referred(make, who, state, answer)
    free = f"Cơ quan BHXH trả lời {Answer.NOT_SUBJECT}"
    never = make.prospect("Không đóng lại")
    for ago in (20, 40, 100):
        said = {"stop_reason": StopReason.NO_TRUST, "asked_on": DAY, "stays_away": True}
        spell(make, make.prospect(f"{never.full_name} {ago}"), date(2018, 1, 1), DAY - timedelta(days=ago), **said)
    for ago in (20, 40, 100):
        may_not = make.prospect(f"Không thuộc diện {ago}", stage=Stage.NOT_ELIGIBLE)
        spell(make, may_not, date(2018, 1, 1), DAY - timedelta(days=ago))
    assert found(session, make, JUST_LAPSED) == {"Dừng 0", "Dừng 29"}
    assert found(session, make, WIN_BACK_FIRST) == {"Dừng 30", "Dừng 89", free}
    assert found(session, make, WIN_BACK_LAST) == {"Dừng 90", "Dừng 400"}


def test_who_is_to_be_asked_is_found_as_the_rule_says(session: Session, make: Make) -> None:
    expected: dict[str, tuple[date, date, date | None, bool]] = {}
    for ago in (0, 7, 8, 29, 30, 37, 38, 89, 90, 97, 98, 150, 151):
        for spoken in (None, 0, 10, 31, 60, 95, 160):
            for noted in (False, True):
                name, lapsed_on = f"Dừng {ago} gặp {spoken} {noted}", DAY - timedelta(days=ago)
                met = DAY - timedelta(days=spoken) if spoken is not None else None
                who = make.prospect(name, stage=Stage.LAPSED)
                if noted and met and met < lapsed_on:
                    continue
                if met and not noted:
                    who.last_contact_at = clock.at(met, 23, 30)
                said = {"stop_reason": StopReason.FORGOT, "asked_on": met} if noted and met else {}
                spell(make, who, date(2018, 1, 1), lapsed_on, **said)
                expected[name] = (lapsed_on, met or date.min)
    for waits in (0, 8):
        holds = Prospect.id.in_(
            unasked(make.town.id, DAY, timedelta(days=waits)).with_only_columns(Participation.prospect_id)
        )
        names = set(session.scalars(select(Prospect.full_name).where(holds)))
        wanted = set()
        for name, (lapsed_on, met) in expected.items():
            since = asked_since(lapsed_on, DAY - timedelta(days=waits)) if asked_since(lapsed_on, DAY) else None
            if since and met < since:
                wanted.add(name)
        assert names == wanted
        assert 10 < len(names) < len(expected)


def test_who_agreed_another_day_or_a_new_stage_is_not_to_be_asked(session: Session, make: Make) -> None:
    ahead, today, agreed = (
        make.prospect("Hẹn mai", stage=Stage.LAPSED, next_contact_on=DAY + timedelta(days=1)),
        make.prospect("Hẹn nay", stage=Stage.LAPSED, next_contact_on=DAY),
        make.prospect("Đồng ý", stage=Stage.AGREED),
    )
    for who in (ahead, today, agreed):
        spell(make, who, date(2018, 1, 1), DAY - timedelta(days=3))
    assert list(session.scalars(unasked(make.town.id, DAY))) == [today.id]


def _referred(make: Make, who: Prospect, state: State, answer: Answer | None) -> None:
    on, number = clock.at(DAY - timedelta(days=20), 9), len(who.full_name)
    sent: ReferralList = make.add(
        ReferralList(town_id=who.town_id, year=2019, number=number, sent_on=DAY, at=on, by_id=None)
    )
    row = Referral(town_id=who.town_id, prospect_id=who.id, why=["contract"], since=None, state=state, answer=answer)
    row.stage_was, row.referred_at, row.referred_by_id, row.list_id = who.stage, on, None, sent.id
    make.add(row)


@pytest.mark.parametrize(
    ("periods", "ahead", "notice"),
    [
        ([12] * 9, -1, 12),
        ([12] * 9 + [6, 3], 0, 12),
        ([12] * 9 + [6, 3], -1, 3),
        ([12] * 10, 2, 3),
        ([12] * 10 + [12], 12, 3),
        ([12] * 10 + [12], 0, None),
    ],
)
def test_whose_support_ends_is_found_as_the_rule_says(
    session: Session, make: Make, periods: list[int], ahead: int, notice: int | None
) -> None:
    who, start = make.prospect("Người đóng lâu"), Month(2018, 1)
    row = join(who, start.first_day, months=periods[0], start=start)
    for months in periods[1:]:
        start = start + 12 if months == 12 else Month.of(row.paid_through or DAY) + 1
        pay(who, start.first_day, months=months, income=law(session).on(start.first_day).floor)
    assert row.paid_through is not None
    through = Month.of(row.paid_through)
    last = min(through, Month(2018, 1) + (CAP - 1))
    end, day = support_ends(min(sum(periods), CAP), last, through, CAP), (through - ahead).first_day
    for months, key in SUPPORT_ENDS.items():
        expected = {who.full_name} if notice_of(end, day, (months,)) == months else set()
        assert found(session, make, key, day) == expected
    assert notice_of(end, day) == notice


def test_a_certificate_that_is_renewed_is_no_news(session: Session, make: Make) -> None:
    november = date(2019, 11, 15)
    ends, renewed, open_, other = (make.prospect(name) for name in ("Hết", "Có giấy mới", "Không hạn", "Dân tộc"))
    make.standing(ends, Ground.NEAR_POOR)
    make.standing(renewed, Ground.POOR)
    make.standing(renewed, Ground.NEAR_POOR, date(2020, 1, 1), date(2021, 1, 1))
    make.standing(open_, Ground.POOR, until=None)
    make.standing(other, Ground.ETHNIC_MINORITY)
    assert found(session, make, CERTIFICATE_ENDS, november) == {"Hết"}
    assert found(session, make, CERTIFICATE_ENDS, date(2019, 10, 1)) == set()
    assert found(session, make, CERTIFICATE_ENDS, date(2019, 12, 31)) == {"Hết"}
    assert found(session, make, CERTIFICATE_ENDS, date(2020, 1, 1)) == set()
