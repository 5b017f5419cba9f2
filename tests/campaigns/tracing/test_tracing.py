"""A message's page says what its state means and what to do; the list is narrowed by state, reason, campaign and number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import MessageStatus
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.tracing.rules import MEANS, TO_DO, to_do
from crm.phones import pretty
from tests.campaigns.conftest import Texting


def test_every_state_and_reason_has_its_word_and_something_to_do() -> None:
    assert set(MEANS) == set(Delivery)
    assert set(TO_DO) == set(Reason)
    assert to_do(Delivery.FAILED, Reason.LANDLINE) == TO_DO[Reason.LANDLINE]


@pytest.mark.parametrize("state", [Delivery.DELIVERED, Delivery.SENT, Delivery.ACCEPTED])
def test_what_the_network_took_is_never_called_read(
    texting: Texting, signed_in: Callable[..., FlaskClient], state: Delivery
) -> None:
    message = texting.message(texting.person(), state=state, claimed_at=clock.now(), attempts=1)
    page = signed_in(Role.ORGANISER).get(f"/messages/{message.id}").text
    assert "đã đọc tin" not in page
    assert state is not Delivery.DELIVERED or "không có nghĩa là đã có người đọc" in page


def test_a_message_shows_its_receipts_and_what_to_do(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    message = texting.message(
        texting.person(),
        state=Delivery.UNDELIVERED,
        reason=Reason.UNREACHABLE,
        error_code=30003,
        sid="SM1",
        claimed_at=clock.now(),
        attempts=2,
    )
    receipt = {"town_id": message.town_id, "message_id": message.id, "sid": "SM1", "received_at": clock.now()}
    for status, code in (("sent", None), ("undelivered", 30003)):
        session.add(MessageStatus(**receipt, status=status, error_code=code))
    page = signed_in(Role.MANAGER).get(f"/messages/{message.id}").text
    assert "30003" in page
    assert "Máy tắt. Hãy gọi vào hôm khác hoặc tới thăm." in page
    assert "2 lần thử" in page
    lead = texting.make.user(Role.LEAD, place_id=texting.make.ward("14815@2019-10-15").id)
    assert signed_in(lead).get(f"/messages/{message.id}").status_code == 404


def test_the_list_is_narrowed_by_everything_that_is_asked(
    texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = texting.person("Nguyễn Thị Hoa"), texting.person("Trần Văn Nam")
    texting.message(one, state=Delivery.FAILED, reason=Reason.LANDLINE)
    texting.message(other)
    browser = signed_in(Role.ORGANISER)
    for asked in ("state=failed", "reason=landline", f"number={pretty(str(one.phone))}"):
        page = browser.get(f"/messages?{asked}").text
        assert "Nguyễn Thị Hoa" in page, asked
        assert "Trần Văn Nam" not in page, asked
    for nothing in ("number=abc", "campaign=00000000-0000-0000-0000-000000000000"):
        assert "Nguyễn Thị Hoa" not in browser.get(f"/messages?{nothing}").text
    for nonsense in ("state=x", "reason=x", "campaign=x", "number="):
        assert browser.get(f"/messages?{nonsense}").status_code == 200


def test_texts_to_nobody_of_the_register_are_listed_and_explained_to_who_may_see_them(
    texting: Texting, signed_in: Callable[..., FlaskClient], api: Callable[..., dict[str, str]], client: FlaskClient
) -> None:
    here = texting.make.user(Role.VOLUNTEER, phone="+84987654321", full_name="Lê Thị Cộng")
    nobody = {"prospect_id": None, "state": Delivery.DELIVERED}
    morning = texting.message(texting.person(), **nobody, phone=here.phone, reminder="morning", body="Hom nay 3 viec")
    texting.make.user(Role.SPONSOR, phone="+84912000777", full_name="Bà Hảo Tâm")
    secret = "Mo de xac nhan: https://quy.example/sponsor/confirm/BIMAT77 nhe"
    sponsors = texting.message(texting.person(), **nobody, phone="+84912000777", reminder="sponsor_link", body=secret)
    trial = texting.message(
        texting.person(),
        **nobody,
        phone=here.phone,
        reminder=None,
        local_day=None,
        trial_of_id=texting.campaign(name="Tháng Mười").id,
        body="Thu tin",
    )
    organiser, manager = texting.make.user(Role.ORGANISER), texting.make.user(Role.MANAGER)
    lead = texting.make.user(Role.LEAD, phone="+84987654322", place_id=texting.make.ward("14815@2019-10-15").id)
    own = texting.message(texting.person(), **nobody, phone=lead.phone, reminder="morning", body="Hom nay 5 viec")
    for who, sees in (
        (manager, {morning, sponsors, trial, own}),
        (organiser, {morning, trial, own}),
        (lead, {own}),
    ):
        browser = signed_in(who)
        listed = browser.get("/messages").text
        told = client.get("/api/v1/messages?state=delivered", headers=api(who)).json
        assert told is not None
        assert {one["id"] for one in told["items"]} == {str(one.id) for one in sees}
        assert "BIMAT77" not in str(told) + listed
        for one in (morning, sponsors, trial, own):
            page = browser.get(f"/messages/{one.id}")
            assert (str(one.id) in listed, page.status_code) == ((True, 200) if one in sees else (False, 404))
            assert "BIMAT77" not in page.text
    assert "Cộng" in signed_in(organiser).get("/messages?number=0987654321").text
    assert "https://quy.example/…" in signed_in(manager).get(f"/messages/{sponsors.id}").text
    assert "Gửi thử của Tháng Mười" in signed_in(manager).get(f"/messages/{trial.id}").text
