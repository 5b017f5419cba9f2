"""What a sponsor sees of their money, what everybody sees of the fund, and who may be named to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.months import Month
from crm.prospects.rules import Ground
from crm.sponsors import queries as sponsors
from crm.sponsors import services as sponsoring
from crm.sponsors.giving.services.scheduling import end
from crm.sponsors.letters import queries, services
from crm.sponsors.letters.models import NamingConsent, SponsorPaper
from crm.sponsors.letters.routes.private import LINES
from crm.sponsors.letters.rules import FEWEST, MonthState
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import FundAccount
from tests.factories import Make
from tests.sponsors.letters.stories import certificate, neighbours, statement, with_page, words
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, TODAY, allocate, pay, poor, receive, sponsor

Browser = Callable[..., FlaskClient]
ACCOUNT = FundAccount("970405", "3500201001234", "Quỹ Vì người nghèo")


def test_the_letter_tells_whom_the_money_carries_and_never_a_name(
    client: FlaskClient, session: Session, make: Make
) -> None:
    sponsoring.set_fund_account(session, ACCOUNT)
    by, token = with_page(make)
    neighbours(make)
    sponsoring.pledge(session, by, 20 * A_MONTH, due=None, by_id=None, at=clock.now(), on=TODAY)
    receive(by, 10 * A_MONTH)
    person = poor(make, "Lê Thị Giấu Tên", phone="+84987654321", citizen_masked="038***119", address="12 Trần Phú")
    allocate(by, person, months=6)
    answer = client.get(f"/s/{token}")
    page = words(answer.text)
    for told in ("2.156.000 đ", "1.078.000 đ", "646.800 đ", "431.200 đ", make.ward().name, "hộ nghèo", "3/2020"):
        assert told in page, told
    assert "Người được hỗ trợ 1" in page
    assert "10/2019 – 3/2020" in page
    for secret in ("Giấu Tên", "0987", "987 654", "038***119", "12 Trần Phú", str(person.id)):
        assert secret not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_only_poor_household_of_a_ward_is_not_pointed_at(client: FlaskClient, make: Make) -> None:
    by, token = with_page(make)
    receive(by, 10 * A_MONTH)
    elsewhere = make.ward("14818@2019-10-15")
    neighbours(make, 9, place=elsewhere)
    allocate(by, poor(make, "Lê Thị Một Mình"), months=3)
    page = words(client.get(f"/s/{token}").text)
    assert make.ward().name not in page
    assert "các phường, xã khác" in page
    assert "thuộc diện khó khăn" in page


def test_every_dong_stands_at_somebody_or_is_left(session: Session, make: Make, at_time: Callable[..., None]) -> None:
    by = sponsor(make)
    receive(by, 40 * A_MONTH + 7)
    people = [poor(make, f"Người {number}") for number in range(4)]
    near = poor(make, "Cận Nghèo", Ground.NEAR_POOR)
    carried = [allocate(by, person, months=3) for person in people]
    allocate(by, near, months=1)
    sponsoring.release(session, carried[1], by_id=None, on=TODAY, at=clock.now())
    pay(make, carried[2])
    told = queries.telling(session, by, TODAY)
    balance = sponsors.balance_of(session, by)
    assert sum(line.used for line in told.lines) + balance.available == balance.received
    states = {line.number: [run.state for run in line.runs] for line in told.lines}
    assert states == {
        1: [MonthState.SET_ASIDE],
        2: [MonthState.GIVEN_BACK],
        3: [MonthState.PAID],
        4: [MonthState.SET_ASIDE],
        5: [MonthState.SET_ASIDE],
    }
    assert told.lines[4].used == A_NEAR_POOR_MONTH
    moves = queries.moves_of(session, by)
    assert moves[0].left == balance.available
    assert [(one.movement.value, one.times) for one in reversed(moves)] == [
        ("received", 1),
        ("reserved", 5),
        ("released", 1),
        ("paid", 1),
    ]


def test_a_neighbour_keeps_the_number(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 40 * A_MONTH)
    one, other = poor(make, "Trước"), poor(make, "Sau")
    first = allocate(by, one)
    allocate(by, other)
    sponsoring.release(session, first, by_id=None, on=TODAY, at=clock.now())
    allocate(by, one, months=3, start=Month(2019, 11))
    assert {who.name: who.number for who in queries.helped_by(session, by).values()} == {"Trước": 1, "Sau": 2}


def test_a_sponsor_of_many_reads_them_page_by_page(client: FlaskClient, make: Make) -> None:
    by, token = with_page(make)
    receive(by, 100 * A_MONTH)
    for number in range(23):
        allocate(by, poor(make, f"Người {number}"))
    page = client.get(f"/s/{token}").text
    assert page.count("Người được hỗ trợ ") == LINES
    assert f"after={LINES}" in page
    assert client.get(f"/s/{token}?after=20").text.count("Người được hỗ trợ ") == 3
    assert client.get(f"/s/{token}?after=nonsense").status_code == 200


@pytest.mark.parametrize("token", ["nothing", "x" * 300, "%00", "a b"])
def test_an_unknown_letter_is_not_found(client: FlaskClient, token: str) -> None:
    assert client.get(f"/s/{token}").status_code == 404


def test_a_sponsor_makes_a_receipt_on_their_own_page(client: FlaskClient, session: Session, make: Make) -> None:
    by, token = with_page(make)
    received = receive(by, 15_000_000)
    asked = {"paper": "receipt", "receipt": str(received.id)}
    answer = client.post(f"/s/{token}/papers", data=asked)
    assert answer.status_code == 303
    made = client.get(answer.location)
    assert made.mimetype == "application/pdf"
    assert made.data.startswith(b"%PDF-")
    assert made.headers["Referrer-Policy"] == "no-referrer"
    again = client.post(f"/s/{token}/papers", data=asked)
    assert again.location == answer.location
    [paper] = session.scalars(select(SponsorPaper)).all()
    assert (paper.issued_by_id, paper.facts["amount"]) == (None, 15_000_000)
    assert paper.number in client.get(f"/s/{token}").text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 404),
        ({"paper": "deed"}, 404),
        ({"paper": "receipt"}, 404),
        ({"paper": "receipt", "receipt": "x"}, 404),
        ({"paper": "statement"}, 404),
        ({"paper": "statement", "year": "9999999"}, 404),
        ({"paper": "statement", "year": "2018"}, 303),
        ({"paper": "certificate"}, 303),
        ({"paper": "certificate", "year": "-5"}, 303),
    ],
)
def test_papers_that_cannot_be_made_are_refused_in_words(
    client: FlaskClient, session: Session, make: Make, asked: dict[str, str], status: int
) -> None:
    by, token = with_page(make)
    receive(by, 15_000_000)
    answer = client.post(f"/s/{token}/papers", data=asked)
    assert answer.status_code == status
    if status == 303:
        assert answer.location == f"/s/{token}#papers"
        page = client.get(f"/s/{token}").text
        assert "Chưa có gì để ghi nhận" in page or "Năm này không có khoản tiền nào" in page
    assert session.scalars(select(SponsorPaper)).all() == []


# ---- thanks that are seen


def test_thanks_are_seen_only_while_the_sponsor_wants_it(client: FlaskClient, session: Session, make: Make) -> None:
    by, token = with_page(make)
    receive(by, 10 * A_MONTH)
    pay(make, allocate(by, poor(make, "Lê Thị Giấu Tên"), months=3))
    allocate(by, poor(make, "Lê Thị Chờ"), months=1)
    assert services.show(session, by, named=True, by=None, at=clock.now()).thanked is False
    public_id = queries.publicity_of(session, by).public_id  # type: ignore[union-attr]
    addresses = [f"/thanks/{public_id}", f"/thanks/{public_id}/wide.png", f"/thanks/{public_id}/square.png"]
    assert {client.get(address).status_code for address in addresses} == {404}
    assert client.post(f"/s/{token}/publicity", data={"thanked": "on"}).status_code == 303
    assert "public" not in client.get(addresses[0]).headers["Cache-Control"]
    page = client.application.test_client().get(addresses[0])
    assert page.status_code == 200
    for told in (
        "og:image",
        f"{public_id}/wide.png",
        "đã cùng 1 người lao động vun đắp lương hưu khi về già",
        "Thêm 1 tháng",
    ):
        assert told in page.text
    for secret in ("Giấu Tên", token, str(by.id), make.ward().name):
        assert secret not in page.text
    assert "Set-Cookie" not in page.headers
    picture = client.get(addresses[1])
    assert (picture.mimetype, picture.data[:4]) == ("image/png", b"\x89PNG")
    assert client.get(f"/thanks/{public_id}/round.png").status_code == 404
    client.post(f"/s/{token}/publicity", data={"thanked": "off"})
    assert {client.get(address).status_code for address in addresses} == {404}
    assert services.show(session, by, by=None, at=clock.now()).named is True


def test_the_fund_tells_all_and_nobody(client: FlaskClient, session: Session, make: Make) -> None:
    quiet, loud = sponsor(make, "Công ty Kín Đáo"), sponsor(make, "Công ty Vui Vẻ")
    services.show(session, loud, named=True, by=None, at=clock.now())
    receive(quiet, 30 * A_MONTH)
    receive(loud, 1_000_000, "FT2")
    for number in range(FEWEST):
        allocate(quiet, poor(make, f"Người Kín {number}"), months=3)
    poor(make, "Người Chờ")
    answer = client.get("/fund")
    page = words(answer.text)
    for told in (
        "4.234.000 đ",
        "15 tháng đã dành sẵn tiền",
        "Người nào đã được dành tiền một tháng là được tính",
        make.ward().name,
        "107.800 đ",
        "115.500 đ",
        "Công ty Vui Vẻ",
        "dưới 5",
    ):
        assert told in page, told
    for secret in ("Kín Đáo", "Người Kín", "Người Chờ"):
        assert secret not in page
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_the_people_of_the_fund_add_up_with_those_who_wait_for_their_first_month(
    client: FlaskClient, make: Make
) -> None:
    by = sponsor(make)
    receive(by, 60 * A_MONTH)
    for number in range(FEWEST):
        pay(make, allocate(by, poor(make, f"Người Đóng {number}")))
    for number in range(FEWEST - 1):
        allocate(by, poor(make, f"Người Chờ {number}"))
    assert "đã được dành sẵn tiền" not in words(client.get("/fund").text), "so few are not told apart"
    allocate(by, poor(make, "Người Chờ Thêm"))
    page = words(client.get("/fund").text)
    assert f"thêm {FEWEST} người đã được dành sẵn tiền" in page


def test_every_promise_that_waits_for_money_stands_on_the_page_of_its_sponsor(
    client: FlaskClient, session: Session, make: Make
) -> None:
    by, token = with_page(make)
    sponsoring.set_fund_account(session, ACCOUNT)
    act = {"by_id": None, "on": TODAY, "at": clock.now()}
    later = sponsoring.pledge(session, by, 300_000, due=date(2019, 11, 20), **act)
    first = sponsoring.pledge(session, by, 200_000, due=date(2019, 10, 25), **act)
    page = client.get(f"/s/{token}").text
    assert f"khoản khác 300.000 đ, hẹn đến 20/11/2019, mã {later.code}" in words(page)
    assert f", mã {first.code}" not in words(page), "it is the one with the QR"
    [other] = re.findall(r'href="(/sponsor/pay/[^"]+)"', page.replace("/qr.png", '"'))[:1]
    assert later.code in client.get(other).text


def test_whoever_ended_their_promise_is_asked_for_nothing(client: FlaskClient, session: Session, make: Make) -> None:
    by, token = with_page(make)
    act = {"by_id": None, "on": TODAY, "at": clock.now()}
    made = sponsoring.pledge(session, by, 200_000, due=date(2019, 10, 25), **act)
    assert "lời cam kết 200.000 đ" in words(client.get(f"/s/{token}").text)
    end(session, made, reason="Đổi ý", **act)
    page = words(client.get(f"/s/{token}").text)
    assert "lời cam kết" not in page
    assert "Không còn việc gì" in page


def test_the_money_of_a_sponsor_in_time_shows_what_goes_with_its_sign(
    client: FlaskClient, session: Session, make: Make
) -> None:
    by, token = with_page(make)
    came = receive(by, 900_000)
    sponsoring.correct_receipt(session, came, reason="Thừa một số 0", by_id=None, on=TODAY, at=clock.now())
    page = words(client.get(f"/s/{token}").text)
    assert "+900.000 đ" in page
    assert "−900.000 đ" in page


def test_the_fund_names_no_ward_while_few_are_carried(client: FlaskClient, make: Make) -> None:
    by = sponsor(make)
    receive(by, 30 * A_MONTH)
    for number in range(FEWEST - 1):
        allocate(by, poor(make, f"Người {number}"))
    page = words(client.get("/fund").text)
    assert make.ward().name not in page
    assert client.get("/").text.count('href="/fund"') == 1


# ---- who may be named


def test_whoever_agrees_is_named_to_that_sponsor_alone_until_they_take_it_back(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    by, token = with_page(make)
    other, other_token = with_page(make, "Công ty Khác")
    receive(by, 10 * A_MONTH)
    receive(other, 10 * A_MONTH, "FT2")
    person = poor(make, "Lê Thị Hiền", phone="+84987654321")
    allocate(by, person)
    allocate(other, person, start=Month(2019, 11))
    browser = signed_in(Role.MANAGER)
    assert f"/people/{person.id}/naming/{by.id}" in browser.get(f"/people/{person.id}").text
    address = f"/people/{person.id}/naming/{by.id}"
    said = {"given": "yes", "way": "paper", "said_on": "2019-10-14", "words": "Tôi đồng ý cho công ty biết tên tôi"}
    assert browser.post(address, data=said).status_code == 303
    assert "Lê Thị Hiền" in client.get(f"/s/{token}").text
    assert "0987" not in client.get(f"/s/{token}").text
    assert "Lê Thị Hiền" not in client.get(f"/s/{other_token}").text
    assert browser.post(address, data=said | {"given": "no", "words": "Thôi, đừng nêu tên"}).status_code == 303
    assert "Lê Thị Hiền" not in client.get(f"/s/{token}").text
    page = browser.get(address).text
    assert "Tôi đồng ý cho công ty" in page
    assert "Thôi, đừng nêu tên" in page
    assert [row.given for row in session.scalars(select(NamingConsent).order_by(NamingConsent.recorded_at))] == [
        True,
        False,
    ]
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("delete from naming_consent"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"given": ""},
        {"way": "dream"},
        {"said_on": "2019-10-16"},
        {"said_on": "x"},
        {"words": " "},
        {"words": "x" * 2001},
    ],
)
def test_a_consent_without_its_proof_is_not_kept(
    signed_in: Browser, session: Session, make: Make, wrong: dict[str, str]
) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, person)
    said = {"given": "yes", "way": "paper", "said_on": "2019-10-14", "words": "Đồng ý"}
    page = signed_in(Role.MANAGER).post(f"/people/{person.id}/naming/{by.id}", data=said | wrong)
    assert page.status_code == 422
    assert session.scalars(select(NamingConsent)).all() == []


def test_nobody_is_asked_about_a_sponsor_who_does_not_help_them(signed_in: Browser, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    browser = signed_in(Role.MANAGER)
    assert browser.get(f"/people/{person.id}/naming/{by.id}").status_code == 404


# ---- signing in


def test_somebody_invited_from_the_sponsors_page_begins_at_it(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    by, _token = with_page(make)
    receive(by, 10 * A_MONTH)
    treasurer = signed_in(Role.TREASURER)
    asked = {"full_name": "Mai Thị Đại Diện", "identity": "dai-dien@example.vn"}
    page = treasurer.post(f"/sponsors/{by.id}/people", data=asked).text
    assert treasurer.post(f"/sponsors/{by.id}/people", data=asked).status_code == 422
    [key] = set(re.findall(r"/invitation/([\w-]{20,})", page))
    password = "một mật khẩu rất dài 7"
    client.post(f"/invitation/{key}", data={"password": password, "password_again": password, "again": password})
    who = session.scalars(select(User).where(User.email == "dai-dien@example.vn")).one()
    browser = signed_in(who)
    assert browser.get("/").location == "/my-giving"
    assert by.name in browser.get("/my-giving").text
    shown = treasurer.get(f"/sponsors/{by.id}/people")
    assert "Mai Thị Đại Diện" in shown.text
    assert treasurer.post(f"/sponsors/{by.id}/people/{who.id}/close").status_code == 303
    session.refresh(who)
    assert not who.active


def test_an_account_that_belongs_to_no_sponsor_is_told_so(signed_in: Browser) -> None:
    page = signed_in(Role.SPONSOR).get("/my-giving")
    assert page.status_code == 200
    assert "chưa gắn" in page.text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SPONSOR])
def test_only_sponsors_have_giving_of_their_own(signed_in: Browser, role: Role) -> None:
    assert signed_in(role).get("/my-giving").status_code == 403


def test_the_office_makes_papers_with_the_name_of_who_made_them(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by = sponsor(make)
    received = receive(by, 15_000_000)
    treasurer = make.user(Role.TREASURER, full_name="Vũ Thị Thủ Quỹ")
    browser = signed_in(treasurer)
    assert browser.get(f"/sponsors/{by.id}").text.count(f"/sponsors/{by.id}/papers") == 1
    answer = browser.post(f"/sponsors/{by.id}/papers", data={"paper": "receipt", "receipt": str(received.id)})
    assert browser.get(answer.location).data.startswith(b"%PDF-")
    [paper] = session.scalars(select(SponsorPaper)).all()
    assert (paper.facts["by"], paper.issued_by_id) == ("Vũ Thị Thủ Quỹ", treasurer.id)
    assert paper.number in browser.get(f"/sponsors/{by.id}/papers").text
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get(answer.location).status_code == 200
    refused = auditor.post(f"/sponsors/{by.id}/papers", data={"paper": "statement", "year": "2019"})
    assert refused.status_code == 403


def test_a_paper_that_a_sponsor_makes_for_themselves_is_signed_by_nobody(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by = sponsor(make)
    received, account = receive(by, 15_000_000), make.user(Role.SPONSOR, full_name="Lê Văn Tự Ký")
    services.attach(session, by, account, by=None, at=clock.now())
    answer = signed_in(account).post("/my-giving/papers", data={"paper": "receipt", "receipt": str(received.id)})
    assert answer.status_code == 303
    [paper] = session.scalars(select(SponsorPaper)).all()
    assert (paper.facts["by"], paper.issued_by_id) == ("", account.id)


def test_the_head_of_a_letter_tells_everybody_the_money_is_for(
    client: FlaskClient, make: Make, at_time: Callable[..., None]
) -> None:
    by, token = with_page(make)
    receive(by, 10 * A_MONTH)
    pay(make, allocate(by, poor(make, "Lê Thị Trước"), months=1))
    allocate(by, poor(make, "Lê Thị Nay"), months=6)
    at_time(clock.at(date(2019, 12, 2), 9))
    page = words(client.get(f"/s/{token}").text)
    assert "754.600 đ của quý vị dành cho 2 người" in page
    assert "2 người: 1 tháng đã nộp quỹ bảo hiểm, 6 tháng đã dành sẵn tiền, chờ nộp" in page


def test_the_letter_says_why_papers_count_fewer_people_than_the_money_is_for(client: FlaskClient, make: Make) -> None:
    by, token = with_page(make)
    receive(by, 10 * A_MONTH)
    one, other = poor(make, "Lê Thị Một"), poor(make, "Lê Thị Hai")
    first = allocate(by, one, months=1)
    told = "giấy tri ân và trang cảm ơn chỉ tính những người đã được đóng"
    assert told not in words(client.get(f"/s/{token}").text), "no paper is there yet"
    pay(make, first)
    assert told not in words(client.get(f"/s/{token}").text), "all count the same"
    allocate(by, other, months=3)
    page = words(client.get(f"/s/{token}").text)
    assert f"Trong đó 1 người mới được dành tiền, chưa đóng tháng nào: {told}, là 1 người." in page
    assert certificate(by).facts["people"] == 1


def test_a_letter_of_a_large_sponsor_asks_few_questions(client: FlaskClient, make: Make) -> None:
    """Judged by the client: at most 30 queries, however many people."""
    by, token = with_page(make)
    receive(by, 200 * A_MONTH)
    for number in range(40):
        allocate(by, poor(make, f"Người {number}"), months=1, start=Month.of(TODAY + timedelta(days=31 * (number % 3))))
    assert client.get(f"/s/{token}").status_code == 200


def test_a_sponsor_page_survives_the_turn_of_the_year(
    client: FlaskClient, make: Make, at_time: Callable[..., None]
) -> None:
    by, token = with_page(make)
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make), months=3)
    at_time(clock.at(date(2020, 1, 5), 9))
    page = words(client.get(f"/s/{token}").text)
    assert "Sao kê năm 2020" in page
    assert "Sao kê năm 2019" in page
    assert isinstance(by, Sponsor)


def test_a_sponsor_reads_many_receipts_part_by_part(client: FlaskClient, make: Make) -> None:
    by, token = with_page(make)
    for number in range(LINES + 2):
        receive(by, 1_000 * (number + 1), f"FT{number}")
    first = client.get(f"/s/{token}").text
    assert first.count('name="receipt"') == LINES
    further = client.get(f"/s/{token}?papers={LINES}").text
    assert further.count('name="receipt"') == 2


def test_received_is_the_same_word_everywhere_and_says_what_of_it_was_returned(
    client: FlaskClient, signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    by, token = with_page(make)
    receive(by, 1_000_000)
    sponsoring.refund(session, by, 400_000, reason="Chuyển thừa", by_id=None, on=TODAY, at=clock.now())
    paper = statement(by)
    assert paper.facts["money"]["received"] == sponsors.balance_of(session, by).received == 1_000_000
    public = ("/fund", f"/s/{token}", f"/verify/{paper.number}")
    pages = {path: words(client.get(path).text) for path in public}
    browser = signed_in(Role.TREASURER)
    pages |= {path: words(browser.get(path).text) for path in ("/sponsors", f"/sponsors/{by.id}", "/treasury")}
    for path, page in pages.items():
        assert "1.000.000 đ" in page, path
        assert re.search(r"rong đó đã hoàn lại 400\.000 đ", page), path


def test_the_page_of_the_fund_folds_what_few_look_for(
    client: FlaskClient, session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = sponsor(make)
    receive(by, 90 * A_MONTH)
    for number in range(FEWEST):
        pay(make, allocate(by, poor(make, f"Người {number}")))
    monkeypatch.setattr(queries, "who_wants_to_be_named", lambda *_asked: [f"Nhà {number}" for number in range(9)])
    page = client.get("/fund").text
    folds = re.findall(r'<details class="fold">.*?</details>', page, flags=re.S)
    assert [fold.count("<tr>") > 1 for fold in folds] == [True, False]
    assert "Nhà 0" not in folds[1]
    assert "Nhà 8" in folds[1]
