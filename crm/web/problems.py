"""Problem details for programs (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from crm.errors import Conflict, RuleBroken

MEDIA_TYPE = "application/problem+json"
KEPT_HEADERS = ("allow", "retry-after", "etag")


def problem(
    status: int,
    *,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """One problem; `errors` lists `{field, message}`."""
    phrase = HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": phrase, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    body.update(more)
    response = Response(json.dumps(body, ensure_ascii=False, default=str), status, mimetype=MEDIA_TYPE)
    for name, value in (headers or {}).items():
        if name.lower() in KEPT_HEADERS:
            response.headers[name] = value
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def failure(error: HTTPException, sentence: str | None = None) -> Response:
    """An HTTP failure; what a schema refused stands field by field (webargs leaves it in `data["messages"]`)."""
    data = getattr(error, "data", None) or {}
    wrong = list(wrong_fields(data.get("messages") or data.get("errors") or {}))
    refused = error.code == HTTPStatus.UNPROCESSABLE_ENTITY
    if wrong and error.code == HTTPStatus.BAD_REQUEST:
        sentence, wrong = wrong[0]["message"], []
    detail = sentence or (_("Some fields are not accepted.") if wrong else error.description)
    code = {"code": "invalid"} if refused and wrong else {}
    return problem(error.code or 500, detail=str(detail), errors=wrong, headers=dict(error.get_headers()), **code)


def wrong_fields(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """`{location: {field: [sentence, …] or {part: …}}}` → `{field, message}`, parts joined by dots."""
    for part in messages.values():
        yield from _sentences(part, "")


def _sentences(part: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            inside = path if name in ("_schema", "value") else f"{path}.{name}".strip(".")
            yield from _sentences(inner, inside)
    elif isinstance(part, (list, tuple)):
        for inner in part:
            yield from _sentences(inner, path)
    else:
        yield {"field": path, "message": _(str(part))}


def refusal(error: RuleBroken) -> Response:
    """A broken rule: 409 for a conflict, 422 for anything else, at its field when it has one."""
    status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY
    sentence = str(error.message)
    errors = [{"field": error.field, "message": sentence}] if error.field else None
    details = error.details if isinstance(error, Conflict) else {}
    return problem(status, detail=sentence, errors=errors, code=error.code, **details)
