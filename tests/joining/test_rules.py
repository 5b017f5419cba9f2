"""What a dossier declares, the row it becomes, and what has to be right before it goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.joining.rules import FROM, PROBLEMS, Act, Known, Movement, Row, State, movement_of, problems, row_of_payment
from crm.joining.unit_codes import unit_codes
from crm.months import Month
from crm.participation.rules import Ending
from crm.participation.screening.rules import Allowance, Answers, Business, Elsewhere, Work, who_may_join
from crm.participation.shares import UNNAMED, Layers, Share, by_month, weights_under
from crm.premiums.rules.keys import Method
from crm.premiums.rules.law import LocalTopUp
from crm.premiums.rules.quotes import Plan, quote
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex

LAW = law_as_shipped()
DAY = date(2019, 10, 15)
THIS = Month(2019, 10)
CLEAR = Answers(date(1980, 5, 5), 1980, True, Work.NONE, Business.NONE, Allowance.NONE, Elsewhere.NO)
WHOLE = Known(
    verdict=who_may_join(LAW, DAY, CLEAR),
    screened=True,
    birth_date=date(1980, 5, 5),
    birth_year=1980,
    sex=Sex.FEMALE,
    citizen_id="038180000001",
    phone="+84912345678",
    address="Số 5",
    stops=False,
)


@pytest.mark.parametrize(
    ("took_part", "ended", "ended_as", "through", "start", "movement"),
    [
        (False, True, None, None, THIS, Movement.NEW),
        (True, False, None, Month(2019, 9), THIS, Movement.PAYS_ON),
        (True, True, Ending.LAPSED, Month(2019, 6), THIS, Movement.RETURNS),
        (True, True, Ending.LAPSED, Month(2019, 6), Month(2019, 7), Movement.LATE),
        (True, True, Ending.LAPSED, Month(2019, 1), Month(2019, 2), Movement.RETURNS),
        (True, True, Ending.STOPPED, Month(2019, 6), Month(2019, 7), Movement.RETURNS),
        (True, True, Ending.LAPSED, Month(2019, 9), THIS, Movement.RETURNS),
    ],
)
def test_the_movement_follows_from_the_books(
    took_part: bool, ended: bool, ended_as: Ending | None, through: Month | None, start: Month, movement: Movement
) -> None:
    found = movement_of(
        took_part=took_part,
        paid_through=through,
        ended_as=ended_as,
        ended=ended,
        start=start,
        this=THIS,
        late_from=Month(2019, 4),
    )
    assert found is movement


def test_nothing_is_declared_as_made_up_late_where_nobody_has_said_that_it_may_be() -> None:
    lapsed: dict[str, Any] = {"took_part": True, "ended_as": Ending.LAPSED, "ended": True, "this": THIS}
    found = movement_of(**lapsed, paid_through=Month(2019, 6), start=Month(2019, 7), late_from=None)
    assert found is Movement.RETURNS


def test_a_row_has_the_official_names_and_the_four_layers() -> None:
    told = quote(LAW, 700_000, [Ground.POOR], THIS, DAY, Plan.periodic(3), other_support=100_000)
    row = row_of_payment(told, LAW.on(DAY), Movement.NEW, name="nguyễn thị đăng", code="0380000001", remarks="")
    assert (row.HoTen, row.PA, row.Tuthang, row.Sothang, row.Phuongthuc) == ("NGUYỄN THỊ ĐĂNG", "TM", "10/2019", 3, "3")
    assert (row.Tyle, row.TyleNSNN, row.Heso) == ("22", "30", 0)
    assert (row.Tongtien, row.TienHotro, row.TienNSDP, row.TienHotroKhac, row.TienTudong) == (
        462_000,
        138_600,
        0,
        100_000,
        223_400,
    )
    with pytest.raises(ValueError, match="four layers"):
        replace(row, TienTudong=row.TienTudong + 1)


@given(
    st.integers(0, 100).map(lambda steps: 700_000 + 50_000 * steps),
    st.sampled_from([1, 3, 6, 12]),
    st.sets(st.sampled_from(list(Ground))),
    st.integers(0, 3_000_000),
)
def test_whatever_is_chosen_the_layers_make_up_the_premium(
    income: int, months: int, grounds: set[Ground], sponsor: int
) -> None:
    told = quote(LAW, income, sorted(grounds), THIS, DAY, Plan.periodic(months), other_support=sponsor)
    row = row_of_payment(told, LAW.on(DAY), Movement.NEW, name="a", code="", remarks="")
    assert row.TienTudong + row.TienHotro + row.TienNSDP + row.TienHotroKhac == row.Tongtien
    assert row.MucTien == 700_000 + 50_000 * row.Heso
    assert "HoTen" not in row.without_names()
    assert Row(HoTen="A", MasoBHXH="", Ghichu="", **row.without_names()).Tongtien == row.Tongtien


@pytest.mark.parametrize(
    ("grounds", "percent", "amount"),
    [
        ([Ground.NEAR_POOR, Ground.ETHNIC_MINORITY], "40", 61_600),
        ([Ground.NEAR_POOR], "5", 7_700),
        ([Ground.POOR], "", 20_000),
    ],
)
def test_the_places_rate_is_that_of_the_addition_its_money_comes_from(
    grounds: list[Ground], percent: str, amount: int
) -> None:
    """Not that of the ground which decides the State's part; an addition in đồng has no rate."""

    def adds(ground: Ground, share: int | None, given: int | None = None) -> LocalTopUp:
        return LocalTopUp(ground, share and Decimal(share), given, date(2019, 1, 1), None, None, "Nghị quyết")

    here = [adds(Ground.OTHER, 5), adds(Ground.ETHNIC_MINORITY, 40), adds(Ground.POOR, None, 20_000)]
    told = quote(LAW, 700_000, grounds, THIS, DAY, Plan.periodic(1), local_top_ups=here)
    row = row_of_payment(told, LAW.on(DAY), Movement.NEW, name="a", code="", remarks="")
    assert (row.TyleNSDP, row.TienNSDP) == (percent, amount)


def test_nothing_is_wrong_with_whole_papers() -> None:
    assert problems(WHOLE) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"screened": False}, "not_screened"),
        ({"verdict": who_may_join(LAW, DAY, replace(CLEAR, work=Work.CONTRACT))}, "may_not_join"),
        ({"birth_date": None, "birth_year": None}, "no_birth"),
        ({"birth_date": None}, "no_birth_day"),
        ({"sex": None}, "no_sex"),
        ({"phone": None}, "no_phone"),
        ({"address": None}, "no_address"),
        ({"citizen_id": None}, "no_citizen_id"),
        ({"citizen_id": "038080000001"}, "citizen_id_contradicts"),
        ({"citizen_id": "038181000001"}, "citizen_id_contradicts"),
        ({"citizen_id": "172345678"}, "old_citizen_id"),
        ({"number_elsewhere": True}, "number_elsewhere"),
        ({"declared_lately": True}, "declared_lately"),
        ({"months_paid": True}, "months_paid"),
        ({"too_late": True}, "window_over"),
        ({"ground": Ground.POOR, "certified": False}, "no_certificate"),
        ({"sponsored_otherwise": True}, "sponsored_otherwise"),
    ],
)
def test_each_thing_that_is_missing_is_named_alone(changed: dict[str, object], code: str) -> None:
    (found,) = problems(replace(WHOLE, **changed))  # type: ignore[arg-type]
    assert found.code == code
    assert found.firm is PROBLEMS[code][0]


def test_what_the_law_refuses_is_said_in_its_own_words() -> None:
    with pytest.raises(RuleBroken) as refused:
        quote(LAW, 650_000, [], THIS, DAY, Plan.periodic(3))
    (found,) = problems(replace(WHOLE, refusal=refused.value.message))
    assert found.firm
    assert found.words is refused.value.message


def test_who_stops_need_not_be_of_age_nor_choose_an_income() -> None:
    found = problems(replace(WHOLE, stops=True, screened=False, refusal="no", months_paid=True))
    assert [(one.code, one.firm) for one in found] == [("stop_kind_open", False)]


def test_nothing_is_done_with_what_is_closed() -> None:
    assert all(state not in FROM[act] for act in Act for state in (State.ACCEPTED, State.WITHDRAWN))


@given(
    plan=st.one_of(
        st.sampled_from([1, 3, 6, 12]).map(Plan.periodic),
        st.integers(2, 5).map(Plan.years_ahead),
        st.integers(1, 60).map(Plan.missing),
    ),
    steps=st.integers(0, 400),
    grounds=st.sets(st.sampled_from(list(Ground))),
    before=st.integers(0, 130),
    added=st.sampled_from([None, Decimal(5), Decimal(30)]),
    offered=st.one_of(st.just(0), st.integers(1, 20_000_000)),
)
def test_the_four_layers_of_a_row_are_the_sums_of_its_months(
    plan: Plan, steps: int, grounds: set[Ground], before: int, added: Decimal | None, offered: int
) -> None:
    day = date(2026, 7, 15)
    here = LocalTopUp(Ground.OTHER, added, None, date(2026, 1, 1), None, None, "Nghị quyết") if added else None
    law = LAW.on(day)
    told = quote(
        LAW,
        law.floor + steps * law.step,
        grounds,
        Month(2026, 7),
        day,
        plan,
        supported_before=before,
        local_top_ups=[here] if here else [],
        other_support=offered,
    )
    row = row_of_payment(told, law, Movement.NEW, name="Lê Thị Hà", code="", remarks="")
    rules = [line.as_json() for line in told.lines]
    months = by_month(
        Layers(
            months=plan.months,
            supported_months=told.supported_months,
            own=told.payable,
            state=told.state_support,
            local=told.local_support,
            others=(Share(UNNAMED, told.other_support),) if told.other_support else (),
            weights=weights_under(rules, plan.months, missing=plan.method is Method.MISSING_MONTHS),
        )
    )
    assert len(months) == row.Sothang
    assert sum(one.state for one in months) == row.TienHotro
    assert sum(one.local for one in months) == row.TienNSDP
    assert sum(one.other for one in months) == row.TienHotroKhac
    assert sum(one.own for one in months) == row.TienTudong
    assert sum(one.gross for one in months) == row.Tongtien
    assert min(min(one.own, one.state, one.local, one.other) for one in months) >= 0


@pytest.mark.parametrize(
    ("town", "day", "codes"),
    [
        ("bim-son", date(2019, 10, 15), ("38", "381")),
        ("bim-son", date(2025, 6, 30), ("38", "381")),
        ("bim-son", date(2025, 7, 1), ("38", "")),
        ("elsewhere", date(2019, 10, 15), ("", "")),
    ],
)
def test_the_codes_of_province_and_district_go_by_the_day(town: str, day: date, codes: tuple[str, str]) -> None:
    """Since July 2025 there are no districts any more; of a town that nobody wrote down nothing is guessed."""
    assert unit_codes(town, day) == codes
