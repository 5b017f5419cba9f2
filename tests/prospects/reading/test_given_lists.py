"""Two lists as offices really keep them, against what a careful clerk makes of them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from crm.prospects.reading.lists import ListRead, read
from crm.prospects.reading.outcomes import Person, Reason

LISTS = Path(__file__).parents[2] / "data" / "lists"
TODAY = dt.date(2026, 11, 22)
BA_DINH = "danh-sach-phuong-ba-dinh.xlsx"
DONG_SON = "hoi-phu-nu-phuong-dong-son.csv"
REASONS = {"no name": Reason.NO_NAME, "birth in the future": Reason.BORN_IN_FUTURE}


def expected_of(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((LISTS / name).with_suffix(".expected.json").read_text("utf-8"))
    return answer


def as_expected(person: Person, keys: set[str]) -> dict[str, object]:
    told = {
        "sheet": person.sheet,
        "row": person.row,
        "full_name": person.full_name,
        "sex": person.sex,
        "birth_year": person.birth_year,
        "birth_date": person.birth_date.isoformat() if person.birth_date else None,
        "phone": person.phone,
        "other_phone": person.other_phone,
        "citizen_id": person.citizen_id,
        "standing": person.standing,
        "sms_consent": person.sms_consent,
    }
    return {key: value for key, value in told.items() if key in keys}


@pytest.fixture(params=[BA_DINH, DONG_SON])
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def opened(name: str) -> ListRead:
    return read(LISTS / name, name, today=TODAY)


def test_the_people_are_those_of_a_careful_clerk(name: str) -> None:
    expected = expected_of(name)["people"]
    assert [as_expected(person, set(expected[0])) for person in opened(name).people] == expected


def test_the_repeats_are_set_aside(name: str) -> None:
    expected = expected_of(name)["duplicates"]
    found = opened(name).duplicates
    assert [as_expected(repeat.person, set(row)) for repeat, row in zip(found, expected, strict=True)] == expected


def test_each_repeat_points_to_the_person_it_repeats(name: str) -> None:
    read_list = opened(name)
    people = {(person.sheet, person.row): person for person in read_list.people}
    for repeat in read_list.duplicates:
        first = people[repeat.of_sheet, repeat.of_row]
        assert first.full_name == repeat.person.full_name
        assert first.birth_year == repeat.person.birth_year
        assert repeat.reasons


def test_the_rejected_rows_say_why(name: str) -> None:
    expected = [(row["sheet"], row["row"], REASONS[row["why"]]) for row in expected_of(name)["rejected"]]
    assert [(row.sheet, row.row, row.reason) for row in opened(name).rejected] == expected


def test_the_ward_is_the_one_the_title_names() -> None:
    assert opened(BA_DINH).ward_named == expected_of(BA_DINH)["ward"]
    assert all(person.ward_named == "Phường Ba Đình" for person in opened(BA_DINH).people)
    assert opened(DONG_SON).ward_named is None
    assert opened(DONG_SON).ward_hint == "phuong dong son"


def test_neighbourhoods_and_occupations_are_kept() -> None:
    people = {(person.sheet, person.row): person for person in opened(BA_DINH).people}
    person = people["To VnTime", 47]
    assert (person.neighbourhood, person.address, person.occupation) == ("Tổ dân phố 2", "TDP 2", "Bán hàng rong")
    first = opened(DONG_SON).people[0]
    assert (first.neighbourhood, first.occupation) == ("Khu phố 1", "Thợ may")


def test_no_remark_is_made_on_a_good_row(name: str) -> None:
    assert [remark for person in opened(name).people for remark in person.remarks] == []
