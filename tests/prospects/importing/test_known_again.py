"""The same rows again: nobody is added twice, two of one name stay two, and merged records lead on."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.prospects.importing.rules import TOLD_BEFORE, why_handed_back
from crm.prospects.merging.models import Suspect
from crm.prospects.merging.rules import Answer
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.reviewing import look_through
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.rules import RowOutcome
from tasks import identity
from tasks import prospects as work
from tests.factories import Make
from tests.prospects.importing.test_routes import Browser
from tests.prospects.importing.test_work import load, read, take_in, the

BARE = "Họ và tên;Phường;Địa chỉ"


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


def loaded(session: Session, user: User, *lines: str, head: str = BARE, name: str = "a.csv") -> ListImport:
    import_id = take_in(user, "\n".join([head, *lines]).encode(), name)
    read(import_id)
    return load(session, import_id)


def here(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Prospect).where(Prospect.merged_into_id.is_(None))) or 0


def figures(row: ListImport) -> tuple[int, int, int, int]:
    return row.created, row.updated, row.unchanged, row.duplicates


def outcomes(session: Session, import_id: UUID) -> list[tuple[RowOutcome, list[str]]]:
    rows = session.scalars(select(ImportRow).where(ImportRow.import_id == import_id).order_by(ImportRow.row_number))
    return [(row.outcome, row.reasons) for row in rows]


LISTED = ("Nguyễn Thị Hoa;Ba Đình;12 Lê Lợi", "Nguyễn Thị Hoa;Ba Đình;12 Lê Lợi", "Lê Văn Nam;Ba Đình;")


def test_rows_with_only_a_name_change_nothing_when_they_come_again(session: Session, manager: User) -> None:
    first = loaded(session, manager, *LISTED)
    assert figures(first) == (3, 0, 0, 0)  # a list counts: two of one name are two
    again = loaded(session, manager, *LISTED, name="b.csv")
    assert figures(again) == (0, 0, 3, 0)
    assert {tuple(why) for _outcome, why in outcomes(session, again.id)} == {(TOLD_BEFORE,)}
    people = session.scalars(select(ImportRow.prospect_id).where(ImportRow.import_id == again.id)).all()
    assert len(set(people)) == 3
    assert here(session) == 3


def test_a_third_of_that_name_in_that_house_waits_for_a_person(session: Session, manager: User) -> None:
    loaded(session, manager, *LISTED)
    again = loaded(session, manager, "Phạm Thị Mới;Ba Đình;", LISTED[0], *LISTED, name="b.csv")
    assert figures(again) == (1, 0, 3, 1)


@pytest.mark.parametrize(
    ("kept", "row", "likely"),
    [
        (";0912345678;Ba Đình;", ";0912354678;Ba Đình;", True),  # two digits exchanged, no birth anywhere
        ("1980;0912345678;Ba Đình;", ";0912345678;Lam Sơn;", True),
        ("1980;0912345678;Ba Đình;", ";0912345578;Ba Đình;", True),
        (";0912345678;Ba Đình;", "1980;0912435678;Ba Đình;", True),
        ("1980;0912345678;Ba Đình;", "1980;0812345678;Ba Đình;", True),
        ("1980;0912345678;Ba Đình;", "1980;0912345679;Lam Sơn;", True),
        ("1980;0912345678;Ba Đình;Số 12 Lê Lợi", "1980;0387654321;Ba Đình;12 đường Lê Lợi", True),
        (
            ";;Hà Lan;Số 12 Lê Lợi",
            ";0387654321;Đông Sơn;12 đường Lê Lợi",
            True,
        ),  # the one ward became part of the other
        (";0912345678;Ba Đình;", ";0387654321;Ba Đình;", False),
        (";0912345678;Ba Đình;", ";0912354678;Lam Sơn;", False),
        ("1980;0912345678;Ba Đình;Số 12 Lê Lợi", "1980;0387654321;Ba Đình;Số 12 Bà Triệu", False),
    ],
)
def test_whose_telephone_or_birth_was_written_otherwise_is_asked_about_before_they_are_added(
    session: Session, manager: User, make: Make, kept: str, row: str, likely: bool
) -> None:
    head = "Họ và tên;Năm sinh;SĐT;Phường;Địa chỉ"
    assert loaded(session, manager, f"Bùi Thị Lan;{kept}", head=head).created == 1
    another = make.user(Role.MANAGER)
    again = loaded(session, another, f"Bùi Thị Lan;{row}", head=head, name="b.csv")
    assert (again.created, again.duplicates + again.unchanged + again.updated) == (not likely, likely)


def test_another_source_means_its_own_people(session: Session, manager: User, make: Make) -> None:
    loaded(session, manager, "Nguyễn Thị Hoa;Ba Đình;", "Lê Văn Nam;Ba Đình;")
    other = loaded(session, make.user(Role.MANAGER), "Nguyễn Thị Hoa;Ba Đình;", name="b.csv")
    assert figures(other) == (1, 0, 0, 0)


def test_the_same_file_from_somebody_else_changes_nothing(session: Session, manager: User, make: Make) -> None:
    loaded(session, manager, *LISTED)
    assert figures(loaded(session, make.user(Role.MANAGER), *LISTED)) == (0, 0, 3, 0)


def test_two_copies_that_were_read_before_either_was_loaded(session: Session, manager: User) -> None:
    content = "\n".join([BARE, *LISTED]).encode()
    first, second = take_in(manager, content), take_in(manager, content)
    read(first)
    read(second)
    assert figures(load(session, first)) == (3, 0, 0, 0)
    assert figures(load(session, second)) == (0, 0, 3, 0)


def test_a_list_that_was_taken_back_told_of_nobody(session: Session, manager: User) -> None:
    first = loaded(session, manager, *LISTED)
    with work.transaction() as current:
        work.undoing.start(current, the(current, first.id))
    work.undo_list(str(first.id))
    assert here(session) == 0
    assert figures(loaded(session, manager, *LISTED)) == (3, 0, 0, 0)


def test_a_name_and_a_year_that_many_share_change_nothing_either(session: Session, manager: User) -> None:
    head, rows = "Họ và tên;Năm sinh;Phường", ("Nguyễn Thị Hoa;1960;Ba Đình", "Nguyễn Thị Hoa;1961;Ba Đình")
    assert figures(loaded(session, manager, *rows, head=head))[0] == 2
    assert figures(loaded(session, manager, *rows, head=head, name="b.csv")) == (0, 0, 2, 0)


NUMBERED = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;CCCD;Nghề nghiệp"


def test_a_number_on_a_merged_record_leads_to_who_it_became(session: Session, manager: User) -> None:
    loaded(
        session,
        manager,
        "Lê Thị Lan;1980;Nữ;0912345678;Ba Đình;;",
        "Lê Thị Làn;1980;Nữ;;Ba Đình;038180123456;",
        head=NUMBERED,
    )
    with work.transaction() as current:
        kept = current.scalars(select(Prospect).where(Prospect.full_name == "Lê Thị Lan")).one()
        gone = current.scalars(select(Prospect).where(Prospect.full_name == "Lê Thị Làn")).one()
        merge(current, kept, gone, [], by=current.get_one(User, (manager.town_id, manager.id)), at=clock.now())
        kept_id = kept.id
    again = loaded(session, manager, "Lê Thị Làn;1980;Nữ;;Ba Đình;038180123456;Thợ may", head=NUMBERED, name="b.csv")
    assert (again.created, again.duplicates, again.updated) == (0, 0, 1)
    assert session.scalars(select(ImportRow.prospect_id).where(ImportRow.import_id == again.id)).one() == kept_id
    assert session.get_one(Prospect, (manager.town_id, kept_id)).occupation == "Thợ may"
    assert here(session) == 1


def test_what_is_set_aside_says_what_speaks_for_and_against_and_stands_in_the_queue(
    session: Session, manager: User, signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[UUID] = []
    monkeypatch.setattr(work, "look_soon", looked.append)
    loaded(session, manager, "Lê Thị Lan;1980;Nữ;0912345678;Ba Đình;038180123456;", head=NUMBERED)
    assert looked == [manager.town_id]
    second = loaded(
        session, manager, "Phạm Thu Vân;1980;Nữ;0987654321;Ba Đình;038180123456;", head=NUMBERED, name="hai.csv"
    )
    assert looked == [manager.town_id]  # nobody came by the second
    row = session.scalars(select(ImportRow).where(ImportRow.import_id == second.id)).one()
    assert row.outcome is RowOutcome.DUPLICATE
    assert "citizen_id" in row.detail["evidence"]  # type: ignore[index]
    assert "!name_other" in row.detail["evidence"]  # type: ignore[index]
    assert "Cho thấy là hai người: khác họ tên" in why_handed_back(row)
    assert "hai.csv" in signed_in(manager).get("/people/same").text


def test_a_row_of_the_very_same_file_waits_once(session: Session, manager: User, signed_in: Browser) -> None:
    loaded(session, manager, "Lê Thị Lan;1980;Nữ;0912345678;Ba Đình;038180123456;", head=NUMBERED)
    waits = "Phạm Thu Vân;1980;Nữ;0987654321;Ba Đình;038180123456;"
    for name in ("hai.csv", "hai lần nữa.csv"):
        loaded(session, manager, waits, head=NUMBERED, name=name)
    queue = signed_in(manager).get("/people/same").text
    assert "hai.csv" in queue
    assert "hai lần nữa.csv" not in queue


@pytest.mark.parametrize("before_loading", [True, False])
def test_somebody_else_is_not_asked_about_again(
    session: Session, manager: User, signed_in: Browser, before_loading: bool
) -> None:
    loaded(session, manager, "Lê Thị Lan;1980;Nữ;0912345678;Ba Đình;038180123456;", head=NUMBERED)
    kept = session.scalars(select(Prospect)).one().id
    browser, other = signed_in(manager), "Phạm Thu Vân;1980;Nữ;0987654321;Ba Đình;038180123456;"
    import_id = take_in(manager, f"{NUMBERED}\n{other}".encode(), "b.csv")
    read(import_id)
    address = f"/imports/{import_id}"
    row = session.scalars(select(ImportRow.id).where(ImportRow.import_id == import_id)).one()
    acts: list[tuple[str, dict[str, str]]] = [("commit", {}), (f"rows/{row}", {"decision": "add"})]
    for act, said in reversed(acts) if before_loading else acts:
        browser.post(f"{address}/{act}", data=said)
        if act == "commit":
            work.commit_list(str(import_id))
    session.expire_all()
    suspect = session.scalars(select(Suspect)).one()
    assert {suspect.one_id, suspect.other_id} == {kept, row}
    assert (suspect.answer, suspect.answered_by_id) == (Answer.DIFFERENT, manager.id)
    look_through(session, manager.town_id, at=clock.now())
    session.expire_all()
    assert session.scalars(select(Suspect.answer)).one() is Answer.DIFFERENT


def test_the_register_is_looked_through_once_a_list_is_loaded(
    session: Session, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(identity, "ring", lambda task, town_id: rung.append(f"{task.name} {town_id}"))
    loaded(session, manager, *LISTED)
    assert rung == [f"identity.look_through_town {manager.town_id}"]
