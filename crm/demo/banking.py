"""Statements of a bank as real ones look: codes wrapped in the banks' own text, cut, mistyped, divided, put together; names,
telephones, foreign text; fees, salaries, interest, and codes that only look like one. Each line knows what it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import NamedTuple

import xlsxwriter

from crm.money import Vnd
from crm.names import fold
from crm.sponsors.rules import CODE_LETTERS, CODE_PREFIX, is_transfer_code, transfer_code
from crm.sponsors.statements.rules.kinds import Share, Use
from crm.sponsors.statements.rules.matching import Giver, Promise


class Sort(StrEnum):
    """How a line came to look as it does."""

    CODE = "code"
    CODE_BROKEN_UP = "code broken up"
    TWO_CODES = "two codes"
    ALIKE = "look-alike letters"
    TYPO = "one slip in the code"
    CUT = "code cut off"
    NAME = "name of the sponsor"
    NAME_SHORT = "name shortened or mistyped"
    CONTACT = "name of whom we ask for"
    PAYER = "account that paid before"
    PHONE = "telephone"
    SUM = "sum of promises"
    AMOUNT = "nothing but the amount"
    UNKNOWN = "nothing to go by"
    NO_SUCH_CODE = "a code nobody has"
    GIVEN_BACK = "a transfer given back"
    FEE = "fee"
    INTEREST = "interest"
    SALARY = "salary"
    INSURANCE = "to the insurance fund"
    OWN = "own transfer"


WITH_A_CODE = (Sort.CODE, Sort.CODE_BROKEN_UP, Sort.TWO_CODES)
"""Lines that should be booked by themselves."""
TO_BE_FOUND = (
    Sort.ALIKE,
    Sort.TYPO,
    Sort.CUT,
    Sort.NAME,
    Sort.NAME_SHORT,
    Sort.CONTACT,
    Sort.PAYER,
    Sort.PHONE,
    Sort.SUM,
    Sort.AMOUNT,
    Sort.GIVEN_BACK,
)
"""Lines whose owner the first suggestion should name."""
NO_GIFT = {
    Sort.FEE: Use.FEE,
    Sort.INTEREST: Use.INTEREST,
    Sort.SALARY: Use.OTHER,
    Sort.INSURANCE: Use.INSURANCE,
    Sort.OWN: Use.OWN_TRANSFER,
}

MIX: Sequence[tuple[Sort, int]] = (
    (Sort.CODE, 46),
    (Sort.CODE_BROKEN_UP, 7),
    (Sort.TWO_CODES, 2),
    (Sort.ALIKE, 4),
    (Sort.TYPO, 7),
    (Sort.CUT, 2),
    (Sort.NAME, 5),
    (Sort.NAME_SHORT, 3),
    (Sort.CONTACT, 3),
    (Sort.PAYER, 3),
    (Sort.PHONE, 2),
    (Sort.SUM, 2),
    (Sort.AMOUNT, 1),
    (Sort.UNKNOWN, 3),
    (Sort.NO_SUCH_CODE, 2),
    (Sort.GIVEN_BACK, 1),
    (Sort.FEE, 3),
    (Sort.INTEREST, 1),
    (Sort.SALARY, 1),
    (Sort.INSURANCE, 1),
    (Sort.OWN, 1),
)
"""So many of a hundred lines."""


class Written(NamedTuple):
    """A line as the bank writes it, and the truth behind it."""

    day: date
    at: time
    amount: Vnd
    balance: Vnd
    reference: str
    narrative: str
    payer: str
    payer_account: str
    sort: Sort
    truth: tuple[Share, ...]


_WRAPS = (
    "MBVCB.{n}.{code} {words}.CT tu {a} {payer} toi {b} QUY VI NGUOI NGHEO",
    "CT DEN:{n} {payer} chuyen tien {code}",
    "IBFT {code}-{d}-{t}",
    "{payer} CK ung ho {code} FT{n}",
    "NHAN TU {a} TRACE {n} ND {code} {words}",
    "REM               Tfr Ac: {a} {payer} {code}",
    "ZP{n} {words} {code}",
    "{code}",
    "QR   {code}   {n}",
    "Ung ho BHXH {words} ma {code}. Xin cam on",
)
_WORDS = ("", "ung ho nguoi ngheo", "bhxh tu nguyen", "ho tro", "dong gop quy", "ung ho dot 2", "cam on")
_PAYERS = (
    "NGUYEN VAN HAI",
    "TRAN THI LAN",
    "LE QUOC TUAN",
    "PHAM MINH DUC",
    "HOANG THI NGA",
    "VU DINH PHUC",
    "DO THI SEN",
)
_FOREIGN = (
    "INWARD REMITTANCE FROM KIM MINJUN CHARITY SUPPORT",
    "TRANSFER FROM MULLER GMBH SPENDE FUER ARME FAMILIEN",
    "DON POUR LES FAMILLES PAUVRES DE BIM SON",
    "TANAKA KENJI GIFT",
    "ủng hộ quỹ",
    "chuyen tien",
    "CK",
    "ung ho dong bao ngheo",
    "gui quy",
)
_FEES = (
    "PHI SMS BANKING T10",
    "Thu phi quan ly tai khoan",
    "PHI CHUYEN TIEN + VAT",
    "SERVICE CHARGE",
    "Phí dịch vụ Internet Banking",
)
_INTEREST = ("TRA LAI TIEN GUI KHONG KY HAN", "Lãi nhập gốc tháng 10", "INTEREST PAYMENT")
_SALARY = ("Tra luong thang 10 can bo quy", "Thanh toan tien dien van phong")
_INSURANCE = ("Nop BHXH tu nguyen thang 10 danh sach D05", "BHXH thi xa Bim Son thu BHXHTN")
_OWN = ("Dieu chuyen noi bo sang tai khoan 2", "Rut tien mat ve quy")
_TYPOS = ("wrong", "missing", "added", "swapped", "prefix")


@dataclass
class Bank:
    """Writes lines for promises that sponsors made. Nothing in it is true."""

    random: Random
    givers: Sequence[Giver]
    promises: Sequence[Promise]
    known: dict[str, Giver] = field(default_factory=dict)
    """Accounts that have paid before, and for whom."""
    balance: Vnd = 50_000_000
    amounts: Sequence[Vnd] = (160_000, 320_000, 480_000, 960_000, 1_920_000, 640_000, 1_100_000, 2_400_000)

    def __post_init__(self) -> None:
        self.by_id = {one.sponsor_id: one for one in self.givers}
        self.several = [
            some
            for giver in self.givers
            if len(some := [one for one in self.promises if one.sponsor_id == giver.sponsor_id]) > 1
        ]
        self.opening = self.balance
        self.left = {one.pledge_id: one.expected for one in self.promises}

    def statement(self, lines: int, first: date, last: date) -> list[Written]:
        """So many lines in the order of time."""
        days = sorted(first + timedelta(days=self.random.randint(0, (last - first).days)) for _ in range(lines))
        sorts = self.random.choices([sort for sort, _ in MIX], [many for _, many in MIX], k=lines)
        return [self.line(sort, day, place) for place, (sort, day) in enumerate(zip(sorts, days, strict=True))]

    def line(self, sort: Sort, day: date, place: int = 0) -> Written:
        """One line of a sort."""
        promise = self._wanting()
        left = self.left[promise.pledge_id]
        narrative, payer, account = "", self.random.choice(_PAYERS), self._digits(12)
        truth: tuple[Share, ...] = ()
        amount = self.random.choice(self.amounts)
        if sort in (Sort.CODE, Sort.CODE_BROKEN_UP, Sort.ALIKE, Sort.TYPO, Sort.CUT, Sort.GIVEN_BACK):
            amount = left if left and self.random.random() < 0.6 else amount
            narrative = self._narrative(sort, promise.code, day, payer, account)
            truth = (Share(promise.sponsor_id, promise.pledge_id, amount),)
        elif sort in (Sort.TWO_CODES, Sort.SUM) and (some := self._two()):
            amount = sum(self.left[one.pledge_id] for one in some)
            truth = tuple(Share(one.sponsor_id, one.pledge_id, self.left[one.pledge_id]) for one in some)
            name = fold(self.by_id[some[0].sponsor_id].name).upper()
            codes = " va ".join(one.code for one in some)
            narrative = f"CT DEN {self._digits(8)} {codes if sort is Sort.TWO_CODES else name + ' ung ho'}"
        elif sort in (Sort.NAME, Sort.NAME_SHORT, Sort.CONTACT, Sort.PAYER, Sort.PHONE, Sort.AMOUNT):
            amount = left or amount
            truth = (Share(promise.sponsor_id, promise.pledge_id if left else None, amount),)
            narrative, payer, account = self._by_person(sort, self.by_id[promise.sponsor_id], payer, account)
        elif sort is Sort.NO_SUCH_CODE:
            narrative = self._wrapped(self._strange_code(), day, payer, account)
        elif sort in NO_GIFT:
            narrative, amount, payer, account = self._of_the_bank(sort)
        else:
            sort = Sort.UNKNOWN
            narrative, amount = self.random.choice(_FOREIGN), amount + self.random.randint(1, 999) * 1_000
        for share in truth:
            if share.pledge_id:
                self.left[share.pledge_id] = max(self.left[share.pledge_id] - share.amount, 0)
        self.balance += amount
        moment = time(self.random.randint(7, 20), self.random.randint(0, 59), self.random.randint(0, 59))
        reference = f"FT{day:%y%m%d}{place:05d}"
        return Written(day, moment, amount, self.balance, reference, narrative, payer, account, sort, truth)

    def _wanting(self) -> Promise:
        """A promise that is still expected, as long as there are some."""
        tried = [self.random.choice(self.promises) for _ in range(12)]
        return next((one for one in tried if self.left[one.pledge_id]), tried[0])

    def _two(self) -> list[Promise]:
        """Two promises of one sponsor that are both expected still."""
        for some in self.random.sample(self.several, min(len(self.several), 20)):
            wanting = [one for one in some if self.left[one.pledge_id]]
            if len(wanting) > 1:
                return wanting[:2]
        return []

    def _narrative(self, sort: Sort, code: str, day: date, payer: str, account: str) -> str:
        if sort is Sort.CODE_BROKEN_UP:
            cut = self.random.randint(3, 8)
            sign = self.random.choice((" ", "-", ".", " . ", "\n"))
            code = code[:cut] + sign + code[cut:]
            code = code.lower() if self.random.random() < 0.4 else code
        elif sort is Sort.ALIKE:
            code = self._alike(code)
        elif sort is Sort.TYPO:
            code = self._slip(code)
        elif sort is Sort.CUT:
            return f"MBVCB.{self._digits(9)}.{self.random.choice(_WORDS)} {code[: self.random.randint(7, 8)]}"
        wrapped = self._wrapped(code, day, payer, account)
        return f"HOAN TRA LENH {wrapped}" if sort is Sort.GIVEN_BACK else wrapped

    def _wrapped(self, code: str, day: date, payer: str, account: str) -> str:
        return " ".join(
            self.random.choice(_WRAPS)
            .format(
                n=self._digits(9),
                code=code,
                words=self.random.choice(_WORDS),
                a=account,
                b="3500201001234",
                payer=payer,
                d=f"{day:%d%m%y}",
                t=f"{self.random.randint(8, 20)}:12:30",
            )
            .split(" ")
        )

    def _alike(self, code: str) -> str:
        """Every character that has a twin, or one of the prefix where none has."""
        twins = {"0": "O", "1": "I", "5": "S", "8": "B", "B": "8", "S": "5", "2": "Z", "6": "G"}
        body = "".join(twins.get(letter, letter) if letter.isdigit() else letter for letter in code[3:])
        changed = code[:3] + body
        return changed if changed != code else "8" + code[1:]

    def _slip(self, code: str) -> str:
        kind, at = self.random.choice(_TYPOS), self.random.randint(3, 8)
        if kind == "missing":
            made = code[:at] + code[at + 1 :]
        elif kind == "added":
            made = code[:at] + self.random.choice(CODE_LETTERS) + code[at:]
        elif kind == "swapped" and code[at] != code[at + 1]:
            made = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        elif kind == "prefix":
            made = self.random.choice(("BX", "BS", "BZX", "PSX")) + code[3:]
        else:
            other = self.random.choice([letter for letter in CODE_LETTERS if letter != code[at]])
            made = code[:at] + other + code[at + 1 :]
        return made

    def _by_person(self, sort: Sort, giver: Giver, payer: str, account: str) -> tuple[str, str, str]:
        name, number = fold(giver.name).upper(), self._digits(7)
        if sort is Sort.NAME:
            return f"CT DEN {number} {name} ung ho nguoi ngheo", name if self.random.random() < 0.5 else payer, account
        if sort is Sort.NAME_SHORT:
            at = self.random.randint(len(name) // 2, len(name) - 2)
            return f"{name[:at] + name[at + 1 :]} chuyen tien", payer, account
        if sort is Sort.CONTACT:
            return f"{self.random.choice(_WORDS)} {number}", fold(giver.contact).upper(), account
        if sort is Sort.PAYER:
            before = next((key for key, one in self.known.items() if one.sponsor_id == giver.sponsor_id), None)
            if before is None:
                return f"CT DEN {number} {name}", payer, account
            return "chuyen tien ung ho", payer, before
        if sort is Sort.PHONE:
            return f"ung ho sdt 0{giver.phone.removeprefix('+84')} {number}", payer, account
        return self.random.choice(_FOREIGN), payer, account

    def _strange_code(self) -> str:
        """Letters that are a code in form, or nearly, and no promise has."""
        taken = {one.code for one in self.promises}
        code = transfer_code(self.random.randrange(31**6))
        if code in taken or self.random.random() < 0.5:
            code = CODE_PREFIX + "".join(self.random.choice(CODE_LETTERS[:31]) for _ in range(7))
        return code if code not in taken or not is_transfer_code(code) else CODE_PREFIX + "0000000"

    def _of_the_bank(self, sort: Sort) -> tuple[str, Vnd, str, str]:
        words = {
            Sort.FEE: _FEES,
            Sort.INTEREST: _INTEREST,
            Sort.SALARY: _SALARY,
            Sort.INSURANCE: _INSURANCE,
            Sort.OWN: _OWN,
        }[sort]
        amount = {
            Sort.FEE: -11_000,
            Sort.INTEREST: self.random.randint(1_000, 90_000),
            Sort.SALARY: -4_500_000,
            Sort.INSURANCE: -107_800 * self.random.randint(1, 40),
            Sort.OWN: -2_400_000,
        }[sort]
        return self.random.choice(words), amount, "", ""

    def _digits(self, many: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(many))


HEADS = (
    "STT",
    "Ngày giao dịch",
    "Số tham chiếu",
    "Ghi nợ",
    "Ghi có",
    "Số dư",
    "Nội dung",
    "Tên người chuyển",
    "Tài khoản đối ứng",
)


def workbook(lines: Sequence[Written], account: str, opening: Vnd) -> bytes:
    """The lines as the bank's Excel file: a title, the opening balance, the table, its sums."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sao kê")
        moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        sheet.write_row(0, 0, ["NGÂN HÀNG NÔNG NGHIỆP VÀ PHÁT TRIỂN NÔNG THÔN"])
        sheet.write_row(1, 0, ["SAO KÊ TÀI KHOẢN"])
        sheet.write_row(2, 0, [f"Số tài khoản: {account}", "", "Chủ tài khoản: QUỸ VÌ NGƯỜI NGHÈO"])
        sheet.write_row(3, 0, ["Số dư đầu kỳ:", f"{opening:,} VND"])
        sheet.write_row(5, 0, HEADS)
        for place, line in enumerate(lines, 6):
            sheet.write_number(place, 0, place - 5)
            sheet.write_datetime(place, 1, datetime.combine(line.day, line.at), moment)
            sheet.write_row(place, 2, [line.reference])
            sheet.write(place, 3, -line.amount if line.amount < 0 else "")
            sheet.write(place, 4, line.amount if line.amount > 0 else "")
            sheet.write_number(place, 5, line.balance)
            sheet.write_row(place, 6, [line.narrative, line.payer])
            sheet.write_string(place, 8, line.payer_account)
        end = len(lines) + 6
        sheet.write_row(end, 0, ["", "Tổng cộng", "", sum(-one.amount for one in lines if one.amount < 0)])
        sheet.write_row(end + 1, 0, ["Số dư cuối kỳ:", f"{lines[-1].balance if lines else opening:,} VND"])
    return file.getvalue()
