import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.citizen_ids import CitizenId, CitizenIdProblem, Sex, mask, read_citizen_id


@pytest.mark.parametrize(
    "written",
    [
        "038161095119",
        "038 161 095 119",
        38161095119.0,
        "38161095119",
        "38161095119.0",
        "CCCD 038161095119",
    ],
)
def test_a_woman_born_in_1961_in_thanh_hoa(written: object) -> None:
    assert read_citizen_id(written, "female", 1961) == CitizenId("cccd", "038161095119")


def test_the_number_agrees_with_sex_and_year() -> None:
    assert read_citizen_id("038161095119", "male", 1961) is CitizenIdProblem.OTHER_SEX
    assert read_citizen_id("038161095119", "female", 1962) is CitizenIdProblem.OTHER_BIRTH_YEAR
    assert read_citizen_id("038301438915", "female", 2001) == CitizenId("cccd", "038301438915")
    assert read_citizen_id("038161095119") == CitizenId("cccd", "038161095119")


def test_old_numbers_and_eaten_zeros() -> None:
    assert read_citizen_id("171728987") == CitizenId("cmnd", "171728987")
    assert read_citizen_id(171728987.0) == CitizenId("cmnd", "171728987")
    assert read_citizen_id(12345678.0) == CitizenId("cmnd", "012345678")
    assert read_citizen_id(1161095119.0, "female", 1961) == CitizenId("cccd", "001161095119")
    assert read_citizen_id(1161095119.0) is CitizenIdProblem.WRONG_LENGTH
    assert read_citizen_id("171728987 / 038161095119", "female", 1961) == CitizenId("cccd", "038161095119")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("12345", CitizenIdProblem.WRONG_LENGTH),
        ("999161095119", CitizenIdProblem.UNKNOWN_PROVINCE),
        ("038961095119", CitizenIdProblem.UNKNOWN_PROVINCE),
        ("3.81610E+10", CitizenIdProblem.DIGITS_LOST),
        ("mất thẻ", CitizenIdProblem.NO_NUMBER),
    ],
)
def test_what_is_no_citizen_number(written: str, problem: CitizenIdProblem) -> None:
    assert read_citizen_id(written) is problem


@pytest.mark.parametrize("written", [None, "", " ", "không có", "0"])
def test_nothing_written_is_nothing_wrong(written: object) -> None:
    assert read_citizen_id(written) is None


def test_masking() -> None:
    assert mask("038161095119") == "038***119"
    assert mask("171728987") == "171***987"
    assert mask("12") == "***"


@given(
    st.one_of(
        st.text(max_size=30),
        st.floats(),
        st.integers(),
        st.from_regex(r"[0-9]{8,12}", fullmatch=True),
    ),
    st.sampled_from(["male", "female", None]),
    st.one_of(st.none(), st.integers(1900, 2030)),
)
def test_reading_never_fails(raw: object, sex: Sex | None, birth_year: int | None) -> None:
    answer = read_citizen_id(raw, sex, birth_year)
    if isinstance(answer, CitizenId):
        assert len(answer.number) == (12 if answer.kind == "cccd" else 9)
        assert answer.number.isascii()
        assert answer.number.isdigit()
