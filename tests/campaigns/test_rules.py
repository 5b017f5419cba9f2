"""What a text costs, when it may leave, and what we believe came of it."""

import unicodedata
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.campaigns.rules.answers import is_a_no
from crm.campaigns.rules.delivery import DELIVERY_NAMES, FINAL, ORDER, TOLD, Delivery, after
from crm.campaigns.rules.hours import LEGAL_HOURS, VIETNAM, narrower
from crm.campaigns.rules.reasons import CARRIER_CODES, REASONS, Reason, reason_for
from crm.campaigns.rules.stages import MOVES, STAGE_NAMES, Stage, move, person_values
from crm.campaigns.rules.texts import (
    GSM_BASIC,
    GSM_EXTENSION,
    Size,
    compose,
    costly,
    fill,
    places,
    preview,
    size,
    unaccented,
)
from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

SAMPLE = (
    "UBND phường Tân An: Mời bà Nguyễn Thị Hồng tham gia BHXH tự nguyện, Nhà nước hỗ trợ mức đóng. "
    "Liên hệ cộng tác viên của tổ dân phố hoặc gọi số 0912 345 678."
)


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("[QC]", "GSM-7", 6, 1),
        ("à è é ì ò ù", "GSM-7", 11, 1),
        ("ă" * 70, "UCS-2", 70, 1),
        ("ă" * 71, "UCS-2", 71, 2),
        ("ă" * 134, "UCS-2", 134, 2),
        ("ă" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("ă" * 66 + "😀" + "ă" * 66, "UCS-2", 134, 3),
        ("[ă]", "UCS-2", 3, 1),
        ("a\nb\r\n", "GSM-7", 5, 1),
        ("a\tb", "UCS-2", 3, 1),
    ],
)
def test_the_size_of_a_text(text: str, encoding: str, characters: int, segments: int) -> None:
    assert size(text) == Size(encoding, characters, segments)


def test_the_alphabet_has_its_128_places_less_the_escape() -> None:
    assert (len(GSM_BASIC), len(GSM_EXTENSION)) == (127, 10)


@given(st.text())
def test_segments_hold_the_text_and_no_more_than_needed(text: str) -> None:
    counted = size(text)
    alone, part = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    if counted.characters <= alone:
        assert counted.segments == (1 if text else 0)
    else:
        assert part * counted.segments >= counted.characters > (part - 1) * (counted.segments - 1)


def test_accents_triple_the_price_and_leaving_them_out_brings_it_back() -> None:
    shown = preview(SAMPLE)
    assert (shown.size.encoding, shown.size.segments) == ("UCS-2", 3)
    assert (shown.plain_size.encoding, shown.plain_size.segments) == ("GSM-7", 1)
    assert {"ư", "ờ", "ễ", "ệ"} <= set(shown.costly)
    assert "à" not in shown.costly


@pytest.mark.parametrize(
    ("accented", "plain"),
    [
        ("Mời bà Nguyễn Thị Đăng", "Moi ba Nguyen Thi Dang"),
        (unicodedata.normalize("NFD", "Hẹn gặp ông Đỗ"), "Hen gap ong Do"),
        ("đ Đ Ð", "d D D"),
        ("“Quỹ” – 165.000₫…", '"Quy" - 165.000d...'),
        ("số\u00a01\u200b", "so 1"),
        ("5€ {x}", "5€ {x}"),
        ("½ ﬁ", "½ fi"),
        ("😀", "😀"),
    ],
)
def test_a_text_without_accents(accented: str, plain: str) -> None:
    assert unaccented(accented) == plain


@given(st.text(alphabet="aàáảãạăắằẳẵặâấầẩẫậeèéẻẽẹêếềểễệiìíỉĩịoòóỏõọôốồổỗộơớờởỡợuùúủũụưứừửữựyỳýỷỹỵđĐ ƯƠ.,0-9"))
def test_every_vietnamese_text_has_a_plain_form_of_one_septet_a_letter(text: str) -> None:
    plain = unaccented(text)
    assert size(plain).encoding == "GSM-7"
    assert len(plain) == len(unicodedata.normalize("NFC", text))
    assert unaccented(plain) == plain


def test_costly_letters_stand_once_in_order() -> None:
    assert costly("đến đường, à, đ") == ("đ", "ế", "ư", "ờ")
    assert preview("[x] {y}").double == ("[", "]", "{", "}")


def test_only_named_places_are_filled_and_only_once() -> None:
    assert places("{ten} {ten} {} {0} { x } {xung_ho}") == ("ten", "xung_ho")
    assert (
        fill("Chào {xung_ho} {ten} {0} {}", {"xung_ho": "bà", "ten": "{xung_ho}\n Hoa"})
        == "Chào bà {xung_ho} Hoa {0} {}"
    )


@pytest.mark.parametrize("values", [{}, {"ten": ""}, {"ten": "  "}, {"other": "x"}])
def test_a_place_without_a_value_is_refused_by_name(values: dict[str, str]) -> None:
    with pytest.raises(RuleBroken) as refused:
        fill("Chào {ten}", values)
    assert refused.value.message._kwargs == {"place": "ten"}


def test_a_name_with_an_accent_turns_the_whole_message() -> None:
    assert preview("Moi {ten}", {"ten": "Hồng"}).size.encoding == "UCS-2"
    assert preview("Moi {ten}").text == "Moi {ten}"


def test_a_promotion_begins_with_its_label_and_ends_with_the_way_to_refuse() -> None:
    body = compose("Mời bà Hoa", Purpose.PROMOTION, "http://a.vn/o/x")
    assert body == "[QC] Moi ba Hoa Tu choi: http://a.vn/o/x"
    assert compose("[QC] Mời", Purpose.PROMOTION, "u", accented=True) == "[QC] Mời Từ chối: u"
    assert compose("Hẹn bà Hoa", Purpose.SERVICE, "u") == "Hen ba Hoa"


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 8, 15, hour, minute, second, tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (local(6, 59, 59), False),
        (local(7), True),
        (local(21, 59, 59), True),
        (local(22), False),
        (datetime(2026, 8, 15, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 8, 15, 15, 0, tzinfo=UTC), False),
    ],
)
def test_messages_leave_between_seven_and_ten_at_night(moment: datetime, allowed: bool) -> None:
    assert LEGAL_HOURS.allow(moment) is allowed


def test_what_may_not_leave_now_waits_for_the_next_opening() -> None:
    assert LEGAL_HOURS.next_allowed(local(5)) == local(7)
    assert LEGAL_HOURS.next_allowed(local(22)) == local(7) + timedelta(days=1)
    assert LEGAL_HOURS.next_allowed(local(9, 30)) == local(9, 30)


def test_an_office_may_narrow_the_hours_but_not_widen_them() -> None:
    assert narrower(time(8), time(20)).allow(local(7, 30)) is False
    for opens, closes in ((time(6, 59), time(22)), (time(7), time(22, 1)), (time(9), time(9)), (time(20), time(8))):
        with pytest.raises(RuleBroken):
            narrower(opens, closes)


@given(st.lists(st.sampled_from(sorted(set(TOLD.values()))), max_size=6))
def test_receipts_in_any_order_end_where_the_furthest_or_the_first_final_one_says(told: list[Delivery]) -> None:
    believed = Delivery.SENDING
    for one in told:
        believed = after(believed, one)
    finals = [one for one in told if one in FINAL]
    expected = finals[0] if finals else max([Delivery.SENDING, *told], key=ORDER.index)
    assert believed == expected


def test_news_that_comes_late_or_twice_changes_nothing() -> None:
    assert after(Delivery.DELIVERED, Delivery.SENT) is Delivery.DELIVERED
    assert after(Delivery.SENT, Delivery.ACCEPTED) is Delivery.SENT
    assert after(Delivery.UNDELIVERED, Delivery.DELIVERED) is Delivery.UNDELIVERED
    assert after(Delivery.UNKNOWN, Delivery.SENT) is Delivery.SENT


def test_every_state_reason_and_stage_has_its_words() -> None:
    assert set(DELIVERY_NAMES) == set(Delivery)
    assert set(REASONS) == set(Reason)
    assert set(STAGE_NAMES) == set(MOVES) == set(Stage)
    assert set(CARRIER_CODES.values()) <= set(REASONS)


def test_the_carriers_codes_in_our_words() -> None:
    assert reason_for(21614) is reason_for(21635) is Reason.LANDLINE
    assert reason_for(30004) is Reason.BARRED, "a network's bar is no refusal that we wrote down"
    assert reason_for(30018) is Reason.SENDER
    assert reason_for(21610) is Reason.BLOCKED
    assert reason_for(99999) is reason_for(None) is Reason.CARRIER


def test_a_campaign_cannot_be_launched_twice_or_come_back() -> None:
    assert move(Stage.PAUSED, Stage.RUNNING) is Stage.RUNNING
    for now, to in ((Stage.RUNNING, Stage.RUNNING), (Stage.CANCELLED, Stage.RUNNING), (Stage.DONE, Stage.PAUSED)):
        with pytest.raises(RuleBroken):
            move(now, to)


def test_how_a_person_is_addressed() -> None:
    assert person_values("Nguyễn Thị Hoa", True, 1960, 2019) == {
        "ten": "Hoa",
        "ho_ten": "Nguyễn Thị Hoa",
        "xung_ho": "bà",
    }
    assert person_values("Lê Nam", False, 1990, 2019)["xung_ho"] == "anh"
    assert person_values("Lê Nam", None, None, 2019)["xung_ho"] == "ông/bà"


@pytest.mark.parametrize(
    ("body", "no"),
    [
        *(("Từ chối", True), ("tc", True), ("stop.", True), ("STOP QC", True), ("không nhận tin nữa", True)),
        *(("Dạ có", False), ("", False), ("không nhận được tin", False)),
    ],
)
def test_which_answers_say_no(body: str, no: bool) -> None:
    assert is_a_no(body) is no
