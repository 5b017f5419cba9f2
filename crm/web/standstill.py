"""Whoever waits on a page is told when nothing goes on, and what to start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from flask_babel import lazy_gettext as _l

from crm import pulse
from crm.pulse import Ages, Standstill
from crm.web.guard import public

bp = Blueprint("standstill", __name__)

WORDS: Mapping[Standstill, Any] = {
    Standstill.NO_BROKER: _l(
        "Nothing goes on: the queue (Valkey or Redis) does not answer. Whoever looks after the computer starts it again, "
        "or runs `crm up`."
    ),
    Standstill.NO_SENDER: _l(
        "No message is being sent: the program that sends them does not run. Whoever looks after the computer starts it "
        "with `crm up`, or with `crm worker`. Nothing is lost meanwhile."
    ),
    Standstill.NOT_LOOKED: _l(
        "No message is being sent: nobody has looked for messages for more than a minute. Whoever looks after the computer "
        "starts `crm up` again, or `crm beat`. Nothing is lost meanwhile."
    ),
    Standstill.NO_WORKER: _l(
        "The work stands still: the program that does it does not run. Whoever looks after the computer starts it with "
        "`crm up`, or with `crm worker`. Nothing is lost meanwhile."
    ),
}
WAITED_FOR: Mapping[str, Callable[[Ages | None], Standstill | None]] = {
    "messages": pulse.of_messages,
    "work": pulse.of_work,
}


def standstill(what: str) -> Any:
    """Why nothing of `messages` or `work` goes on, in words; None while it does."""
    why = WAITED_FOR[what](pulse.ages(current_app.config["REDIS_URL"]))
    return WORDS[why] if why else None


@bp.get("/standstill")
@public
def told() -> Response:
    """The same for a page that waits `?of=messages` or `work`: `{"words": …}`, empty while all goes on. It tells nothing
    about anybody."""
    what = request.args.get("of", "work")
    if what not in WAITED_FOR:
        abort(404)
    return jsonify(words=str(standstill(what) or ""))


def install(app: Flask) -> None:
    """Let templates ask, and pages that wait."""
    app.jinja_env.globals["standstill"] = standstill
    app.register_blueprint(bp)
