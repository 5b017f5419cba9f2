"""How well the lines of a bank's statement find their promises, and how fast."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from crm import clock
from crm.db import transaction
from crm.demo.banking import NO_GIFT, TO_BE_FOUND, WITH_A_CODE, Bank, Sort, Written, workbook
from crm.demo.names import full_name
from crm.ids import new_id
from crm.places.queries import the_town
from crm.prospects.rules import Sex
from crm.sponsors import services
from crm.sponsors.models import Receipt
from crm.sponsors.rules import SponsorKind, transfer_code
from crm.sponsors.statements.models import Statement, StatementLine
from crm.sponsors.statements.rules.kinds import LineState, Seen, Share
from crm.sponsors.statements.rules.matching import Giver, Matcher, Payers, Promise, Suggestion, not_a_gift
from crm.sponsors.statements.services import loading, taking_in

LINES, SPONSORS = 2_000, 900
HELD_OUT = 20251115
"""A seed nobody looked at while the matcher was made."""
ACCOUNT = "3500201001234"
FIRST, LAST = date(2019, 9, 1), date(2019, 9, 30)


@dataclass
class Quality:
    """What became of lines, by how they look."""

    many: Counter[Sort] = field(default_factory=Counter)
    booked: Counter[tuple[Sort, bool]] = field(default_factory=Counter)
    suggested: Counter[tuple[Sort, bool]] = field(default_factory=Counter)
    set_aside: Counter[bool] = field(default_factory=Counter)
    wrong: list[tuple[Written, Suggestion | None]] = field(default_factory=list)

    def judge(self, line: Written, matcher: Matcher) -> None:
        """One line; what is certain is booked, as the program does."""
        seen = Seen(line.day, line.amount, line.narrative, line.payer, line.payer_account, line.reference)
        verdict = matcher.match(seen)
        self.many[line.sort] += 1
        if verdict.certain:
            right = set(verdict.certain.shares) == set(line.truth)
            self.booked[line.sort, right] += 1
            matcher.received(verdict.certain.shares)
            if not right:
                self.wrong.append((line, verdict.certain))
            return
        if line.sort in NO_GIFT:
            told = not_a_gift(seen)
            self.set_aside[told is not None and told[0] is NO_GIFT[line.sort] and not verdict.suggestions] += 1
            return
        first = verdict.suggestions[0] if verdict.suggestions else None
        if first:
            right = whose(first.shares) == whose(line.truth)
            self.suggested[line.sort, right] += 1
        if line.sort in TO_BE_FOUND and (first is None or not right):
            self.wrong.append((line, first))
        matcher.received(line.truth)

    @property
    def precision_booked(self) -> float:
        """Of lines booked by themselves, how many were booked rightly."""
        right = sum(many for (_sort, ok), many in self.booked.items() if ok)
        return right / (sum(self.booked.values()) or 1)

    @property
    def recall_booked(self) -> float:
        """Of lines with a whole code, how many were booked by themselves."""
        return sum(self.booked[sort, True] for sort in WITH_A_CODE) / (
            sum(self.many[sort] for sort in WITH_A_CODE) or 1
        )

    @property
    def precision_first(self) -> float:
        """Of first suggestions, how many name the right promises; also where nothing could be known."""
        right = sum(many for (_sort, ok), many in self.suggested.items() if ok)
        return right / (sum(self.suggested.values()) or 1)

    @property
    def recall_first(self) -> float:
        """Of gifts without a whole code that tell something, how many have the right first suggestion."""
        left = sum(self.many[sort] - self.booked[sort, True] for sort in TO_BE_FOUND)
        return sum(self.suggested[sort, True] for sort in TO_BE_FOUND) / (left or 1)


def whose(shares: Sequence[Share]) -> set[tuple[UUID, UUID | None]]:
    """For which promises."""
    return {share[:2] for share in shares}


def made_up(random: Random, sponsors: int = SPONSORS) -> tuple[list[Giver], list[Promise]]:
    """Sponsors with one to three promises each."""
    givers, promises = [], []
    kinds = (
        "Công ty TNHH {}",
        "Công ty Cổ phần {}",
        "Doanh nghiệp tư nhân {}",
        "Hợp tác xã {}",
        "Cửa hàng {}",
        "Ông {}",
        "Bà {}",
    )
    for _place in range(sponsors):
        kind = random.choice(kinds)
        person = full_name(random, random.choice(list(Sex)), random.randint(1950, 1995))
        name = kind.format(person if kind[:2] in ("Ôn", "Bà") else brand(random))
        giver = Giver(new_id(), name, person, f"+849{random.randint(10_000_000, 99_999_999)}", "")
        givers.append(giver)
        for _turn in range(random.choice((1, 1, 2, 3))):
            amount = random.choice((1, 2, 3, 5, 6, 10, 12)) * 330_000 + random.randint(0, 40) * 10_000
            promises.append(
                Promise(
                    new_id(), giver.sponsor_id, transfer_code(random.randrange(31**6)), amount, due=((LAST, amount),)
                )
            )
    return givers, promises


def brand(random: Random) -> str:
    """What a company calls itself."""
    first = (
        "Đá Xanh",
        "Hồng Phát",
        "Đại Lộc",
        "Minh Quân",
        "Sao Vàng",
        "Thành Công",
        "Phú Thịnh",
        "An Khang",
        "Tân Tiến",
    )
    second = ("Bỉm Sơn", "Thanh Hóa", "Miền Trung", "Số 1", "Gia Hưng", "Quang Minh", "Hà Trung", "Nga Sơn", "Đông Á")
    return f"{random.choice(first)} {random.choice(second)} {random.randint(1, 99) if random.random() < 0.3 else ''}".strip()


def known_payers(random: Random, givers: Sequence[Giver]) -> tuple[dict[str, Giver], Payers]:
    """Accounts from which some of them paid before."""
    known = {f"19{random.randint(10**9, 10**10)}": giver for giver in random.sample(list(givers), len(givers) // 3)}
    return known, Payers({account: {giver.sponsor_id} for account, giver in known.items()})


def quality(seed: int, lines: int = LINES, sponsors: int = SPONSORS) -> tuple[Quality, float]:
    """How the rules do on a statement of a seed, and the seconds they take."""
    random = Random(seed)
    givers, promises = made_up(random, sponsors)
    known, payers = known_payers(random, givers)
    written = Bank(random, givers, promises, known).statement(lines, FIRST, LAST)
    began = time.perf_counter()
    matcher, told = Matcher(promises, givers, payers), Quality()
    for line in written:
        told.judge(line, matcher)
    return told, time.perf_counter() - began


def through_the_database(app: Flask, lines: int = LINES) -> dict[str, float]:
    """The same through the whole program: reading the file, loading its lines, booking those with a code."""
    random = Random(HELD_OUT + 1)
    with app.app_context():
        upgrade()
        with transaction() as session:
            town_id, now = the_town(session).id, clock.at(LAST, 17)
            givers, promises = [], []
            for giver, own in _with_own(*made_up(random)):
                sponsor, _token = services.register_sponsor(
                    session,
                    town_id,
                    name=giver.name,
                    kind=SponsorKind.COMPANY,
                    contact_name=giver.contact,
                    by_id=None,
                    at=now,
                )
                givers.append(Giver(sponsor.id, giver.name, giver.contact, giver.phone))
                for one in own:
                    made = services.pledge(session, sponsor, one.expected, due=LAST, by_id=None, at=now, on=FIRST)
                    promises.append(Promise(made.id, sponsor.id, made.code, made.amount, due=((LAST, made.amount),)))
        written = Bank(random, givers, promises).statement(lines, FIRST, LAST)
        content = workbook(written, ACCOUNT, 50_000_000)
        took = {}
        for turn in ("first", "again"):
            began = time.perf_counter()
            with transaction() as session:
                account = taking_in.account_numbered(session, town_id, ACCOUNT, name="", by_id=None, at=now)
                row = taking_in.take_in(session, account, f"{turn}.xlsx", content, by_id=None, at=now)
                key = row.id
                taking_in.confirm(session, row, row.found["columns"], by_id=None, at=now)
            took[f"{turn}: read and confirmed, s"] = time.perf_counter() - began
            began, more = time.perf_counter(), True
            while more:
                with transaction() as session:
                    more = loading.step(session, town_id, key, at=now)
            took[f"{turn}: loaded, matched and booked, s"] = time.perf_counter() - began
            with transaction() as session:
                took[f"{turn}: new lines"] = session.get_one(Statement, (town_id, key)).new_lines
                took[f"{turn}: receipts in all"] = session.scalar(select(func.count()).select_from(Receipt)) or 0
                settled = select(func.count()).where(StatementLine.state == LineState.SETTLED)
                took[f"{turn}: lines settled"] = session.scalar(settled) or 0
        return took


def _with_own(givers: Sequence[Giver], promises: Sequence[Promise]) -> list[tuple[Giver, list[Promise]]]:
    return [(giver, [one for one in promises if one.sponsor_id == giver.sponsor_id]) for giver in givers]


def report(told: Quality, seconds: float, took: dict[str, float]) -> str:
    """Both, in Markdown."""
    lines = [
        "",
        "| statement of 2,000 lines | |",
        "| --- | ---: |",
        f"| booked by itself: precision | {told.precision_booked:.4f} |",
        f"| booked by itself: recall of lines with a whole code | {told.recall_booked:.4f} |",
        f"| first suggestion: precision | {told.precision_first:.3f} |",
        f"| first suggestion: recall of gifts without a whole code | {told.recall_first:.3f} |",
        f"| fees, interest and other things known as such | {told.set_aside[True] / (sum(told.set_aside.values()) or 1):.3f} |",
        f"| the rules alone, s | {seconds:.2f} |",
        *(f"| {name} | {value:,.2f} |" for name, value in took.items()),
        "",
        "| sort | lines | booked rightly | wrongly | first suggestion right | wrong |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for sort, many in told.many.most_common():
        figures = (
            told.booked[sort, True],
            told.booked[sort, False],
            told.suggested[sort, True],
            told.suggested[sort, False],
        )
        lines.append(f"| {sort.value} | {many} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)
