"""How often one may try: sign-in by address and name, the API by token. Counted by the broker, in memory without it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from http import HTTPStatus
from math import ceil
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import Limit, Limiter
from flask_limiter.util import get_remote_address

from crm.embedded.brokers import broker_urls

SIGN_IN_BY_NAME = "30 per minute"
SIGN_IN_BY_ADDRESS = "300 per minute"
API_BY_TOKEN = "6000 per minute"
WAIT = 0.5
"""Seconds to wait for the broker before counting in memory."""


def install(app: Flask) -> Limiter:
    """Count in the broker; when it is away, each process counts by itself so that people still get in."""
    redis_url = app.config["REDIS_URL"]
    limiter = Limiter(
        get_remote_address,
        default_limits=[Limit(API_BY_TOKEN, key_function=_token, exempt_when=_not_the_api)],
        storage_uri=broker_urls(redis_url).limits if redis_url else "memory://",
        storage_options={"socket_connect_timeout": WAIT, "socket_timeout": WAIT} if redis_url else {},  # type: ignore[dict-item]
        in_memory_fallback_enabled=True,
        strategy="fixed-window",
        key_prefix="ansinh",
    )
    limiter.init_app(app)

    @app.after_request
    def say_when(response: Response) -> Response:
        """How long to wait is asked of the broker only where somebody has to wait, not on every answer."""
        limit = limiter.current_limit if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else None
        if limit is not None:
            response.headers["Retry-After"] = str(max(1, ceil(limit.reset_at - time.time())))
        return response

    limiter.request_filter(lambda: not current_app.config["RATELIMIT_ENABLED"])
    app.extensions["crm.limits"] = limiter
    return limiter


def on_sign_in(app: Flask, endpoint: str, *, named: Callable[[], str]) -> None:
    """Limit the POSTs of a sign-in view, by the address they come from and by the name that is tried from there."""
    limiter: Limiter = app.extensions["crm.limits"]

    def who() -> str:
        return hashlib.sha256(f"{get_remote_address()} {named()}".encode("utf-8", "replace")).hexdigest()

    view: Any = limiter.limit(SIGN_IN_BY_NAME, key_func=who, methods=["POST"])(app.view_functions[endpoint])
    limited: Any = limiter.limit(SIGN_IN_BY_ADDRESS, methods=["POST"])(view)
    app.view_functions[endpoint] = limited


def _token() -> str:
    token = request.headers.get("Authorization")
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else get_remote_address()


def _not_the_api() -> bool:
    return not request.path.startswith("/api/")
