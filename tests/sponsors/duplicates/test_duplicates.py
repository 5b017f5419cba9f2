"""Sponsors who registered twice: found, made one with everything they gave, told apart; never a đồng lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.sponsors import queries, services
from crm.sponsors.duplicates.queries import Remained, Same, alike, alike_to, remained
from crm.sponsors.duplicates.services import merge, merge_or_ask, tell_apart, to_give_back
from crm.sponsors.ledger.deciding import change_limit, decide
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.recounting import differences
from crm.sponsors.ledger.rules import Decision
from crm.sponsors.letters import queries as letters
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.models import LedgerAccount, Receipt, Sponsor, SponsorMerge
from crm.sponsors.rules import AccountKind, Balance
from tests.factories import Make
from tests.sponsors.statements.stories import csv_of, load
from tests.sponsors.statements.stories import pledge as promise_of
from tests.sponsors.stories import A_MONTH, TODAY, allocate, pay, poor, receive, sponsor

TAX = "0100109106"


def act(make: Make, role: Role = Role.TREASURER) -> dict[str, Any]:
    return {"by": make.user(role), "on": TODAY, "at": clock.now()}


def joined(make: Make, kept: Sponsor, gone: Sponsor) -> SponsorMerge:
    return merge(make.session, kept, gone, "Gọi điện: cùng một công ty", **act(make))


def own(session: Session, of: Sponsor, kind: AccountKind = AccountKind.AVAILABLE) -> int:
    query = select(LedgerAccount.balance).where(LedgerAccount.sponsor_id == of.id, LedgerAccount.kind == kind)
    return session.scalar(query) or 0


def test_who_may_be_the_same_is_found_by_what_they_have_in_common(make: Make, session: Session) -> None:
    first = sponsor(make, "Công ty Đá Xanh", tax_code=TAX, email="Da@xanh.vn", phone="0912345678")
    session.flush()
    asked: dict[str, Any] = {"name": "Khác", "email": None, "phone": None, "tax_code": None}
    for more, why in (
        ({"name": "CONG TY da  xanh"}, Same.NAME),
        ({"email": "da@XANH.vn"}, Same.EMAIL),
        ({"phone": "+84912345678"}, Same.PHONE),
        ({"tax_code": TAX}, Same.TAX_CODE),
    ):
        assert [(one.sponsor, one.whys) for one in alike(session, make.town.id, **asked | more)] == [(first, (why,))]
    assert alike(session, make.town.id, **asked) == []
    assert alike_to(session, first) == []


def test_names_are_alike_by_the_words_that_say_who(make: Make, session: Session) -> None:
    first = sponsor(make, "Công ty TNHH Vật liệu xây dựng Đá Xanh")
    person = sponsor(make, "Nguyễn Văn Phúc")
    session.flush()

    def like(name: str) -> list[Sponsor]:
        return [one.sponsor for one in alike(session, make.town.id, name=name, email=None, phone=None, tax_code=None)]

    assert like("Cty CP Đá Xanh") == [first]
    assert like("Vật liệu xây dựng Da Xanhh") == [first]
    assert like("Ông Nguyễn Văn Phúc") == [person]
    assert like("Công ty TNHH") == like("Nguyễn Văn An") == like("Công ty TNHH Hồng Phát") == []


def test_a_program_is_told_of_who_may_be_the_same(make: Make, session: Session, client: FlaskClient) -> None:
    first = sponsor(make, "Công ty Đá Xanh", phone="+84912345678")
    session.flush()
    sent = {"name": "Cty TNHH Đá Xanh", "kind": "company", "phone": "0912 345 678"}
    by = {"Authorization": f"Bearer {make.token(make.user(Role.TREASURER))}"}
    refused = client.post("/api/v1/sponsors", json=sent, headers=by)
    told = refused.get_json()
    assert (refused.status_code, told["code"]) == (409, "likely_duplicate")
    assert [(one["id"], one["reasons"]) for one in told["candidates"]] == [(str(first.id), ["phone", "like"])]
    assert client.post("/api/v1/sponsors", json=sent | {"allow_duplicate": True}, headers=by).status_code == 201


def test_everything_of_both_stands_with_the_one_that_stays(make: Make, session: Session) -> None:
    kept, gone, person = sponsor(make), sponsor(make, "Cty Da Xanh", tax_code=TAX, email="a@b.vn"), poor(make)
    mine, theirs = promise_of(kept, 2_000_000), promise_of(gone, 1_000_000)
    receive(kept, 400_000, "FT1")
    receive(gone, 600_000, "FT2")
    pay(make, allocate(gone, person, months=3))
    row = joined(make, kept, gone)
    spent = 3 * A_MONTH
    expected = Balance(3_000_000, 1_000_000, 1_000_000 - spent, 0, spent, 3_000_000)
    assert queries.balance_of(session, kept) == expected
    assert (own(session, gone), own(session, kept)) == (0, 1_000_000 - spent)
    assert {one.id for one, _came in queries.pledges_of(session, kept)} == {mine.id, theirs.id}
    assert {one.reference for one in queries.receipts_of(session, kept)} == {"FT1", "FT2"}
    assert len(letters.telling(session, kept, TODAY).lines) == 1
    year = letters.years_of_money(session, make.town.id, date(2019, 1, 1), TODAY)
    assert set(year) == {kept.id}
    assert (year[kept.id].received, year[kept.id].closing) == (1_000_000, 1_000_000 - spent)
    assert sum(letters.fund_sums(session, make.town.id, TODAY)[:1]) == 1_000_000
    assert (kept.tax_code, kept.email, gone.merged_into_id) == (TAX, "a@b.vn", kept.id)
    assert queries.account_book(session, kept)[0].posting.memo == gone.name
    assert row.why
    assert differences(session) == []


def test_what_comes_later_to_the_other_is_free_to_the_one_that_stays(make: Make, session: Session) -> None:
    kept, gone, person = sponsor(make), sponsor(make, "Bà Tâm"), poor(make)
    theirs = promise_of(gone, 1_000_000)
    receive(gone, 500_000, "FT1")
    made = allocate(gone, person, months=3)
    joined(make, kept, gone)
    load(make, csv_of((1, 300_000, theirs.code)))
    services.release(session, made, by_id=None, on=TODAY, at=clock.now())
    receipt = services.receive(
        session, kept, 100_000, reference="FT9", pledge=theirs, by_id=None, on=TODAY, at=clock.now()
    )
    assert receipt.sponsor_id == gone.id
    assert (own(session, gone), own(session, kept)) == (0, 900_000)
    services.correct_receipt(session, receipt, reason="Nhầm", by_id=None, on=TODAY, at=clock.now())
    assert (own(session, gone), own(session, kept)) == (0, 800_000)
    assert differences(session) == []


def test_a_receipt_whose_money_is_spent_by_the_other_cannot_be_taken_back(make: Make, session: Session) -> None:
    kept, gone, person = sponsor(make), sponsor(make, "Bà Tâm"), poor(make)
    receipt = receive(gone, 3 * A_MONTH)
    joined(make, kept, gone)
    allocate(kept, person, months=3)
    with pytest.raises(Conflict) as refused:
        services.correct_receipt(session, receipt, reason="Nhầm", by_id=None, on=TODAY, at=clock.now())
    assert refused.value.code == "not_enough_received"


def test_they_are_told_apart_with_what_is_still_free(make: Make, session: Session) -> None:
    kept, gone, person = sponsor(make), sponsor(make, "Bà Tâm", tax_code=TAX), poor(make)
    receive(gone, 3 * A_MONTH)
    row = joined(make, kept, gone)
    allocate(kept, person, months=1)
    assert to_give_back(session, row) == 2 * A_MONTH
    with pytest.raises(RuleBroken):
        tell_apart(session, row, 3 * A_MONTH, "Hai người", **act(make))
    tell_apart(session, row, 2 * A_MONTH, "Hai người", **act(make))
    assert (own(session, gone), own(session, kept)) == (2 * A_MONTH, 0)
    assert (gone.merged_into_id, gone.tax_code, kept.tax_code) == (None, TAX, None)
    assert queries.balance_of(session, gone).available == 2 * A_MONTH
    assert remained(session, gone) == [Remained(kept, A_MONTH, theirs=False)]
    assert remained(session, kept) == [Remained(gone, A_MONTH, theirs=True)]
    with pytest.raises(Conflict):
        tell_apart(session, row, 0, "Hai người", **act(make))
    joined(make, gone, kept)
    assert differences(session) == []


def test_what_reached_the_other_reaches_them_alone_again(make: Make, session: Session) -> None:
    kept, gone = (
        sponsor(make, email="ba@example.vn"),
        sponsor(make, "Bà Tâm", phone="0912345678", email="tam@example.vn"),
    )
    row = joined(make, kept, gone)
    assert (kept.phone, kept.email) == (gone.phone, "ba@example.vn")
    tell_apart(session, row, 0, "Hai người", **act(make))
    assert (kept.phone, kept.email, gone.phone) == (None, "ba@example.vn", "+84912345678")
    services.change_sponsor(
        session, kept, **services.known_of(kept) | {"phone": "0912345678"}, by_id=None, at=clock.now()
    )
    tell_apart(session, joined(make, kept, gone), 0, "Vẫn hai người", **act(make))
    assert kept.phone == "+84912345678", "it was theirs before"


def test_what_the_other_used_is_said_on_both_pages_and_in_both_letters(
    make: Make, session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    kept, gone, person = sponsor(make), sponsor(make, "Bà Tâm"), poor(make)
    receive(gone, A_MONTH)
    row = joined(make, kept, gone)
    allocate(kept, person, months=1)
    tell_apart(session, row, 0, "Hai người", **act(make))
    client = signed_in(Role.TREASURER)
    assert f"{kept.name} dùng" in client.get(f"/sponsors/{gone.id}").text
    assert f"của {gone.name}" in client.get(f"/sponsors/{kept.id}").text
    letters_of = {one.id: client.get(f"/s/{services.renew_page(session, one)}").text for one in (kept, gone)}
    assert "bị nhập chung nhầm" in letters_of[gone.id]
    assert "bị nhập chung nhầm" in letters_of[kept.id]
    assert kept.name not in letters_of[gone.id]
    assert gone.name not in letters_of[kept.id]


def test_families_are_flat_and_the_database_keeps_them_so(make: Make, session: Session) -> None:
    one, two, three = sponsor(make, "Một"), sponsor(make, "Hai"), sponsor(make, "Ba")
    joined(make, one, two)
    for kept, gone in ((three, one), (three, two), (two, three), (one, one)):
        with pytest.raises((RuleBroken, Conflict)):
            joined(make, kept, gone)
    joined(make, one, three)
    with pytest.raises(DBAPIError, match="row of sponsor_merge"), session.begin_nested():
        session.execute(text("update sponsor set merged_into_id = null, merged_at = null"))


def test_above_the_limit_a_second_person_makes_them_one(make: Make, session: Session) -> None:
    kept, gone = sponsor(make), sponsor(make, "Bà Tâm")
    receive(gone, 5_000_000)
    change_limit(session, 1_000_000, by=make.user(Role.ADMIN), at=clock.now())
    asked = merge_or_ask(session, kept, gone, "Cùng một người", **act(make))
    assert isinstance(asked, MoneyRequest)
    assert gone.merged_into_id is None
    decide(session, asked, Decision.APPROVED, by=make.user(Role.TREASURER), on=TODAY, at=clock.now())
    session.refresh(gone)
    assert gone.merged_into_id == kept.id
    assert own(session, kept) == 5_000_000


@pytest.mark.committed
def test_money_that_comes_while_they_are_made_one_is_not_left_behind(app: Flask, make: Make, session: Session) -> None:
    kept, gone = sponsor(make), sponsor(make, "Bà Tâm")
    receive(gone, 100_000, "FT0")
    by = make.user(Role.TREASURER)
    town_id, ids, by_id = make.town.id, (kept.id, gone.id), by.id
    session.commit()
    ready, failed = threading.Barrier(2), list[BaseException]()

    def beside(work: Any) -> None:
        with app.app_context():
            try:
                ready.wait()
                work()
            except BaseException as refused:
                failed.append(refused)

    def receives() -> None:
        for number in range(1, 9):
            with transaction() as current:
                of = current.get_one(Sponsor, (town_id, ids[1]))
                receive_now(current, of, f"FT{number}")

    def merges() -> None:
        with transaction() as current:
            first, second = (current.get_one(Sponsor, (town_id, key)) for key in ids)
            who = current.get_one(type(by), (town_id, by_id))
            merge(current, first, second, "Cùng một người", by=who, on=TODAY, at=clock.now())

    threads = [threading.Thread(target=beside, args=(work,)) for work in (receives, merges)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    free = select(LedgerAccount.sponsor_id, LedgerAccount.balance).where(LedgerAccount.kind == AccountKind.AVAILABLE)
    found: dict[UUID | None, int] = dict(session.execute(free).tuples().all())
    assert (found[ids[0]], found[ids[1]]) == (900_000, 0)
    assert differences(session) == []


def receipt_of(session: Session, of: Sponsor) -> str:
    return str(session.scalars(select(Receipt.id).where(Receipt.sponsor_id == of.id)).one())


def receive_now(session: Session, of: Sponsor, reference: str) -> None:
    services.receive(session, of, 100_000, reference=reference, pledge=None, by_id=None, on=TODAY, at=clock.now())


def test_pages_warn_compare_make_one_and_tell_apart(
    make: Make, session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    first, token = services.register_sponsor(
        session,
        make.town.id,
        name="Công ty Đá Xanh",
        kind=sponsor(make, "Khác").kind,
        phone="0912345678",
        by_id=None,
        at=clock.now(),
    )
    client = signed_in(Role.TREASURER)
    new = {"name": "Cty TNHH Đá Xanh", "kind": "company", "phone": "0912 345 678"}
    typing = client.post("/sponsors/alike", data={"name": "đá xanh"})
    assert typing.get_json()["found"] == 1
    assert "tên gần giống" in typing.get_json()["html"]
    assert client.post("/sponsors/alike", data={"tax_code": "01001"}).get_json()["found"] == 0
    for blind in (Role.AUDITOR, Role.VOLUNTEER):
        assert signed_in(blind).post("/sponsors/alike", data={"name": "đá xanh"}).status_code == 403
    client = signed_in(Role.TREASURER)
    warned = client.post("/sponsors/new", data=new)
    assert warned.status_code == 422
    assert "Công ty Đá Xanh" in warned.text
    assert client.post("/sponsors/new", data=new | {"anyway": "1"}).status_code == 200
    second = session.scalars(select(Sponsor).where(Sponsor.name == new["name"])).one()
    receive(second, A_MONTH, "FT1")
    client.post(f"/sponsors/{second.id}/papers", data={"paper": "receipt", "receipt": receipt_of(session, second)})
    paper = session.scalars(select(SponsorPaper)).one()
    other = services.renew_page(session, second)
    assert f"/sponsors/{second.id}/same/{first.id}" in client.get(f"/sponsors/{second.id}").text
    assert client.get(f"/sponsors/{second.id}/same?q=da+xanh").status_code == 200
    url = f"/sponsors/{second.id}/same/{first.id}"
    assert client.get(url).status_code == 200
    assert client.post(url, data={"stays": "other", "why": ""}).status_code == 422
    done = client.post(url, data={"stays": "other", "why": "Cùng số điện thoại"})
    assert done.location == f"/sponsors/{first.id}"
    assert client.post(url, data={"stays": "other", "why": "Hai lần"}).status_code == 422
    assert client.get(f"/sponsors/{second.id}").location == f"/sponsors/{first.id}"
    for one in (token, other):
        letter = client.get(f"/s/{one}")
        assert letter.status_code == 200
        assert first.name in letter.text
    assert f"đứng tên {second.name}" in client.get(f"/sponsors/{first.id}/papers").text
    shown = client.get(f"/verify/{paper.number}").text
    assert "giữ nguyên tên lúc cấp" in shown
    assert second.name in shown
    assert first.name not in shown
    row = session.scalars(select(SponsorMerge)).one()
    assert client.get(f"/sponsors/made-one/{row.id}").status_code == 200
    assert client.post(f"/sponsors/made-one/{row.id}", data={"back": "0", "why": "Hai"}).status_code == 303
    assert client.get(f"/sponsors/made-one/{row.id}").status_code == 200
    assert client.get(f"/sponsors/{second.id}").status_code == 200
    assert session.scalar(select(func.count()).select_from(Sponsor).where(Sponsor.merged_into_id.is_not(None))) == 0
