"""Whoever registers a contribution with a mobile number alone gets the link as one text, and nothing else follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.campaigns.models import Message
from crm.campaigns.queries import may_leave, may_still_go, moment_given
from crm.campaigns.rules.texts import size
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import record_consent
from crm.reminders.linking import services
from crm.sponsors.cliff.queries import to_tell
from crm.sponsors.cliff.services import tell
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import Registration
from crm.sponsors.models import Pledge, Sponsor
from tasks import linking as tasks
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, LONG_AGO, allocate, poor, receive, sponsor

LINKS = Links("https://an-sinh.example", "a secret")
MOBILE = "0912345678"
NINE = clock.at(date(2019, 10, 15), 9)


def register(client: FlaskClient, phone: str = MOBILE) -> str:
    sent = {
        "way": "amount",
        "amount": "500000",
        "kind": "person",
        "name": "Bà Hiền",
        "phone": phone,
        "frequency": "once",
    }
    answer = client.post("/sponsor", data=sent)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def text(session: Session, make: Make, at: object = NINE) -> int:
    return services.text_links(session, make.town.id, links=LINKS, at=at)  # type: ignore[arg-type]


def test_the_link_is_texted_once_and_confirms(client: FlaskClient, session: Session, make: Make) -> None:
    where = register(client)
    page = client.get(where).text
    assert "nhắn" in page
    assert "***" in page or "•" in page or MOBILE not in page
    assert (text(session, make), text(session, make)) == (1, 0)
    (message,) = session.scalars(select(Message)).all()
    assert message.body.isascii()
    assert size(message.body).segments <= 2
    [link] = re.findall(r"/sponsor/confirm/[\w-]+", message.body)
    assert client.get(link).status_code == 200
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0, "looking confirms nothing"
    assert client.post(link).status_code == 303
    (made,) = session.scalars(select(Sponsor)).all()
    assert made.phone == "+84912345678"
    assert session.scalar(select(func.count()).select_from(Consent)) == 0, "it agrees to nothing else"


def test_it_may_leave_although_the_number_was_never_asked_and_not_once_it_said_no(
    client: FlaskClient, session: Session, make: Make
) -> None:
    register(client)
    assert text(session, make) == 1
    later = NINE + timedelta(minutes=1)
    assert len(session.execute(may_leave(later)).all()) == 1
    going = select(func.count()).select_from(Message).where(*may_still_go())
    assert session.scalar(going, moment_given(later)) == 1
    say_no(session, make)
    assert session.execute(may_leave(later)).all() == []


def say_no(session: Session, make: Make) -> None:
    session.add(
        Consent(
            town_id=make.town.id,
            phone="+84912345678",
            purpose=Purpose.SERVICE,
            given=False,
            channel=ConsentChannel.LINK,
            at=clock.now(),
            recorded_at=clock.now(),
        )
    )
    session.flush()


@pytest.mark.parametrize("phone", ["02373824567", MOBILE])
def test_a_landline_and_who_said_no_are_called(client: FlaskClient, session: Session, make: Make, phone: str) -> None:
    if phone == MOBILE:
        say_no(session, make)
    register(client, phone)
    assert text(session, make) == 0
    assert session.scalars(select(Registration.links)).all() == [0]


def test_nobodys_telephone_is_filled_through_our_page(client: FlaskClient, session: Session, make: Make) -> None:
    for _ in range(3):
        register(client)
    assert text(session, make) == 1, "one a day"
    assert text(session, make, NINE + timedelta(hours=23)) == 1
    assert text(session, make, NINE + timedelta(hours=23)) == 0, "two a month"
    assert text(session, make, NINE + timedelta(days=2)) == 0


def test_whoever_confirms_by_text_joins_the_sponsor_with_that_number(
    client: FlaskClient, session: Session, make: Make
) -> None:
    known = sponsor(make, "Bà Hiền", phone=MOBILE)
    register(client)
    text(session, make)
    [link] = re.findall(r"/sponsor/confirm/[\w-]+", session.scalars(select(Message.body)).one())
    client.post(link)
    assert session.scalars(select(Pledge.sponsor_id)).all() == [known.id]


def test_the_task_may_run_twice(client: FlaskClient, session: Session, at_time: Callable[..., None]) -> None:
    register(client)
    tasks.text_links.run()
    tasks.text_links.run()
    assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_a_sponsor_without_an_email_is_texted_once_that_their_help_ends_if_they_agreed(
    session: Session, make: Make
) -> None:
    agreed, never_asked = sponsor(make, "Bà Hiền", phone=MOBILE), sponsor(make, "Ông Tư", phone="0912345679")
    for by, reference in ((agreed, "FT1"), (never_asked, "FT2")):
        receive(by, 9 * A_MONTH, reference)
        allocate(by, poor(make, f"Người {reference}"), months=3, at=LONG_AGO)
    record_consent(
        session,
        make.town.id,
        "+84912345678",
        Purpose.SERVICE,
        given=True,
        channel=ConsentChannel.PHONE_CALL,
        words=None,
        at=NINE,
        by=make.user(),
    )
    tell(session, make.town.id, links=LINKS, today=NINE.date(), at=NINE)
    done = [services.text_endings(session, make.town.id, links=LINKS, at=NINE) for _turn in range(2)]
    assert done == [1, 0]
    (message,) = session.scalars(select(Message)).all()
    assert message.phone == "+84912345678"
    assert LINKS.renewing(agreed.id) in message.body
    assert size(message.body).segments <= 2
    assert [one.sponsor.id for one in to_tell(session, make.town.id, NINE.date())] == [never_asked.id]
