"""The blueprint of all resources: strict input, problems described, an operation id for each call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import Request, abort
from flask_babel import lazy_gettext as _l
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, ValidationError
from marshmallow.fields import Integer
from webargs import missing
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

import crm.api.words  # noqa: F401  marshmallow speaks our words from here on
from crm.api import description

BIGGEST = 2**63 - 1
DIGITS = 19
NUL = "\x00"
SURROGATES = range(0xD800, 0xE000)


class StrictParser(FlaskParser):
    """Refuses what the database could not keep or the caller did not mean: unknown names, NUL, lone surrogates,
    numbers beyond 64 bits, NaN, a body of another kind."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "json": RAISE,
        "form": RAISE,
        "files": RAISE,
    }

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return missing
        if not is_json(req.mimetype):
            abort(415)
        try:
            return json.loads(body, parse_constant=_no_such_number)
        except (ValueError, RecursionError):
            abort(400, _l("The body is not valid JSON."))

    def pre_load(self, location_data: Any, *, schema: Schema, req: Request, location: str) -> Any:
        """Values that no field can take, refused before any field looks at them."""
        typed = {"query": req.args, "form": req.form}.get(location)
        found = unfit(location_data) if typed is None else unfit_texts(typed, schema)
        wrong: dict[str, list[str]] = {}
        for path, message in found:
            wrong.setdefault(path, []).append(str(message))
        if wrong:
            raise ValidationError(wrong)
        return location_data


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(name)


def unfit_texts(typed: MultiDict[str, str], schema: Schema) -> Iterator[tuple[str, Any]]:
    """The same for what came as text: a number is too large only where a number is asked for."""
    for name, text in typed.items(multi=True):
        yield from unfit(text, name)
        digits = text.strip().lstrip("+-0")
        if isinstance(schema.fields.get(name), Integer) and digits.isdecimal() and len(digits) >= DIGITS:
            yield from unfit(int(digits[: 2 * DIGITS]), name)


def unfit(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The places in a JSON value that could not be kept as they are, each with what is wrong."""
    if isinstance(value, str):
        if NUL in value or any(ord(letter) in SURROGATES for letter in value):
            yield path, _l("The text holds a character that cannot be kept. Remove it.")
    elif isinstance(value, int) and abs(value) > BIGGEST:
        yield path, _l("The number is too large.")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from unfit(name, f"{path}.{name}".strip("."))
            yield from unfit(part, f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from unfit(part, f"{path}.{index}".strip("."))


class Blueprint(SmorestBlueprint):
    """Use it as flask-smorest's; every operation then lists the problems it may answer with."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(description.add_problems)

    def _store_endpoint_docs(self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        methods = {name: doc for name, doc in self._docs[endpoint].items() if name != "parameters"}
        for method, doc in methods.items():
            handler = getattr(obj, method, obj)
            doc["permission"] = getattr(handler, "permission", None) or getattr(obj, "permission", None)
            name = f"{self.name}_{endpoint}" if len(methods) == 1 else f"{self.name}_{endpoint}_{method}"
            doc.setdefault("manual_doc", {}).setdefault("operationId", name.lower())
