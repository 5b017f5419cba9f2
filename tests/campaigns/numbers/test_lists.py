"""A do-not-call list: read in the background, looked at, in force; the same file twice is one list."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.numbers.models import DoNotCallList, DoNotCallNumber
from crm.campaigns.numbers.rules import ListState
from crm.campaigns.numbers.services.lists import CHUNK, read_numbers
from crm.campaigns.rules.delivery import Delivery
from crm.errors import RuleBroken
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import agree_again, refusal_of
from tasks.numbers import resume, work_on_list
from tests.campaigns.conftest import Texting

CSV = (
    "STT;Số điện thoại;Ghi chú\n1;0912 345 678;\n2;84912345679;\n3;+84 912 345 678;lặp\n4;0237 3824 567;\n5;;\n6;abc;\n"
)


def workbook(rows: list[list[object]]) -> bytes:
    book, packed = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(packed)
    return packed.getvalue()


def hand_in(browser: FlaskClient, content: bytes, name: str = "a.csv", what: str = "promotion") -> str:
    sent = {"file": (io.BytesIO(content), name), "name": "Quốc gia 10/2019", "what": what}
    answer = browser.post("/do-not-call/new", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def the_list(session: Session) -> DoNotCallList:
    session.expire_all()
    return session.scalars(select(DoNotCallList)).one()


def work(row: DoNotCallList) -> None:
    for _twice in range(2):
        work_on_list(str(row.town_id), str(row.id))


def test_numbers_are_found_in_any_column_and_spelling() -> None:
    taken = read_numbers(CSV.encode(), "a.csv")
    assert list(taken.numbers) == ["+84912345678", "+84912345679"]
    assert [(row, why) for row, _said, why in taken.bad] == [(5, "landline"), (7, "no_number")]
    sheet = [["Danh sách", None], ["họ tên", "đt"], ["Hoa", 912345678.0], ["Lan", "0128 575 1234"]]
    assert list(read_numbers(workbook(sheet), "a.xlsx").numbers) == ["+84912345678", "+84785751234"]
    for nothing in (b"", b"a;b\nx;y\n", b"PK\x03\x04 broken"):
        with pytest.raises(RuleBroken):
            read_numbers(nothing, "a.csv")


def test_a_list_refuses_once_it_is_confirmed_and_the_next_list_gives_nothing_back(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person, browser = texting.person(phone="+84912345678"), signed_in(Role.ORGANISER)
    address = hand_in(browser, CSV.encode())
    row = the_list(session)
    assert "Đang đọc" in browser.get(address).text
    work(row)
    row = the_list(session)
    assert (row.state, row.numbers, row.bad_rows) == (ListState.READY, 2, 2)
    page = browser.get(address).text
    assert "0237 3824 567" in page
    assert refusal_of(session, row.town_id, "+84912345678", Purpose.PROMOTION) is None
    assert browser.post(f"{address}/confirm").status_code == 303
    assert browser.post(f"{address}/confirm").status_code == 422
    work(the_list(session))
    row = the_list(session)
    assert (row.state, row.refused, row.done) == (ListState.DONE, 2, 2)
    refusal = refusal_of(session, row.town_id, "+84912345678", Purpose.PROMOTION)
    assert refusal is not None
    assert (refusal.channel, refusal.words) == (ConsentChannel.DO_NOT_CALL, "Quốc gia 10/2019")
    assert refusal_of(session, row.town_id, "+84912345678", Purpose.SERVICE) is None
    assert "Quốc gia 10/2019" in browser.get("/numbers/0912345678").text
    assert hand_in(browser, CSV.encode()) == address
    assert session.scalar(select(func.count()).select_from(DoNotCallNumber)) == 2
    shorter = hand_in(browser, b"so\n0912345679\n", "b.csv")
    later = session.scalars(select(DoNotCallList).where(DoNotCallList.filename == "b.csv")).one()
    work(later)
    browser.post(f"{shorter}/confirm")
    work(later)
    session.expire_all()
    assert (later.refused, later.done) == (0, 1)
    assert refusal_of(session, row.town_id, "+84912345678", Purpose.PROMOTION) is not None
    assert person.phone == "+84912345678"


def test_messages_that_wait_are_called_off_and_a_later_yes_with_proof_counts(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person, browser = texting.person(phone="+84912345678"), signed_in(Role.ORGANISER)
    waiting = texting.message(person)
    address = hand_in(browser, CSV.encode(), what="all")
    work(the_list(session))
    browser.post(f"{address}/confirm")
    work(the_list(session))
    session.expire_all()
    assert waiting.state is Delivery.CANCELLED
    agree_again(
        session,
        person.town_id,
        "+84912345678",
        Purpose.SERVICE,
        channel=ConsentChannel.PAPER,
        words="Phiếu 9",
        said_at=clock.now() + timedelta(minutes=1),
        by=texting.writer,
        at=clock.now() + timedelta(minutes=2),
    )
    assert refusal_of(session, person.town_id, "+84912345678", Purpose.SERVICE) is None


def test_a_worker_that_died_is_rung_for_again_and_a_long_list_goes_chunk_by_chunk(
    session: Session, signed_in: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr("tasks.numbers.ring", lambda _task, *ids: rung.append(ids))
    browser = signed_in(Role.ORGANISER)
    many = "\n".join(f"09{number:08d}" for number in range(10_000_000, 10_000_000 + CHUNK + 5))
    address = hand_in(browser, many.encode(), "many.csv")
    row = the_list(session)
    row.touched_at = clock.now() - timedelta(minutes=5)
    session.flush()
    resume()
    resume()
    assert rung == [(str(row.town_id), str(row.id))] * 2
    work(row)
    browser.post(f"{address}/confirm")
    work(the_list(session))
    assert (the_list(session).refused, the_list(session).done) == (CHUNK + 5, CHUNK + 5)
    said = select(func.count()).select_from(Consent).where(Consent.channel == ConsentChannel.DO_NOT_CALL)
    assert session.scalar(said) == CHUNK + 5


def test_the_wrong_file_is_put_aside_and_may_come_again(
    session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    browser = signed_in(Role.ORGANISER)
    address = hand_in(browser, b"khong co so nao\n", "x.csv")
    work(the_list(session))
    assert the_list(session).state is ListState.FAILED
    assert "cột số điện thoại" in browser.get(address).text
    assert browser.post(f"{address}/drop").status_code == 303
    assert hand_in(browser, b"khong co so nao\n", "x.csv") == address
    assert the_list(session).state is ListState.QUEUED
    assert signed_in(Role.VOLUNTEER).get("/do-not-call").status_code == 403
    assert browser.get("/do-not-call").status_code == 200


def test_the_same_file_for_more_kinds_of_messages_refuses_those_as_well(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    browser, town = signed_in(Role.ORGANISER), texting.make.town.id
    person = texting.person(phone="+84912345678")
    address = hand_in(browser, CSV.encode())
    work(the_list(session))
    assert browser.post(f"{address}/confirm").status_code == 303
    work(the_list(session))
    assert refusal_of(session, town, str(person.phone), Purpose.SERVICE) is None
    later = texting.says(str(person.phone), True, Purpose.PROMOTION, at=clock.now() + timedelta(minutes=1))
    agreed, not_asked = (
        texting.message(person, purpose=one, body="[QC] Moi ba Hoa") for one in (Purpose.PROMOTION, Purpose.SERVICE)
    )
    assert hand_in(browser, CSV.encode(), what="all") == address
    assert the_list(session).purposes == [one.value for one in Purpose]
    work(the_list(session))
    assert the_list(session).state is ListState.DONE
    assert refusal_of(session, town, str(person.phone), Purpose.SERVICE)
    assert refusal_of(session, town, str(person.phone), Purpose.PROMOTION) is None, "a later yes stands"
    assert later.given
    assert agreed.state is Delivery.QUEUED, "what the later yes allows is not called off"
    assert not_asked.state is Delivery.CANCELLED
    assert hand_in(browser, CSV.encode(), what="service") == address
    assert the_list(session).state is ListState.DONE, "for less than before nothing changes"


def test_why_a_list_could_not_be_read_is_told_in_the_readers_language(
    session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    browser = signed_in(Role.ORGANISER)
    address = hand_in(browser, b"khong co so nao\n", "x.csv")
    work(the_list(session))
    assert "không có cột số điện thoại" in browser.get(address).text
    browser.post("/language/en")
    assert "There is no column of telephone numbers" in browser.get(address).text


def test_why_a_damaged_file_could_not_be_read_is_told_in_the_readers_language(
    session: Session, signed_in: Callable[..., FlaskClient]
) -> None:
    browser = signed_in(Role.ORGANISER)
    address = hand_in(browser, b"PK\x03\x04 broken", "x.xlsx")
    work(the_list(session))
    assert "Tệp bị hỏng, không mở được" in browser.get(address).text
    browser.post("/language/en")
    assert "The file is damaged and cannot be opened" in browser.get(address).text
