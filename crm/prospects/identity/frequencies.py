"""How common the parts of Vietnamese names are: an agreement on a rare name says much, on a common one little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log2

from crm.names import same_name_key, spelling_key

SELDOM_FAMILY, SELDOM_GIVEN, SELDOM_MIDDLE = 0.002, 0.003, 0.015
"""Shares that are taken for a word no table knows: seldom, but not so seldom that a slip of the pen looks like proof."""


def _table(text: str) -> dict[str, float]:
    """`31: Nguyễn Lê` → {"nguyễn": 0.031, "lê": 0.031}; a share in thousandths, then the words that have it."""
    found: dict[str, float] = {}
    share = 0.0
    for word in text.split():
        if word.endswith(":"):
            share = int(word[:-1]) / 1000
        else:
            found[spelling_key(word)] = share
    return found


FAMILIES = _table(
    """
    299: Nguyễn
    155: Lê
    95: Trần
    85: Phạm
    50: Hoàng
    42: Mai
    40: Vũ
    36: Trịnh
    26: Đỗ
    24: Bùi
    22: Tống
    18: Phan
    16: Đặng
    14: Hà
    11: Lưu
    10: Dương
    9: Cao Đinh
    8: Trương
    7: Lại Ngô
    6: Đào
    5: Lương
    4: Tạ
    2: Quách An
    """
)
"""Of a thousand people, how many bear a family name."""

GIVEN = _table(
    """
    38: Hải Hùng Dũng Sơn Long Tuấn
    35: Lan Hương Hà Nga
    31: Thủy Phương Thắng Cường Bình Minh
    28: Hoa Liên
    24: Tâm Hiền Hạnh Oanh Nhung Mai Yến Dung Hường Vân
    23: Tiến Thành Tùng
    20: Thanh Hòa
    19: Anh Nam Hiếu Trang Linh Huyền Thảo Hằng
    18: Xuân Loan Tuyết Toàn Lâm Phúc
    17: Hồng
    12: Sâm Thơm Thoa Hợi Lợi Chiến Vinh Quang Khanh Thọ
    11: Đức Trung Kiên Mạnh Duy Quân Huy Hoàng Tú Đạt Công Việt Ngọc Quỳnh Giang Thu
    10: Chung
    6: Phong Thịnh Quý Khánh Vũ Tài Lộc Trường Thái Nghĩa Khoa Bảo Ngân Nhi Trinh Ly My Chi Duyên Thúy Thương
        Diệp Thơ Tình Nguyệt
    5: Mùi Tý Sửu Thìn Dậu Dần Mão Ngọ Thân Bường Đoàn Nhất Năm Bảy Tám Khoát Viện Ước Vượng
    4: Cúc Đào Lý Mận Nhàn Nhâm Tỵ Gái Bé Vui Én Nụ Tươi Hảo Chắt Thắm
    """
)
"""Of a thousand women, or of a thousand men, how many bear a given name: the greater of the two."""

MIDDLES = _table(
    """
    414: Thị
    209: Văn
    52: Ngọc
    37: Đức
    32: Xuân
    30: Minh
    29: Đình
    24: Hữu
    20: Thu Thanh
    18: Quang
    16: Tuấn
    15: Phương
    13: Công Anh
    9: Hồng
    8: Bá Thế
    6: Khánh Thùy Mai Bích Diệu
    5: Thành Mạnh Trung Việt Hoàng Duy Tiến
    3: Kim Trọng Huy Viết
    """
)
"""Of a thousand people, how many have a middle word."""
# The three tables were counted from the names of this program's own demo town (crm/demo/names.py), which follow the
# towns of northern Thanh Hóa; nothing in them comes from anybody's register. A scan of a register counts its own.


@dataclass(frozen=True)
class Frequencies:
    """Shares by `spelling_key` of a word: accents count, their placement does not."""

    families: Mapping[str, float]
    given: Mapping[str, float]
    middles: Mapping[str, float]

    @classmethod
    def counted(cls, names: Iterable[str]) -> Frequencies:
        """Counted from a register's own names; the shares of given names are doubled, for they go with one sex."""
        families: Counter[str] = Counter()
        given: Counter[str] = Counter()
        middles: Counter[str] = Counter()
        for name in names:
            words = spelling_key(name).split()
            if len(words) > 1:
                families[words[0]] += 1
                given[words[-1]] += 1
                middles.update(words[1:-1])
        total = max(1, families.total())
        return cls(
            {word: number / total for word, number in families.items()},
            {word: min(1.0, 2 * number / total) for word, number in given.items()},
            {word: number / total for word, number in middles.items()},
        )

    def bits_of_family(self, spelt: str) -> float:
        """How much it says that two people bear this family name, in bits."""
        return -log2(max(self.families.get(spelt, SELDOM_FAMILY), SELDOM_FAMILY))

    def bits_of_given(self, spelt: str) -> float:
        """How much it says that two people bear this given name, in bits."""
        return -log2(max(self.given.get(spelt, SELDOM_GIVEN), SELDOM_GIVEN))

    def bits_of_middle(self, spelt: str) -> float:
        """How much it says that two people have this middle word, in bits."""
        return -log2(max(self.middles.get(spelt, SELDOM_MIDDLE), SELDOM_MIDDLE))

    def bits_of_given_unaccented(self, plain: str) -> float:
        """The same when one of the two was written without accents: any of the names that look like this."""
        return -log2(max(self._given_unaccented.get(plain, SELDOM_GIVEN), SELDOM_GIVEN))

    def is_given(self, spelt: str) -> bool:
        """Whether this is somebody's given name rather than a slip of the pen."""
        return self.given.get(spelt, 0.0) >= 0.0005 or spelt in GIVEN

    def is_family(self, spelt: str) -> bool:
        """Whether this is somebody's family name rather than a slip of the pen."""
        return self.families.get(spelt, 0.0) >= 0.0005 or spelt in FAMILIES

    @cached_property
    def _given_unaccented(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for spelt, share in self.given.items():
            plain = same_name_key(spelt.rstrip("12345"))
            found[plain] = found.get(plain, 0.0) + share
        return found


SHIPPED = Frequencies(FAMILIES, GIVEN, MIDDLES)
