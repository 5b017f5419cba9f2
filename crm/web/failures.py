"""What a person sees when something cannot be done: a plain sentence, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import (
    Conflict,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    UnprocessableEntity,
)

from crm.db import session
from crm.errors import NotFound as NoSuchThing
from crm.errors import RuleBroken
from crm.web import problems
from crm.web.language import chosen

log = structlog.get_logger(__name__)

TOO_BUSY = ("40", "55", "57014")
"""SQLSTATE of a deadlock, of a lock not had in time, of a statement stopped for taking too long."""
LOST_A_RACE = ("23505", "23P01")
"""SQLSTATE of a unique or an exclusion constraint."""


def _answer(error: HTTPException, sentence: str | None = None) -> ResponseReturnValue:
    code = error.code or 500
    if request.path.startswith("/api/"):
        return problems.failure(error, sentence)
    if request.path.startswith("/webhooks/"):
        return jsonify(error=error.name), code
    page = _plain_page(code, sentence) if code >= HTTPStatus.INTERNAL_SERVER_ERROR else _page(code, sentence)
    kept = {name: value for name, value in error.get_headers() if name.lower() in problems.KEPT_HEADERS}
    return page, code, kept


def _page(code: int, sentence: str | None) -> str:
    return render_template("errors/error.html", code=code, sentence=sentence)


def _plain_page(code: int, sentence: str | None) -> str:
    """The page without what every other page knows of its reader: that would ask the database, which may be the failure."""
    template = current_app.jinja_env.get_template("errors/error.html")
    return template.render(code=code, sentence=sentence, locale=chosen())


def _state(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _pattern() -> str:
    """The address as the program knows it, "/s/<token>": what opens a page stands in no log."""
    return request.url_rule.rule if request.url_rule else "unknown"


def install(app: Flask) -> None:
    """Answer every failure in the form the caller asked for."""

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None:
            return error.response
        return _answer(error)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> ResponseReturnValue:
        return _answer(
            error, _("This form is too old or did not come from this program. Open the page again and retry.")
        )

    @app.errorhandler(NoSuchThing)
    def missing(error: NoSuchThing) -> ResponseReturnValue:
        return _answer(NotFound())

    @app.errorhandler(RuleBroken)
    def refused(error: RuleBroken) -> ResponseReturnValue:
        if request.path.startswith("/api/"):
            return problems.refusal(error)
        return _page(422, str(error.message)), 422

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(RedisError)
    def unreachable(error: Exception) -> ResponseReturnValue:
        log.error("service unreachable", error=type(error).__name__, state=_state(error))
        if _state(error).startswith(TOO_BUSY):
            return _answer(
                ServiceUnavailable(retry_after=2),
                _("Too much is happening at once. Nothing was saved; please try again."),
            )
        return _answer(
            ServiceUnavailable(retry_after=30),
            _("The program cannot reach its database just now. Nothing was saved; please try again in a minute."),
        )

    @app.errorhandler(DataError)
    def impossible(error: DataError) -> ResponseReturnValue:
        return _rolled_back(error, UnprocessableEntity(), _("A number or a date is out of the range that can be kept."))

    @app.errorhandler(IntegrityError)
    def contradicted(error: IntegrityError) -> ResponseReturnValue:
        if _state(error) not in LOST_A_RACE:
            return unexpected(error)
        sentence = _("Somebody saved the same thing at the same moment. Open the page again to see it.")
        return _rolled_back(error, Conflict(), sentence)

    def _rolled_back(error: DBAPIError, answer: HTTPException, sentence: str) -> ResponseReturnValue:
        log.warning("refused by the database", state=_state(error), address=_pattern())
        session().rollback()
        return _answer(answer, sentence)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.exception("unexpected failure", address=_pattern())
        if isinstance(error, DBAPIError):
            session().rollback()
        return _answer(InternalServerError())
