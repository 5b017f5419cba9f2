"""How values are written for people."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel, lazy_gettext
from hypothesis import given
from hypothesis import strategies as st
from wtforms import BooleanField, FileField, Form, IntegerField, RadioField, StringField

from crm.months import Month
from crm.web import controls, filters


def test_thousands_have_points_in_vietnamese_and_commas_in_english() -> None:
    assert filters.number(1385) == "1.385"
    assert filters.number(1385, locale="en") == "1,385"
    assert filters.number(-1_247_000) == "-1.247.000"
    assert filters.number(12.5, 1) == "12,5"


@given(st.integers())
def test_a_written_number_reads_back(value: int) -> None:
    assert int(filters.number(value).replace(".", "")) == value


def test_halves_round_up_whatever_kind_of_number_comes() -> None:
    assert filters.number(Decimal("2.5")) == filters.number(Fraction(5, 2)) == filters.number(2.5) == "3"


def test_money_does_not_break_before_its_unit() -> None:
    assert filters.vnd(165_000) == "165.000\N{NO-BREAK SPACE}đ"
    assert filters.vnd(1_038_750, "en") == "1,038,750\N{NO-BREAK SPACE}đ"


@pytest.mark.parametrize(("ratio", "written"), [(Fraction(873, 1000), "87,3%"), (1, "100%"), (0, "0%"), (0.5, "50%")])
def test_a_share_shows_no_needless_zero(ratio: filters.Number, written: str) -> None:
    assert filters.percent(ratio) == written


def test_a_moment_late_in_the_evening_utc_is_the_next_day_in_vietnam() -> None:
    late = datetime(2019, 8, 11, 18, 5, tzinfo=UTC)
    assert filters.day(late) == "12/8/2019"
    assert filters.moment(late) == "01:05, 12/8/2019"
    assert filters.month(datetime(2019, 7, 31, 20, 0, tzinfo=UTC)) == "8/2019"


def test_days_and_months_in_both_languages() -> None:
    assert filters.day(date(2019, 8, 12)) == "12/8/2019"
    assert filters.day(date(2019, 8, 12), "en") == "12 Aug 2019"
    assert filters.month(Month(2019, 8)) == filters.month(date(2019, 8, 31)) == "8/2019"
    assert filters.month(Month(2019, 8), "en") == "Aug 2019"


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("+84912345678", "0912 345 678"),
        ("0912345678", "0912 345 678"),
        ("+842373822123", "0237 3822 123"),
        ("+85620123456", "+85620123456"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_phone_numbers_in_groups(stored: str | None, written: str) -> None:
    assert filters.phone(stored) == written


def test_names_shouted_in_a_list_are_written_as_people_write_them() -> None:
    assert filters.person_name("NGUYỄN  THỊ ĐĂNG ") == "Nguyễn Thị Đăng"
    assert filters.person_name("H'Hen Niê") == "H'Hen Niê"
    assert filters.initials("Nguyễn Thị Đăng") == "NĐ"
    assert filters.initials("Ân") == "Â"


def test_nothing_is_a_dash_everywhere() -> None:
    written = {
        f(None) for f in (filters.number, filters.vnd, filters.percent, filters.day, filters.moment, filters.month)
    }
    assert written == {"—"}


@given(st.integers(-100, 10_000), st.integers(0, 10_000))
def test_a_bar_never_leaves_its_frame(value: int, whole: int) -> None:
    assert 0 <= filters.share(value, whole) <= 100


def test_templates_write_in_the_readers_language_and_static_files_carry_their_mark(tmp_path: Path) -> None:
    (tmp_path / "app.css").write_text("a{}")
    app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    language = "vi"
    Babel(app, locale_selector=lambda: language)
    filters.register(app)
    said = lazy_gettext("Pay %(sum)s by %(day)s", sum=filters.in_money(107_800), day=filters.in_day(date(2026, 8, 10)))
    with app.test_request_context():
        assert str(said) == "Pay 107.800\u00a0đ by 10/8/2026"
        assert render_template_string("{{ 1385|number }} {{ 2.5|number(1) }}") == "1.385 2,5"
        before = render_template_string("{{ asset('app.css') }}")
        assert before.startswith("/static/app.css?v=")
    (tmp_path / "app.css").write_text("b{color:red}")
    language = "en"
    with app.test_request_context():
        assert str(said) == "Pay 107,800\u00a0đ by 10 Aug 2026", (
            "a sentence kept since before speaks the language of its reader"
        )
        assert render_template_string("{{ 1385|number }}") == "1,385"
        assert filters.asset_of(app)("app.css") != before


class Sample(Form):
    name = StringField("Name")
    income = IntegerField("Income")
    ground = RadioField("Ground", choices=[("poor", "Poor")])
    agreed = BooleanField("Agreed")
    file = FileField("List")


def test_each_field_gets_its_drawing_and_an_address_for_the_error_summary() -> None:
    form = Sample()
    kinds = [controls.field_kind(field) for field in form]
    assert kinds == ["input", "number", "group", "checkbox", "file"]
    assert controls.first_control_id(form.ground) == "ground-0"
    assert controls.first_control_id(form.name) == "name"


def test_a_wrong_number_is_announced_and_typed_as_text() -> None:
    form = Sample()
    form.income.errors = ["Enter an income."]
    made = controls.control_attributes(form.income, {"autocomplete": "on"}, "In steps of 50.000")
    assert made["aria-describedby"] == "income-hint income-error"
    assert made["aria-invalid"] == "true"
    assert (made["type"], made["inputmode"], made["autocomplete"]) == ("text", "numeric", "on")


def test_the_summary_names_the_field_that_was_left_empty_once() -> None:
    form = Sample()
    form.name.errors = ["This field is required.", "This field is required."]
    form.ground.errors = ["Choose one."]
    assert controls.summed_up(form.name) == ["Name: this field is required."]
    assert controls.summed_up(form.ground) == ["Ground: Choose one."]
    form.income.errors = ["Write the income."]
    assert controls.summed_up(form.income) == ["Write the income."]
