"""Whoever registers in English is written to in English, from the confirmation to the end of their help."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import Message
from crm.db import db
from crm.mail.models import Email
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import record_consent
from crm.reminders.linking import services as linking
from crm.sponsors import services
from crm.sponsors.cliff import services as cliff
from crm.sponsors.giving.services import reminding
from crm.sponsors.giving.showing import links
from crm.sponsors.models import Pledge, Sponsor
from tests.factories import Make
from tests.sponsors.giving.test_registering import ACCOUNT, GIVES, Browser, link_in
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

MOBILE = "+84912345678"


def latest(session: Session, occasion: str) -> Email:
    query = select(Email).where(Email.occasion.like(f"{occasion}:%")).order_by(Email.id.desc()).limit(1)
    return session.scalars(query).one()


def test_every_letter_to_who_registered_in_english_is_in_english(
    client: FlaskClient, session: Session, make: Make
) -> None:
    services.set_fund_account(session, ACCOUNT)
    client.get("/language/en")
    assert client.post("/sponsor", data=GIVES | {"frequency": "monthly"}).status_code == 303
    asked = latest(session, "confirm")
    assert asked.subject == "Please confirm your contribution"
    client.post(link_in(session))
    by, made = session.scalars(select(Sponsor)).one(), session.scalars(select(Pledge)).one()
    assert by.language == "en"
    assert latest(session, "confirmed").subject == "Thank you for your promise"
    for day in range(15):
        on = date.fromordinal(TODAY.toordinal() + day)
        reminding.remind(db.session(), by.town_id, links=links(), today=on, at=clock.at(on, 8))
    reminder = latest(session, "instalment")
    assert "215,600 đ" in (reminder.body or "").replace("\xa0", " ")
    assert "has not arrived yet" in (reminder.body or "")
    assert made.code in (reminder.body or "")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=6)
    january = date(2020, 1, 2)
    cliff.tell(session, by.town_id, links=links(), today=january, at=clock.at(january, 4))
    assert latest(session, "cliff").subject == "Your help ends after 3/2020: would you like to go on?"


def test_staff_who_confirm_by_telephone_in_vietnamese_do_not_change_it(
    client: FlaskClient, signed_in: Browser, session: Session
) -> None:
    client.get("/language/en")
    client.post("/sponsor", data=GIVES)
    client.get("/language/vi")
    treasurer = signed_in(Role.TREASURER)
    [row] = [one for one in treasurer.get("/sponsors/registrations").text.split('"') if "/registrations/" in one]
    assert treasurer.post(f"{row}/confirm", data={"joined": "new"}).status_code == 200
    assert latest(session, "confirmed").subject == "Thank you for your promise"


def test_texts_follow_the_language_too(client: FlaskClient, session: Session, make: Make) -> None:
    client.get("/language/en")
    phone_only = {name: value for name, value in GIVES.items() if name != "email"} | {"phone": "0912345678"}
    client.post("/sponsor", data=phone_only)
    at = clock.at(TODAY, 9)
    assert linking.text_links(session, make.town.id, links=links(), at=at) == 1
    assert "was registered with this number" in session.scalars(select(Message.body)).one()
    by = sponsor(make, "Mrs Hien", phone="0912345679", language="en")
    receive(by, 9 * A_MONTH)
    allocate(by, poor(make), months=3)
    agreed = {"given": True, "channel": ConsentChannel.PHONE_CALL, "words": None, "at": at, "by": make.user()}
    record_consent(session, make.town.id, "+84912345679", Purpose.SERVICE, **agreed)
    later = clock.at(date(2019, 12, 20), 9)
    cliff.tell(session, make.town.id, links=links(), today=later.date(), at=later)
    assert linking.text_endings(session, make.town.id, links=links(), at=later) == 1
    assert "Look, and go on" in session.scalars(select(Message.body).where(Message.phone == "+84912345679")).one()


def test_their_pages_open_in_their_language_unless_they_chose_another(
    client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make, language="en")
    token = services.renew_page(session, by)
    assert 'lang="en"' in client.get(f"/s/{token}").text
    client.get("/language/vi")
    assert 'lang="vi"' in client.get(f"/s/{token}").text


def test_staff_put_the_language_right_and_it_is_kept(signed_in: Browser, session: Session, make: Make) -> None:
    by = sponsor(make)
    treasurer = signed_in(Role.TREASURER)
    known = {"name": by.name, "kind": "company", "language": "en"}
    assert treasurer.post(f"/sponsors/{by.id}/edit", data=known).status_code == 303
    assert by.language == "en"
    assert "Tiếng Việt → Tiếng Anh" in treasurer.get(f"/sponsors/{by.id}/edit").text
