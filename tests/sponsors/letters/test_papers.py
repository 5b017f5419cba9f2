"""Papers: numbered without a gap, made again as they were, verified by anybody, and true to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.db import db, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.months import Month
from crm.participation.services import reverse_payment
from crm.sponsors import services as sponsoring
from crm.sponsors.letters import printing, queries, services
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.letters.rules import PaperKind, Validity, read_number
from crm.sponsors.models import LedgerAccount, Receipt, Sponsor
from crm.sponsors.rules import AccountKind
from tests.factories import Make
from tests.sponsors.letters.stories import ADDRESS, ISSUED, certificate, neighbours, statement, with_page, words
from tests.sponsors.stories import A_MONTH, TODAY, allocate, pay, poor, receive, sponsor


def receipt_paper(session: Session, of: Sponsor, received: Receipt, **more: Any) -> SponsorPaper:
    return services.issue_receipt(session, of, received, **ISSUED | {"at": clock.now()} | more)


def test_receipts_of_a_year_are_numbered_one_after_the_other_and_each_once(session: Session, make: Make) -> None:
    of = sponsor(make)
    one, other = receive(of, 1_000_000), receive(of, 2_000_000, "FT2")
    papers = [receipt_paper(session, of, received) for received in (other, one, other)]
    assert [paper.serial for paper in papers] == [1, 2, 1]
    assert papers[0].id == papers[2].id
    assert papers[0].number.startswith("BN19-0001-")
    next_year = clock.at(date(2020, 1, 2), 9)
    later = receipt_paper(session, of, receive(of, 3, "FT3"), on=date(2020, 1, 2), at=next_year)
    assert (later.year, later.serial, later.follows) == (2020, 1, None)


@pytest.mark.parametrize(("serial", "follows"), [(3, 2), (3, 1), (3, None), (1, None), (0, None), (-1, None), (2, 2)])
def test_the_database_itself_refuses_a_gap_and_a_number_twice(
    session: Session, make: Make, serial: int, follows: int | None
) -> None:
    of = sponsor(make)
    paper = receipt_paper(session, of, receive(of, 1_000_000))
    other = receive(of, 2_000_000, "FT2")
    session.add(
        SponsorPaper(
            town_id=of.town_id,
            sponsor_id=of.id,
            kind=PaperKind.RECEIPT,
            year=2019,
            serial=serial,
            follows=follows,
            number="x",
            receipt_id=other.id,
            of_year=None,
            facts=paper.facts,
            issued_on=TODAY,
            issued_at=clock.now(),
            issued_by_id=None,
        )
    )
    with pytest.raises(IntegrityError), session.begin_nested():
        session.flush()


@pytest.mark.parametrize("act", ["update sponsor_paper set number = 'x'", "delete from sponsor_paper"])
def test_a_paper_that_was_issued_stays_as_it_is(session: Session, make: Make, act: str) -> None:
    of = sponsor(make)
    receipt_paper(session, of, receive(of, 1_000_000))
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(act))


@pytest.mark.committed
def test_papers_asked_for_at_the_same_moment_still_have_no_gap(app: Flask, make: Make) -> None:
    of = sponsor(make)
    received = [receive(of, 1_000 + number, f"FT{number}").id for number in range(8)]
    key = (of.town_id, of.id)
    db.session.commit()

    def ask(receipt_id: Any) -> int:
        with app.app_context(), transaction() as current:
            by, row = current.get_one(Sponsor, key), current.get_one(Receipt, (key[0], receipt_id))
            return receipt_paper(current, by, row).serial

    with ThreadPoolExecutor(6) as many:
        serials = list(many.map(ask, [*received, *received]))
    assert sorted(set(serials)) == list(range(1, 9))
    assert serials[:8] == serials[8:]


def test_a_receipt_booked_back_gets_no_paper_and_one_that_has_it_says_so(
    client: FlaskClient, session: Session, make: Make
) -> None:
    of = sponsor(make)
    received, other = receive(of, 1_000_000), receive(of, 2_000_000, "FT2")
    paper = receipt_paper(session, of, received)
    assert services.verify(session, paper).validity is Validity.HOLDS
    for row in (received, other):
        book_back(session, row)
    found = services.verify(session, paper)
    assert (found.validity, found.since) == (Validity.CORRECTED, TODAY)
    assert "không còn giá trị" in words(client.get(f"/verify/{paper.number}").text)
    with pytest.raises(Conflict, match="ghi đảo"):
        receipt_paper(session, of, other)


def test_a_receipt_of_another_sponsor_gets_no_paper(session: Session, make: Make) -> None:
    of, other = sponsor(make), sponsor(make, "Công ty Khác")
    with pytest.raises(NotFound):
        receipt_paper(session, of, receive(other, 1_000_000))


def test_every_paper_is_made_again_byte_by_byte_in_both_languages(session: Session, make: Make) -> None:
    of = sponsor(make, "Công ty “Đá Xanh” #1 & *con*", tax_code="0100109106")
    neighbours(make)
    received = receive(of, 10 * A_MONTH)
    pay(make, allocate(of, poor(make), months=3))
    allocate(of, poor(make, "Lê Thị Chờ"), months=1)
    for paper in (receipt_paper(session, of, received), certificate(of), statement(of)):
        session.refresh(paper)
        for lang in ("vi", "en"):
            made = printing.pdf_of(paper, lang)
            assert made.startswith(b"%PDF-")
            assert made == printing.pdf_of(paper, lang)


@pytest.mark.parametrize(("shape", "size"), [("wide", (1200, 630)), ("square", (1080, 1080))])
def test_the_picture_has_the_size_that_networks_expect(shape: str, size: tuple[int, int]) -> None:
    done = queries.InAll(12, 36, Month(2019, 10), Month(2020, 9))
    made = printing.picture("Công ty Đá Xanh", "Thị xã Bỉm Sơn", done, shape, "vi", "localhost/fund")
    assert made.startswith(b"\x89PNG")
    assert (int.from_bytes(made[16:20]), int.from_bytes(made[20:24])) == size


def test_a_certificate_is_for_months_that_were_paid_and_tells_apart_what_waits(session: Session, make: Make) -> None:
    of, person = sponsor(make), poor(make)
    receive(of, 10 * A_MONTH)
    with pytest.raises(RuleBroken, match="Chưa có gì"):
        certificate(of)
    made = allocate(of, person, months=6)
    with pytest.raises(RuleBroken, match="Chưa có gì"):
        certificate(of)
    payment = pay(make, made)
    allocate(of, poor(make, "Lê Thị Chờ"), months=3)
    paper = certificate(of)
    facts = paper.facts
    assert (facts["people"], facts["months"], facts["first"], facts["last"]) == (1, 6, "2019-10-01", "2020-03-01")
    assert facts["waiting"] == 3
    assert certificate(of).id == paper.id
    assert certificate(of, 2020).facts["months"] == 3
    assert services.verify(session, paper).validity is Validity.HOLDS
    reverse_payment(session, payment, by=make.user(), at=clock.now())
    sponsoring.release(session, made, by_id=None, on=TODAY, at=clock.now())
    assert services.verify(session, paper).validity is Validity.CHANGED


def test_a_newer_certificate_replaces_the_one_before(session: Session, make: Make) -> None:
    of = sponsor(make)
    receive(of, 10 * A_MONTH)
    pay(make, allocate(of, poor(make)))
    before = certificate(of)
    pay(make, allocate(of, poor(make, "Lê Thị Hai")))
    after = certificate(of, at=clock.now())
    found = services.verify(session, before)
    assert (found.validity, found.replaced_by) == (Validity.REPLACED, after.number)


def book_back(session: Session, received: Receipt, on: date = TODAY) -> None:
    sponsoring.correct_receipt(session, received, reason="ghi nhầm", by_id=None, on=on, at=clock.now())


# ---- statements


def balances(session: Session, kind: AccountKind) -> int:
    query = select(func.coalesce(func.sum(LedgerAccount.balance), 0)).where(LedgerAccount.kind == kind)
    return int(session.scalar(query) or 0)


def test_the_statements_of_all_sponsors_add_up_to_the_ledger(
    session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    """Gifts, help, help given back and receipts booked back over two years; each year's closing is the next opening."""
    random, all_of_them = Random(7), [sponsor(make, f"Nhà hỗ trợ {number}") for number in range(4)]
    free, taken, booked = [], [poor(make, f"Người Nghèo {number}") for number in range(12)], []
    for turn, day in enumerate([date(2019, 10, 15), date(2019, 11, 20), date(2019, 12, 30), date(2020, 1, 10)]):
        at_time(clock.at(day, 9))
        for number, of in enumerate(all_of_them):
            amount = random.randint(4, 30) * A_MONTH + random.randint(0, 99)
            how = {"reference": f"FT{turn}{number}", "pledge": None, "by_id": None, "on": day, "at": clock.now()}
            booked.append(sponsoring.receive(session, of, amount, **how))
            if taken and day.year == 2019:
                free.append(allocate(of, taken.pop(), months=random.choice([1, 3]), start=Month.of(day), on=day))
        if turn:
            sponsoring.release(session, free.pop(0), by_id=None, on=day, at=clock.now())
    book_back(session, booked[-1], on=date(2020, 1, 10))
    back = {"reason": "nhà hỗ trợ xin lại", "by_id": None, "on": date(2020, 1, 10), "at": clock.now()}
    sponsoring.refund(session, all_of_them[0], 5, **back)
    spans = [(date(2019, 1, 1), date(2019, 12, 31)), (date(2020, 1, 1), date(2020, 1, 31))]
    first, second = (queries.years_of_money(session, make.town.id, *span) for span in spans)
    for year in (first, second):
        assert all(money.adds_up for money in year.values())
    assert {key: money.closing for key, money in first.items()} == {key: second[key].opening for key in first}
    assert sum(money.closing for money in second.values()) == balances(session, AccountKind.AVAILABLE)
    assert sum(money.waiting for money in second.values()) == balances(session, AccountKind.RESERVED)
    assert sum(one.paid for year in (first, second) for one in year.values()) == balances(
        session, AccountKind.INSURANCE_FUND
    )
    came = sum(one.received - one.refunded for year in (first, second) for one in year.values())
    assert came == -balances(session, AccountKind.OUTSIDE)
    assert second[all_of_them[0].id].refunded == 5
    for of in all_of_them:
        facts = statement(of, 2020, on=date(2020, 1, 31)).facts
        assert sum(amount for _day, _reference, amount in facts["receipts"]) == facts["money"]["received"]
        assert statement(of, 2019, on=date(2020, 1, 15)).facts["money"] == first[of.id]._asdict()


def test_an_earlier_year_is_stated_however_much_came_in_later(session: Session, make: Make) -> None:
    of = sponsor(make)
    sponsoring.receive(
        session, of, 1_000, reference="FT0", pledge=None, by_id=None, on=date(2018, 12, 31), at=clock.now()
    )
    for number in range(1, 202):
        receive(of, 1_000, f"FT{number}")
    assert statement(of, 2018).facts["money"]["received"] == 1_000


def test_a_statement_names_nobody_and_each_receipt(session: Session, make: Make) -> None:
    of = sponsor(make)
    neighbours(make)
    receive(of, 10 * A_MONTH)
    allocate(of, poor(make, "Lê Thị Giấu Tên"), months=3)
    facts = statement(of).facts
    assert facts["receipts"] == [["2019-10-15", "FT1", 10 * A_MONTH]]
    assert facts["groups"] == [[make.ward().name, "poor", 1, 0, 3]]
    assert facts["money"]["closing"] == 7 * A_MONTH
    assert "Giấu Tên" not in str(facts)


@pytest.mark.parametrize("year", [2018, 2020])
def test_there_is_no_statement_of_a_year_without_money_or_to_come(session: Session, make: Make, year: int) -> None:
    of = sponsor(make)
    receive(of, 10 * A_MONTH)
    with pytest.raises(RuleBroken):
        statement(of, year)


# ---- anybody may verify


def test_anybody_sees_what_a_paper_says(client: FlaskClient, session: Session, make: Make) -> None:
    of = sponsor(make)
    neighbours(make)
    paper = receipt_paper(session, of, receive(of, 15_000_000))
    pay(make, allocate(of, poor(make), months=3))
    for shown, tells in (
        (paper, "15.000.000 đ"),
        (certificate(of), "Giấy tri ân"),
        (statement(of), f"{15_000_000 - 3 * A_MONTH:,}".replace(",", ".")),
    ):
        page = client.get(f"/verify/{shown.number.lower().replace('-', '')}")
        assert page.status_code == 200
        assert page.headers["X-Robots-Tag"].startswith("noindex")
        told = words(page.text)
        for part in (shown.number, of.name, "Giấy thật, còn giá trị", tells):
            assert part in told


def test_a_wrong_and_an_unknown_number_are_told_apart(client: FlaskClient, session: Session, make: Make) -> None:
    of = sponsor(make)
    number = receipt_paper(session, of, receive(of, 15_000_000)).number
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
    page = client.get(f"/verify/{wrong}")
    assert page.status_code == 404
    assert "ký tự sai" in page.text
    unknown = "BN19-0012-00000"
    unknown += next(letter for letter in "0123456789ABCDEFGHJKLMNPQRSTUVW" if is_number(unknown + letter))
    page = client.get(f"/verify/{unknown}")
    assert page.status_code == 404
    assert "Không có giấy nào" in page.text
    asked = client.get("/verify", query_string={"number": number.lower()})
    assert asked.location.endswith(f"/verify/{number}")
    assert client.get("/verify", query_string={"number": "nonsense\x00"}).status_code == 422
    assert client.get("/verify").status_code == 200


def is_number(text: str) -> bool:
    try:
        return bool(read_number(text))
    except RuleBroken:
        return False


def test_the_qr_of_a_paper_leads_to_its_truth(session: Session, make: Make) -> None:
    of, _token = with_page(make)
    paper = receipt_paper(session, of, receive(of, 15_000_000))
    assert paper.facts["address"] == ADDRESS
    assert "<svg" in printing._drawn(f"{ADDRESS}/{paper.number}")
