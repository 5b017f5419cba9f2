"""Whatever is typed or put into an address gets an answer in words, never a breakdown."""

from __future__ import annotations

import html
import re
import zlib
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.bad_input.sending import CHANGING, Sender
from tests.scope.asking import Address, Asker, Caller
from tests.scope.test_acting import sent

SCRIPT = "<script>alert(1)</script>"
ODD = f"{SCRIPT} ' or 1=1; -- %s %(name)s {{0.__class__}} ../../etc/passwd"
VALUES: dict[str, str] = {
    "empty": "",
    "spaces": "  \u00a0\t\n ",
    "long": "ă" * 10_000,
    "emoji": "👩‍👩‍👧 🏳️‍🌈",
    "nul": "a\x00b",
    "lone surrogate": "a\ud800b",
    "no such day": "31/02/2019",
    "the first day there is": "0001-01-01",
    "the last day there is": "9999-12-31",
    "negative": "-1",
    "many digits": "1" * 5_000,
    "just beyond 64 bits": str(2**63),
    "nan": "NaN",
    "other digits": "٣²",
    "wrong uuid": "00000000-0000-0000-0000-00000000000g",
    "unknown uuid": "5f0c2f5e-7d7c-4d0e-8a52-111111111111",
    "markup": ODD,
}
MOVED = (302, 303)
TRACES = re.compile(r"traceback \(most recent|site-packages|(?<![\w.-])(sqlalchemy|psycopg|werkzeug|jinja2)\.[a-z_]{3}")
"""What a fault would tell. A module stands at the beginning of a word with a part of it after a dot: no token of letters
drawn by chance, inside which `jinja2` comes up now and then, looks like this."""


def traces(text: str) -> set[str]:
    """What a text tells of the program's inside."""
    return {found.group() for found in TRACES.finditer(text.lower())}


def test_what_a_fault_tells_is_found_and_a_token_is_none() -> None:
    told = "sqlalchemy.exc.DataError: (psycopg.errors.NumericValueOutOfRange) integer out of range"
    assert traces(told) == {"sqlalchemy.exc", "psycopg.err"}
    assert traces("jinja2.exceptions.UndefinedError: 'x' is undefined") == {"jinja2.exc"}
    assert traces('File "/opt/lib/python3.11/site-packages/x.py", line 3') == {"site-packages"}
    assert not traces('<input value="IjE3NGJjJinja2xA.Zx9-jinja2.kQ_psycopg.abc">')


def faults(answer: TestResponse, what: str) -> list[str]:
    """What no answer may be."""
    text, found = answer.get_data().decode("utf-8", "replace"), []  # some answers are workbooks
    if answer.status_code >= 500:
        found.append(f"{what}: {answer.status_code}")
    found += [f"{what} tells of {trace}" for trace in traces(text)]
    if SCRIPT in text and answer.mimetype == "text/html":
        found.append(f"{what}: markup comes back as markup")
    page = answer.mimetype == "text/html" and answer.status_code not in MOVED
    if page and 'lang="vi"' not in text:
        found.append(f"{what} is not in the reader's language")
    if answer.status_code >= 400 and answer.mimetype == "application/problem+json":
        told = answer.json or {}
        found += [] if told.get("detail") or told.get("errors") else [f"{what} says nothing"]
    return found


ALONE, TOGETHER, IN_A_GOOD_FORM = 9, 3, 3
"""A field gets each ninth value alone, all fields of an address each third one together, one field of a good form each
third one; other fields and other addresses get the other values."""


def _its_turn(turns: int, named: str, *where: str) -> bool:
    return (zlib.crc32(" ".join(where).encode()) + list(VALUES).index(named)) % turns == 0


@pytest.mark.parametrize("named", VALUES)
def test_any_value_in_an_address_is_answered(asker: Asker, sender: Sender, named: str) -> None:
    caller, told = asker.as_("admin"), list[str]()
    for method, address in sender.addresses("GET"):
        names = sender.fields(caller, method, address)
        tries = [[(name, VALUES[named])] for name in names if _its_turn(ALONE, named, address.endpoint, name)]
        if _its_turn(TOGETHER, named, address.endpoint):
            tries.append([(name, VALUES[named]) for name in names])
        for pairs in tries:
            what = f"GET {address.url}?{','.join(name for name, _ in pairs)}={named}"
            told += faults(sender.send(caller, method, address, pairs), what)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("named", VALUES)
def test_any_value_in_every_field_of_a_form_is_answered(asker: Asker, sender: Sender, named: str) -> None:
    caller, told = asker.as_("admin"), list[str]()
    for method, address in sender.addresses(*CHANGING):
        names = sender.fields(caller, method, address)
        if not _its_turn(TOGETHER, named, address.endpoint):
            continue
        answer = sender.send(caller, method, address, [(name, VALUES[named]) for name in names])
        told += faults(answer, f"{method} {address.url} {named}")
    assert not told, "\n".join(told)


def earnest(asker: Asker) -> dict[str, tuple[str, dict[str, Any]]]:
    """Forms filled in as they should be, with an address they go to."""
    town = asker.town
    ward, alpha, beta = str(town.wards[0].id), town.people["alpha"].row, town.people["beta"].row
    sponsor, draft = town.sponsor.id, town.drafts["draft"].id
    return {
        "new person": ("/people/new", {"full_name": "Lê Văn Mới", "place": ward, "ground": "poor", "channel": "paper"}),
        "correction": (f"/people/{alpha.id}/edit", sent(town, "prospects.change", "alpha")),
        "ground": (f"/people/{alpha.id}/grounds", sent(town, "prospects.add_ground", "alpha")),
        "consent": (f"/people/{alpha.id}/consent", sent(town, "prospects.answer", "alpha")),
        "visit": (f"/people/{alpha.id}/visit", sent(town, "outreach.save", "alpha")),
        "joining": (f"/people/{alpha.id}/enrol", sent(town, "participation.enrol", "alpha")),
        "payment": (f"/people/{beta.id}/pay", sent(town, "participation.pay", "beta")),
        "stopping": (f"/people/{beta.id}/stop", sent(town, "participation.stop", "beta")),
        "assignment": ("/assign", {"people": str(alpha.id), "first": "", "volunteer": str(town.users["agent"].id)}),
        "promise": (f"/sponsors/{sponsor}/pledge", {"amount": "5000000", "due": "2019-12-01", "note": "x"}),
        "receipt": (
            f"/sponsors/{sponsor}/receipt",
            {"amount": "5000000", "received_on": "2019-10-14", "reference": "FT9", "pledge": ""},
        ),
        "allocation": (f"/sponsors/{sponsor}/help/{alpha.id}", sent(town, "sponsors.allocate", "alpha")),
        "campaign": ("/campaigns/new", {"name": "Mời", "purpose": "promotion", "place": ward, "list": ""}),
        "campaign's text": (f"/campaigns/{draft}/what", {"text": "Mời {ten}", "accented": "y", "template": ""}),
        "campaign's time": (f"/campaigns/{draft}/when", WHEN),
        "template": ("/message-templates/new", {"name": "Mời", "text": "Mời {ten}", "purpose": "promotion"}),
        "registration": (f"/message-templates/{town.campaigning['template_id']}/registrations", TOLD),
        "settings of messages": ("/messages/settings", SETTINGS),
        "account": ("/accounts/new", {"full_name": "Trần Thị Mới", "identity": "moi@example.vn", "role": "volunteer"}),
    }


LIMITS = {"budget": "500000", "control_percent": "10", "follow_days": "30"}
WHEN = {"begins": "later", "day": "2019-10-16", "time": "10:00", "last_day": "2019-10-18", **LIMITS}
TOLD = {"state": "approved", "sender": "ANSINH", "on": "2019-10-14", "number": "42", "words": "x"}
MONEY = {"month_budget": "5000000", "approve_messages": "100", "approve_cost": "100000"}
SETTINGS = {"opens": "08:00", "closes": "20:00", "price": "750", "sender": "ANSINH", **MONEY}


FORMS = (
    "new person",
    "correction",
    "ground",
    "consent",
    "visit",
    "joining",
    "payment",
    "stopping",
    "assignment",
    "promise",
    "receipt",
    "allocation",
    "campaign",
    "campaign's text",
    "campaign's time",
    "template",
    "registration",
    "settings of messages",
    "account",
)


@pytest.mark.parametrize("form", FORMS)
def test_one_bad_field_of_a_good_form_is_answered(asker: Asker, sender: Sender, form: str) -> None:
    caller, told = asker.as_("admin"), list[str]()
    url, body = earnest(asker)[form]
    for name in body:
        for named, value in VALUES.items():
            if not _its_turn(IN_A_GOOD_FORM, named, form, name):
                continue
            pairs = [(key, value if key == name else str(good)) for key, good in body.items()]
            told += faults(sender.send(caller, "POST", Address(form, url, None), pairs), f"{form}: {name} is {named}")
        missing = [(key, str(good)) for key, good in body.items() if key != name]
        told += faults(sender.send(caller, "POST", Address(form, url, None), missing), f"{form}: no {name}")
        many = [(key, str(good)) for key, good in body.items() for _ in range(3)] + [(f"{name}[]", "x")]
        told += faults(sender.send(caller, "POST", Address(form, url, None), many), f"{form}: {name} three times")
    assert not told, "\n".join(told)


# ---- the language of what is refused

VIETNAMESE = re.compile(r"[À-ỹ]")
SAID = re.compile(r'class="(?:field-error|error-summary)".*?</(?:p|div)>', re.DOTALL)
TAGS = re.compile(r"<[^>]+>")


def sentences(page: str) -> list[str]:
    """What a page says is wrong, without labels and markup."""
    return [html.unescape(TAGS.sub(" ", found)).split(">", 1)[-1].strip() for found in SAID.findall(page)]


def in_language(asker: Asker, caller: Caller, language: str) -> None:
    """The person reads the program in this language."""
    with caller.browser.session_transaction() as kept:
        kept["language"] = language


@pytest.mark.parametrize("language", ["vi", "en"])
def test_refusals_are_said_in_the_readers_language(asker: Asker, sender: Sender, language: str) -> None:
    caller, wrong, said = asker.as_("admin"), list[str](), 0
    in_language(asker, caller, language)
    for form, (url, body) in earnest(asker).items():
        for value in ("", "no-such-thing", "31/02/2019"):
            address = Address(form, url, None)
            page = sender.send(caller, "POST", address, [(name, value) for name in body]).get_data(as_text=True)
            assert f'lang="{language}"' in page or "Redirecting" in page, form
            for sentence in sentences(page):
                said += 1
                vietnamese = bool(VIETNAMESE.search(sentence.replace("whole đồng", "")))
                if vietnamese != (language == "vi"):
                    wrong.append(f"{form}: {sentence}")
    assert said > 20
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_not_there_is_said_in_the_readers_language(asker: Asker, language: str) -> None:
    caller = asker.as_("admin")
    in_language(asker, caller, language)
    caller.headers["Accept-Language"] = language
    for url in (f"/people/{uuid4()}", "/no/such/page", f"/campaigns/{uuid4()}"):
        page = caller.get(url)
        assert page.status_code == 404
        words = html.unescape(TAGS.sub(" ", page.text.split("<h1>")[1].split("</h1>")[0]))
        assert bool(VIETNAMESE.search(words)) == (language == "vi"), words
    told = caller.send("POST", "/api/v1/visits", {"client_id": "x"}).json
    assert told is not None
    assert bool(VIETNAMESE.search(told["detail"])) == (language == "vi"), told
    for error in told["errors"]:
        assert bool(VIETNAMESE.search(error["message"])) == (language == "vi"), error


BODIES = ['{"', "[]", "null", "1", '"x"', "[" * 2000, '{"a": NaN}', '{"full_name": [1], "place": {"a": 1}}', "\xff"]


@pytest.mark.parametrize("body", BODIES)
def test_any_body_sent_to_the_api_is_answered(app: Flask, asker: Asker, sender: Sender, body: str) -> None:
    caller, told = asker.as_("admin"), list[str]()
    for method, address in sender.addresses(*CHANGING):
        if address.url.startswith("/api/"):
            headers = caller.headers | {"If-Match": "*"}
            answer = caller.browser.open(
                address.url, method=method, data=body, content_type="application/json", headers=headers
            )
            told += faults(answer, f"{method} {address.url}")
            if answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json", address.url
    assert not told, "\n".join(told)
