"""After a restore nothing leaves until an operator has seen it beside the carrier's list, and nobody is texted twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.accounts.rules import Role
from crm.campaigns.inbox.models import AutoAnswer
from crm.campaigns.models import Inbound, Message
from crm.campaigns.restored import queries, services
from crm.campaigns.restored.gateway import PlainList
from crm.campaigns.restored.models import RestoreCheck
from crm.campaigns.restored.rules import CheckState, Group, ToldMessage, Written
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Outgoing, Seen
from crm.campaigns.services import dispatching, receipts, sending
from crm.prospects.models import Consent
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import Purpose
from crm.safekeeping.services import after_restore, before_backup
from tasks.restored import compare, resume
from tests.campaigns.conftest import Texting

TEN = clock.at(date(2019, 10, 15), 10)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> PlainList:
    listed = PlainList()
    monkeypatch.setattr("tasks.restored.carriers_list_of", lambda _settings: listed)
    return listed


def told(message: Message, sid: str, at: Any, status: Delivery = Delivery.DELIVERED) -> ToldMessage:
    return ToldMessage(sid, str(message.phone), message.body, status, None, at)


def restored(session: Session) -> RestoreCheck:
    """The backup was made an hour ago; now it is put in place of everything."""
    before_backup(session, clock.now() - 60 * MINUTE)
    after_restore(session, clock.now())
    session.flush()
    return session.scalars(select(RestoreCheck)).one()


def run(check: RestoreCheck, session: Session) -> RestoreCheck:
    for _twice in range(2):
        compare(str(check.town_id), str(check.id))
    session.expire_all()
    return check


def claimed(session: Session) -> set[Any]:
    found = {one.id for one in dispatching.claim(session, at_most=50, at=TEN)}
    session.expire_all()
    return found


def test_what_the_carrier_sent_is_settled_and_the_rest_waits_for_a_word(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    sent, waits, known = (texting.message(texting.person(), body=f"Hen ba {n}") for n in (1, 2, 3))
    known.sid, known.state, known.claimed_at = "SMknown", Delivery.SENT, clock.now()
    at = clock.now() - 10 * MINUTE
    unknown = ToldMessage("SMlost", "+84912000111", "Tin moi sau ban luu", Delivery.SENT, None, at)
    old = told(waits, "SMold", clock.now() - timedelta(days=3))
    carrier.sent = [told(known, "SMknown", at), told(sent, "SM1", at), unknown, old]
    check = restored(session)
    browser = signed_in(Role.ORGANISER)
    assert claimed(session) == set()
    assert browser.post("/messages/release").status_code == 422
    assert "Hãy ghi lại các lời từ chối đó" in browser.get("/messages/restored").text
    assert "Đang" in browser.get("/messages/restored").text or "Sắp" in browser.get("/messages/restored").text
    assert run(check, session).state is CheckState.READY
    assert (check.told, check.settled) == (3, 1)
    assert (sent.state, sent.sid, sent.claimed_at) == (Delivery.DELIVERED, "SM1", at)
    assert waits.state is Delivery.QUEUED
    assert claimed(session) == set()
    page = browser.get("/messages/restored").text
    assert "0912 000 111" in page
    assert "Hen ba 2" in page
    assert browser.post("/messages/release").status_code == 303
    assert claimed(session) == {waits.id}
    assert signed_in(Role.AUDITOR).get("/messages/restored").status_code == 200
    assert signed_in(Role.AUDITOR).post("/messages/release").status_code == 403


def test_the_same_text_twice_is_paired_one_to_one(session: Session, texting: Texting, carrier: PlainList) -> None:
    person = texting.person()
    first, second = texting.message(person), texting.message(person)
    carrier.sent = [told(first, "SM1", clock.now() - MINUTE)]
    run(restored(session), session)
    assert sorted([first.state, second.state]) == [Delivery.DELIVERED, Delivery.QUEUED]


def test_groups_are_let_go_and_called_off_one_by_one(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = (texting.message(texting.person(), reminder=name) for name in ("visit", "payment"))
    run(restored(session), session)
    browser, town = signed_in(Role.ORGANISER), texting.make.town.id
    assert browser.post("/messages/restored/release", data={"group": "reminder:visit"}).status_code == 303
    assert claimed(session) == {one.id}
    assert other.state is Delivery.HELD
    later = texting.message(texting.person(), reminder="later")
    assert claimed(session) == {later.id}
    assert browser.post("/messages/restored/call-off", data={"group": "reminder:payment"}).status_code == 303
    session.expire_all()
    assert other.state is Delivery.CANCELLED
    assert not sending.is_held(session, town)
    assert browser.post("/messages/restored/call-off", data={"group": "nonsense"}).status_code == 404
    assert "đã quyết định" in browser.get("/messages/restored").text


def test_a_reminder_queued_again_while_all_was_held_is_compared_before_anything_leaves(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    person = texting.person()
    lost = ToldMessage("SM7", str(person.phone), "Hen gap ba Hoa", Delivery.DELIVERED, None, clock.now() - MINUTE)
    carrier.sent = [lost]
    run(restored(session), session)
    again = texting.message(person)
    assert signed_in(Role.ORGANISER).post("/messages/release").status_code == 303
    session.expire_all()
    assert (again.state, again.sid) == (Delivery.DELIVERED, "SM7")
    assert claimed(session) == set()


def test_a_carrier_that_is_silent_holds_everything_and_may_be_asked_again(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    texting.message(texting.person())
    carrier.away = True
    check = run(restored(session), session)
    browser = signed_in(Role.ORGANISER)
    assert check.state is CheckState.FAILED
    assert browser.post("/messages/release").status_code == 422
    carrier.away = False
    for _twice in range(2):
        assert browser.post("/messages/restored/compare").status_code == 303
    again = queries.latest_check(session, check.town_id)
    assert again is not None
    assert again.since == check.since
    assert run(again, session).state is CheckState.READY
    assert browser.post("/messages/release").status_code == 303
    assert len(claimed(session)) == 1


def test_a_comparison_that_stands_still_is_rung_for_again(
    session: Session, carrier: PlainList, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr("tasks.restored.ring", lambda _task, *ids: rung.append(ids))
    check = restored(session)
    check.touched_at = clock.now() - 5 * MINUTE
    session.flush()
    resume()
    resume()
    assert rung == [(str(check.town_id), str(check.id))] * 2
    assert stored.read(session, "epoch")


def test_a_group_is_named_in_a_form() -> None:
    assert str(Group.read("reminder:visit")) == "reminder:visit"
    for wrong in ("", "x:y", "campaign:1"):
        with pytest.raises(ValueError, match=r".*"):
            Group.read(wrong)


def test_what_the_carrier_named_while_it_was_compared_is_not_strange(
    session: Session, texting: Texting, carrier: PlainList, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (texting.sending(texting.person(), body=f"Hen ba {n}") for n in (1, 2))
    carrier.sent = [told(one, f"SM{n}", clock.now() - MINUTE) for n, one in ((1, first), (2, second))]
    check = restored(session)
    assert {first.state, second.state} == {Delivery.UNKNOWN}
    known_again = services._know_again

    def named_meanwhile(current: Session, of: RestoreCheck) -> None:
        """The carrier answers about the first right after the list was looked through for the first time."""
        known_again(current, of)
        seen = [Seen("SM1", first.body, Delivery.DELIVERED, None)]
        going = Outgoing(first.town_id, first.id, str(first.phone), first.body, first.claim_id, 1)
        receipts.resolve_unknown(current, going, seen, clock.now())

    monkeypatch.setattr(services, "_know_again", named_meanwhile)
    run(check, session)
    assert (first.sid, second.sid) == ("SM1", "SM2")
    assert queries.strange(session, check).messages == 0


def test_a_message_that_somebody_holds_is_left_to_the_next_step(
    session: Session, texting: Texting, carrier: PlainList, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for one message while holding others: two that wait for each other would be ended by the database."""
    one = texting.message(texting.person())
    carrier.sent = [told(one, "SM1", clock.now() - MINUTE)]
    asked: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.extend([statement] if "FOR UPDATE" in statement and "FROM message " in statement else [])

    event.listen(session.get_bind(), "before_cursor_execute", listen)
    try:
        run(restored(session), session)
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", listen)
    assert one.sid == "SM1"
    assert asked
    assert all("ORDER BY message.id" in statement and "SKIP LOCKED" in statement for statement in asked)


def test_a_no_that_was_written_after_the_backup_counts(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    refuses, asks = texting.person(), texting.person()
    waits = texting.message(refuses)
    moment = clock.now() - 20 * MINUTE
    carrier.written = [
        Written("SMno", str(refuses.phone), "TU CHOI", moment),
        Written("SMask", str(asks.phone), "May gio thi den?", moment),
    ]
    check = run(restored(session), session)
    assert check.told == 0, "these are not messages of ours"
    assert waits.state is Delivery.CANCELLED
    said = consents_of(session, check.town_id, str(refuses.phone))
    assert {(one.given, one.at) for one in said.values()} == {(False, moment)}
    assert consents_of(session, check.town_id, str(asks.phone))[Purpose.SERVICE].given
    assert set(session.scalars(select(Inbound.sid))) == {"SMno", "SMask"}
    page = signed_in(Role.ORGANISER).get("/messages/restored").text
    assert "có 1 số đã nhắn từ chối" in page


def test_a_no_before_a_later_yes_keeps_its_moment_and_calls_nothing_off(
    session: Session, texting: Texting, carrier: PlainList
) -> None:
    person = texting.person()
    phone = str(person.phone)
    of_service, of_promotion = (
        texting.message(person, purpose=one, body="[QC] Moi ba Hoa") for one in (Purpose.SERVICE, Purpose.PROMOTION)
    )
    no, yes = clock.now() - 20 * MINUTE, clock.now() - 10 * MINUTE
    texting.says(phone, True, Purpose.SERVICE, at=yes)
    carrier.written = [Written("SMno", phone, "TU CHOI", no)]
    check = run(restored(session), session)
    said = consents_of(session, check.town_id, phone)
    assert {purpose: (one.given, one.at) for purpose, one in said.items()} == {
        Purpose.SERVICE: (True, yes),
        Purpose.PROMOTION: (False, no),
    }
    kept = session.scalars(select(Consent).where(Consent.phone == phone, Consent.given.is_(False))).all()
    assert {(one.purpose, one.at) for one in kept} == {(Purpose.SERVICE, no), (Purpose.PROMOTION, no)}
    assert of_service.state is not Delivery.CANCELLED
    assert of_promotion.state is Delivery.CANCELLED


def test_a_later_no_counts_from_its_own_moment_beside_the_same_no_before(
    session: Session, texting: Texting, carrier: PlainList
) -> None:
    person = texting.person()
    phone, late, early = str(person.phone), clock.now() - 10 * MINUTE, clock.now() - 20 * MINUTE
    carrier.written = [Written("SMlate", phone, "TU CHOI", late), Written("SMearly", phone, "TU CHOI", early)]
    check = run(restored(session), session)
    moments = select(Consent.at).where(Consent.phone == phone, Consent.given.is_(False))
    assert set(session.scalars(moments)) == {early, late}
    assert {one.at for one in consents_of(session, check.town_id, phone).values()} == {late}


def test_no_confirmation_is_kept_of_a_no_that_the_carrier_tells_of_later(
    session: Session, texting: Texting, carrier: PlainList
) -> None:
    person = texting.person()
    carrier.written = [Written("SMno", str(person.phone), "TU CHOI", clock.now() - 20 * MINUTE)]
    check = run(restored(session), session)
    assert not consents_of(session, check.town_id, str(person.phone))[Purpose.SERVICE].given
    assert session.scalars(select(AutoAnswer)).all() == []


def test_what_has_left_altogether_and_long_lists_are_folded(
    session: Session, texting: Texting, carrier: PlainList, signed_in: Callable[..., FlaskClient]
) -> None:
    gone = texting.message(texting.person(), body="Hen gap ba Lan")
    for n in range(7):
        texting.message(texting.person(), body=f"Hen ba {n}")
    known = texting.message(texting.person(), body="Da gui", state=Delivery.DELIVERED, sid="SMknown")
    at = clock.now() - MINUTE
    strange = [ToldMessage(f"SM{n}", f"+8491200010{n}", "Tin moi", Delivery.SENT, None, at) for n in range(7)]
    carrier.sent = [told(gone, "SMgone", at), told(known, "SMknown", at), *strange]
    run(restored(session), session)
    page = " ".join(signed_in(Role.ORGANISER).get("/messages/restored").text.split())
    folds = re.findall(r'<details class="fold[^"]*"><summary>([^<]*)</summary>(.*?)</details>', page)
    assert [words for words, _rows in folds] == [
        "Và 2 nhóm tin khác còn chờ",
        "2 nhóm tin đã gửi hết",
        "Xem 7 tin",
    ]
    assert "Hen gap ba Lan" in folds[1][1]
    assert [rows.count('<th scope="row"') for _words, rows in folds] == [2, 2, 7]
    assert page.count('<th scope="row"') == 5 + 2 + 2 + 7
    figures = re.findall(r'class="figure-number">([^<]*)<', page)
    assert figures == ["9", "1", "1", "7", "7"], "on the list: known, settled and unknown make up the whole"
