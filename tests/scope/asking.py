"""Every address of the program, filled with ids of the small town, and asked as one of its people."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from crm.accounts.models import User
from crm.accounts.rules import May
from crm.db import db
from crm.web.guard import PUBLIC, permission_of
from tests.scope.town import AWAY, EVERYONE, SEES, SmallTown

HERE = "here"
"""Owner of what belongs to the first town and to no one person."""
PERSONAL = {
    "prospect_id": "prospect_id",
    "person_id": "prospect_id",
    "visit_id": "visit_id",
    "standing_id": "standing_id",
    "payment_id": "payment_id",
    "allocation_id": "allocation_id",
    "message_id": "message_id",
    "row_id": "row_id",
    "household_id": "household_id",
    "certificate_id": "certificate_id",
    "record_id": "record_id",
    "other_id": "prospect_id",
    "merge_id": "merge_id",
    "referral_id": "referral_id",
    "dossier_id": "dossier_id",
    "listed_id": "listed_id",
    "funding_line_id": "funding_line_id",
    "refusal_id": "refusal_id",
    "talk_id": "talk_id",
    "number": "number",
}
"""Parts of addresses that name one person or something of theirs, with the kind of id."""
OF_THE_TOWN = (
    "campaign_id",
    "approval_id",
    "template_id",
    "import_id",
    "sponsor_id",
    "same_sponsor_id",
    "sponsor_merge_id",
    "pledge_id",
    "receipt_id",
    "user_id",
    "package_id",
    "reorganisation_id",
    "place_id",
    "handover_id",
    "segment_id",
    "tag_id",
    "act_id",
    "export_id",
    "list_id",
    "dossier_list_id",
    "decree_id",
    "recorded_id",
    "registration_id",
    "asked_id",
    "paper_id",
    "proposal_id",
    "statement_id",
    "line_id",
    "bank_account_id",
    "refusal_list_id",
    "target_id",
    "sharing_id",
    "share_id",
    "commendation_id",
    "file_id",
    "results_id",
    "rule_code",
    "report_id",
    "office_template_id",
    "round_id",
    "owed_id",
    "duty_id",
    "event_id",
    "amendment_id",
    "letter_id",
    "point_id",
    "staff_id",
    "training_id",
    "token_id",
)
OPEN: dict[str, dict[str, Any]] = {
    "refusing.ask": {"token": "a link"},
    "standstill.told": {"what": "messages"},
    "refusing.withdraw": {"token": "a link"},
    "refusing.withdraw_by_square": {"token": "a link"},
    "mail.one": {"email_id": UUID(int=0)},
    "giving.registered": {"token": "none"},
    "giving.send_again": {"token": "none"},
    "giving.confirmation": {"token": "none"},
    "giving.confirm": {"token": "none"},
    "giving.pay": {"token": "none"},
    "cliff.renewal": {"token": "none"},
    "cliff.renew": {"token": "none"},
    "giving.pay_picture": {"token": "none"},
    "letters.letter": {"token": "the letter"},
    "letters.issue": {"token": "the letter"},
    "letters.publicity": {"token": "the letter"},
    "letters.paper": {"token": "the letter", "paper_id": "the paper"},
    "own_promises.promise": {"token": "the letter", "pledge_id": "the promise"},
    "own_promises.decide": {"token": "the letter", "pledge_id": "the promise"},
    "own_promises.address": {"token": "the letter"},
    "own_promises.give_up": {"token": "the letter"},
    "own_wish.wish": {"token": "the letter"},
    "own_wish.change": {"token": "the letter"},
    "everybody.verified": {"number": "the number"},
    "everybody.thanks": {"public_id": "the thanks"},
    "everybody.picture": {"public_id": "the thanks", "shape": "wide"},
    "accounts.invitation": {"key": "none"},
    "accounts.accept": {"key": "none"},
    "language": {"code": "en"},
    "static": {"filename": "favicon.svg"},
    "security.static": {"filename": "js/base64.js"},
    "households.undo": {"done": 1_571_104_800_000_000},
    "outreach.give_back": {"given": 1_571_104_800_000_000},
}
"""Addresses that open by something other than an id."""
ASKED = {
    "numbers_api.consents": "?phone=0912345678",
    "premium.premium": "?income=700000&start=2019-10&months=3",
    "benefits.benefits": "?sex=female&birth_year=1980&income=700000&start=2019-10",
}
"""What an address cannot answer without."""
IN_THEIR_OWN_TOWN = {("manager of another town", f"numbers.{page}") for page in ("show", "qr", "refuse", "agree")}
"""A town may note what any number there is said; it is the own town's note and nobody else's."""
QUIET = {"static", "security.static", "security.logout", "api-docs.openapi_json", "health.metrics"}
"""Nothing about people, the same for everyone."""
REFUSED = (401, 403, 404)


@dataclass(frozen=True)
class Address:
    """One filled address; `owner` is a person's key, HERE, AWAY, or None when anyone may open it."""

    endpoint: str
    url: str
    owner: str | None
    mixed: bool = False
    """Some of its ids are of one person and some of another."""


class Unknown(AssertionError):
    """A new address has a part for which there is no filling; add it to the tables above."""


class PlainClient(FlaskClient):
    """A browser that is not slowed down by judging pages: other tests do that."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.commit()
        for name in list(g):
            g.pop(name)
        return super().open(*args, **kwargs)


class Asker:
    """`asker.as_("volunteer").get("/people")`; `asker.addresses("GET")`."""

    def __init__(self, app: Flask, town: SmallTown) -> None:
        self.app, self.town = app, town

    def as_(self, who: str) -> Caller:
        user = self.town.users.get(who)
        return Caller(self.app, user, self.town.make.token(user) if user else None)

    # ---- addresses

    def rules(self, *methods: str) -> list[Rule]:
        """The rules that answer one of these methods."""
        return [
            rule
            for rule in self.app.url_map.iter_rules()
            if set(methods) & (rule.methods or set()) and rule.endpoint not in QUIET
        ]

    def addresses(self, *methods: str, of: Collection[str] | None = None) -> list[Address]:
        """Every address for these methods, filled in every way that matters; `of` narrows the people."""
        found = [address for rule in self.rules(*methods) for address in self._filled(rule)]
        return [one for one in found if of is None or one.owner in (None, HERE, *of)]

    def by_turns(self, who: str, *methods: str, whole: Collection[str] = ()) -> Iterator[Address]:
        """The addresses that somebody tries. Of those about people two in sight, two out of sight and two mixed ones;
        other roles and other addresses take other people. Only of the endpoints in `whole` is nobody left out."""
        nth = list(SEES).index(who)
        for endpoint, found in groupby(self.addresses(*methods), key=lambda address: address.endpoint):
            addresses, nth = list(found), nth + 1
            personal = [one for one in addresses if one.owner not in (None, HERE, AWAY)]
            yield from (one for one in addresses if one not in personal)
            kinds = [(one.mixed, self.outside(who, one.owner)) for one in personal]
            for kind in set(kinds):
                alike = [one for one, its_kind in zip(personal, kinds, strict=True) if its_kind == kind]
                few = len(alike) if endpoint in whole else min(2, len(alike))
                yield from (alike[(nth + step) % len(alike)] for step in range(few))

    def _filled(self, rule: Rule) -> Iterator[Address]:
        args = set(rule.arguments)
        if not args:
            yield Address(rule.endpoint, self._url(rule, {}) + ASKED.get(rule.endpoint, ""), None)
        elif rule.endpoint in OPEN:
            yield Address(rule.endpoint, self._url(rule, self._opened(rule.endpoint)), None)
        elif unknown := args - PERSONAL.keys() - set(OF_THE_TOWN):
            raise Unknown(f"{rule.rule}: nothing is known to fill {', '.join(sorted(unknown))} with")
        elif args & PERSONAL.keys():
            yield from self._of_people(rule, args)
        else:
            yield from self._of_towns(rule, args)

    def _of_people(self, rule: Rule, args: set[str]) -> Iterator[Address]:
        kinds = {name: PERSONAL[name] for name in args & PERSONAL.keys()}
        for key, known in self.town.people.items():
            if all(kind in known.rows for kind in kinds.values()):
                own = {name: known.rows[kind][0] for name, kind in kinds.items()}
                yield Address(rule.endpoint, self._url(rule, self._things(key) | own), key)
                if len(args) > 1 and key in ("alpha", "zeta"):
                    yield from self._mixed(rule, args, key, own)

    def _mixed(self, rule: Rule, args: set[str], key: str, own: dict[str, Any]) -> Iterator[Address]:
        """Something of this person under an address of somebody else, or of the other town."""
        for other in (AWAY, "zeta", "alpha"):
            if other == key:
                continue
            things, known = self._things(other), self.town.people[other]
            first = next(name for name in sorted(args, key=lambda name: rule.rule.index(f":{name}>")))
            swapped = {**self._things(key), **own}
            swapped[first] = known.rows["prospect_id"][0] if first in PERSONAL else things[first]
            if first in PERSONAL or (other == AWAY) != (key == AWAY):
                yield Address(rule.endpoint, self._url(rule, swapped), key, mixed=True)

    def _of_towns(self, rule: Rule, args: set[str]) -> Iterator[Address]:
        for owner, key in ((HERE, "alpha"), (AWAY, AWAY)):
            yield Address(rule.endpoint, self._url(rule, self._things(key)), owner)
        if "campaign_id" in args:
            running = {**self._things("alpha"), "campaign_id": self.town.drafts["running"].id}
            yield Address(rule.endpoint, self._url(rule, running), HERE)
        if "import_id" in args:
            yield Address(rule.endpoint, self._url(rule, {"import_id": self.town.lists["ward"].id}), HERE)

    def _things(self, key: str) -> dict[str, Any]:
        """What belongs to a person's town."""
        town = self.town
        if key == AWAY:
            return {name: town.other[name] for name in OF_THE_TOWN}
        return {
            **town.kept,
            **town.campaigning,
            "campaign_id": town.drafts["draft"].id,
            "import_id": town.lists["office"].id,
            "sponsor_id": town.sponsor.id,
            **town.doubled,
            "pledge_id": town.pledge_id,
            "registration_id": town.registration_id,
            "receipt_id": town.receipt_id,
            "asked_id": town.asked_id,
            "paper_id": town.paper.id,
            "user_id": town.users["volunteer"].id,
            "package_id": town.package.id,
            "list_id": town.referred.id,
            "dossier_list_id": town.gathered.id,
            **town.wards_changed,
            **town.law_changed,
            **town.proposed,
            **town.banked,
            **town.reported,
        }

    def _opened(self, endpoint: str) -> dict[str, Any]:
        town = self.town
        known = {
            "a link": town.people["zeta"].rows["token"][0],
            "the letter": town.letter,
            "the paper": town.paper.id,
            "the promise": town.pledge_id,
            "the number": town.paper.number,
            "the thanks": town.thanks,
        }
        return {name: known.get(str(value), value) for name, value in OPEN[endpoint].items()}

    def _url(self, rule: Rule, values: dict[str, Any]) -> str:
        built = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)
        assert built is not None, rule
        return built[1]

    # ---- what may be shown

    def may_open(self, who: str, endpoint: str, method: str, but: Collection[str] = ()) -> bool:
        """Whether the role as such may use an address, by a permission that is none of `but`."""
        user, needed = self.town.users.get(who), permission_of(self.app, endpoint, method)
        if user is None or needed is None or needed == PUBLIC or needed in but:
            return False
        return user.may(May(needed))

    @staticmethod
    def outside(who: str, owner: str | None) -> bool:
        """Whether this is out of their sight."""
        if owner is None:
            return False
        if owner == HERE:
            return who.endswith("another town")
        return owner not in SEES[who]

    def leaks(self, who: str, answer: TestResponse, asked: str) -> list[str]:
        """What an answer says of people out of sight. What the caller wrote in the address is no news to them."""
        text = text_of(answer).lower()
        digits, found = re.sub(r"\D", "", text), []
        for key in (EVERYONE | {AWAY}) - SEES[who]:
            known = self.town.people[key]
            told = [known.word] if known.word.lower() in text else []
            written = re.sub(r"\D", "", asked)
            told += [one for one in (known.digits, known.citizen) if one in digits and one not in written]
            told += [one for one in known.ids if one in text and one not in asked]
            if told:
                found.append(f"{asked} as {who} tells {', '.join(told)} of {key}")
        return found


class Caller:
    """One person's browser and programs; which of them is used follows from the address."""

    def __init__(self, app: Flask, user: User | None, token: str | None) -> None:
        self.user, self.headers = user, {"Authorization": f"Bearer {token}"} if token else {}
        self.browser = PlainClient(app, app.response_class)
        if user:
            with self.browser.session_transaction() as cookie:
                cookie["_user_id"] = user.fs_uniquifier
                cookie["_fresh"] = True

    def get(self, url: str) -> TestResponse:
        return self.browser.get(url, headers=self._headers(url))

    def send(self, method: str, url: str, sent: dict[str, Any] | None = None) -> TestResponse:
        """A form to a page, JSON to the API."""
        headers = self._headers(url) | ({"If-Match": "*"} if method == "PATCH" else {})
        way = "json" if url.startswith("/api/") and "import" not in url else "data"
        return self.browser.open(url, method=method, headers=headers, **{way: sent or {}})

    def _headers(self, url: str) -> dict[str, str]:
        return self.headers if url.startswith("/api/") else {}


def refused(answer: TestResponse) -> bool:
    """No, or «sign in first»."""
    sent_away = answer.status_code == 302 and answer.location.startswith("/sign-in")
    return answer.status_code in REFUSED or sent_away


def text_of(answer: TestResponse) -> str:
    """Everything an answer says: its address to go to, its text, and the parts of a workbook."""
    content = answer.get_data()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b" ".join(packed.read(name) for name in packed.namelist())
    return f"{answer.headers.get('Location', '')} {content.decode('utf-8', 'replace')}"
