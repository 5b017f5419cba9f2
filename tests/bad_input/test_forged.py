"""A form that did not come from one of our pages is not acted on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.bad_input.sending import CHANGING
from tests.scope.asking import Asker
from tests.scope.test_acting import changed, fingerprint, sent

OTHERWISE_PROVED = ("/api/", "/webhooks/", "/o/")
"""By a bearer token, by the carrier's signature, by an address that only the reader of a message has."""
SENTENCES = {
    "vi": "Trang này đã cũ hoặc không phải của chương trình.",
    "en": "This form is too old or did not come from this program.",
}


@pytest.fixture
def guarded(app: Flask) -> Iterator[Flask]:
    """The program as people use it: forms carry a token."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize("token", [None, "", "forged", "IjEyMyI.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb", "\x00"])
def test_a_form_without_its_token_changes_nothing(
    guarded: Flask, asker: Asker, session: Session, token: str | None
) -> None:
    caller, before, asked = asker.as_("admin"), fingerprint(session), 0
    for address in asker.addresses(*CHANGING, of=("alpha", "beta")):
        if address.url.startswith(OTHERWISE_PROVED) or address.mixed:
            continue
        body = sent(asker.town, address.endpoint, address.owner) if address.owner in ("alpha", "beta") else {}
        answer = caller.send("POST", address.url, body | ({"csrf_token": token} if token is not None else {}))
        assert answer.status_code == 400, address.url
        assert "<h1" in answer.text, address.url
        assert "Traceback" not in answer.text, address.url
        asked += 1
    assert asked > 30
    assert changed(before, fingerprint(session)) == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_is_said_in_the_readers_language(guarded: Flask, asker: Asker, language: str) -> None:
    caller = asker.as_("manager")
    with caller.browser.session_transaction() as kept:
        kept["language"] = language
    page = caller.send("POST", "/people/new", {"full_name": "Lê Văn Giả"}).text
    assert SENTENCES[language] in page
    assert f'lang="{language}"' in page


def test_somebody_elses_token_does_not_do(guarded: Flask, asker: Asker, session: Session) -> None:
    theirs, mine = asker.as_("volunteer"), asker.as_("manager")
    page = theirs.get("/people/new").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    before = fingerprint(session)
    body = {"full_name": "Lê Văn Giả", "place": str(asker.town.wards[0].id), "csrf_token": token}
    assert mine.send("POST", "/people/new", body).status_code == 400
    assert changed(before, fingerprint(session)) == []
