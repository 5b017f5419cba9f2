"""The menu by its groups: what belongs together stands together, and nothing is hidden behind words of its own."""

from __future__ import annotations

from typing import Any

from crm.web.navigation import Group, Link, in_groups


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
