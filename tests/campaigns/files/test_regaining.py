"""A file made after the backup is out although the restored copy does not know it: nobody in it is texted twice."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.files.services.regaining import regain
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.services.sending import release
from crm.errors import Conflict, RuleBroken
from crm.prospects.rules import Purpose
from crm.safekeeping.services import after_restore
from tests.campaigns.files.conftest import Gateway

SignedIn = Callable[..., FlaskClient]


def lost(session: Session, gateway: Gateway, many: int = 2) -> tuple[list[Message], bytes, int]:
    """Messages that a file held before everything went back to a copy without that file: they wait again."""
    messages = gateway.waiting(many)
    file = gateway.make()
    content, number = file.content or b"", file.number or 0
    for one in messages:
        one.state, one.claimed_at, one.file_id, one.file_line, one.attempts = Delivery.QUEUED, None, None, None, 0
    session.flush()
    session.expire_all()
    after_restore(session, clock.now())
    return messages, content.replace(f"AS{number}-".encode(), f"AS{number + 7}-".encode()), number + 7


def test_a_file_that_is_handed_in_again_has_left_and_its_results_count(session: Session, gateway: Gateway) -> None:
    messages, content, number = lost(session, gateway)
    gateway.texting.says(str(messages[0].phone), False, Purpose.PROMOTION, at=clock.now())
    told = regain(session, gateway.town_id, content, by_id=gateway.by.id, at=clock.now())
    assert told == (number, 2, 0)
    assert {one.state for one in messages} == {Delivery.HANDED_OVER}, "also who has refused since: it has left"
    with pytest.raises(Conflict):
        regain(session, gateway.town_id, content, by_id=gateway.by.id, at=clock.now())
    gateway.hand_back(f"request_id,status\nAS{number}-1,Thành công\nAS{number}-2,Thất bại\n")
    assert sorted(one.state for one in messages) == [Delivery.DELIVERED, Delivery.UNDELIVERED]


def test_numbers_of_files_that_may_be_out_are_not_given_again(session: Session, gateway: Gateway) -> None:
    _messages, _content, number = lost(session, gateway)
    release(session, gateway.town_id, clock.now())
    gateway.waiting(1)
    assert (gateway.make().number or 0) > number, "results of a lost file would be taken for this one's"


def test_what_this_copy_does_not_know_is_counted_and_other_files_are_refused(
    session: Session, gateway: Gateway
) -> None:
    messages, content, number = lost(session, gateway)
    messages[1].state, messages[1].settled_at = Delivery.CANCELLED, clock.now()
    session.flush()
    assert regain(session, gateway.town_id, content, by_id=gateway.by.id, at=clock.now()) == (number, 1, 1)
    for wrong in (b"", b"\xff\xfe", b"phone,message,request_id\n0912345678,Chao,12\n", b"a,b\n1,2\n"):
        with pytest.raises(RuleBroken):
            regain(session, gateway.town_id, wrong, by_id=gateway.by.id, at=clock.now())


def test_the_page_after_the_restore_takes_the_file(session: Session, gateway: Gateway, signed_in: SignedIn) -> None:
    messages, content, _number = lost(session, gateway)
    office = signed_in(Role.ORGANISER)
    assert 'name="file"' in office.get("/messages/restored").get_data(as_text=True)
    assert office.post("/messages/restored/file", data={}).status_code == 422
    sent = {"file": (io.BytesIO(content), "tin-nhan.csv")}
    answer = office.post("/messages/restored/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303
    session.expire_all()
    assert {one.state for one in messages} == {Delivery.HANDED_OVER}
