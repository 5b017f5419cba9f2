"""Answers: kept once, given to whoever knows the person, replied to once, and no two machines talking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.inbox import queries, services
from crm.campaigns.inbox.models import AutoAnswer, Conversation
from crm.campaigns.inbox.rules import Talk
from crm.campaigns.models import Inbound, Message
from crm.campaigns.rules.answers import Meaning, meaning_of
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.services import dispatching
from crm.campaigns.templating.services import add_template
from crm.errors import Conflict, RuleBroken
from crm.places.queries import units
from crm.prospects.models import Prospect
from crm.prospects.rules import Purpose
from crm.prospects.services.consent import refusal_of
from tests.campaigns.conftest import PUBLIC_URL, Texting

TEN = clock.at(date(2019, 10, 15), 10)
HOUR = timedelta(hours=1)


def writes(session: Session, person: Prospect, body: str, at: Any = TEN, sid: str | None = None) -> str | None:
    key = sid or f"SM{body}{at}"
    return services.take_in(session, person.town_id, sid=key, phone=str(person.phone), body=body, at=at)


def talk_of(session: Session, person: Prospect) -> Conversation:
    session.expire_all()
    return session.scalars(select(Conversation).where(Conversation.phone == person.phone)).one()


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("STOP", Meaning.NO),
        (" stop. ", Meaning.NO),
        ("Từ chối", Meaning.NO),
        ("TU  CHOI", Meaning.NO),
        ("tư chôi nhận tin", Meaning.NO),
        ("HỦY", Meaning.NO),
        ("hủy", Meaning.NO),
        ("Dừng", Meaning.NO),
        ("dung", Meaning.NO),
        ("đúng", Meaning.WORDS),
        ("Đúng rồi", Meaning.WORDS),
        ("Dũng", Meaning.WORDS),
        ("đồng ý", Meaning.AGAIN),
        ("START", Meaning.AGAIN),
        ("Tự động trả lời: tôi đang lái xe", Meaning.MACHINE),
        ("Hen gap ba Hoa", Meaning.MACHINE),
        ("Từ chối vì tôi có rồi", Meaning.WORDS),
        ("", Meaning.WORDS),
    ],
)
def test_what_an_answer_means(body: str, meaning: Meaning) -> None:
    assert meaning_of(body, "Hẹn gặp bà Hoa") is meaning


def test_a_refusal_counts_once_and_is_confirmed_with_its_time(session: Session, texting: Texting) -> None:
    person = texting.person()
    confirmed = writes(session, person, "Từ chối", sid="SM1")
    assert confirmed is not None
    assert "10:00 15/10/2019" in confirmed
    assert confirmed.isascii()
    assert writes(session, person, "Từ chối", sid="SM1") is None
    assert writes(session, person, "Từ chối", TEN + HOUR, "SM2") is None
    assert refusal_of(session, person.town_id, str(person.phone), Purpose.SERVICE) is not None
    assert session.scalar(select(func.count()).select_from(AutoAnswer)) == 1
    assert talk_of(session, person).state is Talk.DONE


def test_two_machines_do_not_talk_on(session: Session, texting: Texting) -> None:
    person = texting.person()
    answers = [writes(session, person, body, TEN + HOUR * n) for n, body in enumerate(["STOP", "Đã nhận", "STOP"])]
    assert [answer is not None for answer in answers] == [True, False, False]
    texting.says(str(person.phone), True, Purpose.SERVICE, at=TEN + HOUR * 3)
    assert writes(session, person, "STOP", TEN + HOUR * 4) is None
    assert refusal_of(session, person.town_id, str(person.phone), Purpose.SERVICE) is not None


def test_a_machines_words_open_no_conversation(session: Session, texting: Texting) -> None:
    person = texting.person()
    writes(session, person, "Tự động trả lời: đang họp")
    assert talk_of(session, person).state is Talk.DONE


def test_words_wait_for_the_volunteer_who_knows_the_person(session: Session, texting: Texting) -> None:
    volunteer = texting.make.user(Role.VOLUNTEER)
    person = texting.person(volunteer_id=volunteer.id)
    sent = texting.sending(person)
    writes(session, person, "Cô cho hỏi đóng ở đâu")
    talk = talk_of(session, person)
    assert (talk.state, talk.assigned_to_id) == (Talk.OPEN, volunteer.id)
    assert session.get_one(Inbound, (talk.town_id, talk.latest_id)).message_id == sent.id


def test_a_wish_for_messages_again_is_read_by_a_person(session: Session, texting: Texting) -> None:
    person = texting.person()
    writes(session, person, "STOP")
    writes(session, person, "Đồng ý", TEN + HOUR)
    assert talk_of(session, person).state is Talk.OPEN
    assert refusal_of(session, person.town_id, str(person.phone), Purpose.SERVICE) is not None


def test_a_reply_leaves_once_and_by_the_rules(session: Session, texting: Texting) -> None:
    person, by = texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960), texting.make.user(Role.ORGANISER)
    writes(session, person, "Đóng ở đâu?")
    talk = talk_of(session, person)
    night = clock.at(date(2019, 10, 15), 22, 30)
    asked: Any = {"by": by, "at": night, "public_url": PUBLIC_URL}
    message = services.reply(session, talk, person, "Mời {xung_ho} {ten} tới phường", **asked)
    assert message.body == "Moi ba Hoa toi phuong"
    assert talk.state is Talk.DONE
    assert message.id not in [one.id for one in dispatching.claim(session, at_most=9, at=night)]
    assert message.id in [one.id for one in dispatching.claim(session, at_most=9, at=night + 9 * HOUR)]
    with pytest.raises(Conflict):
        services.reply(session, talk, person, "Lần nữa", **asked)


def test_only_templates_that_an_answer_can_fill_are_offered_and_their_whole_words_are_sent(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    by = texting.make.user(Role.ORGANISER)
    words = f"Mời {{xung_ho}} {{ten}} tới nhà văn hóa. {'Xin cảm ơn. ' * 9}Từ chối: {{tu_choi}}"
    made: Any = {"purpose": Purpose.SERVICE, "by_id": by.id, "at": TEN}
    fits = add_template(session, by.town_id, name="Mời đến", text=words, **made)
    add_template(session, by.town_id, name="Của phường", text="Mời {xung_ho} {ten} tới {phuong}", **made)
    person = texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960)
    writes(session, person, "Đóng ở đâu?")
    talk, browser = talk_of(session, person), signed_in(by)
    page = browser.get(f"/answers/{talk.id}").text
    assert f'data-template="{fits.id}">{words}<' in page
    assert "Của phường" not in page
    assert browser.post(f"/answers/{talk.id}/reply", data={"template": str(fits.id)}).status_code == 303
    body = session.scalars(select(Message.body).where(Message.reply_to_id.is_not(None))).one()
    assert body.startswith("Moi ba Hoa toi nha van hoa. Xin cam on.")
    assert f"Tu choi: {PUBLIC_URL}/o/" in body


def test_an_answer_that_names_what_it_cannot_fill_says_so_on_the_form(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person = texting.person()
    writes(session, person, "Đóng ở đâu?")
    talk = talk_of(session, person)
    answer = signed_in(Role.ORGANISER).post(f"/answers/{talk.id}/reply", data={"words": "Đóng {so_tien} ở {phuong}"})
    assert answer.status_code == 422
    assert "{so_tien}" in answer.text.split("error-summary")[1][:600]


def test_two_of_one_name_are_told_apart_when_a_conversation_is_handed_on(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    town_id, today = texting.make.town.id, clock.today()
    places = session.scalars(units(town_id, today)).all()[:2]
    for place in places:
        texting.make.user(Role.VOLUNTEER, full_name="Phạm Thị Hòa", place_id=place.id)
    person = texting.person()
    writes(session, person, "Tôi muốn hỏi thêm")
    page = signed_in(Role.ORGANISER).get(f"/answers/{talk_of(session, person).id}").text
    for place in places:
        assert f">Phạm Thị Hòa · {place.name}</option>" in page


def test_whoever_refused_is_not_replied_to(session: Session, texting: Texting) -> None:
    person, by = texting.person(), texting.make.user(Role.ORGANISER)
    writes(session, person, "STOP")
    with pytest.raises(RuleBroken):
        services.reply(session, talk_of(session, person), person, "Xin lỗi", public_url=PUBLIC_URL, by=by, at=TEN)


def test_a_number_that_was_never_texted_still_comes_in(session: Session, texting: Texting) -> None:
    assert queries.town_of(session, "+84912999888") == texting.make.town.id


def test_everybody_of_a_shared_number_has_the_answer_on_their_page(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    phone = texting.make.phone()
    one, other = texting.person("Nguyễn Thị Hoa", phone=phone), texting.person("Trần Văn Nam", phone=phone)
    writes(session, one, "Nhà tôi hỏi thêm")
    browser = signed_in(Role.MANAGER)
    for person in (one, other):
        assert "Nhà tôi hỏi thêm" in browser.get(f"/people/{person.id}").text
    page = browser.get("/answers").text
    assert "Nhà tôi hỏi thêm" in page
    assert "và 1 người khác" in page


def test_the_inbox_from_the_first_look_to_done(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    volunteer = texting.make.user(Role.VOLUNTEER)
    person = texting.person()
    writes(session, person, "Tôi muốn hỏi thêm")
    talk, browser = talk_of(session, person), signed_in(Role.ORGANISER)
    assert "Tôi muốn hỏi thêm" in browser.get("/answers").text
    assert signed_in(volunteer).get(f"/answers/{talk.id}").status_code == 404
    assert browser.post(f"/answers/{talk.id}/give", data={"to": str(volunteer.id)}).status_code == 303
    theirs = signed_in(volunteer)
    page = theirs.get(f"/answers/{talk.id}").text
    assert "Tôi muốn hỏi thêm" in page
    assert person.full_name not in page
    assert "Tôi muốn hỏi thêm" in theirs.get("/answers?mine=1").text
    answer = theirs.post(f"/answers/{talk.id}/reply", data={"words": ""})
    assert answer.status_code == 422
    assert theirs.post(f"/answers/{talk.id}/reply", data={"words": "Mai cháu qua"}).status_code == 303
    assert theirs.post(f"/answers/{talk.id}/reply", data={"words": "Lần nữa"}).status_code in (409, 422)
    assert session.scalar(select(func.count()).select_from(Message).where(Message.reply_to_id.is_not(None))) == 1
    for _twice in range(2):
        assert theirs.post(f"/answers/{talk.id}/done").status_code == 303
    assert theirs.post(f"/answers/{talk.id}/open").status_code == 303
    assert talk_of(session, person).state is Talk.OPEN
    assert theirs.post(f"/answers/{talk.id}/give", data={"to": "nobody"}).status_code == 422
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get(f"/answers/{talk.id}").status_code == 200
    assert auditor.post(f"/answers/{talk.id}/done").status_code == 403
    assert session.scalar(select(Message.state).where(Message.reply_to_id.is_not(None))) is Delivery.QUEUED
