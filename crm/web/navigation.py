"""Where a person can go from anywhere: each role's own few places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from flask import Flask, request, url_for
from markupsafe import Markup

from crm.names import clean
from crm.web.guard import Actor
from crm.web.language import LANGUAGES, chosen


@dataclass(frozen=True)
class Item:
    """One place in the menu; `strong` is the one act of the phone's bottom bar. The first four stand in that bar.

    Items of one `group` stand together under its words. `waiting` says how much waits there for this person. `covers` names
    packages and pages, besides its own, that one comes to from here.
    """

    label: Any
    endpoint: str
    icon: str
    permission: str
    strong: bool = False
    group: Any = ""
    waiting: Callable[[], int] | None = None
    covers: Sequence[str] = ()


MOST_TOLD = 99
"""The menu does not count further: 99+."""

MOST_DRAWN = 256
"""So many menus are kept as they were drawn; then they are drawn anew."""


class Link(NamedTuple):
    """An item of the menu on one page."""

    label: Any
    url: str
    icon: str
    strong: bool
    current: str
    """What `aria-current` says: "page" here, "true" on a page further inside, else empty."""
    group: Any
    waiting: Callable[[], str]
    """How much waits there, as the menu says it; empty for nothing. Asked when the menu is drawn, and once."""


class Group(NamedTuple):
    """Places of the menu that stand together; the first have no words over them."""

    words: Any
    links: list[Link]

    @property
    def current(self) -> bool:
        return any(link.current for link in self.links)

    def waiting(self) -> str:
        """How much waits in the group, as far as one number says it."""
        return next((told for link in self.links if (told := link.waiting())), "")


def in_groups(links: Iterable[Link]) -> list[Group]:
    """The menu by its groups, in their order. A group of one place stands without words of its own."""
    found: dict[Any, Group] = {"": Group("", [])}
    for link in links:
        found.setdefault(str(link.group), Group(link.group, [])).links.append(link)
    first, *others = found.values()
    alone = [link for group in others if len(group.links) == 1 for link in group.links]
    return [Group("", [*first.links, *alone]), *(group for group in others if len(group.links) > 1)]


def shown(items: Iterable[Item], who: Actor) -> list[Link]:
    """The items this person may open."""
    mine = [item for item in items if who.may(item.permission)]
    here, mark = _here(mine)
    return [
        Link(
            item.label,
            url_for(item.endpoint),
            item.icon,
            item.strong,
            mark if item.endpoint in here else "",
            item.group,
            cache(partial(_told, item.waiting)),
        )
        for item in mine
    ]


def _told(waiting: Callable[[], int] | None) -> str:
    number = waiting() if waiting else 0
    return f"{MOST_TOLD}+" if number > MOST_TOLD else str(number or "")


def _here(items: Sequence[Item]) -> tuple[Collection[str], str]:
    """The places of the menu where one is, and their mark. A page that is no place of the menu belongs to the place that
    covers it or its package, or else to the one place of its own package, where there is just one."""
    here = request.endpoint or ""
    places = [item.endpoint for item in items]
    if here in places:
        return (here,), "page"
    package = here.partition(".")[0]
    for covered in (here, package):
        if covering := [item.endpoint for item in items if covered in item.covers]:
            return covering, "true"
    around = [place for place in places if place.partition(".")[0] == package]
    return (around if len(around) == 1 else ()), "true"


def install(
    app: Flask, menu_of: Callable[[Actor], Iterable[Item]], actor: Callable[[], Actor | None], *, search: str
) -> None:
    """Give every template its `navigation`, the languages and the addresses of the shell."""

    app.jinja_env.filters["in_groups"] = in_groups
    kept: dict[tuple[Any, ...], Markup] = {}

    @app.template_global()
    def shell_piece(piece: str, links: Sequence[Link]) -> Markup:
        """A piece of the shell with these links. Page after page it is the same, and the longest to write: so it is kept."""
        key = (piece, chosen(), *((link.url, link.current, link.waiting()) for link in links))
        drawn = kept.get(key)
        if drawn is None:
            if len(kept) >= MOST_DRAWN:
                kept.clear()
            drawn = kept[key] = getattr(app.jinja_env.get_template("components/shell.html").module, piece)(links)
        return drawn

    @app.context_processor
    def shell() -> dict[str, Any]:
        who = actor()
        return {
            "navigation": shown(menu_of(who), who) if who else [],
            "languages": LANGUAGES,
            "home_url": "/",
            "search_url": url_for(search) if who and search in app.view_functions else None,
            "search_text": clean(request.args.get("q", "")),
            "sign_out_url": url_for("security.logout"),
        }
