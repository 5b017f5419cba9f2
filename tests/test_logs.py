"""What is logged of a failure, and what is not."""

from __future__ import annotations

import json

import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crm import logs

SECRET = "Nguyễn Thị Kín"


@pytest.mark.parametrize("production", [True, False])
def test_a_failure_is_logged_with_its_place_and_without_the_values_there(
    app: Flask, production: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(production=production)
    name = SECRET
    try:
        raise ValueError("not a day")
    except ValueError:
        structlog.get_logger("crm.some").exception("unexpected", path="/people/<uuid>")
    told = capsys.readouterr().out
    assert "ValueError: not a day" in told
    assert "test_logs.py" in told
    assert name not in told
    if production:
        line = json.loads(told)
        assert (line["event"], line["level"], line["path"]) == ("unexpected", "error", "/people/<uuid>")


def test_a_statement_that_fails_does_not_tell_what_it_was_asked_with(session: Session) -> None:
    with pytest.raises(SQLAlchemyError) as refused, session.begin_nested():
        session.execute(text("select no_such_column from town where name = :name"), {"name": SECRET})
    assert SECRET not in str(refused.value)
