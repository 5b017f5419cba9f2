"""A payment's layers spread over its months: exact, none negative, support on the supported months only."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from crm.participation.shares import UNNAMED, Layers, Payer, PayerKind, Share, by_month, needed_of, weights_under

BANK = Payer(PayerKind.SPONSOR, UUID(int=1))
UNION = Payer(PayerKind.SPONSOR, UUID(int=2))
amounts = st.integers(0, 200_000_000)


@st.composite
def payments(draw: st.DrawFn) -> Layers:
    months = draw(st.integers(1, 60))
    supported = draw(st.integers(0, months))
    others = tuple(Share(payer, amount) for payer in (BANK, UNION, UNNAMED) if (amount := draw(amounts)))
    percent = draw(st.none() | st.decimals("0.01", "2", places=2))
    rules = [{"name": "investment_percent", "value": str(percent)}] if percent is not None else []
    return Layers(
        months=months,
        supported_months=supported,
        own=draw(amounts),
        state=draw(amounts) if supported else 0,
        local=draw(amounts),
        others=others,
        weights=weights_under(rules, months),
    )


@given(payments())
def test_every_layer_of_the_months_sums_to_that_of_the_payment(paid: Layers) -> None:
    months = by_month(paid)
    assert len(months) == paid.months
    assert sum(month.own for month in months) == paid.own
    assert sum(month.state for month in months) == paid.state
    assert sum(month.local for month in months) == paid.local
    for share in paid.others:
        given_by = [each.amount for month in months for each in month.others if each.payer == share.payer]
        assert sum(given_by) == share.amount
    assert sum(month.gross for month in months) == paid.own + paid.state + paid.local + paid.other


@given(payments())
def test_nothing_is_negative_and_the_state_helps_only_with_supported_months(paid: Layers) -> None:
    for number, month in enumerate(by_month(paid)):
        assert min(month.own, month.state, month.local, *(each.amount for each in month.others), 0) == 0
        assert month.supported == (number < paid.supported_months)
        assert month.supported or month.state == 0


@given(payments())
def test_evenly_means_that_no_two_months_differ_by_more_than_one_dong(paid: Layers) -> None:
    months = by_month(paid)
    local, state = [month.local for month in months], [month.state for month in months if month.supported]
    assert max(local) - min(local) <= 1
    assert not state or max(state) - min(state) <= 1


def test_the_hundred_and_twenty_first_month_in_the_middle_of_a_payment_bears_no_support() -> None:
    months = by_month(Layers(months=6, supported_months=2, own=924_000 - 30_800, state=30_800, local=0))
    assert [(month.supported, month.state, month.own) for month in months] == [(True, 15_400, 138_600)] * 2 + [
        (False, 0, 154_000)
    ] * 4


def test_of_years_ahead_each_month_costs_its_discounted_premium() -> None:
    """Decree 159/2025, article 6: month i costs the premium divided by (1 + r) as often as it lies ahead."""
    weights = weights_under([{"name": "investment_percent", "value": "0.31"}], 24)
    months = by_month(Layers(months=24, supported_months=24, own=6_061_120, state=1_584_000, local=0, weights=weights))
    premiums = [month.gross for month in months]
    assert premiums == sorted(premiums, reverse=True)
    assert all(abs(month.gross - premiums[0] / 1.0031**number) < 2 for number, month in enumerate(months))
    assert {month.state for month in months} == {66_000}


def test_a_sponsor_who_offers_more_than_is_needed_gives_only_what_is_needed() -> None:
    offers = (Share(BANK, 200_000), Share(UNION, 200_000))
    assert needed_of(offers, 323_400) == (Share(BANK, 200_000), Share(UNION, 123_400))
    assert needed_of(offers, 150_000) == (Share(BANK, 150_000),)
    assert needed_of(offers, 0) == ()
