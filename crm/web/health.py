"""What a watchman or a load balancer asks: is the process alive, can it work, how much has it done."""

from __future__ import annotations

import os
import time
from collections import Counter
from ipaddress import ip_address, ip_network

from flask import Blueprint, Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crm import pulse
from crm.db import db, session
from crm.embedded.brokers import broker_urls
from crm.web.guard import public

bp = Blueprint("health", __name__)
WAIT = 2.0
STARTED = time.monotonic()
_answers: Counter[tuple[str, int]] = Counter()


@bp.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers: always 200, for it lives; beside it whether messages and long work go on, else why not
    (`no_broker`, `no_sender`, `not_looked`, `no_worker`). The database is not asked."""
    told = pulse.ages(current_app.config["REDIS_URL"])
    return {"status": "ok", "messages": pulse.of_messages(told) or "ok", "work": pulse.of_work(told) or "ok"}


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """The database and the broker answer too; else 503 and which does not."""
    found = {"database": _database_answers(), "broker": _broker_answers(current_app.config["REDIS_URL"])}
    parts = {name: "ok" if answers else "unreachable" for name, answers in found.items()}
    well = all(found.values())
    return {"status": "ok" if well else "unavailable", **parts}, 200 if well else 503


def _database_answers() -> bool:
    try:
        session().execute(text("select 1"))
    except SQLAlchemyError:
        session().rollback()
        return False
    return True


def _broker_answers(redis_url: str) -> bool:
    if not redis_url:
        return False
    try:
        with Redis.from_url(
            broker_urls(redis_url).redis_py, socket_connect_timeout=WAIT, socket_timeout=WAIT
        ) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Numbers of this process in Prometheus' text form, for the addresses named in METRICS_ADDRESSES only."""
    if not _may_measure(request.remote_addr or "", current_app.config["SETTINGS"].metrics_addresses):
        abort(404)
    return Response("\n".join(_lines()) + "\n", mimetype="text/plain; version=0.0.4")


def _may_measure(address: str, allowed: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(one, strict=False) for one in allowed)
    except ValueError:
        return False


def _lines() -> list[str]:
    process = f'process="{os.getpid()}"'
    answers = [
        f'ansinh_answers_total{{{process},method="{method}",status="{status}"}} {count}'
        for (method, status), count in sorted(_answers.items())
    ]
    return [
        "# HELP ansinh_up_seconds How long this process has run.",
        "# TYPE ansinh_up_seconds gauge",
        f"ansinh_up_seconds{{{process}}} {time.monotonic() - STARTED:.0f}",
        "# HELP ansinh_database_connections Connections of this process in use.",
        "# TYPE ansinh_database_connections gauge",
        f"ansinh_database_connections{{{process}}} {_connections_in_use()}",
        "# HELP ansinh_answers_total Requests answered by this process.",
        "# TYPE ansinh_answers_total counter",
        *answers,
        *_signs(),
    ]


def _signs() -> list[str]:
    told = pulse.ages(current_app.config["REDIS_URL"]) or {}
    return [
        "# HELP ansinh_sign_age_seconds How long ago a background program gave its sign of life.",
        "# TYPE ansinh_sign_age_seconds gauge",
        *(f'ansinh_sign_age_seconds{{sign="{sign}"}} {age:.0f}' for sign, age in told.items() if age is not None),
    ]


def _connections_in_use() -> int:
    checked_out = getattr(db.engine.engine.pool, "checkedout", None)
    return int(checked_out()) if checked_out else 0


def install(app: Flask) -> None:
    """Mount the three addresses and count what is answered."""

    @app.after_request
    def count(response: Response) -> Response:
        _answers[request.method if request.method in ("GET", "POST") else "other", response.status_code] += 1
        return response

    app.register_blueprint(bp)
