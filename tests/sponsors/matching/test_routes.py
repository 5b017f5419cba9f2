"""The pages and the API: ask, look, accept, change, refuse, and what is said of bad input."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.prospects.rules import Ground, Stage
from crm.sponsors.matching import services
from crm.sponsors.matching.models import FundingLine, FundingProposal, FundingRefusal
from crm.sponsors.matching.rules.states import LineState, ProposalState
from crm.sponsors.rules import Wish
from tests.factories import Make
from tests.sponsors.matching.test_services import asked, lines_of
from tests.sponsors.stories import A_MONTH, allocate, poor, receive, sponsor
from tests.sponsors.test_routes import words

Browser = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bells that were rung, instead of ringing them."""
    rung: list[str] = []
    for where in ("crm.sponsors.matching.routes.ring", "crm.sponsors.matching.resources.ring"):
        monkeypatch.setattr(where, lambda task, *_ids: rung.append(task.name))
    return rung


def test_a_treasurer_asks_and_the_page_waits_for_the_answer(
    session: Session, make: Make, signed_in: Browser, bells: list[str]
) -> None:
    by, _person, treasurer = sponsor(make), poor(make), signed_in(Role.TREASURER)
    receive(by, 4 * A_MONTH)
    assert "Công ty Đá Xanh" in treasurer.get(f"/sponsors/proposals/new?sponsor={by.id}").text
    answer = treasurer.post("/sponsors/proposals", data={"sponsors": [str(by.id)], "months": "3"})
    assert answer.status_code == 303
    assert bells == ["matching.make"]
    row = session.scalars(select(FundingProposal)).one()
    assert "data-progress" in treasurer.get(answer.location).text
    assert treasurer.get(f"{answer.location}/progress").json == {
        "done": 0,
        "total": 1,
        "text": "Đang tính",
        "finished": False,
    }
    services.make(session, make.town.id, row.id)
    assert treasurer.get(f"{answer.location}/progress").json["finished"] is True  # type: ignore[index]
    page = words(treasurer.get(answer.location).text)
    assert "Lê Thị Nghèo" in page
    assert "107.800 đ còn lại" in page


def test_bad_questions_are_answered_on_the_form(make: Make, signed_in: Browser, session: Session) -> None:
    treasurer = signed_in(Role.TREASURER)
    assert "Chưa có tiền để chia" in treasurer.get("/sponsors/proposals/new").text
    receive(sponsor(make), A_MONTH)
    for sent in ({"months": "3"}, {"sponsors": [str(uuid4())], "months": "3"}, {"sponsors": ["x"], "months": "5"}):
        assert treasurer.post("/sponsors/proposals", data=sent).status_code == 422
    assert treasurer.get("/sponsors/proposals/new?sponsor=x").status_code == 200
    assert session.scalars(select(FundingProposal)).all() == []


def test_every_page_of_a_proposal(session: Session, make: Make, signed_in: Browser) -> None:
    by, other = sponsor(make, wish=Wish(months=3)), sponsor(make, "Hội Khác", wish=Wish(months=1))
    receive(by, 6 * A_MONTH)
    receive(other, 50_000, "FT2")
    carried = poor(make, "Lê Thị Tiếp")
    allocate(by, carried, months=3)
    poor(make)
    poor(make, "Lê Cận", Ground.NEAR_POOR)
    poor(make, "Lê Mới", stage=Stage.NEW)
    row = asked(make, past_certificate=True)
    line = lines_of(row)[0]
    treasurer, auditor = signed_in(Role.TREASURER), signed_in(Role.AUDITOR)
    page = words(treasurer.get(f"/sponsors/proposals/{row.id}").text)
    assert "Công ty Đá Xanh đã đóng giúp đến tháng 12/2019" in page
    assert "50.000 đ còn lại" not in page
    every = words(treasurer.get(f"/sponsors/proposals/{row.id}?which=all").text)
    assert "50.000 đ còn lại" in every
    passed = words(treasurer.get(f"/sponsors/proposals/{row.id}/passed?why=not_reached").text)
    assert "Lê Mới" in passed
    assert "Lê Cận" not in passed
    for address in (
        "/sponsors",
        f"/sponsors/{by.id}",
        "/sponsors/proposals",
        f"/sponsors/proposals/{row.id}",
        f"/sponsors/proposals/{row.id}/passed?why=nonsense",
        f"/sponsors/proposals/{row.id}/from/{by.id}",
        f"/sponsors/{by.id}/refusals",
    ):
        for browser in (treasurer, auditor):
            assert browser.get(address).status_code == 200, address
    for address in (f"/sponsors/proposals/lines/{line.id}/edit", f"/sponsors/proposals/lines/{line.id}/refuse"):
        assert treasurer.get(address).status_code == 200
        assert auditor.get(address).status_code == 403
    assert treasurer.get(f"/sponsors/proposals/{row.id}/from/{uuid4()}").status_code == 404


def test_who_decided_on_a_sponsor_comes_to_the_next_and_then_to_those_passed_by(make: Make, signed_in: Browser) -> None:
    first, second = sponsor(make, "Hội Ba Đình", wish=Wish(people=1)), sponsor(make, "Hội Lam Sơn", wish=Wish(people=1))
    for number, by in enumerate((first, second)):
        receive(by, A_MONTH, f"FT{number}")
        poor(make, f"Lê Số {number}")
    row, treasurer = asked(make), signed_in(Role.TREASURER)

    def named(address: str) -> list[bool]:
        page = treasurer.get(address).text
        return [f"<strong>{by.name}</strong>" in page for by in (first, second)]

    here = f"/sponsors/proposals/{row.id}"
    assert named(here) == [True, True]
    assert named(f"{here}?since={second.id}") == [False, True]
    after = treasurer.post(f"{here}/accept", data={"sponsor": str(second.id)}).location
    assert named(after) == [True, False]
    assert named(f"{here}?which=all&since={uuid4()}") == [True, True]
    assert named(treasurer.post(f"{here}/accept", data={"sponsor": str(first.id)}).location) == [True, True]


def test_accept_change_refuse_lift_and_close(session: Session, make: Make, signed_in: Browser) -> None:
    by, treasurer = sponsor(make, wish=Wish(months=1)), signed_in(Role.TREASURER)
    receive(by, 10 * A_MONTH)
    for name in ("Lê Một", "Lê Hai", "Lê Ba"):
        poor(make, name)
    row = asked(make)
    first, second, third = (f"/sponsors/proposals/lines/{line.id}" for line in lines_of(row))
    assert treasurer.post(f"{first}/accept").status_code == 303
    assert "đã được xử lý" in words(treasurer.post(f"{first}/accept", follow_redirects=True).text)
    changed = {"sponsor": str(by.id), "months": "3"}
    assert treasurer.post(f"{second}/edit", data={**changed, "months": "4"}).status_code == 422
    assert treasurer.post(f"{second}/edit", data=changed).status_code == 303
    assert treasurer.post(f"{first}/edit", data=changed).status_code == 422
    by.wish = Wish(grounds=(Ground.NEAR_POOR,)).as_json()
    session.flush()
    assert "Hãy ghi lý do" in words(treasurer.post(f"{second}/edit", data=changed).text)
    assert treasurer.post(f"{second}/edit", data=changed | {"reason": "Nhà bị cháy"}).status_code == 303
    assert 'value="Nhà bị cháy"' in treasurer.get(f"{second}/edit").text
    assert treasurer.post(f"{third}/refuse", data={"words": " "}).status_code == 422
    assert treasurer.post(f"{third}/refuse", data={"words": "Con đã đóng giúp"}).status_code == 303
    assert "Con đã đóng giúp" in treasurer.get(f"/sponsors/{by.id}/refusals").text
    lifted = session.scalars(select(FundingRefusal)).one()
    assert treasurer.post(f"/sponsors/refusals/{lifted.id}/lift").status_code == 303
    assert treasurer.post(f"/sponsors/proposals/{row.id}/accept", data={"sponsor": str(by.id)}).status_code == 303
    assert [(line.state, line.months) for line in lines_of(row)] == [
        (LineState.ACCEPTED, 1),
        (LineState.ACCEPTED, 3),
        (LineState.REFUSED, 1),
    ]
    assert treasurer.post(f"/sponsors/proposals/{row.id}/close").status_code == 303
    session.refresh(row)
    assert row.state is ProposalState.CLOSED
    late = treasurer.post(f"/sponsors/proposals/{row.id}/accept", follow_redirects=True)
    assert "Đề xuất này đã đóng" in words(late.text)
    twice = treasurer.post(f"/sponsors/refusals/{lifted.id}/lift", follow_redirects=True)
    assert "đã được gỡ rồi" in words(twice.text)


def test_many_lines_are_set_aside_by_a_worker(
    make: Make, signed_in: Browser, bells: list[str], monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 2)
    receive(sponsor(make, wish=Wish(months=1)), 10 * A_MONTH)
    for name in ("Lê Một", "Lê Hai", "Lê Ba"):
        poor(make, name)
    row = asked(make)
    assert signed_in(Role.TREASURER).post(f"/sponsors/proposals/{row.id}/accept").status_code == 303
    assert bells == ["matching.settle"]
    assert {line.state for line in lines_of(row)} == {LineState.CHOSEN}
    assert services.settle_some(session, row.town_id, row.id, at=clock.now())
    assert not services.settle_some(session, row.town_id, row.id, at=clock.now())
    assert {line.state for line in lines_of(row)} == {LineState.ACCEPTED}


def test_the_api_asks_reads_and_accepts(session: Session, make: Make, client: FlaskClient, bells: list[str]) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 3 * A_MONTH + 35_000)
    poor(make, "Lê Mới", stage=Stage.NEW)
    headers = {"Authorization": f"Bearer {make.token(make.user(Role.TREASURER))}"}
    refused = client.post("/api/v1/funding-proposals", json={"sponsors": [str(uuid4())]}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (422, "no_money")  # type: ignore[index]
    made = client.post("/api/v1/funding-proposals", json={"months": 3}, headers=headers)
    assert (made.status_code, made.json["state"]) == (201, "waiting")  # type: ignore[index]
    address = made.headers["Location"]
    assert client.post(f"{address}/accept", json={}, headers=headers).status_code == 409
    row = session.scalars(select(FundingProposal)).one()
    services.make(session, make.town.id, row.id)
    assert client.get(address, headers=headers).json["people"] == 2  # type: ignore[index]
    served, passed = client.get(f"{address}/lines", headers=headers).json["items"]  # type: ignore[index]
    assert (served["prospect_id"], served["start"], served["months"]) == (str(person.id), "2019-10", 3)
    assert (served["amount"], served["state"]) == (3 * A_MONTH, "proposed")
    assert (passed["why"], passed["amount"]) == ("not_reached", None)
    only = client.get(f"{address}/lines?state=passed&limit=1", headers=headers).json["items"]  # type: ignore[index]
    assert [one["id"] for one in only] == [passed["id"]]
    (offer,) = client.get(f"{address}/offers", headers=headers).json["items"]  # type: ignore[index]
    assert (offer["available"], offer["after"], offer["why"]) == (3 * A_MONTH + 35_000, 35_000, "everybody_carried")
    accepted = client.post(f"{address}/accept", json={"line_ids": [served["id"]]}, headers=headers)
    assert (accepted.status_code, accepted.json) == (202, {"accepted": 1})
    assert bells == ["matching.make", "matching.settle"]
    services.settle_some(session, row.town_id, row.id, at=clock.now())
    assert session.get_one(FundingLine, (row.town_id, lines_of(row)[0].id)).allocation_id
    assert client.post(f"{address}/close", headers=headers).json["state"] == "closed"  # type: ignore[index]
    listed = client.get("/api/v1/funding-proposals", headers=headers).json["items"]  # type: ignore[index]
    assert [one["state"] for one in listed] == ["closed"]


def test_a_proposal_of_which_nothing_is_left_to_decide_says_so(make: Make, signed_in: Browser) -> None:
    by = sponsor(make, wish=Wish(months=1))
    receive(by, 9 * A_MONTH)
    poor(make)
    row = asked(make)
    treasurer = signed_in(Role.TREASURER)
    address = f"/sponsors/proposals/{row.id}"
    for path in ("/sponsors/proposals", address):
        assert "Chờ thủ quỹ xem" in treasurer.get(path).text
    treasurer.post(f"{address}/accept")
    for path in ("/sponsors/proposals", address):
        page = treasurer.get(path).text
        assert "Chờ thủ quỹ xem" not in page
        assert "Đã quyết định hết" in page
