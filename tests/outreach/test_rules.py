"""What a conversation leads to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations, product
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.outreach import rules
from crm.outreach.rules import (
    CHANNELS,
    NOT_FOR_US,
    OUTCOME_SIGNS,
    OUTCOMES,
    REASONS,
    SHORT_OUTCOMES,
    Figures,
    Outcome,
    PaymentDue,
    Reason,
    Said,
    Step,
    before_the_visits,
    changeable,
    check_moment,
    check_next,
    contact_after,
    reasons_after,
    stage_after,
    stage_told_by,
    what_to_say,
)
from crm.prospects.rules import Ground, Stage

NINE = datetime(2019, 10, 15, 2, 0, tzinfo=UTC)
outcomes, stages = st.sampled_from(Outcome), st.sampled_from(Stage)
some_reasons = st.frozensets(st.sampled_from(Reason), max_size=3)


@given(outcomes, some_reasons)
def test_a_participant_stays_one_whatever_is_said_at_the_door(outcome: Outcome, reasons: frozenset[Reason]) -> None:
    assert stage_after(Stage.JOINED, outcome, reasons) is Stage.JOINED


@given(stages.filter(lambda stage: stage is not Stage.JOINED), outcomes, some_reasons)
def test_no_words_make_a_participant(stage: Stage, outcome: Outcome, reasons: frozenset[Reason]) -> None:
    assert stage_after(stage, outcome, reasons) is not Stage.JOINED


def test_saying_one_has_joined_is_agreeing_until_the_payment_is_there() -> None:
    assert stage_after(Stage.INTERESTED, Outcome.JOINED) is Stage.AGREED


@given(stages.filter(lambda stage: stage is not Stage.NEW))
def test_a_closed_door_undoes_nothing(stage: Stage) -> None:
    assert stage_after(stage, Outcome.NOT_MET) is stage


def test_a_first_closed_door_is_a_try() -> None:
    assert stage_after(Stage.NEW, Outcome.NOT_MET) is Stage.UNREACHED


@given(stages, outcomes, some_reasons)
def test_the_same_words_twice_lead_to_the_same_stage(
    stage: Stage, outcome: Outcome, reasons: frozenset[Reason]
) -> None:
    once = stage_after(stage, outcome, reasons)
    assert stage_after(once, outcome, reasons) is once


@given(stages, st.lists(st.tuples(outcomes, some_reasons), max_size=4))
def test_the_order_in_which_visits_arrive_does_not_matter(
    start: Stage, told: list[tuple[Outcome, frozenset[Reason]]]
) -> None:
    visits = [Said(NINE + timedelta(hours=at), *one) for at, one in enumerate(told)]
    assert len({stage_told_by(start, order) for order in permutations(visits)}) == 1


@given(outcomes, st.dates(date(2016, 1, 1), date(2030, 1, 1)), some_reasons, stages)
def test_one_comes_again_later_and_never_on_a_sunday(
    outcome: Outcome, on: date, reasons: frozenset[Reason], stage: Stage
) -> None:
    day = contact_after(outcome, on, reasons, stage=stage)
    assert day is None or (day > on and day.isoweekday() != 7)


def test_nobody_asks_again_someone_for_whom_it_is_not() -> None:
    gone = frozenset({Reason.MOVED_AWAY})
    assert contact_after(Outcome.REFUSED, date(2019, 10, 15), gone) is None
    assert stage_after(Stage.CONSIDERING, Outcome.REFUSED, gone) is Stage.NOT_ELIGIBLE


def test_a_contented_participant_is_called_on_when_the_next_payment_falls_due() -> None:
    assert contact_after(Outcome.JOINED, date(2019, 10, 15), stage=Stage.JOINED) is None
    assert contact_after(Outcome.CONSIDERING, date(2019, 10, 15), stage=Stage.JOINED) == date(2019, 10, 29)


def test_a_visit_lies_neither_ahead_nor_before_the_scheme() -> None:
    check_moment(NINE + timedelta(minutes=4), NINE)
    with pytest.raises(RuleBroken, match=r"tương lai|future"):
        check_moment(NINE + timedelta(minutes=6), NINE)
    with pytest.raises(RuleBroken, match="2008"):
        check_moment(datetime(2007, 12, 31, 16, 59, tzinfo=UTC), NINE)
    check_moment(datetime(2007, 12, 31, 17, 0, tzinfo=UTC), NINE)


def test_the_next_contact_follows_the_visit_within_two_years() -> None:
    check_next(date(2019, 10, 15), date(2019, 10, 15))
    for wrong in (date(2019, 10, 14), date(2021, 10, 17)):
        with pytest.raises(RuleBroken) as refusal:
            check_next(wrong, date(2019, 10, 15))
        assert refusal.value.field == "next_contact_on"


def test_its_author_changes_a_visit_for_a_day_and_a_lead_at_any_time() -> None:
    later = NINE + timedelta(hours=25)
    assert changeable(NINE, NINE + timedelta(hours=24), own=True, leads=False)
    assert not changeable(NINE, later, own=True, leads=False)
    assert not changeable(NINE, NINE, own=False, leads=False)
    assert changeable(NINE, later, own=False, leads=True)


def test_what_something_else_than_a_visit_gave_holds_from_then_on() -> None:
    visit, paid = uuid4(), uuid4()
    steps = [
        Step(None, Stage.NEW, NINE, None),
        Step(Stage.NEW, Stage.AGREED, NINE, visit),
        Step(Stage.AGREED, Stage.JOINED, NINE + timedelta(days=1), paid),
    ]
    assert before_the_visits(Stage.JOINED, steps[:1], set()) == (Stage.NEW, None)
    assert before_the_visits(Stage.AGREED, steps[:2], {visit}) == (Stage.NEW, None)
    assert before_the_visits(Stage.JOINED, steps, {visit}) == (Stage.JOINED, NINE + timedelta(days=1))
    assert before_the_visits(Stage.AGREED, steps[1:2], {visit}) == (Stage.NEW, None)
    assert before_the_visits(Stage.LAPSED, [], set[UUID]()) == (Stage.LAPSED, None)


def test_every_choice_has_its_words() -> None:
    for choices, words in (
        (rules.Channel, CHANNELS),
        (Outcome, OUTCOMES),
        (Outcome, SHORT_OUTCOMES),
        (Outcome, OUTCOME_SIGNS),
        (Reason, REASONS),
    ):
        assert set(choices) == set(words)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("stage", list(Stage))
def test_there_is_always_something_short_to_say(app: Flask, language: str, stage: Stage) -> None:
    with app.test_request_context(), force_locale(language):
        for ground, reason, figures in product(Ground, Reason, (None, Figures("107.800 đ", "46.200 đ"))):
            assert 10 < len(str(what_to_say(stage, ground, (reason,), figures))) <= 100


def test_what_held_somebody_back_is_answered_before_anything_is_offered(app: Flask) -> None:
    with app.test_request_context(), force_locale("vi"):
        said = what_to_say(Stage.CONSIDERING, Ground.POOR, {Reason.ASK_FAMILY}, Figures("1 đ", "2 đ"))
        assert "gia đình" in str(said)
        offered = what_to_say(Stage.NEW, Ground.POOR, (), Figures("107.800 đ", "46.200 đ"))
        assert "46.200 đ" in str(offered)


@pytest.mark.parametrize(
    ("language", "by", "missed", "words"),
    [
        ("vi", "25/10/2019", False, "Nhắc đóng kỳ tới chậm nhất ngày 25/10/2019"),
        ("en", "25 Oct 2019", False, "by 25 Oct 2019"),
        ("vi", "25/9/2019", True, "đăng ký lại"),
        ("en", "25 Sep 2019", True, "register again"),
    ],
)
def test_who_owes_a_payment_is_not_thanked_for_it(app: Flask, language: str, by: str, missed: bool, words: str) -> None:
    with app.test_request_context(), force_locale(language):
        said = str(what_to_say(Stage.JOINED, Ground.OTHER, (), None, PaymentDue(by, missed)))
        assert words in said
        assert len(said) <= 100
        assert said != str(what_to_say(Stage.JOINED, Ground.OTHER, (), None))


def test_reasons_are_asked_for_where_they_fit() -> None:
    assert reasons_after(Outcome.AGREED) == reasons_after(Outcome.NOT_MET) == ()
    assert Reason.MOVED_AWAY in reasons_after(Outcome.REFUSED)
    assert set(reasons_after(Outcome.CONSIDERING)) == set(Reason) - NOT_FOR_US
