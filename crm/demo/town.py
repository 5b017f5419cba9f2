"""What the demo knows of the town: its units and their shares, streets, trades, and how telephones begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crm.demo.names import Weighted
from crm.errors import RuleBroken
from crm.prospects.rules import Sex

PLAN_DAY = date(2019, 10, 15)
"""The day on which the demo of the plan's year stands."""

BASELINE, TARGET = 1191, 1385
"""Taking part at the end of the year before, and to be reached: Bỉm Sơn's plan for 2019."""


@dataclass(frozen=True, slots=True)
class Share:
    """What falls to one ward or commune: of a thousand inhabitants, of the plan, and of the year's movements."""

    inhabitants: int
    baseline: int
    target: int
    joined: int
    returned: int
    left: int
    neighbourhoods: int


SHARES_OF_2019: Mapping[str, Share] = {
    "14809": Share(116, 148, 172, 24, 5, 12, 7),
    "14812": Share(200, 232, 270, 42, 8, 18, 12),
    "14815": Share(186, 214, 249, 30, 6, 22, 11),
    "14818": Share(158, 187, 217, 22, 5, 24, 10),
    "14821": Share(119, 141, 164, 26, 4, 11, 8),
    "14823": Share(72, 88, 102, 9, 2, 14, 5),
    "14824": Share(93, 113, 131, 17, 3, 9, 6),
    "14827": Share(56, 68, 80, 8, 2, 11, 5),
}
"""Invented, except that the columns add up to the plan: some units are ahead of it, one loses more than it wins."""

SHARES_OF_NOW: Mapping[str, Share] = {
    "14812": Share(584, 702, 817, 108, 21, 70, 24),
    "14818": Share(416, 489, 568, 70, 14, 51, 17),
}

FIRST_DAY, LAST_DAY, NOW_FROM = date(2019, 2, 1), date(2019, 11, 30), date(2025, 8, 1)


def shares_on(day: date) -> Mapping[str, Share]:
    """The shares of the units of a day, by code. RuleBroken for days whose town the demo does not know."""
    if FIRST_DAY <= day <= LAST_DAY:
        return SHARES_OF_2019
    if day >= NOW_FROM:
        return SHARES_OF_NOW
    raise RuleBroken(
        "The demo knows the town of 2019 (2019-02-01 to 2019-11-30) and of now (from 2025-08-01): "
        "give --as-of a day of these, or today."
    )


STREETS = (
    *("Trần Phú", "Nguyễn Huệ", "Bà Triệu", "Lê Lợi", "Phạm Hùng", "Lý Thường Kiệt", "Trần Hưng Đạo", "Lê Lai"),
    *("Hoàng Quốc Việt", "Nguyễn Đức Cảnh", "Cù Chính Lan", "Tôn Thất Thuyết", "Hai Bà Trưng", "Đinh Công Tráng"),
    *("Ngô Quyền", "Phan Chu Trinh", "Nguyễn Trãi", "Võ Thị Sáu", "Nguyễn Văn Trỗi", "Lương Định Của"),
)

TRADES: Mapping[Sex, Weighted] = {
    Sex.FEMALE: Weighted(
        {"Tiểu thương": 14, "Bán hàng chợ Bỉm Sơn": 8, "Làm ruộng": 18, "Nội trợ": 12, "Thợ may": 7, "Bán hàng ăn": 6}
        | {
            "Thu mua phế liệu": 3,
            "Giúp việc gia đình": 5,
            "Chăn nuôi": 5,
            "Làm tóc": 3,
            "Bán rau": 5,
            "Bán hàng xén": 3,
        }
        | {"Làm bánh, nấu cỗ": 3, "Bốc xếp": 1, "Buôn bán tự do": 6, "Trông trẻ": 3, "Bán hàng qua mạng": 2}
    ),
    Sex.MALE: Weighted(
        {"Thợ xây": 16, "Xe ôm": 7, "Làm ruộng": 17, "Lái xe thuê": 8, "Bốc xếp": 6, "Thợ cơ khí": 6, "Phụ hồ": 6}
        | {"Thợ mộc": 4, "Thợ điện nước": 4, "Chăn nuôi": 5, "Sửa xe máy": 5, "Khai thác đá": 5, "Tiểu thương": 4}
        | {"Thợ sơn": 3, "Thợ hàn": 3, "Lao động tự do": 8, "Nuôi ong, làm vườn": 2}
    ),
}

PREFIXES = Weighted(
    dict.fromkeys(("96", "97", "98", "86", "32", "33", "34", "35", "36", "37", "38", "39"), 5.0)
    | dict.fromkeys(("91", "94", "88", "81", "82", "83", "84", "85"), 3.0)
    | dict.fromkeys(("90", "93", "89", "70", "76", "77", "78", "79"), 1.5)
    | dict.fromkeys(("92", "56", "58"), 0.5)
)
