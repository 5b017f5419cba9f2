"""Whose money a line most likely is. Only a code makes it certain; everything else is a suggestion that says why.

A score is 0 to 100 and only orders suggestions: nothing is ever booked because of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import combinations
from typing import NamedTuple
from uuid import UUID

from rapidfuzz import fuzz, process

from crm.money import Vnd
from crm.names import fold
from crm.sponsors.naming import core_of, words_of
from crm.sponsors.rules import codes_in
from crm.sponsors.statements.rules.codes import CodeBook, Near, Slip, letters_of
from crm.sponsors.statements.rules.kinds import Seen, Share, Use

MOST_SUGGESTIONS = 5
LEAST_SCORE = 25
MOST_TOGETHER = 4
"""Promises that one transfer is tried to be the sum of."""
MOST_TRIED = 12
TAX_CODES = (10, 12, 13)
"""How many digits a tax code may have."""
NEAR_DUE = timedelta(days=15)
LEAST_NEARLY = 7
"""So many letters has a name of which a slip is let pass."""
LIKE_A_NAME = 91
"""Of a hundred: so like must a mistyped name be."""


class Reason(StrEnum):
    """Why a suggestion is made."""

    CODE = "code"
    CODES = "codes"
    NEAR_CODE = "near_code"
    CODE_OF_ENDED = "code_of_ended"
    CODE_GIVEN_BACK = "code_given_back"
    PAID_BEFORE_FROM = "paid_before_from"
    PAID_BEFORE_BY = "paid_before_by"
    TAX_CODE = "tax_code"
    PHONE = "phone"
    NAME_WHOLE = "name_whole"
    NAME = "name"
    NAME_OF_PAYER = "name_of_payer"
    NAME_NEARLY = "name_nearly"
    CONTACT = "contact"
    AMOUNT = "amount"
    INSTALMENT = "instalment"
    SUM = "sum"
    DUE = "due"
    ONLY_AMOUNT = "only_amount"


class Why(NamedTuple):
    """A reason, and what of the line or the promise shows it."""

    reason: Reason
    told: str = ""
    slip: Slip | None = None


class Suggestion(NamedTuple):
    """For whom the money may be, in shares that sum to the line."""

    shares: tuple[Share, ...]
    score: int
    whys: tuple[Why, ...]


class Verdict(NamedTuple):
    """`certain` may be booked by itself; the suggestions are for a person to choose from, the best first."""

    certain: Suggestion | None
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A pledge as matching sees it; `expected` is what has not come in yet, `due` its instalments still open."""

    pledge_id: UUID
    sponsor_id: UUID
    code: str
    expected: Vnd
    is_open: bool = True
    due: tuple[tuple[date, Vnd], ...] = ()


@dataclass(frozen=True)
class Giver:
    """A sponsor as matching sees it."""

    sponsor_id: UUID
    name: str
    contact: str = ""
    phone: str = ""
    """E.164."""
    tax_code: str = ""

    @cached_property
    def core(self) -> _Name:
        """The name without the words that many have."""
        return _Name(core_of(self.name))

    @cached_property
    def whole(self) -> _Name:
        """The name in plain words."""
        return _Name(words_of(self.name))

    @cached_property
    def contact_core(self) -> _Name:
        """Who is asked for there, without what many have in front."""
        return _Name(core_of(self.contact))

    @cached_property
    def phone_digits(self) -> str:
        """The number as it may stand in a text, without what comes before it."""
        return self.phone.removeprefix("+84")

    @cached_property
    def tax_digits(self) -> str:
        """The tax code without its hyphen."""
        return self.tax_code.replace("-", "")


class _Name:
    """A name in plain words, ready to be looked for in many texts."""

    __slots__ = ("closed", "plain", "spaced", "words")

    def __init__(self, plain: str) -> None:
        self.plain, self.spaced = plain, f" {plain} "
        self.words = frozenset(plain.split())
        closed = plain.replace(" ", "")
        self.closed = closed if " " in plain and len(closed) >= 8 else None
        """As a bank may have closed it up."""


_NEVER = frozenset({"\0"})
"""Words that stand in no line: those of a name that is empty."""


class _Looked(NamedTuple):
    """What of a sponsor's names is looked for in each line."""

    sponsor_id: UUID
    plain: str
    core: frozenset[str]
    closed: str | None
    contact: frozenset[str]
    contact_closed: str | None


class _Text:
    """Plain words that are looked through for many names."""

    __slots__ = ("plain", "spaced", "words")

    def __init__(self, text: str) -> None:
        self.plain = words_of(text)
        self.spaced = f" {self.plain} "
        self.words = frozenset(self.plain.split())

    def has(self, name: _Name) -> bool:
        """Whether a name stands whole in it, also when the bank closed it up."""
        if name.words <= self.words and name.spaced in self.spaced:
            return True
        return name.closed in self.words


class _Told:
    """What stands in a line, made plain once for all who are looked for in it."""

    __slots__ = ("both", "digits", "payer", "payer_fold", "seen", "text")

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.text, self.payer = _Text(seen.narrative), _Text(seen.payer)
        self.both = _Text(f"{seen.narrative} · {seen.payer}")
        self.digits = re.sub(r"[^0-9]", "", seen.narrative)
        self.payer_fold = fold(seen.payer) if seen.payer else ""


@dataclass(frozen=True)
class Payers:
    """Who paid for whom before: by account number and by folded name."""

    by_account: Mapping[str, Collection[UUID]] = field(default_factory=dict)
    by_name: Mapping[str, Collection[UUID]] = field(default_factory=dict)


_WEIGHTS = {
    Reason.PAID_BEFORE_FROM: 50,
    Reason.TAX_CODE: 50,
    Reason.PHONE: 45,
    Reason.NAME_WHOLE: 53,
    Reason.NAME: 45,
    Reason.NAME_OF_PAYER: 40,
    Reason.PAID_BEFORE_BY: 40,
    Reason.CONTACT: 30,
    Reason.NAME_NEARLY: 25,
}
_BY_NAME = (Reason.NAME_WHOLE, Reason.NAME, Reason.NAME_OF_PAYER)
_EXACT, _PART, _AT_ITS_TIME, _ALONE = 35, 5, 8, 28
_OF_CODES = 100
_OF_A_SLIP = {
    Slip.ALIKE: 97,
    Slip.SWAPPED: 94,
    Slip.WRONG: 93,
    Slip.MISSING: 93,
    Slip.ADDED: 93,
    Slip.PREFIX: 92,
    Slip.CUT: 91,
}
_MOST_WITHOUT_A_CODE = 95
_ONE_OF_SEVERAL = 90
_BETWEEN = "YYY"
"""Stands where a code was taken out of a text: no code has that letter, nor one that looks like it."""

_GIVEN_BACK = re.compile(
    r"\b(hoan tra|hoan tien|hoan lenh|hoan chuyen|hoan lai|huy lenh|tra lai tien|tra lai lenh|chuyen tra|thu hoi|reversal|reversed|refund|"
    r"returned?)\b"
)


class Matcher:
    """Promises, sponsors and earlier payers of one town, ready to be asked about many lines."""

    def __init__(self, promises: Sequence[Promise], givers: Sequence[Giver], payers: Payers) -> None:
        self.payers = payers
        self.givers = {one.sponsor_id: one for one in givers}
        self.by_code = {one.code: one for one in promises}
        self.promises = {one.pledge_id: one for one in promises}
        self.of_sponsor: dict[UUID, list[Promise]] = defaultdict(list)
        for one in promises:
            self.of_sponsor[one.sponsor_id].append(one)
        self.book = CodeBook(self.by_code)
        self._words: dict[str, set[int]] = defaultdict(set)
        """Who has a word in a name, by the place in `_names`: small numbers are far quicker to compare than ids."""
        self._names = [
            _Looked(
                one.sponsor_id,
                one.core.plain,
                one.core.words or _NEVER,
                one.core.closed,
                one.contact_core.words or _NEVER,
                one.contact_core.closed,
            )
            for one in givers
        ]
        self._phones: dict[str, set[UUID]] = defaultdict(set)
        self._taxes: dict[str, set[UUID]] = defaultdict(set)
        for place, giver in enumerate(givers):
            closed = giver.core.plain.replace(" ", "")
            for word in {*giver.core.words, *giver.contact_core.words, closed}:
                self._words[word].add(place)
            if giver.phone:
                self._phones[giver.phone_digits].add(giver.sponsor_id)
            if giver.tax_code:
                self._taxes[giver.tax_digits].add(giver.sponsor_id)
        self._amounts: dict[Vnd, set[UUID]] = defaultdict(set)
        for one in promises:
            if one.is_open:
                for amount in _amounts_of(one):
                    self._amounts[amount].add(one.pledge_id)

    def received(self, shares: Iterable[Share]) -> None:
        """These shares were booked meanwhile: less is expected."""
        for share in shares:
            one = self.promises.get(share.pledge_id) if share.pledge_id else None
            if one is not None:
                left = max(one.expected - share.amount, 0)
                self._change(one, left)

    def _change(self, one: Promise, left: Vnd) -> None:
        paid, due = one.expected - left, []
        for day, amount in one.due:
            taken = min(paid, amount)
            paid -= taken
            if amount > taken:
                due.append((day, amount - taken))
        new = Promise(one.pledge_id, one.sponsor_id, one.code, left, one.is_open, tuple(due))
        self.promises[one.pledge_id] = self.by_code[one.code] = new
        self.of_sponsor[one.sponsor_id] = [
            new if each.pledge_id == one.pledge_id else each for each in self.of_sponsor[one.sponsor_id]
        ]
        for amount in _amounts_of(one):
            self._amounts[amount].discard(one.pledge_id)
        if new.is_open:
            for amount in _amounts_of(new):
                self._amounts[amount].add(one.pledge_id)

    def match(self, line: Seen) -> Verdict:
        """Whose money it is, or may be. Money that went out is nobody's gift."""
        if line.amount <= 0:
            return Verdict(None, ())
        with_code, is_certain = self._by_codes(line)
        if with_code and is_certain:
            return Verdict(with_code, (with_code,))
        found, told = [with_code, *_each_alone(with_code, line.amount)] if with_code else [], _Told(line)
        found += self._by_near_codes(told)
        found += self._by_payer(told)
        if not found or found[0].score <= _ALONE:
            found += self._by_amount(line)
        return Verdict(None, _best(found))

    # ---- codes

    def _by_codes(self, line: Seen) -> tuple[Suggestion | None, bool]:
        """What the codes in the text say, and whether that is certain: not when it nearly has another sponsor's besides."""
        known = [self.by_code[code] for code in codes_in(line.narrative) if code in self.by_code]
        if not known:
            return None, False
        whys = [Why(Reason.CODE if len(known) == 1 else Reason.CODES, ", ".join(one.code for one in known))]
        nearly = self._nearly_besides(line.narrative, known)
        if nearly:
            known.append(self.by_code[nearly.code])
            whys.append(_why_near(nearly))
        back = _GIVEN_BACK.search(words_of(line.narrative)) is not None
        if back:
            whys.append(Why(Reason.CODE_GIVEN_BACK))
        ended = [one for one in known if not one.is_open]
        if ended:
            whys.append(Why(Reason.CODE_OF_ENDED, ", ".join(one.code for one in ended)))
        shares, adds_up = _shared(known, line.amount)
        return Suggestion(shares, _OF_CODES, tuple(whys)), adds_up and not (back or ended or nearly)

    def _nearly_besides(self, narrative: str, known: Sequence[Promise]) -> Near | None:
        """The likeliest code of another sponsor that the rest of the text nearly has."""
        rest, theirs = letters_of(narrative), {one.sponsor_id for one in known}
        for one in known:
            rest = rest.replace(one.code, _BETWEEN)
        return next((one for one in self.book.near(rest) if self.by_code[one.code].sponsor_id not in theirs), None)

    def _by_near_codes(self, told: _Told) -> list[Suggestion]:
        near = self.book.near(told.seen.narrative)
        alone = [self._of_near(told, one, len(near)) for one in near]
        return [*alone, *self._of_two_near(told, near)]

    def _of_two_near(self, told: _Told, near: Sequence[Near]) -> list[Suggestion]:
        """Two codes of two sponsors that the text nearly has at two places: both, before either alone."""
        plain = letters_of(told.seen.narrative)
        for one, other in combinations(near, 2):
            promises = [self.by_code[each.code] for each in (one, other)]
            apart = one.written in plain.replace(other.written, _BETWEEN)
            if apart and promises[0].sponsor_id != promises[1].sponsor_id:
                shares, _adds_up = _shared(promises, told.seen.amount)
                whys = [_why_near(one), _why_near(other)]
                ended = [each.code for each in promises if not each.is_open]
                whys += [Why(Reason.CODE_OF_ENDED, ", ".join(ended))] if ended else []
                return [Suggestion(shares, max(_OF_A_SLIP[one.slip], _OF_A_SLIP[other.slip]), tuple(whys))]
        return []

    def _of_near(self, told: _Told, near: Near, many: int) -> Suggestion:
        one, line = self.by_code[near.code], told.seen
        whys = [_why_near(near)]
        ended = not one.is_open
        if ended:
            whys.append(Why(Reason.CODE_OF_ENDED, one.code))
        whys += self._whys_of(told, one.sponsor_id)
        whys += _amount_whys(one, line)[0]
        more = 2 if len(whys) > 1 else 0
        score = min(_OF_A_SLIP[near.slip] + more - (4 if many > 1 or ended else 0), 99)
        return Suggestion((_share(one, line.amount),), score, tuple(whys))

    # ---- who paid

    def _by_payer(self, told: _Told) -> list[Suggestion]:
        whys = {key: some for key in self._who(told) if (some := self._whys_of(told, key))}
        named = {
            self.givers[key].core.plain for key, some in whys.items() if any(why.reason in _BY_NAME for why in some)
        }
        return [
            self._of_payer(told.seen, key, some)
            for key, some in whys.items()
            if some[0].reason not in _BY_NAME or not _is_part(self.givers[key].core.plain, named)
        ]

    def _who(self, told: _Told) -> set[UUID]:
        """Sponsors of whom something stands in the line."""
        line, digits = told.seen, told.digits
        found = self._named_in(told)
        for start in range(len(digits) - 8):
            found |= self._phones.get(digits[start : start + 9], set())
            for size in TAX_CODES:
                found |= self._taxes.get(digits[start : start + size], set())
        found |= self._paid_for(self.payers.by_account.get(line.payer_account, ()) if line.payer_account else (), line)
        found |= self._paid_for(self.payers.by_name.get(told.payer_fold, ()) if line.payer else (), line)
        return found & self.givers.keys()

    def _paid_for(self, before: Collection[UUID], line: Seen) -> set[UUID]:
        """For whom a payer may pay now who paid for these before. Of more than one could choose from, such as a bank's
        counter or a common name, only those of whom just this amount is expected: alone it says nothing of the others."""
        if len(before) <= MOST_SUGGESTIONS:
            return set(before)
        expected = {self.promises[key].sponsor_id for key in self._amounts.get(line.amount, ())}
        return expected.intersection(before)

    def _named_in(self, told: _Told) -> set[UUID]:
        """Sponsors with a word in the line whose words all stand in it, or nearly so; of the others `_whys_of` has nothing
        to say of a name. All are compared with the line in one go, for there are hundreds with a word in common."""
        words, common = told.both.words, max(len(self.givers) // 4, 20)
        with_a_word = [of for word in words if len(of := self._words.get(word, ())) <= common]
        found, others = set[UUID](), defaultdict[str, list[UUID]](list)
        for place in set[int]().union(*with_a_word):
            key, plain, core, closed, contact, contact_closed = self._names[place]
            if core <= words or contact <= words or closed in words or contact_closed in words:
                found.add(key)
            elif len(plain) >= LEAST_NEARLY:
                others[plain].append(key)
        for said in (told.text.plain, told.payer.plain):
            if said and others:
                near = process.extract(
                    said, list(others), scorer=fuzz.partial_ratio, processor=None, score_cutoff=LIKE_A_NAME, limit=None
                )
                found.update(key for plain, _score, _place in near for key in others[plain])
        return found

    def _whys_of(self, told: _Told, sponsor_id: UUID) -> list[Why]:
        giver, line, whys = self.givers.get(sponsor_id), told.seen, list[Why]()
        if giver is None:
            return whys
        if line.payer_account and sponsor_id in self.payers.by_account.get(line.payer_account, ()):
            whys.append(Why(Reason.PAID_BEFORE_FROM, line.payer_account))
        elif line.payer and sponsor_id in self.payers.by_name.get(told.payer_fold, ()):
            whys.append(Why(Reason.PAID_BEFORE_BY, line.payer))
        if giver.tax_code and giver.tax_digits in told.digits:
            whys.append(Why(Reason.TAX_CODE, giver.tax_code))
        if giver.phone and giver.phone_digits in told.digits:
            whys.append(Why(Reason.PHONE, "0" + giver.phone_digits))
        named = _named(giver, told)
        if named:
            whys.append(Why(named, giver.name))
        elif giver.contact and told.both.has(giver.contact_core):
            whys.append(Why(Reason.CONTACT, giver.contact))
        return whys

    def _of_payer(self, line: Seen, sponsor_id: UUID, whys: list[Why]) -> Suggestion:
        evidence = min(sum(_WEIGHTS[why.reason] for why in whys), 65)
        wanted = [one for one in self.of_sponsor[sponsor_id] if one.is_open and one.expected]
        shares: tuple[Share, ...] = (Share(sponsor_id, None, line.amount),)
        best: tuple[int, list[Why]] = (0, [])
        for one in wanted:
            said, points = _amount_whys(one, line)
            if points > best[0]:
                best, shares = (points, said), (_share(one, line.amount),)
        if best[0] < _EXACT and (together := _sum_of(wanted, line.amount)):
            best = (_EXACT, [Why(Reason.SUM, ", ".join(one.code for one, _amount in together))])
            shares = tuple(Share(one.sponsor_id, one.pledge_id, amount) for one, amount in together)
        return Suggestion(shares, min(evidence + best[0], _MOST_WITHOUT_A_CODE), (*whys, *best[1]))

    # ---- only how much

    def _by_amount(self, line: Seen) -> list[Suggestion]:
        alike = [self.promises[key] for key in self._amounts.get(line.amount, ())]
        found = []
        for one in alike:
            said, points = _amount_whys(one, line)
            score = max(_ALONE + points - _EXACT - 3 * (len(alike) - 1), LEAST_SCORE if len(alike) <= 3 else 0)
            found.append(Suggestion((_share(one, line.amount),), score, (*said, Why(Reason.ONLY_AMOUNT))))
        return found


def _amounts_of(one: Promise) -> set[Vnd]:
    return {amount for amount in (one.expected, *(amount for _day, amount in one.due)) if amount}


def _share(one: Promise, amount: Vnd) -> Share:
    return Share(one.sponsor_id, one.pledge_id, amount)


def _why_near(near: Near) -> Why:
    return Why(Reason.NEAR_CODE, f"{near.written} → {near.code}", near.slip)


def _each_alone(of: Suggestion, amount: Vnd) -> list[Suggestion]:
    """All of the money for one sponsor of several who are named: it may be that the others only stand in the text."""
    if len({share.sponsor_id for share in of.shares}) < 2:
        return []
    return [Suggestion((share._replace(amount=amount),), _ONE_OF_SEVERAL, of.whys) for share in of.shares]


def _shared(known: Sequence[Promise], amount: Vnd) -> tuple[tuple[Share, ...], bool]:
    """An amount over promises, and whether there is no doubt about it: one promise takes all; several what each expects,
    when that is just the amount. Else their next instalments come first, then what they expect later, each in the order
    of the codes; what nobody expects is the last one's. Where a sponsor would go away empty, who is named all the same,
    it is divided in the proportion of what each expects next (`_in_proportion`)."""
    if len(known) == 1:
        return (_share(known[0], amount),), True
    if sum(one.expected for one in known) == amount and all(one.expected for one in known):
        return tuple(_share(one, one.expected) for one in known), True
    parts, left = [0] * len(known), amount
    for wanted in ([_next(one) for one in known], [one.expected for one in known]):
        for place, most in enumerate(wanted):
            more = min(max(most - parts[place], 0), left)
            parts[place] += more
            left -= more
    parts[-1] += left
    served = {one.sponsor_id for one, part in zip(known, parts, strict=True) if part}
    if {one.sponsor_id for one in known} - served and amount >= len(known):
        parts = _in_proportion([_next(one) for one in known], amount)
    return tuple(_share(one, part) for one, part in zip(known, parts, strict=True) if part), False


def _in_proportion(wanted: Sequence[Vnd], amount: Vnd) -> list[Vnd]:
    """An amount in the proportion of what is wanted; evenly when somebody wants nothing, or would get nothing."""
    total = sum(wanted)
    parts = [amount * one // total if total else 0 for one in wanted]
    if not all(parts):
        parts = [amount // len(wanted)] * len(wanted)
    parts[-1] += amount - sum(parts)
    return parts


def _next(one: Promise) -> Vnd:
    """What comes next of a promise: its first open instalment, or all when it has none."""
    return one.due[0][1] if one.due else one.expected


def _amount_whys(one: Promise, line: Seen) -> tuple[list[Why], int]:
    """What the amount says for a promise, and how much."""
    near = any(abs(day - line.day) <= NEAR_DUE for day, _amount in one.due)
    timely = ([Why(Reason.DUE)], _AT_ITS_TIME) if near else ([], 0)
    if line.amount == one.expected:
        return [Why(Reason.AMOUNT, one.code), *timely[0]], _EXACT + timely[1]
    if any(amount == line.amount for _day, amount in one.due):
        return [Why(Reason.INSTALMENT, one.code), *timely[0]], _EXACT + timely[1]
    return timely[0], (_PART if 0 < line.amount < one.expected else 1) + timely[1]


def _sum_of(wanted: Sequence[Promise], amount: Vnd) -> list[tuple[Promise, Vnd]]:
    """Promises whose open sums, or next instalments, make the amount together; the fewest, the earliest."""
    tried = wanted[:MOST_TRIED]
    for many in range(2, min(MOST_TOGETHER, len(tried)) + 1):
        for some in combinations(tried, many):
            if sum(one.expected for one in some) == amount:
                return [(one, one.expected) for one in some]
            first = [_next(one) for one in some]
            if sum(first) == amount:
                return list(zip(some, first, strict=True))
    return []


def _is_part(core: str, others: Collection[str]) -> bool:
    """Whether a longer name that was found has this one in it: Đá Xanh in Đá Xanh Miền Trung."""
    return any(core != other and f" {core} " in f" {other} " for other in others)


def _named(giver: Giver, told: _Told) -> Reason | None:
    """Whether a sponsor's name stands in a line, whole, without its legal form, or nearly."""
    core, letters = giver.core, len(giver.core.plain)
    if letters >= 5 and told.text.has(core):
        return Reason.NAME_WHOLE if told.text.has(giver.whole) else Reason.NAME
    if letters >= 5 and told.payer.has(core):
        return Reason.NAME_OF_PAYER
    if letters >= LEAST_NEARLY and " " in core.plain:
        for said in (told.text.plain, told.payer.plain):
            if said and fuzz.partial_ratio(core.plain, said, score_cutoff=LIKE_A_NAME) >= LIKE_A_NAME:
                return Reason.NAME_NEARLY
    return None


def _best(found: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The best for each promise or sponsor, in the order of their scores; a sponsor's promise before the bare sponsor."""
    worth = [one for one in found if one.score >= LEAST_SCORE]
    kept: dict[frozenset[tuple[UUID, UUID | None]], Suggestion] = {}
    for one in sorted(worth, key=lambda one: (-one.score, str(one.shares))):
        kept.setdefault(frozenset(share[:2] for share in one.shares), one)
        if len(kept) == MOST_SUGGESTIONS:
            break
    return tuple(kept.values())


# ---- what is no gift

_BEFORE_AFTER = (
    (Use.INSURANCE, -1, re.compile(r"\b(bhxh|bao hiem xa hoi|bhxhtn|nop bh|social insurance)\b")),
    (
        Use.FEE,
        -1,
        re.compile(
            r"\b(phi|thu phi|fee|charge|vat|sms banking|phi sms|phi quan ly|phi dv|phi duy tri|phi chuyen tien|service charge)\b"
        ),
    ),
    (
        Use.INTEREST,
        1,
        re.compile(
            r"\b(tra lai (tien gui|tai khoan|tk|kkh|khong ky han|nhap goc)|lai (tien gui|nhap goc|khong ky han|kkh|suat)|"
            r"nhap lai|lai tk|interest|int pay\w*)\b"
        ),
    ),
    (
        Use.OWN_TRANSFER,
        0,
        re.compile(
            r"\b(chuyen noi bo|dieu chuyen|chuyen von|chuyen khoan noi bo|giua cac tai khoan|own transfer|"
            r"nop tien mat vao tk|rut tien mat ve quy|rut tien mat)\b"
        ),
    ),
    (Use.OTHER, 0, re.compile(r"\b(luong|tra luong|salary|payroll|tien dien|tien nuoc|mua van phong pham|tam ung)\b")),
)


def not_a_gift(line: Seen) -> tuple[Use, str] | None:
    """What a line that is no gift seems to be, with the words that show it; None when nothing shows it."""
    text = words_of(line.narrative)
    if line.amount < 0 and (found := _GIVEN_BACK.search(text)):
        return Use.RETURNED, found[0]
    for use, sign, pattern in _BEFORE_AFTER:
        if sign and (line.amount > 0) != (sign > 0):
            continue
        if found := pattern.search(text):
            return use, found[0]
    return None


class Moved(NamedTuple):
    """A movement of the books that a line of the bank may show: money paid on, returned or come back. `amount` is not negative."""

    posting_id: UUID
    day: date
    amount: Vnd


def moved_as(line: Seen, moves: Sequence[Moved]) -> tuple[Moved, ...]:
    """The movements that a line most likely shows, the nearest in time: those of one day that sum to it,
    one of just its amount, or those of some days running. Empty when none do."""
    wanted = abs(line.amount)
    days: dict[date, list[Moved]] = defaultdict(list)
    for one in sorted(moves, key=lambda one: (one.day, one.posting_id)):
        if one.day <= line.day + NEAR_DUE:
            days[one.day].append(one)
    found = [tuple(some) for some in days.values() if sum(one.amount for one in some) == wanted]
    found += [(one,) for some in days.values() for one in some if one.amount == wanted]
    if not found:
        found = _running(days, wanted)
    return min(found, key=lambda some: abs(some[-1].day - line.day), default=())


def _running(days: Mapping[date, Sequence[Moved]], wanted: Vnd) -> list[tuple[Moved, ...]]:
    """Some days running whose movements sum to an amount."""
    found, ordered = [], sorted(days)
    for end in range(len(ordered)):
        total, some = 0, list[Moved]()
        for day in reversed(ordered[: end + 1]):
            some = [*days[day], *some]
            total += sum(one.amount for one in days[day])
            if total >= wanted:
                break
        if total == wanted:
            found.append(tuple(some))
    return found
