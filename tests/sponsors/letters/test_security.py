"""No sponsor reaches another's page, papers or settings, by whatever id or token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import db
from crm.sponsors import services as sponsoring
from crm.sponsors.letters import queries, services
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.models import Pledge, Receipt, Sponsor
from tests.factories import Make
from tests.sponsors.letters.stories import ISSUED, certificate, statement, with_page
from tests.sponsors.stories import A_MONTH, allocate, pay, poor, receive

Browser = Callable[..., FlaskClient]
REFUSED = {302, 303, 401, 403, 404, 405}


@dataclass
class One:
    """A sponsor with everything a sponsor can have."""

    row: Sponsor
    token: str
    user: User
    receipt: Receipt
    pledge: Pledge
    papers: list[SponsorPaper]
    public_id: str
    secret: str
    """A word that stands in everything of theirs."""

    @property
    def ids(self) -> dict[str, Any]:
        return {
            "sponsor_id": self.row.id,
            "receipt_id": self.receipt.id,
            "pledge_id": self.pledge.id,
            "paper_id": self.papers[0].id,
            "user_id": self.user.id,
        }


def one(session: Session, make: Make, name: str) -> One:
    row, token = with_page(make, f"Công ty {name}")
    at = clock.now()
    pledge = sponsoring.pledge(session, row, 20 * A_MONTH, due=None, by_id=None, at=at, on=ISSUED["on"])
    received = receive(row, 20 * A_MONTH, f"FT{name}".upper())
    pay(make, allocate(row, poor(make, f"Người của {name}"), months=3))
    user = make.user(Role.SPONSOR, full_name=f"Đại diện {name}")
    services.attach(session, row, user, by=None, at=at)
    papers = [
        services.issue_receipt(session, row, received, **ISSUED, at=at),
        certificate(row),
        statement(row),
    ]
    public = services.show(session, row, thanked=False, by=None, at=at)
    return One(row, token, user, received, pledge, papers, public.public_id, name)


@pytest.fixture
def mine(session: Session, make: Make) -> One:
    return one(session, make, "Của Tôi")


@pytest.fixture
def theirs(session: Session, make: Make) -> One:
    return one(session, make, "Người Khác")


def changed_tokens(token: str) -> Iterator[str]:
    """Every single character changed, the token cut, lengthened, turned, in other letters."""
    for place in range(len(token)):
        yield token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    yield from (token[:-1], token[1:], token[: len(token) // 2], token + "A", token[::-1], token.swapcase())
    yield from (hashlib.sha256(token.encode()).hexdigest(), f"{token}%00", f" {token}", f"{token}%20")


def addresses(app: Flask, mine: One, theirs: One) -> Iterator[tuple[str, str]]:
    """Every address of sponsors with the ids of the other, and where there is a token, with one's own."""
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(("letters.", "letter_office.", "own_promises.", "own_wish.", "sponsors.")):
            continue
        known = theirs.ids | {"token": mine.token, "prospect_id": uuid4(), "allocation_id": uuid4()}
        known |= {name: uuid4() for name in rule.arguments - known.keys()}
        built = rule.build({name: known[name] for name in rule.arguments}, append_unknown=False)
        assert built is not None
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield method, built[1]


def asked_of(theirs: One) -> list[dict[str, str]]:
    """What somebody would send who wants another's things."""
    return [
        {},
        {"paper": "receipt", "receipt": str(theirs.receipt.id)},
        {"sponsor_id": str(theirs.row.id), "sponsor": str(theirs.row.id), "thanked": "on", "named": "on"},
    ]


def state(session: Session, of: One) -> list[Any]:
    """What of another could be changed."""
    publicity = queries.publicity_of(session, of.row)
    papers = session.scalars(select(SponsorPaper.id).where(SponsorPaper.sponsor_id == of.row.id)).all()
    return [publicity and (publicity.thanked, publicity.named), sorted(papers), of.row.page_digest, dict(of.row.wish)]


@pytest.mark.parametrize("door", ["token", "account"])
def test_whatever_a_sponsor_asks_with_the_ids_of_another_tells_and_changes_nothing(
    app: Flask, client: FlaskClient, signed_in: Browser, session: Session, mine: One, theirs: One, door: str
) -> None:
    browser = client if door == "token" else signed_in(mine.user)
    before, asked = state(session, theirs), 0
    for method, address in addresses(app, mine, theirs):
        for sent in asked_of(theirs) if method == "POST" else [{}]:
            answer = browser.open(address, method=method, data=sent if method == "POST" else None)
            asked += 1
            assert answer.status_code < 500, address
            told = answer.get_data(as_text=True)
            assert theirs.secret not in told, address
            assert theirs.token not in told, address
            assert not any(paper.number in told for paper in theirs.papers), address
            if str(theirs.row.id) in address or str(theirs.papers[0].id) in address:
                assert answer.status_code in REFUSED, address
    assert asked > 40
    assert state(session, theirs) == before


def test_papers_of_another_are_not_there_behind_ones_own_door(
    client: FlaskClient, signed_in: Browser, mine: One, theirs: One
) -> None:
    browser = signed_in(mine.user)
    for paper in theirs.papers:
        assert client.get(f"/s/{mine.token}/papers/{paper.id}").status_code == 404
        assert browser.get(f"/my-giving/papers/{paper.id}").status_code == 404
    for paper in mine.papers:
        assert client.get(f"/s/{mine.token}/papers/{paper.id}").status_code == 200
        assert browser.get(f"/my-giving/papers/{paper.id}").status_code == 200
        assert client.get(f"/s/{theirs.token}/papers/{paper.id}").status_code == 404


def test_the_receipt_of_another_is_not_made_behind_ones_own_door(
    client: FlaskClient, session: Session, mine: One, theirs: One
) -> None:
    asked = {"paper": "receipt", "receipt": str(theirs.receipt.id)}
    assert client.post(f"/s/{mine.token}/papers", data=asked).status_code == 404


def test_no_change_of_a_token_opens_anything(client: FlaskClient, mine: One, theirs: One) -> None:
    for token in changed_tokens(mine.token):
        for path in ("", f"/papers/{mine.papers[0].id}", f"/papers/{theirs.papers[0].id}"):
            assert client.get(f"/s/{token}{path}").status_code in (404, 308), token
        for path in ("/papers", "/publicity"):
            assert client.post(f"/s/{token}{path}", data={"thanked": "on"}).status_code in (404, 308), token


def test_after_a_renewal_the_old_token_opens_nothing(client: FlaskClient, session: Session, mine: One) -> None:
    new = sponsoring.renew_page(session, mine.row)
    for path in ("", f"/papers/{mine.papers[0].id}"):
        assert client.get(f"/s/{mine.token}{path}").status_code == 404
        assert client.get(f"/s/{new}{path}").status_code == 200
    for path in ("/papers", "/publicity"):
        assert client.post(f"/s/{mine.token}{path}", data={"thanked": "on"}).status_code == 404
    sponsoring.close_page(mine.row)
    assert client.get(f"/s/{new}").status_code == 404


def test_an_account_that_was_closed_opens_nothing(signed_in: Browser, session: Session, make: Make, mine: One) -> None:
    browser = signed_in(mine.user)
    assert browser.get("/my-giving").status_code == 200
    mine.user.active = False
    session.flush()
    assert browser.get("/my-giving").status_code == 302


def test_a_sponsor_who_signed_in_sees_no_page_of_the_office(signed_in: Browser, mine: One) -> None:
    browser = signed_in(mine.user)
    for path in ("/sponsors", f"/sponsors/{mine.row.id}", f"/sponsors/{mine.row.id}/papers", "/people"):
        assert browser.get(path).status_code == 403


def test_thanks_that_were_not_wanted_cannot_be_found(client: FlaskClient, mine: One) -> None:
    assert client.get(f"/thanks/{mine.public_id}").status_code == 404
    for tried in (mine.row.id, mine.token, "", "%00", mine.public_id.swapcase()):
        assert client.get(f"/thanks/{tried}").status_code == 404


def test_only_the_hash_of_a_token_is_kept(session: Session, mine: One) -> None:
    for table in db.metadata.sorted_tables:
        found = session.scalar(
            text(f"select count(*) from {table.name} t where strpos(t::text, :token) > 0"), {"token": mine.token}
        )
        assert found == 0, table.name


def test_no_token_stands_in_a_log(
    app: Flask, client: FlaskClient, mine: One, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_args: Any, **_more: Any) -> None:
        raise ValueError("something unexpected")

    monkeypatch.setattr(queries, "telling", fails)
    with capture_logs() as logs:
        assert client.get(f"/s/{mine.token}").status_code == 500
    assert logs
    assert mine.token not in str(logs) + caplog.text


def test_addresses_of_letters_cannot_be_tried_without_end(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, mine: One
) -> None:
    monkeypatch.setitem(client.application.config, "RATELIMIT_ENABLED", True)
    came_from = {"REMOTE_ADDR": f"10.2.{uuid4().int % 250}.{uuid4().int % 250}"}
    paths = ("/s/{0}", "/s/{0}/papers/" + str(mine.papers[0].id))
    answers = [
        client.get(paths[number % 2].format(f"tried{number}"), environ_base=came_from).status_code
        for number in range(121)
    ]
    assert set(answers[:120]) == {404}
    assert answers[120] == 429


def test_numbers_of_papers_cannot_be_tried_without_end(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.application.config, "RATELIMIT_ENABLED", True)
    came_from = {"REMOTE_ADDR": f"10.3.{uuid4().int % 250}.{uuid4().int % 250}"}
    answers = [client.get(f"/verify/x{number}", environ_base=came_from).status_code for number in range(61)]
    assert answers[60] == 429
