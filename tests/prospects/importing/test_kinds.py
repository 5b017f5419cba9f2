"""Lists of other offices the whole way: handed in, looked at, loaded, what they mean, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.participation import queries as participation
from crm.participation.models import Participation, Payment
from crm.participation.owners import remark_on
from crm.participation.rules import Beginning, Ending, Kind, Span
from crm.premiums.queries import law
from crm.prospects.households import reviewing
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember
from crm.prospects.households.rules import Renewal
from crm.prospects.importing.models import HouseholdBusiness, RowMeaning, TaxMethod
from crm.prospects.importing.showing import means_in_words
from crm.prospects.models import Household, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.rules import Ground, ImportState, Kinship, ListKind, RowOutcome, Stage
from tasks.prospects import commit_list, undo_list
from tests.factories import Make
from tests.prospects.importing.test_routes import read_it, upload

Browser = Callable[..., FlaskClient]
BUSINESSES = "ho-kinh-doanh-co-quan-thue.xlsx"
PARTICIPANTS = "nguoi-tham-gia-cua-bhxh.csv"
POOR = "ho-ngheo-can-ngheo-2019.xlsx"


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


@pytest.fixture
def browser(signed_in: Browser, manager: User) -> FlaskClient:
    return signed_in(manager)


def load(browser: FlaskClient, name: str, content: bytes | None = None) -> tuple[str, UUID]:
    address = upload(browser, name, content)
    import_id = read_it(address)
    assert browser.post(f"{address}/commit").status_code == 303
    commit_list(str(import_id))
    return address, import_id


def undo(browser: FlaskClient, address: str, import_id: UUID) -> None:
    assert browser.post(f"{address}/undo").status_code == 303
    undo_list(str(import_id))


def named(session: Session, name: str) -> Prospect:
    session.expire_all()
    return session.scalars(select(Prospect).where(Prospect.full_name == name)).one()


def count(session: Session, kind: type) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(kind)) or 0


def spell(session: Session, name: str) -> Participation:
    return session.scalars(select(Participation).where(Participation.prospect_id == named(session, name).id)).one()


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        (BUSINESSES, ListKind.HOUSEHOLD_BUSINESSES, "hộ kinh doanh của cơ quan thuế"),
        (PARTICIPANTS, ListKind.PARTICIPANTS, "người đang tham gia"),
        (POOR, ListKind.POOR_HOUSEHOLDS, "hộ nghèo, hộ cận nghèo"),
    ],
)
def test_the_kind_is_seen_and_said(
    browser: FlaskClient, session: Session, name: str, kind: ListKind, words: str
) -> None:
    address = upload(browser, name)
    import_id = read_it(address)
    row = session.scalars(select(ListImport).where(ListImport.id == import_id)).one()
    assert (row.kind, row.state) == (kind, ImportState.READY)
    assert words in browser.get(f"{address}/columns").text
    assert words in browser.get(f"{address}?tab=new").text


# ---- the tax office


def test_household_businesses_the_whole_way(browser: FlaskClient, session: Session) -> None:
    address, import_id = load(browser, BUSINESSES)
    lan = named(session, "Lê Thị Lan")
    (business,) = session.scalars(select(HouseholdBusiness).where(HouseholdBusiness.prospect_id == lan.id))
    assert (business.tax_code, business.trade, business.method, business.since) == (
        "2801234501", "Bán lẻ tạp hóa", TaxMethod.LUMP_SUM, date(2012, 3, 15),
    )  # fmt: skip
    assert lan.occupation == "Bán lẻ tạp hóa"
    page = browser.get(f"/people/{lan.id}").text
    assert "2801234501" in page
    assert "1/7/2029" in page
    minh = named(session, "Nguyễn Văn Minh")
    (unclear,) = session.scalars(select(HouseholdBusiness).where(HouseholdBusiness.prospect_id == minh.id))
    assert (unclear.tax_code, unclear.since) == (None, None)
    assert count(session, HouseholdBusiness) == 5
    undo(browser, address, import_id)
    assert count(session, HouseholdBusiness) == 0
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 0


def test_the_same_business_is_noted_once_and_a_new_method_beside_it(browser: FlaskClient, session: Session) -> None:
    load(browser, BUSINESSES)
    again, again_id = load(browser, BUSINESSES)
    assert count(session, HouseholdBusiness) == 5
    head = "Mã số thuế;Họ và tên chủ hộ;Số CCCD;Ngành nghề;Phương pháp tính thuế;Phường"
    later = f"{head}\n2801234501;Lê Thị Lan;038180123456;Bán lẻ tạp hóa;Kê khai;Ba Đình\n".encode()
    address, import_id = load(browser, "thue-2026.csv", later)
    lan = named(session, "Lê Thị Lan")
    methods = set(session.scalars(select(HouseholdBusiness.method).where(HouseholdBusiness.prospect_id == lan.id)))
    assert methods == {TaxMethod.LUMP_SUM, TaxMethod.DECLARATION}
    undo(browser, address, import_id)
    undo(browser, again, again_id)
    assert count(session, HouseholdBusiness) == 5
    assert named(session, "Lê Thị Lan").merged_into_id is None


@pytest.mark.parametrize(
    ("method", "day", "already"),
    [
        (TaxMethod.DECLARATION, date(2025, 6, 30), False),
        (TaxMethod.DECLARATION, date(2025, 7, 1), True),
        (TaxMethod.LUMP_SUM, date(2029, 6, 30), False),
        (TaxMethod.LUMP_SUM, date(2029, 7, 1), True),
        (None, date(2030, 1, 1), False),
    ],
)
def test_the_law_says_since_when_owners_are_obliged(
    session: Session, method: TaxMethod | None, day: date, already: bool
) -> None:
    remark, holds = remark_on(method, law(session), day)
    assert remark
    assert holds is already


# ---- the insurance office


def test_participants_the_whole_way(browser: FlaskClient, session: Session, manager: User) -> None:
    address, import_id = load(browser, PARTICIPANTS)
    hanh = spell(session, "Nguyễn Thị Hạnh")
    assert (hanh.started_as, hanh.started_on, hanh.paid_through) == (
        Beginning.LISTED,
        date(2019, 9, 1),
        date(2019, 11, 1),
    )
    assert (hanh.method, hanh.income, hanh.deadline_on, hanh.ended_on) == (3, 700_000, date(2020, 2, 29), None)
    assert named(session, "Nguyễn Thị Hạnh").stage is Stage.JOINED
    long = spell(session, "Trần Đức Long")
    assert (long.ended_as, long.ended_on) == (Ending.LAPSED, date(2019, 5, 1))
    assert named(session, "Trần Đức Long").stage is Stage.LAPSED
    assert count(session, Payment) == 0
    nga = named(session, "Vũ Thị Nga")
    assert nga.stage is Stage.NEW
    scope = scope_of(session, manager)
    assert participation.count(session, scope, Kind.STOCK, Span(date(2019, 10, 1), date(2019, 10, 15))) == 3
    assert browser.get(f"/people/{hanh.prospect_id}").status_code == 200
    undo(browser, address, import_id)
    assert session.scalar(select(func.count()).where(Participation.withdrawn_at.is_(None))) == 0
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 0
    assert count(session, RowMeaning) == 0


def test_what_a_later_list_says_again_stays_when_the_first_is_taken_back(
    browser: FlaskClient, session: Session
) -> None:
    first, second = load(browser, PARTICIPANTS), load(browser, PARTICIPANTS)
    undo(browser, *first)
    assert spell(session, "Nguyễn Thị Hạnh").withdrawn_at is None
    assert named(session, "Nguyễn Thị Hạnh").stage is Stage.JOINED
    undo(browser, *second)
    assert spell(session, "Nguyễn Thị Hạnh").withdrawn_at is not None
    assert count(session, RowMeaning) == 0


def test_a_list_carries_a_spell_on_and_back(browser: FlaskClient, session: Session, make: Make) -> None:
    load(browser, PARTICIPANTS)
    before = spell(session, "Nguyễn Thị Hạnh")
    head = "Họ và tên;Mã số BHXH;Năm sinh;Phường;Phương thức đóng;Đóng đến tháng"
    later = f"{head}\nNguyễn Thị Hạnh;3820123401;1975;Ba Đình;3 tháng;02/2020\nTrần Đức Long;3820123404;1980;Ngọc Trạo;1;10/2019\n"
    address, import_id = load(browser, "thang-10.csv", later.encode())
    after = spell(session, "Nguyễn Thị Hạnh")
    assert (after.id, after.paid_through, after.deadline_on) == (before.id, date(2020, 2, 1), date(2020, 5, 31))
    long = session.scalars(
        select(Participation)
        .where(Participation.prospect_id == named(session, "Trần Đức Long").id)
        .order_by(Participation.started_on)
    ).all()
    assert [(one.started_on, one.ended_on) for one in long] == [
        (date(2019, 3, 1), date(2019, 5, 1)),
        (date(2019, 10, 1), None),
    ]
    assert named(session, "Trần Đức Long").stage is Stage.JOINED
    undo(browser, address, import_id)
    assert spell(session, "Nguyễn Thị Hạnh").paid_through == date(2019, 11, 1)
    assert named(session, "Trần Đức Long").stage is Stage.LAPSED
    assert named(session, "Nguyễn Thị Hạnh").stage is Stage.JOINED


def test_what_our_own_books_know_stays(browser: FlaskClient, session: Session, make: Make) -> None:
    load(browser, PARTICIPANTS)
    head = "Họ và tên;Mã số BHXH;Năm sinh;Phường;Phương thức đóng;Đóng đến tháng"
    load(browser, "cu.csv", f"{head}\nNguyễn Thị Hạnh;3820123401;1975;Ba Đình;3 tháng;08/2019\n".encode())
    assert spell(session, "Nguyễn Thị Hạnh").paid_through == date(2019, 11, 1)


# ---- the labour office


def test_poor_households_the_whole_way(browser: FlaskClient, session: Session) -> None:
    address, import_id = load(browser, POOR)
    cuong = named(session, "Bùi Văn Cường")
    assert cuong.household_id is not None
    members = session.scalars(select(Prospect).where(Prospect.household_id == cuong.household_id)).all()
    assert {one.full_name: one.kinship for one in members} == {
        "Bùi Văn Cường": Kinship.HEAD,
        "Bùi Thị Sáu": Kinship.SPOUSE,
        "Bùi Văn Nam": Kinship.CHILD,
        "Bùi Ngọc Ánh": Kinship.GRANDCHILD,
    }
    held = session.scalars(select(Standing).where(Standing.ground == Ground.POOR)).all()
    assert {(one.valid_from, one.valid_to) for one in held} == {(date(2019, 1, 1), date(2020, 1, 1))}
    assert len(held) == 6
    near = session.scalars(select(Standing).where(Standing.ground == Ground.NEAR_POOR)).all()
    assert {one.certificate for one in near} == {"CN-0101", "CN-0102"}
    assert count(session, Household) == count(session, HouseholdCertificate) == 5
    assert "kể cả của người đã có trong sổ từ trước" in browser.get(f"{address}/undo").text
    undo(browser, address, import_id)
    assert set(session.scalars(select(Household.ended_on))) == {date(2019, 10, 15)}
    for kind in (HouseholdCertificate, HouseholdMember, Standing, RowMeaning):
        assert count(session, kind) == 0, kind
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 0


def test_a_list_of_the_next_year_renews_and_leaves_the_others_to_the_review(
    browser: FlaskClient, session: Session, manager: User
) -> None:
    load(browser, POOR)
    head = "Mã hộ;Họ và tên;Quan hệ với chủ hộ;Năm sinh;Phường;Số giấy chứng nhận hộ nghèo"
    rows = "H1;Bùi Văn Cường;Chủ hộ;1962;Ba Đình;HN-2020-1\n;Bùi Thị Sáu;Vợ;1965;Ba Đình;\nH9;Lò Văn Sơn;Chủ hộ;1990;Ba Đình;HN-2020-9\n"
    address, import_id = load(browser, "ho-ngheo.csv", f"DANH SÁCH HỘ NGHÈO NĂM 2020;;;;;\n{head}\n{rows}".encode())
    cuong = named(session, "Bùi Văn Cường")
    papers = session.scalars(
        select(HouseholdCertificate)
        .where(HouseholdCertificate.household_id == cuong.household_id)
        .order_by(HouseholdCertificate.year)
    ).all()
    assert [(one.year, one.number) for one in papers] == [(2019, "HN-0012"), (2020, "HN-2020-1")]
    man = named(session, "Lê Thị Mận")
    years = session.scalars(
        select(HouseholdCertificate.year).where(HouseholdCertificate.household_id == man.household_id)
    )
    assert list(years) == [2019]
    due = reviewing.page_of_due(session, scope_of(session, manager), 2019, size=50).rows
    states = {one.names[0]: one.state for one in due}
    assert (states["Bùi Văn Cường"], states["Lê Thị Mận"]) == (Renewal.RENEWED, Renewal.NOT_YET)
    undo(browser, address, import_id)
    assert named(session, "Bùi Văn Cường").household_id == cuong.household_id
    assert set(session.scalars(select(HouseholdCertificate.year))) == {2019}
    assert session.scalar(select(func.count()).where(Household.ended_on.is_(None))) == 5


def test_steps_because_of_a_list_are_in_the_history(browser: FlaskClient, session: Session) -> None:
    _address, import_id = load(browser, PARTICIPANTS)
    steps = session.scalars(select(StageChange).where(StageChange.to_stage == Stage.JOINED)).all()
    assert {one.because_id for one in steps} == {import_id}
    rows = session.scalars(select(ImportRow).where(ImportRow.outcome == RowOutcome.NEW)).all()
    listed = session.scalars(select(ListImport).where(ListImport.id == import_id)).one()
    assert {one.at for one in steps} == {listed.loaded_at}
    assert {row.prospect_id for row in rows} >= {one.prospect_id for one in steps}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"from_month": "2019-10", "months": 3}, ["3 tháng từ 10/2019"]),
        ({"from_month": "2019-10"}, ["từ 10/2019, không ghi số tháng"]),
    ],
)
def test_a_payment_whose_months_are_not_said_is_shown_all_the_same(
    app: Flask, extra: dict[str, Any], said: list[str]
) -> None:
    assert means_in_words(extra) == said
