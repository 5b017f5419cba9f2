"""The API as a whole: its description and what all its blueprints share."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask
from flask_smorest import Api, Blueprint

PREFIX = "/api/v1"


def install(app: Flask, blueprints: Iterable[Blueprint]) -> list[Blueprint]:
    """Mount the blueprints under `/api/v1` and describe them at `/api/v1/openapi.json` (OpenAPI 3.1)."""
    app.config.update(
        API_TITLE="An Sinh",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api(app)
    bearer = {"type": "http", "scheme": "bearer", "description": "A token made with `crm token add`."}
    api.spec.components.security_scheme("token", bearer)
    api.spec.options["security"] = [{"token": []}]
    mounted = list(blueprints)
    for blueprint in mounted:
        api.register_blueprint(blueprint, url_prefix=PREFIX + (blueprint.url_prefix or ""))
    return mounted
