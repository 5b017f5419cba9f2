"""The work itself: interrupted, doubled, taken back, handed back, refused."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
import xlsxwriter
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict
from crm.outreach.models import Assignment
from crm.prospects.importing.commands import importing
from crm.prospects.importing.queries import handed_back
from crm.prospects.importing.rules import why_handed_back
from crm.prospects.importing.services import (
    committing,
    deciding,
    handing_back,
    reading,
    taking_in,
    understanding,
    undoing,
)
from crm.prospects.importing.services.at_work import LostClaim
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.rules import ImportState, Purpose, RowOutcome
from tasks import prospects as work
from tests.conftest import NOW
from tests.factories import Make
from tests.prospects.importing.test_given_lists import BA_DINH, DONG_SON, LISTS, expected_of

HEAD = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;Đồng ý nhận tin nhắn"


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


def many(number: int) -> bytes:
    lines = [
        f"Nguyễn Văn {chr(65 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676 % 26)};{1950 + i % 50};Nam;"
        f"09{10000000 + i:08d};Ba Đình;Có"
        for i in range(number)
    ]
    return "\n".join([HEAD, *lines]).encode()


def take_in(user: User, content: bytes, name: str = "a.csv", **more: Any) -> UUID:
    with transaction() as session:
        handed = taking_in.Handed(name, content, **more)
        row = taking_in.take_in(session, user.town_id, handed, by=user, scope=scope_of(session, user), at=clock.now())
        return row.id


def read(import_id: UUID) -> None:
    work.read_list(str(import_id))


def load(session: Session, import_id: UUID) -> ListImport:
    with transaction() as current:
        committing.start(current, the(current, import_id))
    work.commit_list(str(import_id))
    return the(session, import_id)


def the(session: Session, import_id: UUID) -> ListImport:
    session.expire_all()
    return session.scalars(select(ListImport).where(ListImport.id == import_id)).one()


def count(session: Session, kind: Any) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


class Killed(BaseException):
    """A worker that goes away in the middle."""


@pytest.mark.parametrize("where", ["read", "commit"])
def test_a_worker_that_dies_is_replaced_and_nobody_is_added_twice(
    where: str, session: Session, manager: User, at_time: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understanding, "CHUNK", 100)
    monkeypatch.setattr(committing, "BATCH", 100)
    rung: list[str] = []

    def ring(task: Callable[[str], None], import_id: str) -> None:
        rung.append(import_id)
        task(import_id)

    monkeypatch.setattr(work, "ring", ring)
    import_id, steps = take_in(manager, many(450)), []
    module, name = (reading, "keep") if where == "read" else (committing, "add_people")
    whole = getattr(module, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        steps.append(1)
        if len(steps) == 3:
            raise Killed
        return whole(*args, **kwargs)

    if where == "commit":
        read(import_id)
    monkeypatch.setattr(module, name, dies)
    with pytest.raises(Killed):
        read(import_id) if where == "read" else load(session, import_id)
    work.resume_lists()
    assert rung == []  # its heart has beaten a moment ago
    at_time(NOW + timedelta(minutes=2))
    work.resume_lists()
    assert rung == [str(import_id)]
    row = the(session, import_id)
    if where == "read":
        assert (row.state, row.rows, row.valid, count(session, ImportRow)) == (ImportState.READY, 450, 450, 450)
        row = load(session, import_id)
    assert (row.state, row.created, row.done) == (ImportState.COMMITTED, 450, 450)
    assert (count(session, Prospect), count(session, StageChange)) == (450, 450)
    assert count(session, Consent) == 450


def opened(import_id: UUID, at: datetime) -> reading.Reading | None:
    with transaction() as current:
        claimed = reading.take_up(current, import_id, at)
    if claimed is None:
        return None
    with transaction() as current:
        return reading.begin(current, claimed, at)


def test_a_late_worker_notices_that_another_has_taken_over(session: Session, manager: User) -> None:
    import_id = take_in(manager, many(20))
    first, second = opened(import_id, clock.now()), opened(import_id, clock.now() + timedelta(seconds=61))
    assert first
    assert second
    with pytest.raises(LostClaim), transaction() as current:
        reading.keep(current, first, next(first.chunks()), clock.now())
    assert count(session, ImportRow) == 0


@pytest.mark.committed
def test_two_commits_at_once_are_one(app: Flask, session: Session, make: Make) -> None:
    with transaction():
        user = make.user(Role.MANAGER)
    import_id = take_in(user, many(300))
    read(import_id)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def go() -> None:
        with app.app_context():
            barrier.wait()
            try:
                with transaction() as current:
                    committing.start(current, the(current, import_id))
                outcomes.append("started")
            except Conflict:
                outcomes.append("refused")
            work.commit_list(str(import_id))

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "started"]
    row = the(session, import_id)
    assert (row.state, row.created, count(session, Prospect)) == (ImportState.COMMITTED, 300, 300)
    db.session.remove()


def undo(session: Session, import_id: UUID) -> ListImport:
    with transaction() as current:
        undoing.start(current, the(current, import_id))
    work.undo_list(str(import_id))
    return the(session, import_id)


def test_undoing_removes_whom_nobody_worked_with(session: Session, manager: User, make: Make) -> None:
    import_id = take_in(manager, (LISTS / DONG_SON).read_bytes(), DONG_SON, place_id=make.ward("14821").id)
    read(import_id)
    people = load(session, import_id).created
    visited, renamed, *_rest = session.scalars(select(Prospect).order_by(Prospect.id)).all()
    make.add(
        Assignment(
            town_id=manager.town_id,
            prospect_id=visited.id,
            volunteer_id=make.user(Role.VOLUNTEER).id,
            since=clock.now(),
        )
    )
    renamed.occupation = "Lái xe"
    session.flush()
    row = undo(session, import_id)
    assert (row.state, row.created) == (ImportState.UNDONE, 2)
    left = session.scalars(select(Prospect).where(Prospect.merged_into_id.is_(None))).all()
    assert {person.id for person in left} == {visited.id, renamed.id}
    kept = session.scalars(select(ImportRow).where(ImportRow.detail.has_key("kept"))).all()
    assert {one.detail["kept"] for one in kept if one.detail} == {undoing.CHANGED_SINCE, undoing.WORKED_WITH}
    gone = session.scalars(select(Prospect).where(Prospect.merged_into_id.is_not(None))).all()
    assert len(gone) == people - 2
    assert {(person.full_name, person.phone, person.citizen_id) for person in gone} == {("–", None, None)}
    assert (
        session.scalar(
            select(func.count()).select_from(Standing).where(Standing.prospect_id.in_([person.id for person in gone]))
        )
        == 0
    )


def test_whom_a_later_list_names_stays_when_the_first_is_taken_back(session: Session, manager: User) -> None:
    first, second = take_in(manager, many(3)), take_in(manager, many(2), "b.csv")
    read(first)
    load(session, first)
    read(second)
    assert load(session, second).unchanged == 2
    assert undo(session, first).created == 2
    rows = session.scalars(select(ImportRow).where(ImportRow.import_id == second)).all()
    living = set(session.scalars(select(Prospect.id).where(Prospect.merged_into_id.is_(None))))
    assert {row.prospect_id for row in rows} == living
    kept = [
        (one.detail or {}).get("kept") for one in session.scalars(select(ImportRow).where(ImportRow.import_id == first))
    ]
    assert sorted(kept, key=str) == [None, undoing.ANOTHER_LIST, undoing.ANOTHER_LIST]


def test_once_the_later_list_is_taken_back_the_first_takes_its_people_along(session: Session, manager: User) -> None:
    first, second = take_in(manager, many(2)), take_in(manager, many(2), "b.csv")
    read(first)
    load(session, first)
    read(second)
    load(session, second)
    undo(session, second)
    assert undo(session, first).created == 0
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 0


def test_work_with_somebody_is_told_before_the_edit_that_came_with_it(
    session: Session, manager: User, make: Make
) -> None:
    import_id = take_in(manager, many(1))
    read(import_id)
    load(session, import_id)
    person = session.scalars(select(Prospect)).one()
    person.occupation = "Lái xe"
    volunteer = make.user(Role.VOLUNTEER)
    make.add(Assignment(town_id=manager.town_id, prospect_id=person.id, volunteer_id=volunteer.id, since=clock.now()))
    session.flush()
    undo(session, import_id)
    kept = session.scalars(select(ImportRow).where(ImportRow.import_id == import_id)).one().detail
    assert (kept or {})["kept"] == undoing.WORKED_WITH


def test_nothing_is_taken_over_into_a_record_that_is_gone(session: Session, manager: User) -> None:
    first = take_in(manager, many(1))
    read(first)
    load(session, first)
    other = many(1).replace(b";1950;", b";1951;")
    second = take_in(manager, other, "b.csv")
    read(second)
    load(session, second)
    row = session.scalars(select(ImportRow).where(ImportRow.import_id == second)).one()
    person = session.scalars(select(Prospect).where(Prospect.id == row.prospect_id)).one()
    person.merged_into_id = person.id
    session.flush()
    with pytest.raises(Conflict) as refused, transaction() as current:
        deciding.decide(
            current, scope_of(current, manager), the(current, second), row.id, _decision_for(row), at=clock.now()
        )
    assert refused.value.code == "record_gone"


def _decision_for(row: ImportRow) -> deciding.Decision:
    return deciding.Decision.SAME if row.outcome is RowOutcome.DUPLICATE else deciding.Decision.TAKE


def test_a_list_of_thousands_can_be_taken_back(session: Session, manager: User) -> None:
    import_id = take_in(manager, many(3_200))
    read(import_id)
    row = load(session, import_id)
    assert undoing.foresee(session, row).removed == 3_200
    undo(session, import_id)
    assert the(session, import_id).state is ImportState.UNDONE
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 0


def test_a_list_taken_back_can_be_loaded_again(session: Session, manager: User, make: Make) -> None:
    def once() -> ListImport:
        import_id = take_in(manager, (LISTS / DONG_SON).read_bytes(), DONG_SON, place_id=make.ward("14821").id)
        read(import_id)
        return load(session, import_id)

    first = once()
    given = session.scalars(select(Consent.phone).where(Consent.given).distinct()).all()
    undo(session, first.id)
    assert who_agrees(session) == set()
    second = once()
    assert second.created == first.valid
    assert who_agrees(session) == set(given)


def who_agrees(session: Session) -> set[str]:
    """The phones that agree now."""
    query = select(Consent.phone, Consent.given).order_by(Consent.recorded_at, Consent.id)
    latest = {row[0]: row[1] for row in session.execute(query)}
    return {phone for phone, given in latest.items() if given}


def test_a_list_does_not_undo_a_refusal(session: Session, manager: User, make: Make) -> None:
    first = take_in(manager, many(1))
    read(first)
    phone = "+84910000000"
    session.add(
        Consent(
            town_id=manager.town_id, phone=phone, purpose=Purpose.SERVICE, given=False, channel="hotline",
            at=clock.now(), recorded_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    load(session, first)
    answers = {(one.purpose, one.given) for one in session.scalars(select(Consent).where(Consent.phone == phone))}
    assert answers == {(Purpose.SERVICE, False)}


def test_the_workbook_of_rows_left_out_can_be_mended_and_loaded(session: Session, manager: User) -> None:
    import_id = take_in(manager, (LISTS / BA_DINH).read_bytes(), BA_DINH)
    read(import_id)
    row, expected = load(session, import_id), expected_of(BA_DINH)
    book = openpyxl.load_workbook(io.BytesIO(handing_back.workbook(session, row)))
    lines = [line for sheet in book for line in sheet.iter_rows(values_only=True)]
    assert sum("Tờ “" in str(line) for line in lines) >= len(expected["rejected"])
    mended = 0
    for sheet in book:
        width = sheet.max_column or 0
        for cells in sheet.iter_rows():
            for cell in cells:
                if "2031" in str(cell.value) and (cell.column or 0) < width - 2:
                    cell.value = str(cell.value).replace("2031", "1971")
                    mended += 1
    future = [one for one in expected["rejected"] if one["why"] == "birth in the future"]
    assert mended == len(future)
    told = io.BytesIO()
    book.save(told)
    again = take_in(manager, told.getvalue(), "sua.xlsx")
    read(again)
    second = load(session, again)
    assert second.created == len(future)
    assert second.created + second.rejected + second.duplicates + second.unchanged + second.updated == second.rows


def test_no_cell_of_the_workbook_is_a_formula(session: Session, manager: User) -> None:
    wrong = 'Họ và tên;Năm sinh;Phường\n=HYPERLINK("http://x");2031;Ba Đình'
    import_id = take_in(manager, wrong.encode())
    read(import_id)
    book = openpyxl.load_workbook(io.BytesIO(handing_back.workbook(session, the(session, import_id))))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert any(str(cell.value).startswith("=") for cell in cells)


def spreadsheet(*rows: Sequence[Any]) -> bytes:
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        page = book.add_worksheet("Danh sách")
        for number, cells in enumerate(rows):
            page.write_row(number, 0, cells)
    return told.getvalue()


NAMES = ["Họ và tên", "Năm sinh", "Phường", "Địa chỉ"]
BAD_FILES = {
    "a.docx": b"PK\x03\x04 not really a workbook",
    "nothing.xlsx": b"",
    "empty.xlsx": spreadsheet([]),
    "picture.xlsx": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "locked.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
    "no-heading.xlsx": spreadsheet(["x", 1, 2], ["y", 3, 4]),
    "headings-only.xlsx": spreadsheet(NAMES),
}


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_a_bad_file_gets_one_sentence_and_leaves_nothing(
    name: str, app: Flask, session: Session, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(BAD_FILES[name])
    result = CliRunner().invoke(importing, ["prospects", str(tmp_path / name), "--place", "14812"])
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""
    assert capfd.readouterr().err == ""
    for kind in (ListImport, ImportRow, Prospect):
        assert count(session, kind) == 0


def test_odd_rows_are_rejected_each_with_its_place(session: Session, manager: User) -> None:
    rows: list[list[Any]] = [
        NAMES,
        ["Nguyễn Văn An", "31/02/1980", "Ba Đình", ""],
        ["Lê 😀 Bình", 1981, "Ba Đình", ""],
        ["Trần Văn " + "x" * 10_000, 1982, "Ba Đình", ""],
        ["Đỗ Văn Cường", 1983, "Nơi Khác", ""],
        ["Phạm Văn Dũng", 1984, "Ba Đình", "Số " + "9" * 10_000],
    ]
    import_id = take_in(manager, spreadsheet(*rows), "a.xlsx")
    read(import_id)
    row = load(session, import_id)
    assert (row.rows, row.rejected, row.created) == (5, 4, 1)
    told = [why_handed_back(one) for one in handed_back(session, row)]
    assert [sentence.split(":")[0] for sentence in told] == [f"Tờ “Danh sách”, dòng {n}{c}" for n, c in (
        (2, ", cột B"), (3, ", cột A"), (4, ", cột A"), (5, ""))]  # fmt: skip
    assert len(session.scalars(select(Prospect)).one().address or "") <= 300


def test_too_many_rows_are_refused_with_nothing_kept(
    session: Session, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understanding, "MOST_ROWS", 50)
    import_id = take_in(manager, many(51))
    read(import_id)
    row = the(session, import_id)
    assert row.state is ImportState.FAILED
    assert "51" in (row.problem or "")
    assert count(session, ImportRow) == 0


def test_how_fast_it_is(session: Session, manager: User, capsys: pytest.CaptureFixture[str]) -> None:
    """Says how many rows a second; asserts only that all of them are there."""
    import_id = take_in(manager, many(20_000))
    begun = time.monotonic()
    read(import_id)
    seen = time.monotonic()
    row = load(session, import_id)
    done = time.monotonic()
    with capsys.disabled():
        print(f"\n20,000 rows: read {20_000 / (seen - begun):,.0f}/s, loaded {20_000 / (done - seen):,.0f}/s")
    assert row.created + row.duplicates == 20_000


def test_grounds_hold_for_the_calendar_year(session: Session, manager: User) -> None:
    head = "Họ và tên;Năm sinh;Phường;Hộ nghèo"
    import_id = take_in(manager, f"{head}\nNguyễn Văn An;1980;Ba Đình;x".encode())
    read(import_id)
    load(session, import_id)
    standing = session.scalars(select(Standing)).one()
    assert (standing.ground, standing.valid_from, standing.valid_to) == ("poor", date(2019, 1, 1), date(2020, 1, 1))
