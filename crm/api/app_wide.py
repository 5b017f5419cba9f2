"""The API as a whole: mounted under one address, described, limited, acting once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint

from crm.api import description
from crm.api.idempotency import once

PREFIX = "/api/v1"


class _Api(Api):  # type: ignore[misc]
    DEFAULT_ERROR_RESPONSE_NAME = None


def install(app: Flask, blueprints: Iterable[SmorestBlueprint], actor: Callable[[], Any]) -> list[SmorestBlueprint]:
    """Mount the blueprints under `/api/v1` and describe them at `/api/v1/openapi.json` (OpenAPI 3.1)."""
    app.config.update(
        API_TITLE="An Sinh",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": description.INFO}, "servers": [{"url": "/"}]},
    )
    api = _Api(app)
    description.begin(api)
    mounted = list(blueprints)
    for blueprint in mounted:
        api.register_blueprint(blueprint, url_prefix=PREFIX + (blueprint.url_prefix or ""))
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.rule.startswith(PREFIX):
            app.view_functions[rule.endpoint] = once(app.view_functions[rule.endpoint], actor)
    return mounted
