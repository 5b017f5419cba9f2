"""Months go by: whose help ends is told to all four in time, and nobody drops out because a row expired unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config import Settings
from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.campaigns.rules.texts import size, unaccented
from crm.errors import Conflict
from crm.mail.models import Email
from crm.mail.rules import MailState
from crm.months import Month
from crm.participation.models import Participation
from crm.premiums.models import LocalTopUpRow
from crm.prospects.merging.services.joining import merge
from crm.prospects.models import Standing
from crm.prospects.rules import Ground, Stage
from crm.safekeeping.commands.doctor import CHECKS
from crm.sponsors import services as money
from crm.sponsors.cliff import agreed, checking, queries, services, writing
from crm.sponsors.cliff.models import CliffNotice, LeftRenewal, PledgeRenewal
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.services.scheduling import end as end_pledge
from crm.sponsors.matching.models import FundingLine, FundingProposal
from crm.sponsors.matching.reading import read
from crm.sponsors.matching.rules.needs import Terms
from crm.sponsors.matching.rules.planning import propose
from crm.sponsors.matching.services import make as make_proposal
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import near_end
from crm.sponsors.rules import FundAccount
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, LONG_AGO, TODAY, allocate, pay, poor, receive, sponsor

Browser = Callable[..., FlaskClient]
LINKS = Links("https://an-sinh.example", "a secret")
FIRST_OF = [date(2019, month, 1) for month in (10, 11, 12)] + [date(2020, month, 1) for month in range(1, 7)]


def night(session: Session, make: Make, day: date) -> int:
    return services.tell(session, make.town.id, links=LINKS, today=day, at=clock.at(day, 4))


def meant_for(session: Session, pledge: Pledge) -> list[PledgeRenewal]:
    """Whom a promise is meant for."""
    query = select(PledgeRenewal).where(PledgeRenewal.town_id == pledge.town_id, PledgeRenewal.pledge_id == pledge.id)
    return list(session.scalars(query.order_by(PledgeRenewal.start_month, PledgeRenewal.prospect_id)))


def letters(session: Session) -> list[Email]:
    return list(session.scalars(select(Email).where(Email.occasion.like("cliff:%")).order_by(Email.made_at)))


def test_month_by_month_the_end_is_told_once_and_three_months_ahead(session: Session, make: Make) -> None:
    by = sponsor(make, email="giam.doc@daxanh.example", contact_name="Ông Tráng")
    receive(by, 20 * A_MONTH)
    volunteer = make.user(Role.VOLUNTEER)
    allocate(by, poor(make, volunteer_id=volunteer.id), months=6)
    told = {str(Month.of(day)): night(session, make, day) + night(session, make, day) for day in FIRST_OF[:6]}
    assert told == {"2019-10": 0, "2019-11": 0, "2019-12": 0, "2020-01": 1, "2020-02": 0, "2020-03": 0}
    (letter,) = letters(session)
    assert letter.recipient == "giam.doc@daxanh.example"
    assert "3/2020" in (letter.body or "")
    assert LINKS.renewing(by.id) in (letter.body or "")
    assert "Nghèo" not in (letter.body or ""), "nobody is named"


def test_a_night_that_was_missed_is_made_up_for(session: Session, make: Make) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=6)
    assert checking.overlooked(session, date(2020, 3, 31))
    assert night(session, make, date(2020, 3, 31)) == 1
    assert not checking.overlooked(session, date(2020, 3, 31))


def test_people_of_one_sponsor_are_in_one_letter(session: Session, make: Make) -> None:
    by, other = sponsor(make, email="a@b.vn"), sponsor(make, "Bà Hiền")
    receive(by, 20 * A_MONTH)
    receive(other, 20 * A_MONTH, "FT2")
    for name in ("Lê Thị Một", "Lê Thị Hai"):
        allocate(by, poor(make, name), months=3, at=LONG_AGO)
    allocate(other, poor(make, "Lê Thị Ba"), months=3, at=LONG_AGO)
    assert night(session, make, TODAY) == 3
    assert len(letters(session)) == 1
    assert session.scalar(select(func.count()).where(CliffNotice.email_id.is_(None))) == 1


def test_who_is_found_after_the_letter_of_the_day_is_told_in_the_next(session: Session, make: Make) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make, "Lê Thị Một"), months=3, at=LONG_AGO)
    assert night(session, make, TODAY) == 1
    allocate(by, poor(make, "Lê Thị Hai"), months=3, at=LONG_AGO)
    assert night(session, make, TODAY) == 0
    assert night(session, make, date(2019, 10, 16)) == 1
    assert len(letters(session)) == 2
    assert not session.scalar(select(func.count()).where(CliffNotice.email_id.is_(None)))


@pytest.mark.parametrize("state", [MailState.REFUSED, MailState.EXPIRED])
def test_a_sponsor_whose_letter_came_back_is_called(session: Session, make: Make, state: MailState) -> None:
    by = sponsor(make, email="a@b.vn", phone="0912345678")
    receive(by, 20 * A_MONTH)
    person = poor(make)
    allocate(by, person, months=3, at=LONG_AGO)
    night(session, make, TODAY)
    assert queries.to_tell(session, make.town.id, TODAY) == []
    assert queries.left_alone(session, make.town.id, TODAY) == []
    (letter,) = letters(session)
    letter.state, letter.settled_at = state, clock.now()
    session.flush()
    assert [one.sponsor.id for one in queries.to_tell(session, make.town.id, TODAY)] == [by.id]
    assert queries.left_alone(session, make.town.id, TODAY) == [person.id]
    services.told(session, by, by_id=make.user(Role.TREASURER).id, today=TODAY, at=clock.now())
    assert queries.to_tell(session, make.town.id, TODAY) == []
    assert queries.left_alone(session, make.town.id, TODAY) == []


def test_of_whom_nobody_knows_the_check_says_so_until_one_of_the_four_does(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    person = poor(make)
    allocate(by, person, months=3, at=LONG_AGO)
    night(session, make, TODAY)
    scope = scope_of(session, make.user(Role.TREASURER))
    assert queries.left_alone(session, make.town.id, TODAY) == [person.id]
    assert str(person.id) in checking.overlooked(session, TODAY)[0]
    assert queries.ahead(session, scope, TODAY) == (1, Month(2019, 12), 1)
    person.volunteer_id = make.user(Role.VOLUNTEER).id
    session.flush()
    assert queries.left_alone(session, make.town.id, TODAY) == []
    person.volunteer_id, person.last_contact_at = None, clock.at(date(2019, 10, 3), 9)
    session.flush()
    assert queries.left_alone(session, make.town.id, TODAY) == [], "the person heard it"
    person.last_contact_at = clock.at(date(2019, 9, 30), 9)
    session.flush()
    assert queries.left_alone(session, make.town.id, TODAY) == [person.id], "that was before it was three months ahead"
    services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    assert queries.left_alone(session, make.town.id, TODAY) == []


def test_the_doctor_says_it(settings: Settings, session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    person = poor(make, volunteer_id=make.user(Role.VOLUNTEER).id)
    assert CHECKS["help that ends"](settings)[0]
    allocate(by, person, months=1)
    assert CHECKS["help that ends"](settings)[0], "the coming night sees it"
    clock.move(lambda: clock.at(date(2019, 10, 24), 9) - datetime.now(UTC))
    fine, words = CHECKS["help that ends"](settings)
    assert not fine
    assert "1 people" in words


def test_whom_no_letter_reaches_is_on_the_list_until_somebody_called(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, written_to = sponsor(make, "Bà Hiền", phone="0912345678"), sponsor(make, email="giam.doc@daxanh.example")
    for one, reference in ((by, "FT1"), (written_to, "FT2")):
        receive(one, 9 * A_MONTH, reference)
        allocate(one, poor(make, f"Người {reference}"), months=3, at=LONG_AGO)
    treasurer = signed_in(Role.TREASURER)
    assert "0912 345 678" not in treasurer.get("/sponsors/ending").text, "before the night nobody is to be called"
    night(session, make, TODAY)
    page = treasurer.get("/sponsors/ending").text
    assert "0912 345 678" in page
    assert page.count("/called") == 1, "whoever has a letter is not to be called"
    assert signed_in(Role.AUDITOR).post(f"/sponsors/ending/{by.id}/called").status_code == 403
    treasurer = signed_in(Role.TREASURER)
    for _turn in range(2):
        assert treasurer.post(f"/sponsors/ending/{by.id}/called").status_code == 303
    notice = session.scalars(select(CliffNotice).where(CliffNotice.sponsor_id == by.id)).one()
    assert notice.told_by_id is not None
    assert queries.to_tell(session, make.town.id, TODAY) == []
    assert queries.left_alone(session, make.town.id, TODAY) == []


def test_a_renewal_is_the_same_people_for_as_many_months_again_and_one_promise(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    one, other = poor(make, "Lê Thị Một"), poor(make, "Lê Thị Hai")
    allocate(by, one, months=3, at=LONG_AGO)
    allocate(by, other, months=6)
    made = services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    again = services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    assert made.id == again.id
    assert made.amount == 3 * A_MONTH
    (meant,) = meant_for(session, made)
    assert (meant.prospect_id, meant.start_month, meant.months) == (one.id, date(2020, 1, 1), 3)
    later = services.renew(session, by, by_id=None, on=date(2020, 1, 5), at=clock.at(date(2020, 1, 5), 9))
    assert [row.prospect_id for row in meant_for(session, later)] == [other.id], "who came near only then"


def test_an_ended_renewal_can_be_promised_anew_and_nobody_near_is_refused(session: Session, make: Make) -> None:
    by = sponsor(make)
    with pytest.raises(Conflict):
        services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    made = services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    end_pledge(session, made, reason="Đổi ý", by_id=None, on=TODAY, at=clock.now())
    assert services.renew(session, by, by_id=None, on=TODAY, at=clock.now()).id != made.id


def test_money_that_came_in_on_a_renewal_goes_on_with_its_people_first(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 3 * A_MONTH)
    person = poor(make)
    allocate(by, person, months=3, at=LONG_AGO)
    made = services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    assert queries.renewed_by(session, make.town.id) == {}
    money.receive(session, by, made.amount, reference="FT9", pledge=made, by_id=None, on=TODAY, at=clock.now())
    assert queries.renewed_by(session, make.town.id) == {person.id: by.id}
    (need,) = read(session, make.town.id, TODAY, Terms(past_certificate=True)).needs
    assert (need.person_id, need.carried_by, need.start) == (person.id, by.id, Month(2020, 1))


# ---- pages


def link_of(app: Flask, by: Sponsor) -> str:
    return "/sponsor/renew/" + Links("", app.config["SECRET_KEY"]).renew_token(by.id)


def test_looking_promises_nothing_and_one_tap_leads_to_the_qr(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    money.set_fund_account(session, FundAccount("970405", "3500201001234", "Quỹ Vì người nghèo"))
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make, "Lê Thị Kín"), months=3, at=LONG_AGO)
    address = link_of(app, by)
    page = client.get(address)
    assert page.status_code == 200
    assert "Lê Thị Kín" not in page.text
    assert "1.832.600" in page.text.replace("\xa0", " "), "what is left of their gift comes first"
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0
    sent = client.post(address)
    assert sent.status_code == 303
    assert "323.400" in client.get(sent.location).text.replace("\xa0", " ")
    assert client.post(address).location == sent.location
    assert session.scalar(select(func.count()).select_from(Pledge)) == 1
    assert session.scalar(select(func.count()).select_from(PledgeRenewal)) == 1


def test_no_other_token_opens_it(app: Flask, client: FlaskClient, make: Make) -> None:
    by = sponsor(make)
    address = link_of(app, by)
    pay = Links("", app.config["SECRET_KEY"]).pay_token(by.id)
    for wrong in (address[:-1], address + "x", "/sponsor/renew/x", f"/sponsor/renew/{by.id}", f"/sponsor/renew/{pay}"):
        assert client.get(wrong).status_code == 404
        assert client.post(wrong).status_code == 404
    assert client.get(address).status_code == 200, "nobody ends: it says so"
    assert client.post(address).status_code == 303


def test_the_private_page_offers_it(client: FlaskClient, session: Session, make: Make) -> None:
    by = sponsor(make)
    token = money.renew_page(session, by)
    receive(by, 20 * A_MONTH)
    assert 'id="renew"' not in client.get(f"/s/{token}").text
    allocate(by, poor(make), months=3, at=LONG_AGO)
    page = client.get(f"/s/{token}").text
    assert 'id="renew"' in page
    assert "Dùng phần còn lại" in page


def test_a_treasurer_sees_who_knows_and_asks_for_a_proposal(signed_in: Browser, session: Session, make: Make) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    browser = signed_in(Role.TREASURER)
    assert "chưa ai" in browser.get("/sponsors/ending").text
    night(session, make, TODAY)
    assert "nhà hỗ trợ" in browser.get("/sponsors/ending").text
    assert "/sponsors/proposals/" in browser.post("/sponsors/ending/propose").location


def test_the_office_promises_for_a_sponsor_who_said_yes_once(signed_in: Browser, session: Session, make: Make) -> None:
    by, quiet = sponsor(make, email="a@b.vn"), sponsor(make, "Hội Khác")
    receive(by, 20 * A_MONTH)
    for number in range(7):
        allocate(by, poor(make, f"Lê Số {number}"), months=1, at=LONG_AGO)
    treasurer, auditor = signed_in(Role.TREASURER), signed_in(Role.AUDITOR)
    listed = treasurer.get("/sponsors/ending").text
    assert "7 người · đến tháng 10/2019" in listed.replace("\xa0", " ")
    assert listed.count("Lê Số") == 5
    assert treasurer.get(f"/sponsors/ending/{by.id}").text.count("Lê Số") == 7
    assert f"/sponsors/ending/{by.id}/renew" in treasurer.get(f"/sponsors/{by.id}").text
    assert f"/sponsors/ending/{by.id}/renew" not in auditor.get(f"/sponsors/{by.id}").text
    assert auditor.post(f"/sponsors/ending/{by.id}/renew").status_code == 403
    where = [treasurer.post(f"/sponsors/ending/{by.id}/renew").location for _turn in range(2)]
    assert len(set(where)) == 1
    made = session.scalars(select(Pledge)).one()
    assert (made.amount, made.recorded_by_id is not None) == (7 * A_MONTH, True)
    assert len(meant_for(session, made)) == 7
    assert made.code in treasurer.get(where[0]).text
    assert f"/sponsors/ending/{by.id}/renew" not in treasurer.get(f"/sponsors/{by.id}").text
    assert treasurer.post(f"/sponsors/ending/{quiet.id}/renew").location.endswith(f"/sponsors/ending/{quiet.id}")
    assert treasurer.get(f"/sponsors/ending/{quiet.id}").status_code == 200


def test_two_records_of_one_person_become_one_and_the_renewal_stays_theirs(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    kept, gone = poor(make, "Lê Thị Đôi"), poor(make, "Lê Thị Đôi")
    allocate(by, gone, months=3, at=LONG_AGO)
    night(session, make, TODAY)
    made = services.renew(session, by, by_id=None, on=TODAY, at=clock.now())
    merge(session, kept, gone, None, by=make.user(Role.MANAGER), at=clock.now())
    (meant,) = meant_for(session, made)
    assert meant.prospect_id == kept.id
    assert night(session, make, TODAY) == 0, "it was told already"


def test_going_on_is_priced_by_what_the_persons_own_place_adds(session: Session, make: Make) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    here, there = poor(make, "Bà Ở Đây"), poor(make, "Bà Ở Kia", place=make.ward("14818@2019-10-15"))
    for person in (here, there):
        allocate(by, person, months=3, at=LONG_AGO)
    make.add(
        LocalTopUpRow(
            town_id=make.town.id,
            place_id=there.place_id,
            ground=Ground.POOR,
            amount=7_800,
            effective_from=date(2019, 1, 1),
            document="1/NQ",
        )
    )
    offer = queries.offer_to(session, by, TODAY)
    assert offer
    assert {one.prospect_id: one.amount for one in offer.people} == {here.id: 3 * A_MONTH, there.id: 300_000}


# ---- short help


@pytest.mark.parametrize(
    ("months", "given", "asked"),
    [
        (1, date(2019, 10, 15), date(2019, 10, 23)),
        (1, date(2019, 10, 31), date(2019, 10, 31)),
        (3, date(2019, 10, 1), date(2019, 11, 15)),
        (3, date(2019, 7, 1), date(2019, 10, 1)),
        (6, date(2019, 10, 15), date(2020, 1, 1)),
    ],
)
def test_of_short_help_one_asks_once_half_of_it_has_run_and_never_too_late(
    session: Session, make: Make, months: int, given: date, asked: date
) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=months, at=clock.at(given, 9))
    day, told = min(given, TODAY), {}
    while day < date(2020, 1, 3):
        if night(session, make, day):
            told[day] = queries.offer_to(session, by, day)
        day += timedelta(days=1)
    assert list(told) == [asked]
    assert told[asked], "and they may go on from that day"
    assert not checking.overlooked(session, day)


def test_what_was_given_on_the_last_day_of_its_month_is_told_the_next_night(session: Session, make: Make) -> None:
    by = sponsor(make, email="a@b.vn")
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=1, at=clock.at(date(2019, 10, 31), 20))
    assert night(session, make, date(2019, 11, 1)) == 1
    assert night(session, make, date(2019, 11, 2)) == 0
    assert "10/2019" in (letters(session)[0].body or "")


def test_a_month_added_to_long_help_does_not_make_it_short(session: Session, make: Make) -> None:
    by, other = sponsor(make), sponsor(make, "Bà Hiền")
    receive(by, 20 * A_MONTH)
    receive(other, 20 * A_MONTH, "FT2")
    long, short = poor(make, "Lê Thị Dài"), poor(make, "Lê Thị Ngắn")
    allocate(by, long, months=6, start=Month(2019, 7), on=date(2019, 7, 1), at=LONG_AGO)
    allocate(other, long, months=1, start=Month(2020, 1))
    allocate(by, short, months=1, start=Month(2019, 7), on=date(2019, 7, 1), at=LONG_AGO)
    allocate(by, short, months=3, start=Month(2019, 12))
    this, first = date(2019, 12, 1), {long.id: date(2019, 11, 1), short.id: date(2019, 12, 22)}
    found = {row[0]: row[2] for row in session.execute(near_end(make.town.id, this, asked_by=date(2019, 12, 31)))}
    assert found == first, "what was given before a gap is another help"
    assert [row[0] for row in session.execute(near_end(make.town.id, this))] == [long.id]


# ---- the last month is over


def test_whose_help_has_just_ended_stays_while_the_next_month_can_still_be_paid(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, person, unpaid = sponsor(make, phone="0912345678"), poor(make, "Lê Thị Hết"), poor(make, "Lê Thị Chưa")
    receive(by, 20 * A_MONTH)
    pay(make, allocate(by, person, months=3, at=LONG_AGO))
    allocate(by, unpaid, months=3, at=LONG_AGO)
    deadline = session.scalars(select(Participation.deadline_on)).one()
    assert deadline is not None
    assert deadline > date(2020, 1, 6)
    first = date(2020, 1, 6)
    assert [row[0] for row in session.execute(near_end(make.town.id, first))] == [person.id]
    assert night(session, make, first) == 1, "it is told when no night before saw it"
    assert [one.sponsor.id for one in queries.to_tell(session, make.town.id, first)] == [by.id]
    assert services.told(session, by, by_id=None, today=first, at=clock.at(first, 9)) == 1
    offer = queries.offer_to(session, by, first)
    assert offer
    assert [(one.prospect_id, one.start) for one in offer.people] == [(person.id, Month(2020, 1))]
    assert session.execute(near_end(make.town.id, deadline)).first()
    assert not session.execute(near_end(make.town.id, deadline + timedelta(days=1))).first()
    treasurer = signed_in(Role.TREASURER)
    clock.move(lambda: clock.at(first, 9) - datetime.now(UTC))
    until = f"{deadline.day}/{deadline.month}/{deadline.year}"
    for path in ("/sponsors/ending", f"/sponsors/ending/{by.id}"):
        page = treasurer.get(path).text
        assert "Lê Thị Hết" in page
        assert f"đã hết, còn đóng tiếp được đến {until}" in page
        assert "Lê Thị Chưa" not in page
    assert f"đóng tiếp được đến {until}" in signed_in(Role.MANAGER).get(f"/people/{person.id}").text


def test_a_sponsor_of_one_month_reads_that_there_is_nothing_to_do_until_it_is_time(
    client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    token = money.renew_page(session, by)
    receive(by, A_MONTH)
    allocate(by, poor(make), months=1)
    page = client.get(f"/s/{token}").text
    assert 'id="renew"' not in page
    assert "góp thêm" not in page
    clock.move(lambda: clock.at(date(2019, 10, 24), 9) - datetime.now(UTC))
    assert 'id="renew"' in client.get(f"/s/{token}").text


# ---- what is left goes on first


def test_what_is_left_carries_whole_months_of_the_first_and_the_rest_is_promised() -> None:
    one, other = UUID(int=1), UUID(int=2)
    offer = queries.Offer(
        [queries.Again(one, Month(2020, 1), 3, 300), queries.Again(other, Month(2020, 1), 3, 301)], Month(2019, 12)
    )
    assert offer.first_with(99) is None
    first = offer.first_with(505)
    assert first
    assert [(row.prospect_id, row.months, row.amount) for row in first.people] == [(one, 3, 300), (other, 2, 202)]
    rest = offer.after(first)
    assert rest
    assert rest.people == [queries.Again(other, Month(2020, 3), 1, 99)]
    assert offer.first_with(601) == offer
    assert offer.after(offer) is None


def test_enough_is_left_and_nothing_is_promised(
    app: Flask, client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    by = sponsor(make, email="a@b.vn", phone="0912345678")
    token = money.renew_page(session, by)
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    night(session, make, TODAY)
    assert "đủ cho 3 tháng" in (letters(session)[0].body or "")
    address = link_of(app, by)
    for page in (client.get(address).text, client.get(f"/s/{token}").text):
        assert 'name="use" value="left"' in page
        assert f'action="{address}"' in page
    assert "Nếu quý vị cam kết, trang sau cho biết tài khoản và mã QR." in client.get(address).text
    assert 'name="use" value="left"' in signed_in(Role.TREASURER).get(f"/sponsors/ending/{by.id}").text
    for _turn in range(2):
        assert client.post(address, data={"use": "left"}).location.endswith(address)
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0
    assert session.scalar(select(func.count()).where(ChangeRecord.act == services.USE_LEFT)) == 1
    for page in (client.get(address).text, client.get(f"/s/{token}").text):
        assert 'name="use" value="left"' not in page
        assert "Ngày 15/10/2019 quý vị đã" in page
        assert "Quý vị không cần chuyển thêm." in page
        for asks in ("mã QR", "Cam kết", "chưa có nguồn nào", f'action="{address}"'):
            assert asks not in page, "nothing is asked of who need transfer nothing"
    treasurer = signed_in(Role.TREASURER)
    office = treasurer.get(f"/sponsors/ending/{by.id}").text
    assert "15/10/2019" in office
    assert f'name="sponsor" value="{by.id}"' in office
    assert "/sponsors/proposals/" in treasurer.post("/sponsors/ending/propose", data={"sponsor": str(by.id)}).location
    assert treasurer.post("/sponsors/ending/propose", data={"sponsor": "x"}).status_code == 404


def test_what_is_wanting_is_promised_and_nothing_twice(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 5 * A_MONTH + 50_000)
    person = poor(make)
    allocate(by, person, months=3, at=LONG_AGO)
    address = link_of(app, by)
    where = [client.post(address, data={"use": "left"}).location for _turn in range(2)]
    assert len(set(where)) == 1
    made = session.scalars(select(Pledge)).one()
    assert made.amount == A_MONTH
    (meant,) = meant_for(session, made)
    assert (meant.prospect_id, meant.start_month, meant.months) == (person.id, date(2020, 3, 1), 1)


def test_of_a_promise_that_ended_only_what_is_left_does_not_carry_is_asked_again(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 5 * A_MONTH)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    address = link_of(app, by)
    client.post(address, data={"use": "left"})
    made = session.scalars(select(Pledge)).one()
    end_pledge(session, made, reason="Nhà hỗ trợ đổi ý", by_id=None, on=TODAY, at=clock.now())
    page = client.get(address).text
    assert "Quý vị không cần chuyển thêm." not in page
    assert page.count(f'action="{address}"') == 1
    assert "Cam kết phần còn thiếu, 107.800" in page.replace("\xa0", " ")
    client.post(address, data={"use": "left"})
    again = session.scalars(select(Pledge).where(Pledge.id != made.id)).one()
    assert again.amount == A_MONTH


def test_the_end_of_those_carried_now_and_of_those_just_ended_are_told_apart(
    client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    token = money.renew_page(session, by)
    receive(by, 20 * A_MONTH)
    pay(make, allocate(by, poor(make, "Lê Thị Hết"), months=3, at=LONG_AGO))
    allocate(by, poor(make, "Lê Thị Còn"), months=3, start=Month(2020, 1), at=LONG_AGO)
    clock.move(lambda: clock.at(date(2020, 1, 6), 9) - datetime.now(UTC))
    page = client.get(f"/s/{token}").text
    assert "Trong số bà con quý vị đang hỗ trợ, người hết trước được đóng đến hết tháng 3/2020" in page
    assert "người hết sớm nhất đã hết hỗ trợ sau tháng 12/2019; tháng tiếp theo vẫn còn đóng kịp" in page


def test_a_proposal_serves_first_whom_what_is_left_is_meant_for(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by = sponsor(make)
    agreed_to = poor(make, "Lê Thị Một", Ground.NEAR_POOR)
    other = poor(make, "Lê Thị Hai")
    receive(by, 3 * A_NEAR_POOR_MONTH + 3 * A_MONTH + 3 * A_NEAR_POOR_MONTH)
    for person in (agreed_to, other):
        allocate(by, person, months=3, at=LONG_AGO)

    def served() -> list[tuple[UUID, int]]:
        found = read(session, make.town.id, TODAY, Terms(past_certificate=True))
        return [(line.need.person_id, line.months) for line in propose(found.needs, found.offers).lines]

    assert served()[0][0] == other.id, "poor comes before near-poor while nobody said anything"
    assert agreed.waiting(session, make.town.id, TODAY) == []
    services.use_left(session, by, by_id=None, on=TODAY, at=clock.now())
    assert served() == [(agreed_to.id, 3)]
    (waits,) = agreed.waiting(session, make.town.id, TODAY)
    assert waits == (by, TODAY, 1, 3, 3 * A_NEAR_POOR_MONTH)
    treasurer = signed_in(Role.TREASURER)
    assert "/sponsors/ending#use-left" in treasurer.get("/treasury").text
    assert 'id="use-left"' in treasurer.get("/sponsors/ending").text
    allocate(by, agreed_to, months=3, start=Month(2020, 1))
    assert agreed.waiting(session, make.town.id, TODAY) == []
    assert "/sponsors/ending#use-left" not in treasurer.get("/treasury").text


def test_a_later_different_offer_is_open_again_and_kept_too(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 20 * A_MONTH)
    allocate(by, poor(make, "Lê Thị Một"), months=3, at=LONG_AGO)
    address = link_of(app, by)
    client.post(address, data={"use": "left"})
    assert 'value="left"' not in client.get(address).text
    allocate(by, poor(make, "Lê Thị Hai"), months=3, at=LONG_AGO)
    assert 'value="left"' in client.get(address).text, "the second was never spoken of"
    for _turn in range(2):
        client.post(address, data={"use": "left"})
    assert 'value="left"' not in client.get(address).text
    assert session.scalar(select(func.count()).select_from(LeftRenewal)) == 2
    assert session.scalar(select(func.count()).where(ChangeRecord.act == services.USE_LEFT)) == 2


def test_less_than_a_month_that_is_left_is_no_choice(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 3 * A_MONTH + 50_000)
    allocate(by, poor(make), months=3, at=LONG_AGO)
    address = link_of(app, by)
    assert 'name="use"' not in client.get(address).text
    with pytest.raises(Conflict):
        services.use_left(session, by, by_id=None, on=TODAY, at=clock.now())
    assert client.post(address, data={"use": "left"}).location.endswith(address)


def test_the_text_says_what_is_left_in_two_parts_at_most(app: Flask) -> None:
    renew = "https://an-sinh.example/sponsor/renew/" + "x" * 70
    words = writing.ending_text("Bỉm Sơn", 12, Month(2019, 12), left=(1_832_600, 17), renew=renew)
    assert "17" in words
    assert size(unaccented(words)).segments <= 2


def test_a_proposal_under_a_renewal_is_for_its_people_alone(signed_in: Browser, session: Session, make: Make) -> None:
    by, mine = sponsor(make), poor(make, "Lê Thị Mình")
    session.execute(update(Standing).values(valid_to=None))
    receive(by, 20 * A_MONTH)
    allocate(by, mine, months=3, at=LONG_AGO)
    for number in range(4):
        poor(make, f"Người Khác {number}")
    services.use_left(session, by, by_id=None, on=TODAY, at=clock.now())
    treasurer = signed_in(Role.TREASURER)
    where = treasurer.post("/sponsors/ending/propose", data={"sponsor": str(by.id)}).location
    (row,) = session.scalars(select(FundingProposal)).all()
    make_proposal(session, make.town.id, row.id)
    (line,) = session.scalars(select(FundingLine)).all()
    assert (line.prospect_id, line.sponsor_id) == (mine.id, by.id)
    page = treasurer.get(where).text
    assert "Chỉ lập cho 1 người" in page
    assert "đã nói dùng phần còn lại để tiếp tục với người này" in page, "the reason is what they agreed to"
    idle = sponsor(make, "Hội Khác")
    receive(idle, A_MONTH, "FT2")
    nobody = treasurer.post("/sponsors/ending/propose", data={"sponsor": str(idle.id)})
    assert nobody.location.endswith("/sponsors/ending")


def test_who_was_agreed_to_and_fits_no_more_is_named_with_the_reason(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, one, other = sponsor(make), poor(make, "Lê Thị Một"), poor(make, "Lê Thị Hai")
    session.execute(update(Standing).values(valid_to=None))
    receive(by, 20 * A_MONTH)
    for person in (one, other):
        allocate(by, person, months=3, at=LONG_AGO)
    services.use_left(session, by, by_id=None, on=TODAY, at=clock.now())
    treasurer = signed_in(Role.TREASURER)
    assert "hôm nay sẽ không được đề xuất" not in treasurer.get("/sponsors/ending").text
    one.stage = Stage.NOT_ELIGIBLE
    session.flush()
    page = treasurer.get("/sponsors/ending").text
    assert "Lê Thị Một hôm nay sẽ không được đề xuất: Không thuộc diện tham gia" in page
    assert "Lê Thị Hai hôm nay" not in page
    session.execute(update(Standing).where(Standing.prospect_id == other.id).values(valid_to=TODAY))
    assert "Lê Thị Hai hôm nay" in treasurer.get("/sponsors/ending").text, "no certificate any more"
