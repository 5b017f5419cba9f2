"""The database stops while someone works: nothing half done, and it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.bad_input.test_twice import WHAT, acts
from tests.scope.asking import Asker
from tests.scope.test_acting import changed, fingerprint

WRITING = re.compile(r"\s*(insert|update|delete|select nextval)\b", re.IGNORECASE)
ANYTHING = re.compile(r"\s*(?!rollback|savepoint|release)", re.IGNORECASE)


@contextmanager
def stopped(at: re.Pattern[str]) -> Iterator[list[str]]:
    """The server goes away at the first statement of a kind; answers what it was that failed."""
    failed: list[str] = []

    def fail(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if at.match(statement):
            failed.append(statement)
            raise OperationalError(statement, {}, OSError("the server closed the connection"))

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield failed
    finally:
        event.remove(Engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(("language", "sentence"), [("vi", "chưa lưu"), ("en", "Nothing was saved")])
def test_every_page_says_that_the_database_is_away(asker: Asker, language: str, sentence: str) -> None:
    caller = asker.as_("admin")
    with caller.browser.session_transaction() as kept:
        kept["language"] = language
    caller.headers["Accept-Language"] = language
    for address in asker.addresses("GET", of=("alpha",)):
        if address.endpoint.startswith("health."):
            continue
        with stopped(ANYTHING) as failed:
            answer = caller.get(address.url)
        if not failed:
            continue
        assert answer.status_code == 503, address.url
        assert answer.headers["Retry-After"], address.url
        said = answer.json["detail"] if answer.mimetype == "application/problem+json" else answer.text  # type: ignore[index]
        assert sentence.lower() in said.lower(), (address.url, said)
        assert "OSError" not in answer.text, address.url
        if address.url.startswith("/api/"):
            assert answer.mimetype == "application/problem+json", address.url


@pytest.mark.parametrize("what", WHAT)
def test_an_act_cut_short_leaves_nothing_and_can_be_sent_again(asker: Asker, session: Session, what: str) -> None:
    who, url, body = acts(asker)[what]
    for key in ("alpha", "beta"):
        asker.town.people[key].row.volunteer_id = asker.town.users["agent"].id
    caller, before = asker.as_(who), fingerprint(session)
    with stopped(WRITING) as failed:
        answer = caller.send("POST", url, body)
    assert failed
    assert answer.status_code == 503, answer.get_data(as_text=True)
    assert (answer.mimetype == "application/problem+json") == url.startswith("/api/")
    assert changed(before, fingerprint(session)) == []
    assert caller.send("POST", url, body).status_code < 400
