"""The calculator's page, and what a phone keeps of it to work without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, Response, current_app, json, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from crm import clock
from crm.db import session
from crm.premiums import queries
from crm.premiums.calculator import drawing
from crm.premiums.calculator.phone import law_for_phones
from crm.premiums.calculator.showing import query_of
from crm.web.guard import public
from crm.web.language import chosen, speak

bp = Blueprint("calculator", __name__)

FILES = ("css/calculator.css", "js/calculator.js", "icons-first.svg", "favicon.svg")
FONTS = tuple(f"be-vietnam-pro-{weight}" for weight in (400, 600))
ICON_SIZES = (192, 512)
JADE, GROUND = "#0c5a4b", "#faf7f0"
"""The colours of a phone's frame around the page, as in the stylesheet."""


@bp.get("/calculator")
@public
def page() -> ResponseReturnValue:
    """What one would pay from this month on, who helps, and what it brings."""
    return _page(drawing.answers())


@bp.get("/calculator/offline")
@public
def offline() -> ResponseReturnValue:
    """The same page with nothing answered, in the language asked for: what a phone keeps. Knows nobody's session."""
    speak(request.args.get("language"))
    return _page({}, kept=True)


@bp.get("/calculator/law.json")
@public
def law_file() -> ResponseReturnValue:
    """The law and the words with which a phone works out the same answer."""
    speak(request.args.get("language"))
    today = clock.today()
    added = queries.additions_here(session(), today)
    told = law_for_phones(queries.law(session()), added.top_ups, today, chosen(), added.wards)
    return current_app.json.response(told)


@bp.get("/calculator/worker.js")
@public
def worker() -> ResponseReturnValue:
    """The service worker: it may see the calculator's addresses and none of a signed-in page."""
    speak(request.args.get("language"))
    shell, files = _page({}, kept=True)[0], _files()
    fresh = {
        "page": url_for(".offline", language=chosen()),
        "law": url_for(".law_file", language=chosen()),
        "qr": url_for(".qr"),
    }
    version = blake2b("\n".join([shell, *files]).encode(), digest_size=8).hexdigest()
    told = {"version": version, "files": files, "scope": url_for(".page"), **fresh}
    script = render_template("premiums/calculator/worker.js", told=told)
    return Response(script, mimetype="text/javascript", headers={"Service-Worker-Allowed": url_for(".page")})


@bp.get("/calculator/app.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """What a phone needs to put the calculator on its first screen."""
    speak(request.args.get("language"))
    icons = [
        {"src": url_for("static", filename=f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in ICON_SIZES
    ]
    told = {
        "name": gettext("How much would I pay?"),
        "short_name": gettext("An Sinh: pay"),
        "lang": chosen(),
        "id": url_for(".page"),
        "start_url": url_for(".page"),
        "scope": url_for(".page"),
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": JADE,
        "icons": icons,
    }
    return Response(json.dumps(told), mimetype="application/manifest+json")


@bp.get("/calculator/qr.svg")
@public
def qr() -> ResponseReturnValue:
    """The square that opens the calculator with these answers on somebody's phone; without good answers just the page."""
    today, law = clock.today(), queries.law(session())
    form = drawing.questions(law, drawing.answers(), queries.additions_here(session(), today), today)
    query = query_of(form.asked) if request.args and form.validate() else ""
    made = segno.make(drawing.address(query), error="m")
    drawn = BytesIO()
    made.save(drawn, kind="svg", xmldecl=False, border=2, omitsize=True, lineclass=None, svgclass=None)
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


def _page(given: Mapping[str, str | Sequence[str]], *, kept: bool = False) -> tuple[str, int]:
    law, today = queries.law(session()), clock.today()
    additions = queries.additions_here(session(), today)
    form = drawing.questions(law, given, additions, today)
    return drawing.page(form, law, additions, today, kept=kept)


def _files() -> list[str]:
    """The addresses of what the page is drawn with; they change with their content."""
    marked: Any = current_app.jinja_env.globals["asset"]
    fonts = [url_for("static", filename=f"fonts/{name}.woff2") for name in FONTS]
    return [*map(marked, FILES), url_for("static", filename="caret.svg"), *fonts]
