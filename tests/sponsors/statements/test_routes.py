"""The treasurer's way through a statement: file, columns, queue, lines, the bank beside the books."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.sponsors import services
from crm.sponsors.models import Receipt
from crm.sponsors.rules import FundAccount
from crm.sponsors.statements.models import Statement, StatementLine
from crm.sponsors.statements.rules.kinds import LineState, StatementState
from crm.sponsors.statements.services import deciding
from tasks.statements import load_statement, resume
from tests.factories import Make
from tests.sponsors.statements.stories import ACCOUNT, acts, csv_of, lines, load, pledge
from tests.sponsors.stories import sponsor

Browser = Callable[..., FlaskClient]


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").split())


def hand_in(browser: FlaskClient, content: bytes, **more: str) -> str:
    answer = browser.post("/statements/new", data={"file": (io.BytesIO(content), "sao-ke.csv"), **more})
    assert answer.status_code == 303, words(answer.text)
    return answer.location


@pytest.fixture
def treasurer(signed_in: Browser) -> FlaskClient:
    return signed_in(Role.TREASURER)


def test_from_the_file_to_the_difference_nothing(treasurer: FlaskClient, make: Make, session: Session) -> None:
    by = sponsor(make)
    promise = pledge(by, 990_000)
    services.set_fund_account(session, FundAccount("970405", ACCOUNT, "Quỹ Vì người nghèo"))
    content = csv_of(
        (1, 330_000, f"MBVCB.1.{promise.code}"), (2, -11_000, "thu phi sms"), (3, 200_000, "cty da xanh ung ho")
    )
    page = treasurer.get(hand_in(treasurer, content))
    assert "Quỹ Vì người nghèo" in page.text
    assert "Số dư sau đó" in words(page.text)
    row = session.scalars(select(Statement)).one()
    chosen = {f"column-{letter}": held for letter, held in row.found["columns"].items()}
    assert treasurer.post(f"/statements/{row.id}/columns", data=chosen).status_code == 303
    assert "data-progress" in treasurer.get(f"/statements/{row.id}").text
    load_statement.run(str(row.town_id), str(row.id))
    load_statement.run(str(row.town_id), str(row.id))
    assert treasurer.get(f"/statements/{row.id}/progress").get_json()["finished"]
    assert "3 dòng mới" in words(treasurer.get(f"/statements/{row.id}").text)

    queue = words(treasurer.get("/statements/lines").text)
    assert "Công ty Đá Xanh · " + promise.code in queue
    assert "Nội dung có tên của họ." in queue
    assert "Mới một phần: cam kết còn thiếu 460.000 đ." in queue
    assert treasurer.post("/statements/lines/clear").status_code == 303
    line = session.scalars(select(StatementLine).where(StatementLine.state == LineState.OPEN)).one()
    shares = f"{by.id}:{promise.id}:200000"
    answer = treasurer.post(
        f"/statements/lines/{line.id}/accept", data={"shares": shares, "back": "/statements/lines?tab=open"}
    )
    assert answer.location == "/statements/lines?tab=open"
    assert "Chênh lệch bằng không" in words(treasurer.get("/statements/reconciliation?month=2019-10").text)
    for path in ("/statements", "/statements/lines?tab=settled", f"/statements/lines/{line.id}", "/statements/lines"):
        assert treasurer.get(path).status_code == 200


def test_a_task_that_was_lost_is_rung_again(treasurer: FlaskClient, make: Make, session: Session) -> None:
    row = load(make, csv_of((1, 5_000, "x")))
    row.state, row.touched_at = StatementState.MATCHING, clock.now().replace(year=2018)
    session.flush()
    resume.run()
    load_statement.run(str(row.town_id), str(row.id))
    session.refresh(row)
    assert row.state is StatementState.LOADED


@pytest.mark.parametrize("content", [b"", b"ten;so\nLan;1\n", b"\x89PNG"])
def test_a_file_that_is_no_statement_is_refused_on_the_form(treasurer: FlaskClient, content: bytes) -> None:
    answer = treasurer.post("/statements/new", data={"file": (io.BytesIO(content), "a.csv")})
    assert answer.status_code == 422
    assert "error-summary" in answer.text


def test_a_file_that_names_no_account_asks_for_it(treasurer: FlaskClient, session: Session) -> None:
    content = "Ngày;Số tiền;Nội dung\n01/10/2019;5.000;x\n".encode()
    refused = treasurer.post("/statements/new", data={"file": (io.BytesIO(content), "a.csv")})
    assert (refused.status_code, "Tệp không ghi là của tài khoản nào" in refused.text) == (422, True)
    assert "/columns" in hand_in(treasurer, content, number="1234 5678")


def test_the_same_file_again_leads_to_the_first(treasurer: FlaskClient, make: Make, session: Session) -> None:
    row = load(make, csv_of((1, 5_000, "x")))
    assert hand_in(treasurer, csv_of((1, 5_000, "x"))).endswith(f"/statements/{row.id}")


def test_other_columns_are_shown_before_they_are_taken(treasurer: FlaskClient, session: Session) -> None:
    hand_in(treasurer, csv_of((1, 5_000, "x")))
    row = session.scalars(select(Statement)).one()
    page = treasurer.post(f"/statements/{row.id}/columns", data={"step": "preview", "column-A": "day"})
    assert page.status_code == 422
    assert "cột nào là tiền vào" in words(page.text)
    doubled = {"step": "preview", "column-A": "day", "column-C": "amount", "column-D": "amount"}
    assert "Hai cột không thể cùng" in words(treasurer.post(f"/statements/{row.id}/columns", data=doubled).text)
    assert treasurer.post(f"/statements/{row.id}/give-up").status_code == 303
    session.refresh(row)
    assert (row.state, row.content) == (StatementState.GIVEN_UP, None)


def test_dividing_keeps_what_was_typed_when_the_parts_do_not_sum(
    treasurer: FlaskClient, make: Make, session: Session
) -> None:
    by = sponsor(make)
    promise = pledge(by, 300_000)
    load(make, csv_of((1, 1_000_000, "chung")))
    line = lines(make)[0]
    typed = {"whose-0": f"{by.id}:{promise.id}", "amount-0": "300.000", "whose-1": f"{by.id}:", "amount-1": "1"}
    refused = treasurer.post(f"/statements/lines/{line.id}/divide", data=typed)
    assert refused.status_code == 422
    assert "Các phần cộng lại là 300.001 đ" in words(refused.text)
    assert 'value="300.000"' in refused.text
    assert treasurer.post(f"/statements/lines/{line.id}/divide", data=typed | {"amount-1": ""}).status_code == 303
    assert sorted(session.scalars(select(Receipt.amount))) == [300_000, 700_000]


def test_a_page_that_offers_not_every_sponsor_says_so(treasurer: FlaskClient, make: Make) -> None:
    for number in range(3):
        sponsor(make, f"Hội Số {number}")
    load(make, csv_of((1, 150_000, "ung ho")))
    [line] = lines(make)
    hint = "Bên dưới chỉ có"
    page = treasurer.get(f"/statements/lines/{line.id}").text
    assert "Hội Số 2" in page
    assert hint not in page
    many = [sponsor(make, f"Ban Số {number:02}") for number in range(38)]
    page = words(treasurer.get(f"/statements/lines/{line.id}").text)
    assert f"{hint} 40 nhà hỗ trợ" in page
    assert "Hội Số 2" not in page
    found = words(treasurer.get(f"/statements/lines/{line.id}?q={many[-1].name}").text)
    assert hint not in found


def test_the_second_treasurer_is_told_that_the_line_is_decided(
    treasurer: FlaskClient, make: Make, session: Session
) -> None:
    load(make, csv_of((1, 400_000, "x")))
    line = lines(make)[0]
    deciding.hold(session, line, **acts())
    told = treasurer.post(f"/statements/lines/{line.id}/hold")
    assert told.status_code == 422
    assert "Người khác vừa xử lý dòng này" in words(told.text)


@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("accept", {"shares": "x"}),
        ("accept", {"shares": ""}),
        ("divide", {"amount-0": "5"}),
        ("set-aside", {"use": "gift"}),
        ("set-aside", {"use": "other"}),
        ("moves", {"postings": "x"}),
        ("moves", {"use": "insurance"}),
        ("link", {"receipt_id": "y"}),
        ("undo", {"reason": ""}),
    ],
)
def test_bad_input_is_told_on_the_page_of_the_line(
    treasurer: FlaskClient, make: Make, act: str, data: dict[str, str]
) -> None:
    load(make, csv_of((1, 400_000, "x")))
    line = lines(make)[0]
    answer = treasurer.post(f"/statements/lines/{line.id}/{act}", data=data)
    assert answer.status_code == 422
    assert "banner-error" in answer.text


def test_an_auditor_reads_and_does_not_decide(signed_in: Browser, make: Make) -> None:
    load(make, csv_of((1, 400_000, "x")))
    line = lines(make)[0]
    auditor = signed_in(Role.AUDITOR)
    for path in ("/statements", "/statements/lines", f"/statements/lines/{line.id}", "/statements/reconciliation"):
        assert auditor.get(path).status_code == 200
    assert auditor.post(f"/statements/lines/{line.id}/hold").status_code == 403
    assert signed_in(Role.VOLUNTEER).get("/statements").status_code == 403


def test_an_account_says_what_of_its_first_money_is_not_sponsors(treasurer: FlaskClient, make: Make) -> None:
    row = load(make, csv_of((1, 400_000, "x"), opening=90_000))
    path = f"/statements/accounts/{row.bank_account_id}"
    assert treasurer.get(path).status_code == 200
    assert treasurer.post(path, data={"amount": "90.000"}).status_code == 422
    assert treasurer.post(path, data={"amount": "90.000", "why": "công đoàn", "name": "Quỹ"}).status_code == 303


def test_a_line_is_divided_into_as_many_parts_as_it_takes(treasurer: FlaskClient, make: Make, session: Session) -> None:
    givers = [sponsor(make, f"Hội Số {number}") for number in range(8)]
    load(make, csv_of((1, 800_000, "chung")))
    line = lines(make)[0]
    address = f"/statements/lines/{line.id}"
    assert 'name="whose-6"' not in treasurer.get(address).text
    typed = {f"whose-{place}": f"{by.id}:" for place, by in enumerate(givers[:6])}
    typed |= {f"amount-{place}": "100.000" for place in range(6)}
    grown = treasurer.post(f"{address}/divide", data=typed | {"more": "1"})
    assert grown.status_code == 200
    assert 'name="whose-11"' in grown.text
    assert grown.text.count('value="100.000"') == 6, "what was typed stays"
    last = {"whose-10": f"{givers[6].id}:", "amount-10": "100.000", "whose-11": f"{givers[7].id}:"}
    assert treasurer.post(f"{address}/divide", data=last).status_code == 303
    assert sorted(session.scalars(select(Receipt.amount))) == [100_000, 700_000]
