"""A list of many people: read, compared with everybody who is here, and loaded; against an xlsx put into a bare table.

    python -m bench --only importing [--people 100000] [--rows 100000]

Ours is what happens to a list that somebody hands in: the file is checked and kept sealed, every row is understood and
compared with the people of the town, and the list is loaded, by the functions that the page and the background work call.
The floor reads the same file with the same library and copies its cells, as they are, into one table with three indexes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session
from xlsxwriter import Workbook

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.db import session, transaction
from crm.demo.names import full_name
from crm.places.models import Place
from crm.places.queries import the_town, units
from crm.prospects.importing import queries
from crm.prospects.importing.services import committing, taking_in
from crm.prospects.models import ListImport, Prospect
from crm.prospects.rules import ImportState, RowOutcome, Sex
from tasks.prospects import commit, read

SEED = 20191123
ROWS = 100_000
KNOWN = 10
"""One row in so many is somebody who is here already."""
NUMBERED = 3
"""Two rows in so many say the citizen number."""
SHARE, RATE = 0.25, 10_000
"""The goals: the least share of the floor, and the least rows a second."""
HEADINGS = ("Họ và tên", "Ngày sinh", "Giới tính", "Điện thoại", "Số CCCD", "Phường", "Địa chỉ", "Nghề nghiệp")
SEXES = {Sex.MALE: "Nam", Sex.FEMALE: "Nữ"}
STREETS = ("Lê Lợi", "Trần Phú", "Quang Trung", "Nguyễn Trãi", "Lê Hoàn", "Tống Duy Tân", "Đội Cung", "Bà Triệu")
WORK = ("Làm ruộng", "Buôn bán", "Thợ may", "Thợ xây", "Lái xe", "Nội trợ", "Cắt tóc", "Bán hàng ăn")
TABLE = """
create table bench_list (
    id bigint generated always as identity primary key, full_name text, birth date, sex text, phone text,
    citizen_id text, ward text, address text, occupation text
);
create index on bench_list (full_name);
create index on bench_list (phone);
"""
COPY = "copy bench_list (full_name, birth, sex, phone, citizen_id, ward, address, occupation) from stdin"


class Outcome(NamedTuple):
    """What became of a list, in seconds and in rows by what was made of them."""

    rows: int
    already: int
    """People in the database before."""
    checked: float
    matched: float
    loaded: float
    floor: float
    """Mean of two runs, one before ours and one after."""
    outcomes: dict[RowOutcome, int]

    @property
    def added(self) -> int:
        """How many people there are more than before."""
        return self.outcomes[RowOutcome.NEW]

    @property
    def settled(self) -> int:
        """Rows that loading was for: not those set aside or rejected."""
        return self.added + self.outcomes[RowOutcome.CHANGED] + self.outcomes[RowOutcome.UNCHANGED]


def speed(app: Flask, folder: Path, rows: int) -> Outcome:
    """Load a list of so many rows into the database of `app`, where it stays. Raises RuntimeError if it is not loaded."""
    file = folder / "list.xlsx"
    with app.app_context():
        already = _people(session())
        _write(file, session(), rows)
        session().rollback()
        before = _floor(app, file, rows)
        began = time.perf_counter()
        import_id = _take_in(file)
        checked = time.perf_counter()
        deque(read(import_id), maxlen=0)
        matched = time.perf_counter()
        _expect(import_id, ImportState.READY)
        start_loading = time.perf_counter()
        with transaction() as current:
            committing.start(current, _the(current, import_id))
        deque(commit(import_id), maxlen=0)
        loaded = time.perf_counter()
        row = _expect(import_id, ImportState.COMMITTED)
        outcomes = queries.outcomes_of(session(), row)
        added = _people(session()) - already
        session().rollback()
        if added != outcomes[RowOutcome.NEW]:
            raise RuntimeError(f"{rows} rows were handed in, {outcomes} came of them, {added} people were added")
        after = _floor(app, file, rows)
    return Outcome(
        rows,
        already,
        checked - began,
        matched - checked,
        loaded - start_loading,
        (before + after) / 2,
        outcomes,
    )


def _take_in(file: Path) -> UUID:
    """Hand the file in as the page does; answers the id of the list."""
    with transaction() as current:
        user = current.scalars(select(User).where(User.email == "bench@example.vn")).one()
        scope, at = scope_of(current, user), clock.now()
        handed = taking_in.Handed(file.name, file.read_bytes())
        handed = taking_in.as_remembered(current, user.town_id, handed, by=user, scope=scope, at=at)
        return taking_in.take_in(current, user.town_id, handed, by=user, scope=scope, at=at).id


def _the(current: Session, import_id: UUID) -> ListImport:
    current.expire_all()
    return current.scalars(select(ListImport).where(ListImport.id == import_id)).one()


def _expect(import_id: UUID, state: ImportState) -> ListImport:
    row = _the(session(), import_id)
    if row.state is not state:
        raise RuntimeError(f"The list should be {state.value} and is {row.state.value}: {row.problem}")
    return row


def _people(current: Session) -> int:
    return current.scalar(select(func.count()).select_from(Prospect)) or 0


# ---- the list


def _write(file: Path, current: Session, rows: int) -> None:
    """The same list for the same people and number of rows, written row by row."""
    with Workbook(file, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Danh sách")
        sheet.write_row(0, 0, HEADINGS)
        for number, cells in enumerate(_rows(current, rows), 1):
            sheet.write_row(number, 0, cells)


def _rows(current: Session, rows: int) -> Iterator[tuple[Any, ...]]:
    chance = Random(SEED)
    town = the_town(current)
    places = current.scalars(units(town.id, clock.today())).all()
    names = {place.id: place.name for place in places}
    here = _known(current, chance, town.id, -(-rows // KNOWN))
    for number in range(rows):
        if number % KNOWN == 0:
            person = here.pop()
            name, sex, year, ward = person.full_name, person.sex, person.birth_year, names[person.place_id]
            phone = f"0{person.phone.removeprefix('+84')}"
        else:
            sex, year = chance.choice((Sex.FEMALE, Sex.MALE)), chance.randint(1950, 2002)
            name, ward, phone = full_name(chance, sex, year), _ward(chance, places), f"098{number:07d}"
        born = date(year, 1, 1) + timedelta(days=chance.randrange(365))
        citizen = _citizen_id(sex, year, number) if number % NUMBERED else None
        address = f"{chance.randint(1, 300)} {chance.choice(STREETS)}"
        yield name, born, SEXES[sex], phone, citizen, ward, address, chance.choice(WORK)


def _ward(chance: Random, places: Any) -> str:
    place: Place = chance.choice(places)
    return place.name


def _citizen_id(sex: Sex, year: int, number: int) -> str:
    """Twelve digits as on a card from Thanh Hóa: province, century and sex, year, six more."""
    century = 2 * (year // 100 - 19) + (sex is Sex.FEMALE)
    return f"038{century}{year % 100:02d}{number:06d}"


def _known(current: Session, chance: Random, town_id: UUID, many: int) -> list[Any]:
    """Some of those who are here, by their telephones, so that a run chooses the same as the one before."""
    columns = (Prospect.full_name, Prospect.sex, Prospect.birth_year, Prospect.phone, Prospect.place_id)
    ids = current.scalars(select(Prospect.phone).where(Prospect.town_id == town_id).order_by(Prospect.phone)).all()
    some = chance.sample(ids, many)
    query = select(*columns).where(Prospect.town_id == town_id, Prospect.phone.in_(some)).order_by(Prospect.phone)
    return list(current.execute(query).all())


# ---- the floor


def _floor(app: Flask, file: Path, rows: int) -> float:
    """Seconds to read the file and copy its cells into a table that has its indexes, committed."""
    url = make_url(app.config["MIGRATE_DATABASE_URL"]).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(TABLE)
        connection.commit()
        began = time.perf_counter()
        sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)
        lines = sheet.iter_rows()
        next(lines)
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for cells in lines:
                copy.write_row(cells)
        connection.commit()
        took = time.perf_counter() - began
        counted = connection.execute("select count(*) from bench_list").fetchone()
        connection.execute("drop table bench_list")
    if counted != (rows,):
        raise RuntimeError(f"The floor holds {counted} rows instead of {rows}")
    return took


# ---- what is told


def report(found: Outcome) -> str:
    """What was measured, in Markdown."""
    whole = found.checked + found.matched + found.loaded
    ours, floor = found.rows / whole, found.rows / found.floor
    told = found.outcomes
    return "\n".join(
        [
            "",
            f"### A list of {found.rows:,} rows among {found.already:,} people",
            "",
            f"Of the rows {told[RowOutcome.NEW]:,} were added, {told[RowOutcome.CHANGED]:,} completed somebody, "
            f"{told[RowOutcome.UNCHANGED]:,} said nothing new, {told[RowOutcome.DUPLICATE]:,} were set aside for a "
            f"decision and {told[RowOutcome.REJECTED]:,} rejected; {found.rows - sum(told.values()):,} were taken to tell of nobody.",
            "",
            "| | rows | seconds | rows/s | of the floor | goal | reached |",
            "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
            _line("checked and kept", found.rows, found.checked, floor),
            _line("read and matched", found.rows, found.matched, floor),
            _line("loaded", found.settled, found.loaded, floor),
            _line("overall", found.rows, whole, floor, f"≥ {SHARE:g} ×", ours >= SHARE * floor),
            _line("overall", found.rows, whole, floor, f"≥ {RATE:,} rows/s", ours >= RATE),
            _line("floor: read and copied into a bare table", found.rows, found.floor, floor),
        ]
    )


def _line(name: str, rows: int, took: float, floor: float, goal: str = "", reached: bool | None = None) -> str:
    answer = "" if reached is None else "yes" if reached else "no"
    rate = rows / took
    return f"| {name} | {rows:,} | {took:.2f} | {rate:,.0f} | {rate / floor:.2f} × | {goal} | {answer} |"
