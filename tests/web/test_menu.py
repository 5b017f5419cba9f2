"""The menu by its groups: what belongs together stands together, and nothing is hidden behind words of its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask, g
from flask_babel import refresh

from crm.menu import RESIDENTS
from crm.web.navigation import Group, Item, Link, in_groups, shown


def link(label: str, group: str = "", current: str = "", waits: str = "") -> Link:
    return Link(label, f"/{label}", "list", False, current, group, lambda: waits)


def labels(groups: list[Group]) -> list[tuple[Any, list[str]]]:
    return [(group.words, [each.label for each in group.links]) for group in groups]


def test_places_of_one_group_stand_together_in_their_order() -> None:
    menu = [
        link("home"),
        link("today", "doors"),
        link("load", "register"),
        link("log", "doors"),
        link("same", "register"),
    ]
    assert labels(in_groups(menu)) == [("", ["home"]), ("doors", ["today", "log"]), ("register", ["load", "same"])]


def test_a_group_of_one_place_needs_no_words() -> None:
    menu = [link("home"), link("sponsors", "money"), link("today", "doors"), link("log", "doors")]
    assert labels(in_groups(menu)) == [("", ["home", "sponsors"]), ("doors", ["today", "log"])]


def test_a_folded_group_says_what_waits_in_it_and_where_one_is() -> None:
    menu = [link("load", "register", current="page"), link("same", "register", waits="7"), link("law", "set up")]
    _first, register = in_groups(menu)
    assert register.waiting() == "7"
    assert register.current


def test_a_household_belongs_to_the_people_and_the_list_of_certificates_to_itself(app: Flask) -> None:
    class Everything:
        def may(self, _permission: str) -> bool:
            return True

    poor = Item("Poor households", "households.review", "home", "", covers=("households.renew",))
    for address, method, here in (
        (f"/households/{uuid4()}", "GET", "/people"),
        ("/people/lists", "GET", "/people"),
        ("/certificates", "GET", "/certificates"),
        ("/certificates/renew", "POST", "/certificates"),
    ):
        with app.test_request_context(address, method=method):
            found = shown([RESIDENTS, poor], Everything())  # type: ignore[arg-type]
            assert [link.url for link in found if link.current] == [here], address


def test_a_menu_that_is_kept_says_what_waits_now_and_in_the_readers_language(app: Flask) -> None:
    drawn = app.jinja_env.globals["shell_piece"]
    assert callable(drawn)
    with app.test_request_context("/"):
        nothing, some = (drawn("side_links", [link("<b>", waits=waits)]) for waits in ("", "7"))
        assert "&lt;b&gt;" in some
        assert ("7</span>" in nothing, "7</span>" in some) == (False, True)
        assert drawn("side_links", [link("<b>", waits="7")]) is some
        g.speaks = "en"
        refresh()
        assert "waiting:" in drawn("side_links", [link("<b>", waits="7")])
