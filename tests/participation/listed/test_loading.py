"""A list of payments the whole way: read, loaded, decided, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import Verdict
from crm.participation.models import ParticipantMonth, Payment
from crm.participation.queries import standing_payments
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.rules import ListKind, RowOutcome
from tasks.participation import record_accepted
from tasks.prospects import commit_list, undo_list
from tests.factories import Make
from tests.participation.stories import join
from tests.prospects.importing.test_routes import read_it, upload

Browse = Callable[..., FlaskClient]
LIST = "d05-ts-dot-thu-10-2019.csv"


@pytest.fixture
def browser(signed_in: Browse, make: Make) -> FlaskClient:
    return signed_in(make.user(Role.MANAGER))


def load(browser: FlaskClient, name: str = LIST) -> tuple[str, UUID]:
    address = upload(browser, name)
    import_id = read_it(address)
    assert browser.post(f"{address}/commit").status_code == 303
    commit_list(str(import_id))
    return address, import_id


def verdicts(session: Session) -> dict[str, Verdict]:
    session.expire_all()
    query = select(Prospect.full_name, ListedPayment).join(
        ListedPayment, (ListedPayment.town_id == Prospect.town_id) & (ListedPayment.prospect_id == Prospect.id)
    )
    return {f"{name} {row.start_month:%m/%Y}": row.verdict for name, row in session.execute(query)}


def payments(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Payment).where(Payment.reverses_id.is_(None))) or 0


def test_the_list_is_known_and_nothing_is_recorded_by_loading_it(browser: FlaskClient, session: Session) -> None:
    _address, import_id = load(browser)
    row = session.scalars(select(ListImport).where(ListImport.id == import_id)).one()
    assert row.kind is ListKind.PAYMENTS
    assert payments(session) == 0
    assert verdicts(session) == {
        "Nguyễn Thị Hạnh 10/2019": Verdict.NEW,
        "Nguyễn Thị Hạnh 01/2020": Verdict.NEW,
        "Lê Văn Tâm 10/2019": Verdict.NEW,
        "Phạm Thị Lý 10/2019": Verdict.DIFFERS,
        "Trần Đức Long 10/2019": Verdict.NEW,
    }
    rejected = session.scalars(select(ImportRow).where(ImportRow.outcome == RowOutcome.REJECTED)).all()
    assert len(rejected) == 1
    again = session.scalars(select(ImportRow).where(ImportRow.outcome == RowOutcome.UNCHANGED)).one()
    assert session.get_one(Prospect, (row.town_id, again.prospect_id)).full_name == "Nguyễn Thị Hạnh"
    assert (row.duplicates, row.unchanged) == (0, 1), (
        "whoever paid twice stands there twice, and nothing is to be decided"
    )


def test_before_loading_a_second_payment_of_somebody_is_told_as_settled_and_cannot_be_left_out_with_the_rest(
    browser: FlaskClient, session: Session
) -> None:
    address = upload(browser, LIST)
    import_id = read_it(address)
    page = browser.get(f"{address}?tab=duplicate").get_data(as_text=True)
    assert "Tự khớp khi nạp" in page
    assert 'value="add"' not in page
    assert browser.post(f"{address}/decide-all", data={"decision": "skip"}).status_code == 303
    assert browser.post(f"{address}/commit").status_code == 303
    commit_list(str(import_id))
    assert verdicts(session)["Nguyễn Thị Hạnh 01/2020"] is Verdict.NEW


def test_what_is_new_is_recorded_with_one_click_and_the_list_again_changes_nothing(
    browser: FlaskClient, session: Session
) -> None:
    _address, _import_id = load(browser)
    page = browser.get("/payments/from-lists?verdict=new").get_data(as_text=True)
    assert "462.000" in page
    assert "BL-0001" in page
    assert browser.post("/payments/from-lists/record").status_code == 302
    record_accepted()
    session.expire_all()
    hanh = session.scalars(select(Prospect).where(Prospect.full_name == "Nguyễn Thị Hạnh")).one()
    months = session.scalars(
        select(ParticipantMonth.month).where(ParticipantMonth.prospect_id == hanh.id).order_by(ParticipantMonth.month)
    ).all()
    assert [day.month for day in months] == [10, 11, 12, 1]
    first = session.scalars(select(Payment).where(Payment.prospect_id == hanh.id).order_by(Payment.start_month)).first()
    assert first is not None
    assert first.paid_on == date(2019, 10, 2)
    assert "BL-0001" in (first.confirmation or "")
    before = verdicts(session), payments(session)
    _address, again = load(browser)
    assert "không có gì mới" in browser.get(f"/payments/from-lists?import_id={again}").get_data(as_text=True)
    assert (verdicts(session), payments(session)) == before
    assert session.scalar(select(func.count()).select_from(ListedPayment)) == 5


def test_what_differs_is_decided_with_both_versions_in_sight(browser: FlaskClient, session: Session) -> None:
    load(browser)
    ly = session.scalars(select(ListedPayment).where(ListedPayment.verdict == Verdict.DIFFERS)).one()
    page = browser.get("/payments/from-lists?verdict=differs").get_data(as_text=True)
    assert "154.000" in page
    assert "138.600" in page
    assert "15.400" in page
    answer = browser.post(f"/payments/from-lists/{ly.id}/record", data={"decision": "as_listed"})
    assert answer.status_code == 302
    session.expire_all()
    payment = session.scalars(select(Payment)).one()
    assert (payment.gross, payment.own, payment.state_support, payment.supported_months) == (154_000, 154_000, 0, 0)
    again = browser.post(f"/payments/from-lists/{ly.id}/record", data={"decision": "leave"}, follow_redirects=True)
    assert "quyết định" in again.get_data(as_text=True)


def test_a_payment_on_record_is_confirmed_and_not_typed_again(
    browser: FlaskClient, session: Session, make: Make
) -> None:
    hanh = make.prospect("Nguyễn Thị Hạnh", birth_year=1975, insurance_number="3820123401")
    join(hanh, date(2019, 10, 2))
    session.commit()
    load(browser)
    found = session.scalars(select(ListedPayment).where(ListedPayment.prospect_id == hanh.id)).all()
    assert {one.verdict for one in found if one.start_month == date(2019, 10, 1)} == {Verdict.AGREES}
    assert payments(session) == 1


def test_taking_the_list_back_takes_back_what_it_recorded(browser: FlaskClient, session: Session) -> None:
    address, import_id = load(browser)
    browser.post("/payments/from-lists/record")
    record_accepted()
    assert payments(session) == 4
    assert browser.post(f"{address}/undo").status_code == 303
    undo_list(str(import_id))
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(ParticipantMonth)) == 0
    assert session.scalar(select(func.sum(Payment.gross))) == 0
    assert session.scalar(select(func.count()).select_from(ListedPayment)) == 0


def test_after_a_payment_is_taken_back_the_list_loaded_again_offers_it_anew(
    browser: FlaskClient, session: Session, make: Make
) -> None:
    hanh = make.prospect("Nguyễn Thị Hạnh", birth_year=1975, insurance_number="3820123401")
    join(hanh, date(2019, 10, 3), months=6)
    session.commit()
    load(browser)
    found = verdicts(session)
    assert {found["Nguyễn Thị Hạnh 10/2019"], found["Nguyễn Thị Hạnh 01/2020"]} == {Verdict.DIFFERS}
    _take_back(browser, session, hanh)
    load(browser)
    found = verdicts(session)
    assert {found["Nguyễn Thị Hạnh 10/2019"], found["Nguyễn Thị Hạnh 01/2020"]} == {Verdict.NEW}
    assert session.scalar(select(func.count()).select_from(ListedPayment)) == 5

    browser.post("/payments/from-lists/record")
    record_accepted()
    _take_back(browser, session, hanh)
    for _again in range(2):
        load(browser)
        told = session.scalars(select(ListedPayment).where(ListedPayment.prospect_id == hanh.id)).all()
        assert sorted(f"{one.start_month:%m} {one.verdict}" for one in told) == ["01 new", "01 recorded", "10 recorded"]
        session.expire_all()


def _take_back(browser: FlaskClient, session: Session, person: Prospect) -> None:
    last = session.scalars(standing_payments(person).limit(1)).one()
    assert browser.post(f"/payments/{last.id}/reverse").status_code == 302
    session.expire_all()
