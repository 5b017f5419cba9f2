"""The papers themselves, TK1-TS and D05-TS, set by typst. What people are called reaches it as data, never as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from flask_babel import force_locale

from crm.joining.exporting import totals
from crm.joining.models import Dossier, DossierList
from crm.joining.rules import Movement, Row
from crm.money import in_words
from crm.months import Month
from crm.places.models import Place
from crm.prospects.models import Prospect
from crm.prospects.reading.values import said_once
from crm.prospects.rules import Sex
from crm.prospects.wording import KINSHIPS
from crm.web import filters
from crm.web.filters import VIETNAMESE
from crm.web.typesetting import set_in_type

PAPERS = Path(__file__).with_name("papers")
METHODS: Mapping[int, str] = {
    1: "Đóng hằng tháng",
    3: "Đóng 03 tháng một lần",
    6: "Đóng 06 tháng một lần",
    12: "Đóng 12 tháng một lần",
}
"""The papers are the insurance office's and in its language, whatever the reader's."""
ASKED_FOR: Mapping[Movement, str] = {
    Movement.NEW: "Đăng ký tham gia BHXH tự nguyện lần đầu",
    Movement.PAYS_ON: "Đóng tiếp BHXH tự nguyện",
    Movement.LATE: "Đóng bù BHXH tự nguyện",
    Movement.RETURNS: "Đăng ký tham gia lại BHXH tự nguyện",
    Movement.STOPS: "Dừng đóng BHXH tự nguyện",
}
AT_ONCE = "Đóng BHXH tự nguyện một lần cho thời gian còn thiếu để đủ điều kiện hưởng lương hưu"
BY_HAND = "…" * 24


def list_d05(of: DossierList, rows: Sequence[Row], by: str, unit: str, today: date) -> bytes:
    """The list as it is signed and handed in: by whom, and for which unit."""
    shown = [[str(number), *(_cell(getattr(row, name)) for name in D05)] for number, row in enumerate(rows, 1)]
    summed = totals(rows)
    sums = {name: filters.number(value) for name, value in summed.items()}
    return set_in_type(
        PAPERS / "d05.typ",
        {
            "number": of.label,
            "rows": shown,
            "totals": ["", "Tổng cộng", *(sums.get(name, "") for name in D05[1:])],
            "by": by,
            "unit": unit or BY_HAND,
            "by_hand": BY_HAND,
            "period": f"{(of.submitted_on or today).month:02}/{(of.submitted_on or today).year}",
            "day": _in_words(of.submitted_on or today),
            "people": len(rows),
            "own": filters.number(summed["TienTudong"]),
            "own_in_words": in_words(summed["TienTudong"]),
        },
    )


D05 = (
    "HoTen",
    "MasoBHXH",
    "PA",
    "MucTien",
    "Tuthang",
    "Sothang",
    "Phuongthuc",
    "Tyle",
    "Tongtien",
    "TyleNSNN",
    "TienHotro",
    "TyleNSDP",
    "TienNSDP",
    "TyleHotroKhac",
    "TienHotroKhac",
    "TienTudong",
    "Ghichu",
)


def form_tk1(
    dossier: Dossier,
    person: Prospect,
    place: Place,
    neighbourhood: Place | None,
    *,
    whole: bool,
    today: date,
    household: Sequence[Prospect] = (),
) -> bytes:
    """Somebody's form to be signed. Without the right to whole numbers, and always for what the register does not keep,
    a line is left to be filled in by hand.

    `household`: those who live with the person and whom the reader may see, the head first. They stand on the form's
    second page, which the office asks of whoever has no insurance code yet; their numbers are always written by hand.
    """
    near = neighbourhood.name if neighbourhood else None
    home = ", ".join(part for part in (said_once(person.address, near), near, place.name) if part)
    number = person.citizen_id if whole else None
    start = Month.of(dossier.start_month) if dossier.start_month else None
    return set_in_type(
        PAPERS / "tk1.typ",
        {
            "name": person.full_name.upper(),
            "sex": {Sex.MALE: "Nam", Sex.FEMALE: "Nữ"}.get(person.sex, BY_HAND) if person.sex else BY_HAND,
            "birth": _birth(person) or BY_HAND,
            "citizen_id": number or BY_HAND,
            "code": (person.insurance_number if whole else None) or BY_HAND,
            "phone": filters.phone(person.phone or person.other_phone)
            if person.phone or person.other_phone
            else BY_HAND,
            "email": dossier.email or BY_HAND,
            "home": home,
            "results": dossier.results_address or home,
            "asked": AT_ONCE if dossier.missing else ASKED_FOR[dossier.movement],
            "income": f"{filters.number(dossier.income)} đồng/tháng" if dossier.income else "",
            "method": _method(dossier.months, dossier.missing),
            "start": f"tháng {start.number:02}/{start.year}" if start else "",
            "stop": filters.day(dossier.stop_on) if dossier.stop_on else "",
            "place": place.name,
            "day": _in_words(today),
            "by_hand": BY_HAND,
            "members": _members(household) if not person.insurance_number else [],
        },
    )


def _members(household: Sequence[Prospect]) -> list[list[str]]:
    """The rows of the second page: number, name, birth, sex, what they are to the head."""
    with force_locale(VIETNAMESE):
        return [
            [
                str(number),
                one.full_name,
                _birth(one),
                {Sex.MALE: "Nam", Sex.FEMALE: "Nữ"}[one.sex] if one.sex else "",
                str(KINSHIPS[one.kinship]) if one.kinship else "",
            ]
            for number, one in enumerate(household, 1)
        ]


def _birth(person: Prospect) -> str:
    return filters.day(person.birth_date) if person.birth_date else str(person.birth_year or "")


def _method(months: int | None, missing: bool) -> str:
    if not months:
        return ""
    if missing:
        return f"Đóng một lần cho {months} tháng còn thiếu"
    return METHODS.get(months) or f"Đóng một lần cho {months // 12} năm về sau"


def _cell(value: Any) -> str:
    return filters.number(value) if isinstance(value, int) else str(value)


def _in_words(day: date) -> str:
    """As official papers date themselves: a leading zero below 10, and for months 1 and 2."""
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    return f"ngày {day.day:02} tháng {month} năm {day.year}"
