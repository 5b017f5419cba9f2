"""The rows of lists that were handed in before are written down with the table that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.engine import Connection, make_url

from config import Settings
from crm import sealed
from crm.app import create_app
from crm.db import plain_engine

BEFORE, AFTER = "0070", "0071"
TOWN = "(select id from town limit 1)"
FIGURES = """{"PA": "TM", "MucTien": 700000, "Tuthang": "10/2019", "Sothang": 1, "Phuongthuc": "1", "Heso": 0, "Tyle": "22",
 "Tongtien": 154000, "TyleNSNN": "10", "TienHotro": 15400, "TyleNSDP": "", "TienNSDP": 0, "TyleHotroKhac": "",
 "TienHotroKhac": 0, "TienTudong": 138600, "ground": "poor"}"""
PAPERS = f"""
insert into prospect (town_id, id, full_name, name_fold, name_key, place_id, address, phone, birth_year, created_at,
        updated_at, stage, version, citizen_id)
    select {TOWN}, ('a0000000-0000-4000-8000-00000000000' || n)::uuid, 'Lê Thị Số ' || n, 'le thi so', n::text::bytea,
        p.id, 'Số ' || n, '+84912345678', 1980, now(), now(), 'agreed', 1, %(number)s::bytea
    from generate_series(1, 4) n, (select id from place where name = 'Phường Ba Đình') p;
insert into dossier_list (town_id, id, year, number, made_at, submitted_on)
    select {TOWN}, ('b0000000-0000-4000-8000-00000000000' || n)::uuid, extract(year from day), n, day, handed_in
    from (values (1, '2019-10-01'::date, '2019-10-02'::date), (2, '2025-08-03', '2025-08-04'),
        (3, '2025-08-03', null)) l(n, day, handed_in);
insert into dossier (town_id, id, prospect_id, state, movement, income, months, missing, start_month, list_id, declared,
        accepted_on, opened_at, changed_at)
    select {TOWN}, ('c0000000-0000-4000-8000-00000000000' || n)::uuid,
        ('a0000000-0000-4000-8000-00000000000' || n)::uuid, state, 'TM', 700000, 1, false, '2019-10-01',
        ('b0000000-0000-4000-8000-00000000000' || list)::uuid, %(figures)s::jsonb, accepted, now(), now()
    from (values (1, 1, 'accepted', '2019-10-09'::date), (2, 1, 'submitted', null), (3, 2, 'submitted', null),
        (4, 3, 'handed_over', null)) d(n, list, state, accepted);
"""


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Flask]:
    def of(url: str) -> str:
        return make_url(url).set(database="lists_before").render_as_string(hide_password=False)

    with plain_engine(settings.migrate_database_url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("drop database if exists lists_before"))
        connection.execute(text("create database lists_before"))
    app = create_app(
        Settings(
            database_url=of(settings.database_url),
            migrate_database_url=of(settings.migrate_database_url),
            redis_url=settings.redis_url,
        )
    )
    with app.app_context():
        yield app


def _papers(connection: Connection) -> None:
    number = sealed.current().close("038180000001")
    for statement in PAPERS.split(";\n"):
        if statement.strip():
            given = {"number": number, "figures": FIGURES}
            connection.exec_driver_sql(statement, {name: given[name] for name in given if f"%({name})s" in statement})


def test_lists_handed_in_before_are_carried_over_and_back(elsewhere: Flask) -> None:
    upgrade(revision=BEFORE)
    engine = plain_engine(elsewhere.config["MIGRATE_DATABASE_URL"])
    with engine.begin() as connection:
        _papers(connection)
    for _ in range(2):
        upgrade(revision=AFTER)
        with engine.begin() as connection:
            found = connection.execute(
                text(
                    "select r.number, r.declared, r.code, r.outcome, r.answered_on, p.name as ward "
                    "from listed_dossier r join place p on p.town_id = r.town_id and p.id = r.place_id "
                    "order by r.list_id, r.number"
                )
            ).all()
        assert [(one.number, one.outcome, one.answered_on) for one in found] == [
            (1, "accepted", date(2019, 10, 9)),
            (2, "waiting", None),
            (1, "waiting", None),
        ]
        assert [one.code and sealed.current().open(bytes(one.code)) for one in found] == [None, None, "038180000001"]
        first, _second, third = (one.declared for one in found)
        assert first["HoTen"] == "LÊ THỊ SỐ 1"
        assert first["Ghichu"] == "Hộ nghèo, SĐT 0912 345 678, Ngày sinh 1980"
        assert (first["Diachi_DangSS"], first["CCNS"], first["Loai"]) == ("Số 1, Phường Ba Đình", "1", "1")
        assert (first["Matinh"], first["Mahuyen"], third["Mahuyen"]) == ("38", "381", "")
        assert first["TienTudong"] == 138_600
        assert "ground" not in first
        assert (found[0].ward, found[2].ward == "Phường Ba Đình") == ("Phường Ba Đình", False)
        downgrade(revision=BEFORE)
