"""Where a person can go from anywhere: each role's own few places."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for

from crm.names import clean
from crm.web.guard import Actor
from crm.web.language import LANGUAGES


@dataclass(frozen=True)
class Item:
    """One place in the menu; `strong` is the one act of the phone's bottom bar. The first four stand in that bar."""

    label: Any
    endpoint: str
    icon: str
    permission: str
    strong: bool = False

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def current(self) -> bool:
        return request.endpoint == self.endpoint


def shown(items: Iterable[Item], who: Actor | None) -> list[Item]:
    """The items this person may open."""
    return [item for item in items if who is not None and who.may(item.permission)]


def install(app: Flask, items: tuple[Item, ...], actor: Callable[[], Actor | None], *, search: str) -> None:
    """Give every template its `navigation`, the languages and the addresses of the shell."""

    @app.context_processor
    def shell() -> dict[str, Any]:
        who = actor()
        return {
            "navigation": shown(items, who),
            "languages": LANGUAGES,
            "home_url": "/",
            "search_url": url_for(search) if who and search in app.view_functions else None,
            "search_text": clean(request.args.get("q", "")),
            "sign_out_url": url_for("security.logout"),
        }
