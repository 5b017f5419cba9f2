"""The addresses of the program: who may open them, and that programs are told of theirs."""

from __future__ import annotations

import re

from flask import Flask

from crm.accounts.rules import May
from crm.api.app_wide import PREFIX
from crm.api.blueprint import Blueprint
from crm.app import ALSO_PUBLIC
from crm.packages import RESOURCES
from crm.web.guard import PUBLIC, permission_of

PUBLIC_ADDRESSES = (
    "/",
    "/calculator",
    "/law",
    "/may-i-join",
    "/where-to-pay",
    "/fund",
    "/verify",
    "/verify/<number>",
    "/healthz",
    "/readyz",
    "/metrics",
    "/standstill",
    "/invitation/<key>",
    "/language/<code>",
)
PUBLIC_BEGINNINGS = (
    "/sponsor",
    "/s/",
    "/thanks/",
    "/o/",
    "/webhooks/twilio/",
    "/sandbox",
    "/mailbox",
    "/sw.js",
    "/manifest",
    "/offline",
    "/calculator/",
)


def marked(app: Flask) -> list[tuple[str, str, str | None]]:
    """`(method, address, permission)` of every route of ours."""
    return [
        (method, rule.rule, permission_of(app, rule.endpoint, method))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        if rule.endpoint not in ALSO_PUBLIC
    ]


def test_every_route_names_a_permission(program: Flask) -> None:
    silent = [
        f"{method} {rule}"
        for rule in program.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if rule.endpoint not in ALSO_PUBLIC
        and not rule.endpoint.startswith("security.")
        and permission_of(program, rule.endpoint, method) is None
    ]
    assert silent == []


def test_what_anyone_may_open_stands_on_a_short_list(program: Flask) -> None:
    open_to_all = {address for _method, address, permission in marked(program) if permission == PUBLIC}
    assert [
        address
        for address in sorted(open_to_all)
        if address not in PUBLIC_ADDRESSES and not address.startswith(PUBLIC_BEGINNINGS)
    ] == []


def test_a_permission_is_one_of_ours(program: Flask) -> None:
    named = {permission for _method, _address, permission in marked(program) if permission not in (None, PUBLIC)}
    assert named <= set(May)


def test_nothing_of_the_api_is_public(program: Flask) -> None:
    assert [
        (method, address)
        for method, address, permission in marked(program)
        if address.startswith("/api/") and permission in (None, PUBLIC)
    ] == []


def test_every_api_route_is_described_and_nothing_else(program: Flask) -> None:
    told = program.test_client().get(f"{PREFIX}/openapi.json").get_json()
    described = {
        (method.upper(), path) for path, calls in told["paths"].items() for method in calls if method != "parameters"
    }
    there = {
        (method, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", address))
        for method, address, _permission in marked(program)
        if address.startswith(PREFIX)
    }
    assert there == described


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does(program: Flask) -> None:
    told = program.test_client().get(f"{PREFIX}/openapi.json").get_json()
    calls = [call for path in told["paths"].values() for method, call in path.items() if method != "parameters"]
    names = [call["operationId"] for call in calls]
    assert len(set(names)) == len(names)
    assert [call["operationId"] for call in calls if not call.get("summary")] == []


def test_every_resource_uses_the_strict_blueprint() -> None:
    assert [blueprint.name for blueprint in RESOURCES if not isinstance(blueprint, Blueprint)] == []
