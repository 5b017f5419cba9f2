"""Problem details for programs (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from crm.errors import Conflict, RuleBroken

MEDIA_TYPE = "application/problem+json"


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
        if name.lower() in ("allow", "retry-after", "www-authenticate", "etag"):
            response.headers[name] = value
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def refusal(error: RuleBroken) -> Response:
    """A broken rule: 409 for a conflict, 422 for anything else, at its field when it has one."""
    status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY
    sentence = str(error.message)
    errors = [{"field": error.field, "message": sentence}] if error.field else None
    details = error.details if isinstance(error, Conflict) else {}
    return problem(status, detail=sentence, errors=errors, code=error.code, **details)
