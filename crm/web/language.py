"""Vietnamese first, English by a switch. Every package has its own catalogue; all are asked as one."""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations
from flask import Flask, current_app, g, has_request_context, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_babel import Babel, Domain
from flask_babel.speaklater import LazyString

from crm.web.guard import public

CATALOGUES = Path(__file__).parent.parent / "translations"
LANGUAGES = ("vi", "en")

# A lazy text calls itself markup, so that what somebody typed into one would reach the page as it is. Without this a
# template escapes it like any other text; no text of ours holds markup.
del LazyString.__html__


def compile_catalogues() -> None:
    """Make the binary catalogues that are older than their text."""
    for source in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        made = source.with_suffix(".mo")
        if made.exists() and made.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        scratch = made.with_suffix(f".mo.{os.getpid()}")
        with scratch.open("wb") as binary:
            write_mo(binary, catalogue)
        scratch.replace(made)


def domains() -> list[str]:
    """The names of the catalogues; the shared words come last."""
    return sorted({source.stem for source in CATALOGUES.glob("*/LC_MESSAGES/*.po")} - {"flask_security"})


def chosen() -> str:
    """The language of this request: the switch, else the person's own, else (for programs) what they ask for."""
    if not has_request_context():
        return "vi"
    if request.path.startswith("/api/"):
        return request.accept_languages.best_match(LANGUAGES, default="vi") or "vi"
    language = g.get("speaks") or session.get("language") or getattr(g, "language", None)
    return language if language in LANGUAGES else "vi"


def speak(code: str | None) -> None:
    """Let this one answer be in the language its address names, else in Vietnamese; nobody's choice changes."""
    g.speaks = code if code in LANGUAGES else "vi"


def prefer(code: str) -> None:
    """Whoever chose no language reads this answer in one that they are known to read."""
    g.setdefault("language", code)


def install(app: Flask) -> None:
    """Give the app its languages and the switch `POST /language/<code>`."""
    compile_catalogues()
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "vi")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Ho_Chi_Minh")
    names = domains() or ["messages"]
    app.config["BABEL_DOMAIN"] = ";".join(names)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(CATALOGUES)] * len(names))  # one for each name
    babel = Babel(app, locale_selector=chosen)
    words = babel.domain_instance = _Words(domain=app.config["BABEL_DOMAIN"])
    app.add_url_rule("/language/<code>", "language", switch, methods=["GET", "POST"])
    app.context_processor(lambda: {"locale": chosen()})
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: words.get_translations().gettext(text),
        lambda singular, plural, number: words.get_translations().ngettext(singular, plural, number),
        newstyle=True,
    )


class _Words(Domain):  # type: ignore[misc]
    """The catalogues, asked for their language once a request: a page says hundreds of texts, many of them lazily."""

    def get_translations(self) -> NullTranslations:
        """The words of this request's language; kept where Flask-Babel's `force_locale` puts them aside."""
        told = g.get("_flask_babel") if g else None
        found: NullTranslations | None = getattr(told, "babel_translations", None)
        if found is None:
            found = super().get_translations()
            if told is not None:
                told.babel_translations = found
        return found


@public
def switch(code: str) -> ResponseReturnValue:
    """Remember the language for this browser and go back to the page."""
    if code in LANGUAGES:
        session["language"] = code
        session.permanent = True
    back = request.values.get("next", "/")
    safe = back.startswith("/") and not back.startswith(("//", "/\\"))
    return redirect(back if safe else current_app.config.get("APPLICATION_ROOT", "/"))
