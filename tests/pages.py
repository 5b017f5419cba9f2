"""Every page that any test fetches is judged: valid nesting, one h1, a title that says it, labels, unique ids, tokens."""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import g, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from crm.db import db

MOST_QUERIES = 30
HARMLESS = {"expected-doctype-but-got-start-tag"}


class JudgingClient(FlaskClient):
    """A test client that refuses a page no user should get."""

    acts = 1
    """How many acts one request does, each in a transaction of its own: so many times it may ask the database."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        statements: list[str] = []
        if has_app_context():
            db.session.commit()  # what the test prepared outlives a request that is refused and rolled back
            for name in list(g):  # one app context for the whole test: what a request remembered of its person goes
                g.pop(name)

        def count(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                statements.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            response = super().open(*args, **kwargs)
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        if response.mimetype == "text/html" and response.get_data():
            faults = faults_of(response.get_data(as_text=True))
            assert not faults, f"{response.request.path}: " + "; ".join(faults)
        most = "\n".join(statement for statement, times in Counter(statements).items() if times > 3)
        assert len(statements) <= MOST_QUERIES * self.acts, (
            f"{response.request.path}: {len(statements)} queries\n{most}"
        )
        return response


def faults_of(page: str) -> list[str]:
    """What is wrong with a page, in words."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    faults = [f"line {place[0]}: {code} {data}" for place, code, data in parser.errors if code not in HARMLESS]
    headings = [text_of(heading) for heading in root.iter("h1")]
    if len(headings) != 1:
        return [*faults, f"{len(headings)} h1 elements"]
    title = text_of(next(root.iter("title")))
    if headings[0] not in title:
        faults.append(f"the title «{title}» does not say the heading «{headings[0]}»")
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    faults += [f"id {name} stands {times} times" for name, times in ids.items() if times > 1]
    labelled = {label.get("for") for label in root.iter("label")}
    inside = {id(child) for label in root.iter("label") for child in label.iter()}
    for element in root.iter():
        faults += _faults_of_element(element, labelled, inside)
    for form in root.iter("form"):
        posts = (form.get("method") or "get").lower() == "post"
        names = {field.get("name") for field in form.iter("input")}
        if posts and "csrf_token" not in names:
            faults.append(f"the form to {form.get('action')} has no token")
    return faults


def _faults_of_element(element: Element, labelled: set[str | None], inside: set[int]) -> list[str]:
    faults = []
    if element.tag in ("input", "select", "textarea") and element.get("type") not in ("hidden", "submit", "button"):
        named = element.get("aria-label") or element.get("aria-labelledby") or element.get("id") in labelled
        if not named and id(element) not in inside:
            faults.append(f"{element.tag} {element.get('name')} has no label")
    if element.get("style"):
        faults.append(f"{element.tag} has a style attribute, which the content policy forbids")
    if element.tag == "img" and element.get("alt") is None:
        faults.append(f"image {element.get('src')} has no alternative text")
    if any(name.startswith("on") for name in element.keys()):  # noqa: SIM118  ElementTree has no other way
        faults.append(f"{element.tag} has an inline handler")
    return faults


def text_of(element: Element) -> str:
    """The words inside, on one line."""
    return " ".join("".join(element.itertext()).split())
