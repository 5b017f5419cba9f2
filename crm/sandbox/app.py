"""The stand-in's two faces: the carrier's interface for the SDK, and the telephones for people."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from markupsafe import Markup, escape

from crm.campaigns.rules.hours import VIETNAM
from crm.phones import pretty, read_phone
from crm.sandbox import rules
from crm.sandbox.callbacks import Postman
from crm.sandbox.rules import Trouble
from crm.sandbox.store import Kept, Store
from crm.web.language import CATALOGUES, compile_catalogues

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = "/2010-04-01/Accounts/<account>/Messages"
DATE_CONDITIONS = {
    "DateSent": "date(sent, 'unixepoch') = ?",
    "DateSent>": "sent >= ?",
    "DateSent<": "sent <= ?",
}
MOST_PER_PAGE = 1000


@dataclass(frozen=True)
class Setup:
    """How the stand-in is run. `latency` is in seconds, `rate` in messages a second; `base` is our own program."""

    store: Path | str
    account: str
    token: str
    base: str | None = None
    inbound: str | None = None
    sender: str = "AnSinh"
    latency: float = 0.0
    rate: int | None = None


def create_sandbox(setup: Setup) -> Flask:
    """The stand-in as a WSGI program, with its messenger running."""
    app = Flask(
        "crm.sandbox",
        template_folder=ROOT / "templates",
        static_folder=ROOT / "crm" / "static",
    )
    compile_catalogues()
    app.config.update(BABEL_DEFAULT_LOCALE="vi", BABEL_DOMAIN="sandbox")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app)
    store = Store(setup.store)
    postman = Postman(store, setup.token, setup.base)
    postman.start()
    app.extensions["sandbox"] = (setup, store, postman)
    _carrier(app, setup, store)
    _telephones(app, setup, store, postman)
    return app


def _carrier(app: Flask, setup: Setup, store: Store) -> None:
    """The carrier's interface."""
    taken: list[float] = []

    def too_fast(at: float) -> bool:
        taken[:] = [moment for moment in taken if moment > at - 1]
        taken.append(at)
        return setup.rate is not None and len(taken) > setup.rate

    def with_account(
        view: Callable[..., ResponseReturnValue],
    ) -> Callable[..., ResponseReturnValue]:
        def checked(account: str, **values: str) -> ResponseReturnValue:
            time.sleep(setup.latency)
            known = _same(account, setup.account) and _signed_in(setup)
            return view(account, **values) if known else _refuse(rules.AUTHENTICATE)

        checked.__name__ = view.__name__
        return checked

    @app.post(f"{MESSAGES}.json")
    @with_account
    def create(account: str) -> ResponseReturnValue:
        form, now = request.form.to_dict(), time.time()
        to = form.get("To", "")
        trouble = rules.refusal(form) or rules.REFUSED_AT_ONCE.get(to)
        trouble = trouble or (rules.unsubscribed(to) if store.has_stopped(to) else None)
        trouble = trouble or (rules.TOO_MANY if too_fast(now) else None)
        if trouble:
            return _refuse(trouble)
        kept = store.take(account, form, now)
        if to == rules.TAKEN_WITHOUT_ANSWER:
            return _broken_off()
        return kept.document(), 201

    @app.get(f"{MESSAGES}.json")
    @with_account
    def find_many(account: str) -> ResponseReturnValue:
        return _page(account, store)

    @app.get(f"{MESSAGES}/<sid>.json")
    @with_account
    def find_one(account: str, sid: str) -> ResponseReturnValue:
        kept = store.find(account, sid)
        return kept.document() if kept else _refuse(rules.not_found(request.path))

    @app.post(f"{MESSAGES}/<sid>.json")
    @with_account
    def change(account: str, sid: str) -> ResponseReturnValue:
        kept = store.find(account, sid)
        if kept is None:
            return _refuse(rules.not_found(request.path))
        if request.form.get("Status") == "canceled":
            return _refuse(Trouble(400, 30409, "Message is in an invalid state to perform this action"))
        store.blank(sid, time.time())
        return kept._replace(body="").document()

    @app.delete(f"{MESSAGES}/<sid>.json")
    @with_account
    def forget(account: str, sid: str) -> ResponseReturnValue:
        if store.find(account, sid) is None:
            return _refuse(rules.not_found(request.path))
        store.delete(sid)
        return "", 204

    @app.errorhandler(404)
    def nothing_here(error: Exception) -> ResponseReturnValue:
        if request.path.startswith("/2010-04-01/"):
            return _refuse(rules.not_found(request.path))
        return render_template("sandbox/nothing.html"), 404


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _signed_in(setup: Setup) -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    return _same(given.username or "", setup.account) and _same(given.password or "", setup.token)


def _refuse(trouble: Trouble) -> ResponseReturnValue:
    return trouble.document(), trouble.http


def _broken_off() -> Response:
    """An answer that stops in the middle, so that the other side sees a broken connection."""
    return Response(_cut_short(), 201, {"Content-Length": "1000", "Content-Type": "application/json"})


def _cut_short() -> Iterator[bytes]:
    yield b"{"
    raise ConnectionAbortedError


def _number(name: str, default: int) -> int:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() else default


def _page(account: str, store: Store) -> ResponseReturnValue:
    """A list in the carrier's shape, with the addresses of the pages beside it."""
    size = min(max(1, _number("PageSize", 50)), MOST_PER_PAGE)
    page = _number("Page", 0)
    where: dict[str, Any] = {}
    for name, column in (("To", "recipient"), ("From", "sender")):
        if request.args.get(name):
            where[f"{column} = ?"] = request.args[name]
    for name, condition in DATE_CONDITIONS.items():
        if request.args.get(name):
            where[condition] = request.args[name] if name == "DateSent" else _moment(request.args[name])
    found = store.found(account, where, size + 1, page * size)
    shown = found[:size]
    return jsonify(
        end=page * size + max(0, len(shown) - 1),
        first_page_uri=_address(0, size),
        messages=[kept.document() for kept in shown],
        next_page_uri=_address(page + 1, size, shown[-1]) if len(found) > size else None,
        page=page,
        page_size=size,
        previous_page_uri=_address(page - 1, size, shown[0] if shown else None) if page else None,
        start=page * size,
        uri=_address(page, size),
    )


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _address(page: int, size: int, beside: Kept | None = None) -> str:
    asked = {k: v for k, v in request.args.items() if k not in ("Page", "PageSize", "PageToken")}
    token = {"PageToken": f"PA{beside.sid}"} if beside else {}
    return f"{request.path}?{urlencode({**asked, 'PageSize': size, 'Page': page, **token})}"


def _telephones(app: Flask, setup: Setup, store: Store, postman: Postman) -> None:
    """The pages for people."""
    inbound = setup.inbound or (f"{setup.base.rstrip('/')}/webhooks/twilio/inbound" if setup.base else None)
    app.add_template_filter(pretty, "phone")
    app.add_template_filter(_clock, "clock")
    app.add_template_filter(_with_links, "with_links")

    @app.get("/")
    @app.get("/phone")
    def phones() -> ResponseReturnValue:
        wanted = read_phone(request.args.get("number", "")).mobile
        if wanted:
            return redirect(f"/phone/{wanted}")
        return render_template("sandbox/phones.html", phones=store.phones())

    @app.get("/phone/<number>")
    def phone(number: str) -> ResponseReturnValue:
        _known(number)
        talk = store.conversation(number)
        return render_template(
            "sandbox/phone.html",
            number=number,
            messages=talk,
            stopped=store.has_stopped(number),
        )

    @app.post("/phone/<number>")
    def answer(number: str) -> ResponseReturnValue:
        _known(number)
        body = request.form.get("body", "").strip()
        came_from = urlsplit(request.headers.get("Origin", ""))
        if came_from.netloc and came_from.netloc != request.host:
            abort(403)
        if body:
            message = store.receive(setup.account, number, setup.sender, body[: rules.LONGEST], time.time())
            for text in postman.inbound(message, inbound) if inbound else ():
                store.reply(setup.account, setup.sender, number, text, time.time(), to=message)
        return redirect(f"/phone/{number}#end", 303)

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return "ok\n"

    @app.after_request
    def quietly(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = (
                "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'; "
                "frame-ancestors 'none'; base-uri 'none'"
            )
        return response


def _known(number: str) -> None:
    if not rules.E164.fullmatch(number):
        abort(404)


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


def _with_links(text: str) -> Markup:
    """The text of a message with its web addresses to be tapped, as a telephone shows them."""
    parts = rules.ADDRESS.split(text)
    pieces = [
        Markup('<a href="{0}">{0}</a>').format(part) if rules.ADDRESS.fullmatch(part) else escape(part)
        for part in parts
    ]
    return Markup("").join(pieces)
