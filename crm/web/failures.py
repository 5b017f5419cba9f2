"""What a person sees when something cannot be done: a plain sentence, never a traceback."""

from __future__ import annotations

import structlog
from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, ServiceUnavailable

from crm.errors import NotFound as NoSuchThing
from crm.errors import RuleBroken
from crm.web import problems

log = structlog.get_logger(__name__)


def _answer(error: HTTPException, sentence: str | None = None) -> ResponseReturnValue:
    code = error.code or 500
    if request.path.startswith("/api/"):
        return problems.problem(code, detail=sentence, headers=dict(error.get_headers()))
    if request.path.startswith("/webhooks/"):
        return jsonify(error=error.name), code
    return render_template("errors/error.html", code=code, sentence=sentence), code


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
        return render_template("errors/error.html", code=422, sentence=str(error.message)), 422

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(RedisError)
    def unreachable(error: Exception) -> ResponseReturnValue:
        log.error("service unreachable", error=type(error).__name__)
        return _answer(
            ServiceUnavailable(),
            _("The program cannot reach its database just now. Nothing was saved; please try again in a minute."),
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.exception("unexpected failure", path=request.path)
        return _answer(InternalServerError())
