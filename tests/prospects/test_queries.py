"""Finding people, and people who may be the same."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.names import fold
from crm.places.queries import ids_within
from crm.prospects.identity.queries import candidates, traits_of
from crm.prospects.models import Prospect
from crm.prospects.queries import lists
from crm.prospects.queries.lists import EVERYONE, Filters, count_up_to, page_of, people
from crm.prospects.rules import Ground, NewPerson, Same, Sex
from crm.prospects.services.people import add_prospect
from tests.factories import Make

TODAY = date(2019, 10, 15)


@pytest.fixture
def scope(make: Make) -> Scope:
    return Scope(make.town.id, UUID(int=1), Reach.ALL, None, None)


def found(session: Session, scope: Scope, q: str, filters: Filters = EVERYONE, size: int = 50) -> list[str]:
    page = page_of(session, scope, filters, q, cursor=None, size=size, today=TODAY)
    return [row.full_name for row in page.rows]


@pytest.mark.parametrize(
    "q", ["Nguyễn Thị Hoà", "nguyễn thị hòa", "NGUYEN THI HOA", "Nguyê\u0303n Thi\u0323 Ho\u0300a", "hoa nguyen", "nguy", "hoa"]
)  # fmt: skip
def test_a_name_is_found_in_any_spelling(session: Session, scope: Scope, make: Make, q: str) -> None:
    make.prospect("Nguyễn Thị Hòa")
    make.prospect("Trần Văn Đức")
    assert found(session, scope, q) == ["Nguyễn Thị Hòa"]


def test_each_word_begins_a_word_of_the_name_of_its_own(session: Session, scope: Scope, make: Make) -> None:
    for name in ("Hoàng Thị Lan", "Hoàng Thị Hoàn", "Lê Thị Hoa", "H'Mai Niê (Hoa)", "Vũ Hoàng Hoa Thị"):
        make.prospect(name)
    assert found(session, scope, "Hoàng Thị Hoa") == ["Hoàng Thị Hoàn", "Vũ Hoàng Hoa Thị"]
    assert found(session, scope, "hoa hoa hoa") == []
    assert found(session, scope, "oang") == []
    assert found(session, scope, "mai hoa") == found(session, scope, "h'mai") == ["H'Mai Niê (Hoa)"]
    assert found(session, scope, "hoang%") == found(session, scope, "h_a") == []


def test_words_side_by_side_come_first_and_nobody_is_lost_between_pages(
    session: Session, scope: Scope, make: Make
) -> None:
    names = ["Hoa Thị Lan", "Lan Hoa Bích", "Lê Lan Hoa", "Vũ Hoa Lan", "Đỗ Lan Hoa", "Hoa Văn Lan"]
    for name in names:
        make.prospect(name)
    walked: list[str] = []
    cursor: str | None = None
    while True:
        page = page_of(session, scope, EVERYONE, "lan hoa", cursor=cursor, size=1, today=TODAY)
        walked += [row.full_name for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(walked) == sorted(names)
    together = [name for name in names if "lan hoa" in fold(name)]
    assert set(walked[: len(together)]) == set(together)


@pytest.mark.parametrize("q", ["0912345678", "912 345 678", "+84 912.345.678", "84912345678", "5678", "0912"])
def test_a_phone_is_found_in_any_spelling_or_part(session: Session, scope: Scope, make: Make, q: str) -> None:
    make.prospect("Lê Văn Tám", phone="+84912345678")
    make.prospect("Lê Văn Chín", phone="+84987111222")
    assert found(session, scope, q) == ["Lê Văn Tám"]


def test_name_and_phone_together_narrow(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Thị Hoa", phone="+84912345678")
    make.prospect("Trần Thị Hoa", phone="+84987111222")
    assert found(session, scope, "hoa 0912") == ["Lê Thị Hoa"]


def test_part_of_a_citizen_number_finds_nobody(session: Session, scope: Scope, make: Make) -> None:
    new = NewPerson("Lê Thị Hoa", make.ward().id, citizen_id="038175000119")
    add_prospect(session, new, by=make.user(), at=clock.now())
    assert found(session, scope, "038175000119") == ["Lê Thị Hoa"]
    assert found(session, scope, "038 175 000 119") == ["Lê Thị Hoa"]
    assert found(session, scope, "038175") == []


def test_both_orders_of_a_search_are_the_same_order(
    session: Session, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Vũ Thị Xuyến", "Lê Thị An", "Đỗ Thị Đào", "Mai Thị Dung"):
        make.prospect(name)
    sorted_apart = found(session, scope, "thi")
    monkeypatch.setattr(lists, "FEW", -1)
    assert found(session, scope, "thi") == sorted_apart == ["Lê Thị An", "Mai Thị Dung", "Đỗ Thị Đào", "Vũ Thị Xuyến"]


def test_merged_records_are_in_no_list(session: Session, scope: Scope, make: Make) -> None:
    kept = make.prospect("Lê Thị Hoa")
    make.prospect("Lê Thị Hoà", merged_into_id=kept.id)
    assert found(session, scope, "") == found(session, scope, "hoa") == ["Lê Thị Hoa"]


def test_the_strongest_ground_of_today_decides_the_filter(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Nghèo Dân", grounds=(Ground.ETHNIC_MINORITY, Ground.POOR))
    past = make.prospect("Lê Đã Qua")
    make.standing(past, Ground.POOR, date(2018, 1, 1), date(2019, 1, 1))
    by_ground = {ground: found(session, scope, "", Filters(standing=ground)) for ground in Ground}
    assert by_ground == {
        Ground.POOR: ["Lê Nghèo Dân"],
        Ground.ISLAND: [],
        Ground.NEAR_POOR: [],
        Ground.ETHNIC_MINORITY: [],
        Ground.OTHER: ["Lê Đã Qua"],
    }


def test_a_place_holds_what_became_part_of_it(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Văn Cũ", place=make.ward("14812@2019-10-15"))
    today = make.ward("14812@2026-01-01")
    within = Filters(place_ids=ids_within(session, make.town.id, today.id))
    assert found(session, scope, "", within) == ["Lê Văn Cũ"]


def test_a_count_stops_where_it_is_told(session: Session, scope: Scope, make: Make) -> None:
    for letter in "ABCDE":
        make.prospect(f"Lê Văn {letter}n")
    query = people(scope, EVERYONE, "", today=TODAY)
    assert (count_up_to(session, query, 3), count_up_to(session, query, 10)) == (4, 5)


def alike(session: Session, one: Prospect) -> list[tuple[UUID, tuple[Same, ...]]]:
    found = candidates(session, one.town_id, traits_of(one), except_id=one.id)
    return [(candidate.id, candidate.reasons) for candidate in found]


@pytest.mark.parametrize(
    ("ours", "theirs", "reasons"),
    [
        ({"birth_date": date(1975, 3, 2), "birth_year": 1975}, {"birth_date": date(1975, 3, 2), "birth_year": 1975},
         (Same.NAME_AND_BIRTH_DATE,)),
        ({"birth_year": 1975}, {"birth_date": date(1975, 3, 2), "birth_year": 1975}, (Same.NAME_AND_BIRTH_YEAR,)),
        ({"birth_year": 1975}, {"birth_year": 1976}, ()),
        ({"birth_date": date(1975, 3, 2), "birth_year": 1975}, {"birth_date": date(1975, 4, 2), "birth_year": 1975}, ()),
        ({"birth_year": 1975, "sex": Sex.MALE}, {"birth_year": 1975, "sex": Sex.FEMALE}, ()),
        ({"phone": "+84912345678"}, {"phone": "+84912345678"}, (Same.NAME_AND_PHONE,)),
        ({"phone": "+84912345678"}, {"other_phone": "+84912345678"}, (Same.NAME_AND_PHONE,)),
        ({"phone": "+84912345678", "full_name": "Trần Văn Bình"}, {"phone": "+84912345678"}, ()),
        ({"phone": "+84912345678", "full_name": "Lí Thị Quí"}, {"phone": "+84912345678", "full_name": "Lý Thị Quý"},
         (Same.NAME_AND_PHONE,)),
        ({"birth_year": 1975, "full_name": "Lí Thị Quí"}, {"birth_year": 1975, "full_name": "Lý Thị Quý"},
         (Same.NAME_AND_BIRTH_YEAR,)),
        ({}, {}, ()),
    ],
)  # fmt: skip
def test_who_may_be_the_same(
    session: Session, make: Make, ours: dict[str, object], theirs: dict[str, object], reasons: tuple[Same, ...]
) -> None:
    one = make.prospect(**{"full_name": "Nguyễn Thị Hoà"} | ours)  # type: ignore[arg-type]
    other = make.prospect(**{"full_name": "NGUYỄN THỊ HÒA"} | theirs)  # type: ignore[arg-type]
    assert alike(session, one) == ([(other.id, reasons)] if reasons else [])


def test_two_different_cards_are_two_people_of_one_name(session: Session, make: Make) -> None:
    by = make.user()
    for number in ("038175000119", "038175000120"):
        new = NewPerson("Lê Thị Hoa", make.ward().id, birth_year=1975, citizen_id=number)
        add_prospect(session, new, by=by, at=clock.now())
