"""The description is true: whatever is sent by it is answered as it says, and never with a failure of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
import schemathesis
from flask import Flask, g
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.db import db
from tests.bare import bare
from tests.factories import Make

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=7,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def every_call() -> list[tuple[str, str]]:
    """`(path, method)` of all that is described. Nothing is asked of a database for that."""
    paths = bare().extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()["paths"]
    return [(path, method) for path, calls in paths.items() for method in calls if method != "parameters"]


@pytest.fixture(scope="module")
def described(_app: Flask) -> Any:
    """The description as a program reads it; read once, for it takes longer than to ask by it."""

    def program(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        for name in list(g):  # one app context for the whole test: each request forgets the one before
            g.pop(name)
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # nothing unpacks on this way
        return _app(environ, start_response)

    with _app.app_context():
        return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", program)


@pytest.fixture
def token(make: Make) -> str:
    made = make.token(make.user(Role.MANAGER), "identity:read")
    db.session.commit()
    return made


def rows_named_in(path: str, session: Session) -> Iterator[tuple[str, str]]:
    """For `/things/{thing_id}`: the name of the parameter and the id of a thing that exists, where there is one."""
    parts = path.strip("/").split("/")
    for before, part in pairwise(parts):
        table = db.metadata.tables.get(before.rstrip("s").replace("-", "_"))
        if part.startswith("{") and table is not None and "id" in table.c:
            found = session.scalar(select(table.c.id).order_by(func.random()).limit(1))
            if found:
                yield part.strip("{}"), str(found)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), every_call())
def test_the_program_answers_as_it_says(
    described: Any, token: str, make: Make, session: Session, path: str, method: str, mode: Any
) -> None:
    make.prospect(phone=make.phone())

    @BOUNDED
    @given(case=described[path][method].as_strategy(generation_mode=mode), known=booleans())
    def ask(case: Any, known: bool) -> None:
        session.commit()
        if known:
            case.path_parameters = dict(case.path_parameters or {}) | dict(rows_named_in(path, session))
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    with suppress(Unsatisfiable):  # some calls leave nothing to get wrong
        ask()
