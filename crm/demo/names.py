"""Invented Vietnamese names, as frequent as such names are: family, middle and given name by sex and generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random

from crm.prospects.rules import Sex


class Weighted:
    """Words and how often each comes up; drawing one takes a single random number."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.words: Sequence[str] = tuple(weights)
        self.up_to: Sequence[float] = tuple(accumulate(weights.values()))

    def draw(self, random: Random) -> str:
        return random.choices(self.words, cum_weights=self.up_to)[0]


def _alike(words: str, weight: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(words.split(), weight)


FAMILIES = Weighted(
    {"Nguyễn": 30, "Lê": 15.5, "Trần": 9.5, "Phạm": 8.5, "Hoàng": 5, "Mai": 4.2, "Vũ": 4, "Trịnh": 3.6, "Đỗ": 2.6}
    | {"Bùi": 2.4, "Tống": 2.2, "Phan": 1.8, "Đặng": 1.6, "Hà": 1.4, "Lưu": 1.1, "Dương": 1, "Cao": 0.9, "Đinh": 0.9}
    | {"Trương": 0.8, "Lại": 0.7, "Ngô": 0.7, "Đào": 0.6, "Lương": 0.5, "Tạ": 0.4, "Quách": 0.2, "An": 0.2}
)

_MIDDLES: Mapping[tuple[Sex, bool], Weighted] = {
    (Sex.FEMALE, True): Weighted({"Thị": 86, "": 2} | _alike("Thanh Kim Ngọc Hồng")),
    (Sex.FEMALE, False): Weighted(
        {"Thị": 44, "Thị Thu": 5, "Thị Thanh": 4, "Thị Ngọc": 4, "Thị Minh": 2, "Thị Phương": 3, "Ngọc": 4}
        | _alike("Thu Thanh Phương Khánh Hồng Minh Thùy Mai Bích Diệu", 2)
    ),
    (Sex.MALE, True): Weighted(
        {"Văn": 52, "Đình": 7, "Xuân": 7, "Hữu": 5, "Đức": 5, "Ngọc": 5, "Công": 3, "Bá": 3, "": 2}
        | _alike("Quang Trọng Huy Viết Thế")
    ),
    (Sex.MALE, False): Weighted(
        {"Văn": 27, "Đức": 9, "Minh": 7, "Quang": 6, "Tuấn": 6, "Anh": 5, "Xuân": 5, "Ngọc": 5, "Đình": 4, "Hữu": 4}
        | _alike("Thành Mạnh Trung Việt Hoàng Duy Công Tiến Thế", 2)
    ),
}
_GIVEN: Mapping[tuple[Sex, bool], Weighted] = {
    (Sex.FEMALE, True): Weighted(
        _alike("Hoa Lan Hương Thanh Hà Hồng Hải Liên Nga Bình Minh", 4)
        | _alike("Thủy Tâm Xuân Hiền Hạnh Loan Oanh Phương Sâm Thơm Nhung Mai Yến Dung Hường Thoa Vân Tuyết", 3)
        | _alike("Cúc Đào Lý Mận Mùi Nhàn Nhâm Tý Sửu Thìn Tỵ Dậu Hợi Gái Bé Vui Lợi Én Nụ Tươi Hảo Chắt Thắm", 1)
    ),
    (Sex.FEMALE, False): Weighted(
        _alike("Trang Linh Hương Huyền Hà Thảo Phương Anh Lan Hằng Nga Thủy", 5)
        | _alike("Yến Ngọc Hoa Hạnh Hiền Oanh Dung Nhung Mai Tâm Vân Quỳnh Giang Hường Thu Hòa Liên", 3)
        | _alike("Ngân Nhi Trinh Ly My Chi Duyên Thúy Thương Tuyết Diệp Xuân Thơ Tình Loan Nguyệt", 1.5)
    ),
    (Sex.MALE, True): Weighted(
        _alike("Hùng Dũng Minh Thanh Bình Hải Sơn Long Tuấn Hòa", 4)
        | _alike("Thắng Chiến Hà Tâm Toàn Vinh Quang Lâm Khanh Phúc Tiến Hợi Thành Tùng Lợi Cường Thọ", 2.5)
        | _alike("Tý Sửu Dần Mão Thìn Ngọ Mùi Thân Dậu Bường Chung Đoàn Nhất Năm Bảy Tám Khoát Viện Ước Vượng", 1)
    ),
    (Sex.MALE, False): Weighted(
        _alike("Tuấn Anh Hùng Dũng Cường Hải Nam Long Sơn Thắng Hiếu", 5)
        | _alike("Đức Minh Trung Tùng Kiên Mạnh Linh Duy Quân Huy Hoàng Tú Đạt Thành Tiến Công Việt Bình", 3)
        | _alike("Phong Thịnh Quý Khánh Vũ Tài Lộc Phúc Trường Giang Thái Nghĩa Toàn Lâm Chung Khoa Bảo", 1.5)
    ),
}
_OLDER_UNTIL = 1974
"""Born until then, people bear the names of the older generation."""


def full_name(random: Random, sex: Sex, birth_year: int, family: str | None = None) -> str:
    """A name for someone; children are given the family name of their father."""
    kind = (sex, birth_year <= _OLDER_UNTIL)
    middle, given = _MIDDLES[kind].draw(random), _GIVEN[kind].draw(random)
    words = [family or FAMILIES.draw(random), middle, given]
    if given in middle.split():
        words[1] = ""
    return " ".join(word for word in words if word)
