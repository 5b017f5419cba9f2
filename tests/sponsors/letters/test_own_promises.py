"""A sponsor changes, pauses and ends their own promise: shown first, done by a second press, told to the office."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.mail.models import Email
from crm.sponsors import services
from crm.sponsors.giving import queries
from crm.sponsors.giving.rules import Frequency, schedule
from crm.sponsors.giving.services import reminding
from crm.sponsors.giving.showing import links
from crm.sponsors.letters import services as letters
from crm.sponsors.models import Allocation, Pledge, Sponsor
from crm.sponsors.queries import balance_of
from crm.sponsors.rules import FundAccount, PledgeState
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, sponsor
from tests.sponsors.test_routes import words

Browser = Callable[..., FlaskClient]
FIRST = date(2019, 11, 1)


class Story:
    """A sponsor with a promise of six months of two people, of which one transfer came and carries somebody."""

    def __init__(self, session: Session, make: Make) -> None:
        self.session, self.by = session, sponsor(make, email="ketoan@daxanh.example")
        self.token = services.renew_page(session, self.by)
        dues = schedule(12 * A_MONTH, Frequency.MONTHLY, 6, FIRST)
        given: dict[str, Any] = {"by_id": None, "at": clock.now(), "on": TODAY}
        self.made = services.pledge(
            session, self.by, 12 * A_MONTH, due=dues[-1].on, dues=dues, frequency=Frequency.MONTHLY, **given
        )
        services.receive(session, self.by, 2 * A_MONTH, reference="FT1", pledge=self.made, **given)
        self.carried = allocate(self.by, poor(make), months=1)
        self.treasurer = make.user(Role.TREASURER)

    @property
    def address(self) -> str:
        return f"/s/{self.token}/promises/{self.made.id}"

    def dues(self) -> list[tuple[date, int]]:
        account = queries.account_of(self.session, self.made, TODAY)
        return [(row.due.on, row.left) for row in account.rows if row.left]


@pytest.fixture
def story(session: Session, make: Make) -> Story:
    return Story(session, make)


def fields(page: str) -> dict[str, str]:
    """What the confirmation would send."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def press_twice(browser: FlaskClient, address: str, **sent: str) -> Any:
    shown = browser.post(address, data=sent)
    assert shown.status_code == 200, words(shown.text)
    return browser.post(address, data=fields(shown.text))


def test_the_letter_leads_there_and_looking_or_one_press_changes_nothing(client: FlaskClient, story: Story) -> None:
    letter = client.get(f"/s/{story.token}").text
    assert story.address in letter
    page = client.get(story.address)
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    before = story.dues()
    shown = client.post(story.address, data={"act": "stop"})
    assert shown.status_code == 200
    assert words(shown.text).count("215.600 đ") >= 1, "what came in stays"
    story.session.refresh(story.made)
    assert (story.made.state, story.dues()) == (PledgeState.OPEN, before)


def test_they_carry_fewer_people_for_longer_every_three_months(client: FlaskClient, story: Story) -> None:
    wanted = {"act": "change", "way": "neighbour", "people": "1", "months": "9", "frequency": "quarterly"}
    answer = press_twice(client, story.address, **wanted, first="2020-02-10", note="Khó khăn")
    assert answer.status_code == 303
    assert story.dues() == [(date(2020, month, 10), 3 * A_MONTH) for month in (2, 5, 8)]
    assert story.made.amount == 11 * A_MONTH
    step = queries.steps_of(story.session, story.made)[0].step
    assert step.by_id is None
    assert step.reason == "Nhà hỗ trợ tự thay đổi: Khó khăn"
    assert story.session.get_one(Allocation, (story.by.town_id, story.carried.id)).carried_months == 1
    assert balance_of(story.session, story.by).expected == 9 * A_MONTH


def test_a_sum_at_once_and_days_of_their_own(client: FlaskClient, story: Story) -> None:
    once = {"act": "change", "way": "amount", "amount": "700.000", "frequency": "once", "first": "2019-12-05"}
    press_twice(client, story.address, **once)
    assert story.dues() == [(date(2019, 12, 5), 700_000)]
    own = {"act": "change", "frequency": "own", "own": "24/12/2019 300.000\n20/1/2020 250.000"}
    press_twice(client, story.address, **own)
    assert story.dues() == [(date(2019, 12, 24), 300_000), (date(2020, 1, 20), 250_000)]


def test_a_pause_puts_everything_off_and_nobody_reminds_meanwhile(client: FlaskClient, story: Story) -> None:
    services.set_fund_account(story.session, FundAccount("970405", "3500201001234", "Quỹ Vì người nghèo"))
    amounts = [left for _day, left in story.dues()]
    assert press_twice(client, story.address, act="pause", pause_for="3").status_code == 303
    assert [left for _day, left in story.dues()] == amounts, "nothing is dropped"
    assert story.dues()[0][0] == date(2020, 2, 1)
    pages = (f"/s/{story.token}", story.address, f"/sponsor/pay/{links().pay_token(story.made.id)}")
    for path in pages:
        page = words(client.get(path).text)
        assert "đang chờ khoản" not in page, path
        assert "1/2/2020" in page, path
        assert re.search("tạm dừng", page), path
    mails = story.session.scalars(select(Email).where(Email.occasion.like("own_hand:%"))).all()
    assert all("tạm dừng" in (one.body or "") and "1/2/2020" in (one.body or "") for one in mails)
    clock.move(lambda: clock.at(date(2020, 2, 1), 9) - datetime.now(UTC))
    assert "đang chờ khoản" in words(client.get(pages[0]).text), "the pause is over"
    for day in (date(2019, 11, 25), date(2019, 12, 12), date(2020, 1, 4)):
        assert reminding.remind(story.session, story.by.town_id, links=links(), today=day, at=clock.at(day, 8)) == 0


def test_an_end_leaves_what_was_done_and_the_office_and_the_sponsor_hear_of_it(
    client: FlaskClient, signed_in: Browser, story: Story
) -> None:
    assert press_twice(client, story.address, act="stop").status_code == 303
    assert story.made.state is PledgeState.ENDED
    balance = balance_of(story.session, story.by)
    assert (balance.received, balance.reserved, balance.expected) == (2 * A_MONTH, A_MONTH, 0)
    mails = story.session.scalars(select(Email).where(Email.occasion.like("own_hand:%"))).all()
    assert {one.recipient for one in mails} >= {"ketoan@daxanh.example", story.treasurer.email}
    assert any(f"/pledges/{story.made.id}" in (one.body or "") for one in mails)
    treasurer = signed_in(story.treasurer)
    assert "/pledges/by-sponsors" in treasurer.get("/treasury").text
    listed = words(treasurer.get("/pledges/by-sponsors").text)
    assert story.by.name in listed
    assert "Nhà hỗ trợ tự kết thúc" in listed
    assert client.post(story.address, data={"act": "stop", "seen": "x"}).status_code == 303, "twice says so"


def test_what_staff_do_is_not_among_what_sponsors_did(signed_in: Browser, story: Story) -> None:
    treasurer = signed_in(story.treasurer)
    treasurer.post(f"/pledges/{story.made.id}/end", data={"reason": "Chuyển trụ sở"})
    assert story.by.name not in treasurer.get("/pledges/by-sponsors").text
    assert "/pledges/by-sponsors" not in treasurer.get("/treasury").text


def test_what_changed_meanwhile_is_looked_at_again(client: FlaskClient, story: Story) -> None:
    shown = client.post(story.address, data={"act": "stop"})
    given: dict[str, Any] = {"by_id": None, "at": clock.now(), "on": TODAY}
    services.receive(story.session, story.by, A_MONTH, reference="FT2", pledge=story.made, **given)
    answer = client.post(story.address, data=fields(shown.text), follow_redirects=True)
    assert "Hãy xem lại" in words(answer.text)
    assert story.made.state is PledgeState.OPEN
    assert client.post(story.address, data=fields(client.post(story.address, data={"act": "stop"}).text)).status_code


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"way": "amount", "amount": "", "frequency": "once", "first": "2019-12-05"}, "góp tiếp bao nhiêu"),
        ({"way": "amount", "amount": "9.000", "frequency": "once", "first": "2019-12-05"}, "ít nhất 10.000 đ"),
        ({"way": "amount", "amount": "700.000", "frequency": "monthly", "first": "2019-12-05"}, "bao nhiêu tháng"),
        ({"way": "neighbour", "people": "1", "months": "3", "frequency": "once", "first": "2019-10-01"}, "đã qua"),
        ({"way": "neighbour", "people": "0", "months": "3", "frequency": "once", "first": "2019-12-01"}, "từ 1"),
        ({"frequency": "own", "own": "ngày mai"}, "Dòng 1"),
    ],
)
def test_what_cannot_be_is_said_at_the_form(client: FlaskClient, story: Story, sent: dict[str, str], told: str) -> None:
    before = story.dues()
    answer = client.post(story.address, data=sent | {"act": "change"})
    assert answer.status_code == 422
    assert told in words(answer.text)
    assert story.dues() == before


def test_nobody_elses_promise_is_there(client: FlaskClient, session: Session, make: Make, story: Story) -> None:
    other = sponsor(make, "Bà Hiền")
    token = services.renew_page(session, other)
    for address in (f"/s/{token}/promises/{story.made.id}", f"/s/{story.token}x/promises/{story.made.id}"):
        assert client.get(address).status_code == 404
        assert client.post(address, data={"act": "stop"}).status_code == 404
    assert client.post(story.address, data={"act": "other"}).status_code == 404


def test_who_signs_in_for_a_sponsor_does_the_same_under_their_name(
    signed_in: Browser, session: Session, make: Make, story: Story
) -> None:
    user, stranger = make.user(Role.SPONSOR), make.user(Role.SPONSOR)
    letters.attach(session, story.by, user, by=None, at=clock.now())
    letters.attach(session, sponsor(make, "Bà Hiền"), stranger, by=None, at=clock.now())
    address = f"/my-giving/promises/{story.made.id}"
    assert signed_in(stranger).get(address).status_code == 404
    browser = signed_in(user)
    assert address in browser.get("/my-giving").text
    assert press_twice(browser, address, act="stop").status_code == 303
    assert queries.steps_of(session, story.made)[0].step.by_id == user.id
    assert story.by.name in signed_in(story.treasurer).get("/pledges/by-sponsors").text


def test_they_give_up_their_address_themselves(client: FlaskClient, session: Session, story: Story) -> None:
    asked = f"/s/{story.token}/address"
    assert client.get(asked).status_code == 200
    assert client.get(f"/s/{story.token}").status_code == 200, "looking closes nothing"
    new = client.post(asked, data={"act": "renew"})
    [token] = set(re.findall(r'href="[^"]*/s/([\w-]+)"', new.text))
    assert client.get(f"/s/{story.token}").status_code == 404
    letter = client.get(f"/s/{token}")
    assert letter.status_code == 200
    for page in (new.text, letter.text):
        assert "\u200b" not in page, "an address that is copied as text opens"
        assert f"/s/<wbr>{token}</a>" in page
    assert client.post(f"/s/{token}/address", data={"act": "x"}).status_code == 404
    assert client.post(f"/s/{token}/address", data={"act": "close"}).status_code == 200
    assert client.get(f"/s/{token}").status_code == 404
    kept = session.scalars(select(ChangeRecord.after).where(ChangeRecord.act == "sponsor_page_given_up")).all()
    assert sorted(one["renewed"] for one in kept if one) == [False, True]
    assert session.scalars(select(Sponsor.page_digest).where(Sponsor.id == story.by.id)).one() is None
    assert session.scalars(select(Pledge.state)).one() is PledgeState.OPEN
