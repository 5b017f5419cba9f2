"""What is due, in which order, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from crm.followups.rules import STATES, Cause, Known, Task, by_door, following, ranked, reasons_of, task_of, why
from crm.months import Month
from crm.prospects.rules import Ground, Stage

DAY = date(2019, 10, 15)
NEVER: dict[str, Any] = {"stage": Stage.NEW}


def known(number: int = 1, stage: Stage = Stage.INTERESTED, **more: Any) -> Known:
    return Known(UUID(int=number), stage, **more)


def days(count: int) -> date:
    return DAY + timedelta(days=count)


def cause_of(one: Known) -> Cause | None:
    task = task_of(one, DAY)
    return task.cause if task else None


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (known(next_contact_on=DAY), Cause.TODAY),
        (known(next_contact_on=days(-4)), Cause.LATE),
        (known(next_contact_on=days(1)), None),
        (known(), None),
        (known(stage=Stage.NEW), Cause.NEW),
        (known(stage=Stage.NEW, last_contact_on=days(-1)), None),
        (known(stage=Stage.NOT_ELIGIBLE, next_contact_on=DAY), None),
        (known(stage=Stage.JOINED, deadline_on=days(8)), None),
        (known(stage=Stage.JOINED, deadline_on=days(7)), Cause.PAYMENT),
        (known(stage=Stage.JOINED, deadline_on=days(28), method=12), Cause.PAYMENT),
        (known(stage=Stage.JOINED, deadline_on=days(3)), Cause.ENDING),
        (known(stage=Stage.JOINED, deadline_on=days(-1)), Cause.ENDING),
    ],
)
def test_what_makes_somebody_due(one: Known, cause: Cause | None) -> None:
    assert cause_of(one) == cause


def test_who_was_reminded_is_left_in_peace_until_the_last_days() -> None:
    def joined(deadline: int, spoken: int, again: int | None = None) -> Known:
        later = days(again) if again is not None else None
        return known(
            stage=Stage.JOINED, deadline_on=days(deadline), last_contact_on=days(spoken), next_contact_on=later
        )

    assert cause_of(joined(deadline=6, spoken=-1)) is None
    assert cause_of(joined(deadline=6, spoken=-2)) is Cause.PAYMENT
    assert reasons(joined(deadline=6, spoken=-1, again=0)) == [Cause.PAYMENT, Cause.TODAY]
    assert cause_of(joined(deadline=2, spoken=-2)) is Cause.ENDING
    assert cause_of(joined(deadline=2, spoken=0)) is None


def test_the_most_pressing_comes_first() -> None:
    people = [
        known(1, Stage.NEW, assigned_on=days(-9)),
        known(2, Stage.NEW, ground=Ground.POOR, assigned_on=days(-1)),
        known(3, Stage.CONSIDERING, next_contact_on=days(-9)),
        known(4, Stage.AGREED, next_contact_on=days(-1)),
        known(5, Stage.JOINED, deadline_on=days(6)),
        known(6, Stage.JOINED, deadline_on=days(2)),
        known(7, Stage.INTERESTED, next_contact_on=DAY),
    ]
    assert [task.id.int for task in ranked(people, DAY)] == [6, 7, 5, 4, 3, 2, 1]


def test_what_costs_money_or_months_soon_is_not_buried_beneath_late_appointments() -> None:
    people = [
        *(known(number, Stage.AGREED, next_contact_on=days(-30)) for number in range(1, 60)),
        known(61, Stage.LAPSED, lapsed_on=days(-60)),
        known(62, Stage.JOINED, supported_through=Month.of(DAY) + 11),
        known(63, Stage.JOINED, certificate_until=days(40)),
        known(64, Stage.JOINED, sponsored_through=Month.of(DAY) + 2),
        known(65, Stage.JOINED, deadline_on=days(7)),
        known(66, Stage.LAPSED, lapsed_on=DAY),
        known(67, Stage.INTERESTED, next_contact_on=DAY),
        known(68, Stage.JOINED, deadline_on=days(3)),
    ]
    assert [task.id.int for task in ranked(people, DAY)][:9] == [68, 67, 66, 65, 64, 63, 62, 61, 1]


def test_the_most_pressing_of_several_reasons_makes_the_card() -> None:
    carried = known(stage=Stage.JOINED, sponsored_through=Month(2019, 12), next_contact_on=days(-20))
    task = task_of(carried, DAY)
    assert task is not None
    assert (task.cause, [one.cause for one in task.also]) == (Cause.SPONSOR_ENDS, [Cause.LATE])


def reasons(one: Known, day: date = DAY) -> list[Cause]:
    return [reason.cause for reason in reasons_of(one, day)]


def test_what_ends_by_itself_is_spoken_of_in_time_and_again_at_the_end() -> None:
    carried = known(stage=Stage.JOINED, sponsored_through=Month(2019, 12))
    assert reasons(carried, date(2019, 9, 30)) == []
    assert reasons(carried, date(2019, 10, 1)) == [Cause.SPONSOR_ENDS]
    told = replace(carried, last_contact_on=date(2019, 10, 1))
    assert reasons(told, date(2019, 11, 30)) == []
    assert reasons(told, date(2019, 12, 1)) == [Cause.SPONSOR_ENDS]
    assert reasons(replace(told, last_contact_on=date(2019, 12, 1)), date(2019, 12, 2)) == []
    helped = known(stage=Stage.JOINED, supported_through=Month(2020, 9))
    assert reasons(helped) == [Cause.SUPPORT_ENDS]
    assert reasons(replace(helped, last_contact_on=days(-10))) == []
    assert reasons(replace(helped, last_contact_on=days(-10)), date(2020, 7, 1)) == [Cause.SUPPORT_ENDS]


def test_a_certificate_is_spoken_of_in_its_last_sixty_days() -> None:
    poor = known(stage=Stage.JOINED, certificate_until=date(2019, 12, 31))
    assert reasons(poor, date(2019, 10, 31)) == []
    assert reasons(poor, date(2019, 11, 1)) == [Cause.CERTIFICATE_ENDS]
    assert reasons(replace(poor, last_contact_on=date(2019, 11, 5)), date(2019, 11, 6)) == []
    assert reasons(poor, date(2020, 1, 1)) == []


def test_a_certificate_of_who_does_not_take_part_costs_no_months_and_buries_no_appointment() -> None:
    ends = {"certificate_until": days(40)}
    people = [
        known(1, Stage.REFUSED, **ends),
        known(2, Stage.NEW, assigned_on=days(-9)),
        known(3, Stage.AGREED, **ends),
        known(4, Stage.CONSIDERING, next_contact_on=days(-9)),
        known(5, Stage.JOINED, **ends),
        known(6, Stage.AGREED, deadline_on=days(40), **ends),
    ]
    assert [(task.id.int, task.cause) for task in ranked(people, DAY)] == [
        (5, Cause.CERTIFICATE_ENDS),
        (6, Cause.CERTIFICATE_ENDS),
        (4, Cause.LATE),
        (3, Cause.OFFER_ENDS),
        (2, Cause.NEW),
    ]
    assert reasons(known(stage=Stage.REFUSED, next_contact_on=days(-1), **ends)) == [Cause.LATE]


def test_who_lapses_is_to_be_asked_from_that_day_on_and_makes_one_card_only() -> None:
    gone = known(stage=Stage.LAPSED, lapsed_on=DAY)
    assert reasons(gone, days(-1)) == []
    for later in (0, 1, 29):
        assert reasons(gone, days(later)) == [Cause.LAPSED]
    assert reasons(gone, days(30)) == [Cause.WIN_BACK]
    assert reasons(replace(gone, last_contact_on=days(-1))) == [Cause.LAPSED], "that was before they lapsed"
    assert reasons(replace(gone, last_contact_on=DAY), days(29)) == []
    assert reasons(replace(gone, last_contact_on=DAY), days(30)) == [Cause.WIN_BACK]


def test_who_lapsed_is_asked_again_twice_and_then_left_to_the_list() -> None:
    gone = known(stage=Stage.LAPSED, lapsed_on=date(2019, 7, 1))
    spoken = replace(gone, last_contact_on=date(2019, 8, 1))
    assert reasons(gone, date(2019, 7, 30)) == [Cause.LAPSED]
    assert reasons(gone, date(2019, 7, 31)) == [Cause.WIN_BACK]
    assert reasons(spoken, date(2019, 9, 28)) == []
    assert reasons(spoken, date(2019, 9, 29)) == [Cause.WIN_BACK]
    assert reasons(spoken, date(2019, 11, 28)) == [Cause.WIN_BACK]
    assert reasons(spoken, date(2019, 11, 29)) == []
    assert reasons(replace(gone, stage=Stage.AGREED), date(2019, 7, 31)) == []


def test_who_has_an_appointment_hears_of_what_ends_then() -> None:
    carried = known(sponsored_through=Month(2019, 12), next_contact_on=days(5))
    assert reasons(carried) == []
    assert reasons(carried, days(5)) == [Cause.TODAY, Cause.SPONSOR_ENDS]
    task = task_of(carried, days(5))
    assert task is not None
    assert (task.cause, [one.cause for one in task.also]) == (Cause.TODAY, [Cause.SPONSOR_ENDS])


def test_an_appointment_after_the_end_hides_it_from_nobody() -> None:
    carried = known(stage=Stage.JOINED, sponsored_through=Month(2019, 12))
    assert reasons(replace(carried, next_contact_on=date(2019, 12, 31))) == []
    assert reasons(replace(carried, next_contact_on=date(2020, 1, 1))) == [Cause.SPONSOR_ENDS]
    poor = known(stage=Stage.JOINED, certificate_until=date(2019, 12, 31))
    assert reasons(replace(poor, next_contact_on=date(2019, 12, 31)), date(2019, 11, 1)) == []
    assert reasons(replace(poor, next_contact_on=date(2020, 1, 1)), date(2019, 11, 1)) == [Cause.CERTIFICATE_ENDS]
    gone = known(stage=Stage.LAPSED, lapsed_on=date(2019, 7, 1), next_contact_on=date(2020, 1, 1))
    assert reasons(gone, date(2019, 7, 31)) == [], "they said when to come"


def test_of_two_as_pressing_whoever_would_lose_more_comes_first() -> None:
    short, long = (known(n, Stage.JOINED, deadline_on=days(2), months_paid=n * 10) for n in (1, 2))
    assert [task.id.int for task in ranked([short, long], DAY)] == [2, 1]


def test_those_of_one_house_stand_together_behind_the_most_pressing_of_them() -> None:
    house = UUID(int=77)
    people = [
        known(1, Stage.JOINED, deadline_on=days(2), household_id=house),
        known(2, next_contact_on=DAY),
        known(3, Stage.NEW, household_id=house),
        known(4, Stage.NEW),
    ]
    walk = by_door(ranked(people, DAY))
    assert [(task.id.int, task.along) for task in walk] == [(1, False), (3, True), (2, False), (4, False)]


some_day = st.none() | st.integers(-40, 40).map(days)
some_month = st.none() | st.integers(-14, 14).map(lambda away: Month.of(DAY) + away)


@given(
    st.lists(
        st.builds(
            Known,
            id=st.uuids(),
            stage=st.sampled_from(Stage),
            next_contact_on=some_day,
            last_contact_on=some_day,
            deadline_on=some_day,
            method=st.sampled_from((0, 1, 3, 6, 12)),
            ground=st.sampled_from(Ground),
            assigned_on=some_day,
            household_id=st.none() | st.integers(1, 3).map(lambda number: UUID(int=number)),
            months_paid=st.integers(0, 120),
            sponsored_through=some_month,
            supported_through=some_month,
            certificate_until=some_day,
            lapsed_on=some_day,
        ),
        max_size=12,
        unique_by=lambda one: one.id,
    ),
    st.randoms(),
)
def test_the_order_is_the_same_however_the_rows_come(people: list[Known], chance: Any) -> None:
    shuffled = list(people)
    chance.shuffle(shuffled)
    tasks = ranked(people, DAY)
    assert ranked(shuffled, DAY) == tasks
    assert [task.rank for task in tasks] == sorted(task.rank for task in tasks)
    walk = by_door(tasks)
    assert sorted(task.id for task in walk) == sorted(task.id for task in tasks)
    assert [task.spot for task in walk] == sorted(task.spot for task in walk), "so that a page can follow a place"
    for number, task in enumerate(walk):
        assert following(walk, task.spot) == walk[number + 1 :]


@pytest.mark.parametrize(
    ("cause", "day", "vietnamese", "english"),
    [
        (Cause.TODAY, DAY, "Hẹn hôm nay · lần 3", "Due today · time 3"),
        (Cause.LATE, days(-4), "Quá hẹn 4 ngày · lần 3", "4 days late · time 3"),
        (Cause.LATE, days(-1), "Quá hẹn 1 ngày · lần 3", "1 day late · time 3"),
        (Cause.NEW, DAY, "Mới giao, chưa gặp", "Newly assigned, not met yet"),
        (Cause.PAYMENT, days(6), "Sắp hết hạn đóng 21/10/2019", "Time to pay ends on 21/10/2019"),
        (Cause.ENDING, days(-1), "Đã hết hạn đóng 14/10/2019", "Time to pay ran out on 14/10/2019"),
        (
            Cause.SPONSOR_ENDS,
            date(2019, 12, 31),
            "Nhà hỗ trợ đóng đến 31/12/2019, sau đó chưa có ai",
            "A sponsor pays until 31/12/2019, nobody after that",
        ),
        (
            Cause.OFFER_ENDS,
            date(2019, 12, 31),
            "Chưa tham gia; giấy hộ nghèo, cận nghèo hết hạn 31/12/2019",
            "Not joined yet; the household's certificate ends on 31/12/2019",
        ),
        (
            Cause.LAPSED,
            date(2019, 10, 1),
            "Ngừng đóng từ 1/10/2019, chưa ai hỏi vì sao",
            "Lapsed on 1/10/2019, nobody has asked why",
        ),
        (
            Cause.WIN_BACK,
            date(2019, 9, 1),
            "Ngừng đóng từ 1/9/2019, nên hỏi lại",
            "Has not paid since 1/9/2019: ask again",
        ),
    ],
)
def test_the_reason_stands_in_words(app: Flask, cause: Cause, day: date, vietnamese: str, english: str) -> None:
    task = Task(UUID(int=1), cause, day)
    written = f"{day.day}/{day.month}/{day.year}"
    for language, words in (("vi", vietnamese), ("en", english)):
        with app.test_request_context(), force_locale(language):
            assert str(why(task, DAY, 2, written)) == words


def test_every_cause_is_drawn() -> None:
    assert set(STATES) == set(Cause)
