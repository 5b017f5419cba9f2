"""Problem details for programs (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from crm.errors import Conflict, RuleBroken

MEDIA_TYPE = "application/problem+json"
KEPT_HEADERS = ("allow", "retry-after", "etag")

SAYS: Mapping[int, Any] = {
    400: _l("The request could not be read. Check how it is written."),
    401: _l("Send `Authorization: Bearer TOKEN` with a valid token, made with `crm token add`."),
    403: _l("The person behind this token may not do this. Ask an administrator."),
    404: _l("There is no such thing here, or it may not be seen with this token. Check the address."),
    405: _l("This address does not take this method. The header `Allow` lists those it takes."),
    406: _l("This answer does not exist in the form asked for. Check the header `Accept`."),
    408: _l("The request took too long to arrive. Send it again."),
    409: _l("This contradicts what is there. Read it again and retry."),
    412: _l("It has changed since it was read. Read it again and retry."),
    413: _l("This is too large. Send less at a time."),
    414: _l("The address is too long. Send fewer filters."),
    415: _l("The body is of another kind than this call takes. Check the header `Content-Type`."),
    422: _l("Something in the request is not accepted. Check what was sent."),
    429: _l("Too many calls in a short time. Wait for as many seconds as the header `Retry-After` says."),
    500: _l("Something went wrong on our side. Nothing was saved; please try again."),
    503: _l("The program cannot answer just now. Please try again in a minute."),
}
"""What a failure says that nobody has said more of."""


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
    own = error.description if isinstance(error.description, LazyString) else SAYS.get(error.code or 500)
    detail = sentence or (_("Some fields are not accepted.") if wrong else own or error.description)
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
    """A broken rule: 409 for a conflict, 422 for anything else; of several all, each at its field when it has one."""
    status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY
    sentence = str(error)
    errors = [{"field": one.field, "message": str(one)} for one in error.each if one.field] or None
    details = error.details if isinstance(error, Conflict) else {}
    return problem(status, detail=sentence, errors=errors, code=error.code, **details)
