"""What a list is about, told by its headings and titles, and what the cells of the columns that only such a list has say."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from crm.months import LONGEST_RUN
from crm.names import clean, fold
from crm.prospects.reading.outcomes import Cell
from crm.prospects.reading.values import as_text
from crm.prospects.rules import ListKind

HEADINGS: Mapping[ListKind, tuple[tuple[str, str], ...]] = {
    ListKind.PEOPLE: (),
    ListKind.HOUSEHOLD_BUSINESSES: (
        ("since", r"ngay (bat dau|cap (mst|ma so thue|gcn|dkkd|giay)|dang ky|hoat dong|hieu luc)|^bat dau|start(ed)?( on| date)?$|\bsince\b"),
        ("tax_code", r"ma so thue|\bmst\b|\btax (code|id|number|no)\b"),
        ("tax_method", r"(phuong phap|hinh thuc|cach|dien).*(thue|nop)|^(thue )?khoan$|khoan.*ke khai|tax method"),
        ("business_name", r"^ten (ho kinh doanh|hkd|co so|cua hang|bien hieu)( .*)?$|bien hieu|(shop|business) name"),
        ("trade", r"nganh|mat hang|linh vuc|nghe kinh doanh|line of business|\btrade\b"),
        ("full_name", r"^(ho( va)? ten |ten )?chu (ho kinh doanh|hkd|co so|cua hang)|^owner|taxpayer|^nguoi (nop thue|dai dien)"),
    ),
    ListKind.PARTICIPANTS: (
        ("paid_through", r"(dong|nop)( tien)? (den|het)|^(den|het) (het )?thang|han (the|dong)|thang (dong )?cuoi|het han|paid (through|until|to)"),
        ("pay_method", r"phuong thuc|\bpt dong\b|ky dong|so thang (dong|mot lan)|\bmethod\b|months at once"),
        ("since", r"(tham gia|dong|bat dau) tu|^tu thang|thang bat dau|bat dau (tham gia|dong)|from month|\bsince\b"),
        ("income", r"thu nhap|muc dong|muc lua chon|\bincome\b"),
    ),
    ListKind.POOR_HOUSEHOLDS: (
        ("serial", r"^(s ?tt|tt|so tt|no) (ho|household)$"),
        ("household_code", r"^ma( so)? (ho|ho gd|ho gia dinh|ho ngheo.*)$|^so ho( .*)?$|^ho so$|^household (code|no|number|id)$"),
        ("kinship", r"quan he|\bqh\b|relation|kinship"),
        ("certificate", r"giay chung nhan|giay cn|\bgcn\b|so chung nhan|so so ho|certificate"),
    ),
    ListKind.PAYMENTS: (
        ("full_name", r"^(ho ?(va )?ten|full ?name)( nguoi (tham gia|dong|nop))?$|^nguoi (tham gia|dong|nop)$"),
        ("from_month", r"^tu ?thang|thang (bat dau|dau)|^dong tu|from ?month"),
        ("months_count", r"^so ?thang|(number|no|count) of months|^months$"),
        ("other_paid", r"^(?!ty ?le|%).*(ho ?tro ?khac|nguon khac|nha ho tro|to chuc.*ho tro|others?|sponsor)"),
        ("local_paid", r"^(?!ty ?le|%).*(ns ?dp|ngan sach (dia phuong|tinh|huyen|xa)|dia phuong|local)"),
        ("state_paid", r"^(?!ty ?le|%).*(ns ?nn|ngan sach|nha nuoc|^tien ?ho ?tro$|nn ho tro|\bstate\b)"),
        ("own_paid", r"^(?!ty ?le|%).*(tu ?dong|nguoi (tham gia|dan) (dong|nop)|nld dong|paid by (the )?person|\bown\b)"),
        ("total_paid", r"^tong ?(so )?(tien|cong)?( dong| nop| phai dong| phai nop)?$|^so tien( da)? (dong|nop|thu)$|^so tien$|^total"),
        ("paid_on", r"^ngay ?(dong|nop|thu|bien lai|chung tu|bl|ct)|paid ?on|date paid|payment date"),
        ("list_number", r"^so (danh sach|ds|d05)|^ma ho so|list (no|number)"),
        ("receipt", r"bien lai|chung tu|^so (bl|ct)$|receipt"),
        ("income", r"^muc ?(tien|dong|thu nhap|lua chon)|thu nhap|\bincome\b"),
    ),
}  # fmt: skip
"""The headings that only a list of this kind has: field and pattern of the folded heading, asked before all others."""

_COMPILED = {kind: tuple((field, re.compile(pattern)) for field, pattern in rules) for kind, rules in HEADINGS.items()}
_BUSINESSES = re.compile(r"ho kinh doanh|\bhkd\b|household business")
_OF_INSURANCE = re.compile(r"\bbhxh\b|bao hiem xa hoi|social insurance")
_OF_THE_POOR = re.compile(r"ho (can )?ngheo|poor household|ra soat")
_YEAR = re.compile(r"\b(?:nam|year)\D{0,3}((?:19|20)\d\d)\b|\b(20\d\d)\b")


@lru_cache(maxsize=8_192)
def special_field(plain: str, kind: ListKind) -> str | None:
    """The field that only lists of this kind have and that a folded heading names."""
    return next((field for field, pattern in _COMPILED[kind] if pattern.search(plain)), None)


def kind_of(headings: Iterable[str], titles: Iterable[str]) -> ListKind:
    """What a list seems to be, by its folded headings, titles and the name of its sheet."""
    headings = [heading for heading in headings if heading]
    title = " ; ".join(titles)

    def has(kind: ListKind, field: str) -> bool:
        return any(special_field(heading, kind) == field for heading in headings)

    business = ListKind.HOUSEHOLD_BUSINESSES
    taxed = has(business, "tax_code"), has(business, "tax_method"), has(business, "trade")
    if (taxed[0] and (taxed[1] or taxed[2])) or (_BUSINESSES.search(title) and any(taxed)):
        return business
    paid = ListKind.PAYMENTS
    money = sum(has(paid, field) for field in ("total_paid", "own_paid", "state_paid", "other_paid"))
    if has(paid, "from_month") and has(paid, "months_count") and money:
        return paid
    part = ListKind.PARTICIPANTS
    insured = any(_OF_INSURANCE.search(heading) for heading in headings) or _OF_INSURANCE.search(title)
    if has(part, "paid_through") and (insured or has(part, "pay_method") or has(part, "income")):
        return part
    poor = ListKind.POOR_HOUSEHOLDS
    of_the_poor = _OF_THE_POOR.search(title) or any(_OF_THE_POOR.search(heading) for heading in headings)
    members = has(poor, "kinship") or has(poor, "household_code")
    if of_the_poor and (members or (has(poor, "certificate") and _OF_THE_POOR.search(title))):
        return poor
    return ListKind.PEOPLE


def year_of(titles: Iterable[str]) -> int | None:
    """The year a list is of, as its titles say it; the last one they name."""
    found = [match[1] or match[2] for title in titles for match in _YEAR.finditer(title)]
    return int(found[-1]) if found else None


def one_ground(texts: Iterable[str]) -> str | None:
    """`poor` or `near_poor` when these titles speak of one of the two only."""
    found: set[str] = set()
    for text in texts:
        if re.search(r"can ngheo|near.?poor", text):
            found.add("near_poor")
        if re.search(r"(?<!can )ho ngheo|(?<!near )(?<!near-)poor household", text):
            found.add("poor")
    return found.pop() if len(found) == 1 else None


# ---- what cells say

_MONTH = re.compile(r"(?:den |het |toi )*(?:thang |t ?)?(\d{1,2}) ?(?:/|-|\.|nam|\s) ?((?:19|20)\d\d)")
_YEAR_MONTH = re.compile(r"((?:19|20)\d\d)[-/.]?(0[1-9]|1[0-2])(?:[-/.]\d{1,2})?(?: .*)?")
_DAY = re.compile(r"\d{1,2} ?[/.\-] ?(\d{1,2}) ?[/.\-] ?((?:19|20)\d\d)")


def read_month(cell: Cell) -> str | None:
    """The month in a cell as YYYY-MM: `T9/2019`, `30/09/2019`, `201909`, `tháng 9 năm 2019`, a day; None when it is none."""
    if isinstance(cell, dt.date):
        return f"{cell.year:04d}-{cell.month:02d}"
    if isinstance(cell, bool | dt.time | dt.timedelta):
        return None
    text = fold(as_text(cell)[:60]).strip(" '.")
    for pattern, month, year in ((_DAY, 1, 2), (_YEAR_MONTH, 2, 1), (_MONTH, 1, 2)):
        if (match := pattern.fullmatch(text)) and 1 <= int(match[month]) <= 12:
            return f"{match[year]}-{int(match[month]):02d}"
    return None


def read_months_at_once(cell: Cell) -> int | None:
    """How many months are paid at once: 1, 3, 6 or 12, 0 for several years; None when the cell does not say."""
    text = fold(as_text(cell)[:60]).strip(" '.")
    if not text:
        return None
    if re.search(r"nhieu nam|\bvs\b|\bth\b|con thieu|[2-9] nam", text):
        return 0
    if match := re.fullmatch(r"(?:dong )?0?(1|3|6|12)(?: thang.*| months?.*| \(.*)?", text):
        return int(match[1])
    for words, months in (
        (r"quy|quarter", 3),
        (r"nua nam|half", 6),
        (r"\bnam\b|year", 12),
        (r"hang thang|moi thang|monthly", 1),
    ):
        if re.search(words, text):
            return months
    return None


LEAST_INCOME, MOST_INCOME = 100_000, 100_000_000


def read_income(cell: Cell) -> int | None:
    """Whole đồng a month; None when it is no such amount."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        amount = round(cell) if math.isfinite(cell) else 0
    else:
        digits = re.sub(r"[.,\s]|đ|d$|vnd|dong|đồng", "", clean(as_text(cell)[:40]).lower())
        if not digits.isascii() or not digits.isdigit():
            return None
        amount = int(digits)
    return amount if LEAST_INCOME <= amount <= MOST_INCOME else None


MOST_MONEY = 10_000_000_000


def read_amount(cell: Cell) -> int | None:
    """Whole đồng, nothing included: `462.000`, `462,000 đ`, `462000.00`, `-`; None when it is no amount."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        amount = round(cell) if math.isfinite(cell) else -1
    else:
        text = re.sub(r"\s|đ|d$|vnd|vnđ|dong|đồng", "", clean(as_text(cell)[:40]).lower())
        digits = re.sub(r"[.,]", "", re.sub(r"[.,]\d{1,2}$", "", text)) if text not in ("-", "–") else "0"
        if not digits.isascii() or not digits.isdigit():
            return None
        amount = int(digits)
    return amount if 0 <= amount <= MOST_MONEY else None


def read_count_of_months(cell: Cell) -> int | None:
    """How many months a payment is for: `3`, `03 tháng`, `1 năm`, `quý`; None when it does not say."""
    text = fold(as_text(cell)[:30]).strip(" '.")
    if match := re.fullmatch(r"(\d{1,3})(?:[.,]0+)?(?: ?(?:thang|months?|t))?", text):
        months = int(match[1])
    elif match := re.fullmatch(r"(\d) ?(?:nam|years?)", text):
        months = 12 * int(match[1])
    else:
        months = 3 if text in ("quy", "1 quy", "quarter") else 0
    return months if 1 <= months <= LONGEST_RUN else None


def read_tax_code(cell: Cell) -> str | None:
    """A tax code: 10 digits, 13 with those of a branch, or the 12 of the owner's citizen number."""
    digits = re.sub(r"[\s.\-']", "", as_text(cell))
    if isinstance(cell, int | float) and digits.isdigit() and len(digits) in (9, 11):
        digits = "0" + digits
    return digits if digits.isascii() and digits.isdigit() and len(digits) in (10, 12, 13) else None


def read_tax_method(cell: Cell) -> str | None:
    """`lump_sum` (thuế khoán) or `declaration` (kê khai)."""
    text = fold(as_text(cell)[:60])
    if re.search(r"ke khai|\bkk\b|declar", text):
        return "declaration"
    return "lump_sum" if re.search(r"khoan|lump", text) else None


_KINSHIPS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("head", re.compile(r"chu ho|^ch$|^head")),
    ("child_in_law", re.compile(r"^con (dau|re)\b|(son|daughter) in law")),
    ("child", re.compile(r"^con\b|^(son|daughter|child)\b")),
    ("parent_in_law", re.compile(r"^(bo|me|cha) (vo|chong)\b|(father|mother) in law")),
    ("parent", re.compile(r"^(bo|me|cha|ba me|bo me)\b|^(father|mother|parent)")),
    ("sibling_in_law", re.compile(r"^(anh|chi|em) (dau|re|vo|chong)\b|(brother|sister) in law")),
    ("spouse", re.compile(r"^(vo|chong)\b|spouse|wife|husband")),
    ("nephew_niece", re.compile(r"^chau (ruot|ho|goi)\b|nephew|niece")),
    ("grandchild", re.compile(r"^(chau|chat)\b|grand(child|son|daughter)")),
    ("grandparent", re.compile(r"^(ong|ba|cu)\b|grand(parent|father|mother)")),
    ("sibling", re.compile(r"^(anh|chi|em)\b|brother|sister|sibling")),
    ("uncle_aunt", re.compile(r"^(co|di|chu|bac|cau|mo|thim|duong)\b|uncle|aunt")),
    ("not_related", re.compile(r"khong (co )?quan he|o nho|tro\b|not related")),
)


def read_kinship(cell: Cell) -> str | None:
    """A value of `Kinship`, `other` where the words say nothing known; None for an empty cell."""
    text = fold(as_text(cell)[:60]).strip(" .'")
    if not text:
        return None
    return next((kinship for kinship, words in _KINSHIPS if words.search(text)), "other")
