"""Every number on every form of a small town, counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome
from crm.participation.rules import Beginning, Ending
from crm.prospects.rules import Ground
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.reports.documents.queries import finding
from crm.reports.periods import ReportKind
from crm.targets.models import Target
from crm.targets.rules import Indicator
from tests.factories import Make
from tests.participation.stories import join, pay, spell
from tests.reports.documents.stories import opened, rows_of

AT = clock.at(date(2019, 10, 3), 8)
EVE = date(2018, 12, 31)


@pytest.fixture
def town(make: Make, session: Session) -> dict[str, Any]:
    """Ba Đình and Đông Sơn in September 2019, seen on 3 October.

    Ba Đình: Một since 2018, poor. Hai since 2018, stopped on 10 September. Ba joined on 2 September, near-poor. Bốn
    returned on 5 September. Năm since March, went over to compulsory insurance on 20 September.
    Đông Sơn: Sáu since 2017 on record, of an ethnic minority. Bảy joined in August and lapsed on 12 September. Tám joined on 1 October.
    The Women's Union brought in Ba and Bảy and visited four times.
    """
    dinh, son, union = make.ward(), make.ward("14821@2019-10-15"), make.organisation()
    people: dict[str, Any] = {}
    for name, place in zip(
        ("Một", "Hai", "Ba", "Bốn", "Năm", "Sáu", "Bảy", "Tám"), (dinh,) * 5 + (son,) * 3, strict=True
    ):
        org = union.id if name in ("Ba", "Bảy") else None
        people[name] = make.prospect(f"Người {name}", place=place, organisation_id=org)
    for name, ground in (("Một", Ground.POOR), ("Ba", Ground.NEAR_POOR), ("Sáu", Ground.ETHNIC_MINORITY)):
        make.standing(people[name], ground)
    make.standing(people["Ba"], Ground.ETHNIC_MINORITY)
    make.standing(people["Bốn"], Ground.POOR, since=date(2019, 1, 1), until=date(2019, 9, 30))
    spell(make, people["Một"], EVE, started_as=Beginning.BASELINE)
    spell(make, people["Hai"], EVE, date(2019, 9, 10), started_as=Beginning.BASELINE, ended_as=Ending.STOPPED)
    spell(make, people["Ba"], date(2019, 9, 2))
    spell(make, people["Bốn"], date(2019, 9, 5), started_as=Beginning.RETURNED)
    spell(make, people["Năm"], date(2019, 3, 4), date(2019, 9, 20), ended_as=Ending.COMPULSORY)
    spell(make, people["Sáu"], date(2017, 5, 2))
    spell(make, people["Bảy"], date(2019, 8, 6), date(2019, 9, 12))
    spell(make, people["Tám"], date(2019, 10, 1))
    volunteer = make.user(Role.VOLUNTEER, organisation_id=union.id, created_at=clock.at(date(2019, 1, 5), 8))
    for name, day, channel, outcome, again in (
        ("Ba", 1, Channel.HOME_VISIT, Outcome.AGREED, None),
        ("Một", 3, Channel.HOME_VISIT, Outcome.NOT_MET, 6),
        ("Một", 6, Channel.HOME_VISIT, Outcome.CONSIDERING, 20),
        ("Sáu", 9, Channel.PHONE_CALL, Outcome.INTERESTED, 16),
        ("Sáu", 30, Channel.MEETING, Outcome.INTERESTED, None),
    ):
        seen = clock.at(date(2019, 9, day), 17)
        make.add(
            Visit(
                town_id=make.town.id,
                prospect_id=people[name].id,
                user_id=volunteer.id,
                organisation_id=union.id,
                place_id=people[name].place_id,
                occurred_at=seen,
                recorded_at=seen,
                channel=channel,
                outcome=outcome,
                reasons=["no_money"] if outcome is Outcome.CONSIDERING else [],
                note=None,
                next_contact_on=date(2019, 9, again) if again else None,
            )
        )
    for place, number in ((dinh, 10), (son, 4)):
        make.add(
            Target(
                town_id=make.town.id,
                year=2019,
                indicator=Indicator.VOLUNTARY,
                place_id=place.id,
                organisation_id=None,
                people=number,
                authority="UBND thị xã",
                recorded_at=AT,
                baseline=None,
                rate=None,
                denominator=None,
                population=None,
                document=None,
                recorded_by_id=None,
            )
        )
    return people


@pytest.fixture
def facts(town: dict[str, Any], make: Make, session: Session, at_time: Callable[..., None]) -> Any:
    at_time(AT)
    report = opened(session, make.user(Role.MANAGER), AT)
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None
    return snapshot.facts


def test_who_takes_part_by_ward(facts: Any) -> None:
    rows = rows_of(facts, "Biểu 01")
    # target, start of year, joined, returned, stopped, compulsory, other, up, down, now, percent, ±, poor, near, minority, others
    assert rows["Phường Ba Đình"][:16] == [10, 2, 1, 1, 1, 1, 0, 3, 2, 3, 30.0, 3, 1, 1, 0, 1]
    assert rows["Phường Đông Sơn"][:16] == [4, 1, 0, 0, 1, 0, 0, 1, 1, 1, 25.0, 0, 0, 0, 1, 0]
    assert rows["Phường Bắc Sơn"][:10] == [None, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert rows["Tổng cộng"][:16] == [1385, 3, 1, 1, 2, 1, 0, 4, 3, 4, 0.29, 3, 1, 1, 1, 1]
    assert len(rows) == 9


def test_each_line_adds_up(facts: Any) -> None:
    for row in rows_of(facts, "Biểu 01").values():
        start, up, down, now = row[1], row[7], row[8], row[9]
        assert start + up - down == now == sum(row[12:16])


def test_what_organisations_did(facts: Any) -> None:
    union = next(row for name, row in rows_of(facts, "Biểu 02").items() if "Phụ nữ" in name or "phụ nữ" in name)
    # volunteers, home visits, met, again, registered, first paid, kept 6, kept 12, due, went on, reminded, lapsed, percent
    assert union == [1, 3, 3, 2, 0, 1, "–", "–", 1, 0, 0, 1, 33.33]


def test_how_people_were_told(facts: Any) -> None:
    rows = rows_of(facts, "Biểu 04")
    assert rows["Tư vấn tại hộ gia đình"][1:3] == [3, 2]
    assert rows["Tư vấn qua điện thoại"][1:3] == [1, 1]
    assert rows["Tư vấn tại hội nghị, cuộc họp"][1:3] == [1, 1]
    assert rows["Tin nhắn đã gửi"][1] == 0


def test_the_total_is_the_managers_home(facts: Any, make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    page = signed_in(make.user(Role.MANAGER, language="en")).get("/dashboard?as_of=2019-09-30")
    assert f"{facts['total']['now']} people take part" in page.text


def test_what_was_paid(make: Make, session: Session, at_time: Callable[..., None]) -> None:
    at_time(AT)
    person = make.prospect("Người đóng")
    join(person, date(2019, 9, 4), months=1)
    pay(person, date(2019, 9, 25), months=1)
    report = opened(session, make.user(Role.MANAGER), AT)
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None
    table = next(one for one in snapshot.facts["tables"] if one["form"] == "Biểu 05")
    # payments, people, months, own, state, local, other, total: 154.000 a month, of which the State gives 10 % of the floor
    assert table["rows"][-1] == [None, "Tổng cộng", 2, 1, 2, 277_200, 30_800, 0, 0, 308_000]


def test_a_ward_by_neighbourhood_is_its_row_of_the_town(
    town: dict[str, Any], make: Make, session: Session, at_time: Callable[..., None]
) -> None:
    at_time(AT)
    street = find_or_add_neighbourhood(session, make.ward(), "Khu phố 3")
    town["Ba"].neighbourhood_id = town["Một"].neighbourhood_id = street.id
    session.flush()
    by = make.user(Role.MANAGER)
    of_town = finding.snapshot_of(session, opened(session, by, AT))
    of_ward = finding.snapshot_of(session, opened(session, by, AT, place=make.ward()))
    assert of_town is not None
    assert of_ward is not None
    rows = rows_of(of_ward.facts, "Biểu 01")
    assert rows["Khu phố 3"][:10] == [None, 1, 1, 0, 0, 0, 0, 1, 0, 2]
    assert rows["Chưa rõ khu phố, thôn"][:10] == [None, 1, 0, 1, 1, 1, 0, 2, 2, 1]
    mine, its = rows["Tổng cộng"], rows_of(of_town.facts, "Biểu 01")["Phường Ba Đình"]
    assert mine[:10] == its[:10]
    assert "Biểu 03" not in [one["form"] for one in of_ward.facts["tables"]], "no sponsor is named in a ward's report"


def test_a_half_year_has_its_months(
    town: dict[str, Any], make: Make, session: Session, at_time: Callable[..., None]
) -> None:
    at_time(AT)
    report = opened(session, make.user(Role.MANAGER), AT, ReportKind.HALF_YEAR, "2019-H2")
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None
    table = next(one for one in snapshot.facts["tables"] if one["form"] == "Biểu 01a")
    assert table["rows"] == [
        ["07/2019", 0, 0, 0, 4],
        ["08/2019", 1, 0, 0, 5],
        ["09/2019", 1, 1, 3, 4],
        ["10/2019 (đến 03/10)", 1, 0, 0, 5],
        ["Cả kỳ", 3, 1, 3, 5],
    ]
