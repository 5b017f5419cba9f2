"""What the OpenAPI description says of every call: its problems, its idempotency key, who may."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Api
from marshmallow import INCLUDE, Schema, fields

import crm.api.words  # noqa: F401  marshmallow speaks our words from here on
from crm.web.problems import MEDIA_TYPE

ALWAYS = (400, 401, 403, 404, 422, 429, 500, 503)
WRITING = (409,)
WITH_BODY = (413, 415)

SAYS = {
    400: "The request could not be read, for instance because its body is not JSON.",
    401: "There is no token, or it is not valid.",
    403: "The person behind the token may not do this.",
    404: "There is no such thing, or the person behind the token may not see it.",
    409: "It would repeat or contradict what is there.",
    412: "What was read has changed since.",
    413: "The body is too large.",
    415: "The body is of another kind than the call takes.",
    422: "Something in the request is not accepted; `errors` says what.",
    429: "Too many calls in a short time; `Retry-After` says how long to wait.",
    500: "Something went wrong on our side.",
    503: "The database or the broker cannot be reached just now, or too much happens at once.",
}

INFO = """The outreach register for voluntary social insurance.

Send `Authorization: Bearer TOKEN`, a token made with `crm token add`; it sees what its user sees. Days are `YYYY-MM-DD`,
months `YYYY-MM`, moments RFC 3339 with an offset, money whole đồng, ids UUIDs. A place is a UUID, a `CODE` or
`CODE@DATE`. Lists take `limit` and `cursor` and answer `items` and `next`. Unknown fields are refused. Every POST takes
an `Idempotency-Key`: the same key and the same request again get the first answer again. Problems are
`application/problem+json` (RFC 9457)."""

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key with the same request gets the first answer again; with another request, 422.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


class WrongField(Schema):
    """One thing that is not accepted."""

    field = fields.String(required=True, metadata={"description": "Its name, parts joined by dots."})
    message = fields.String(required=True)


class Problem(Schema):
    """A problem (RFC 9457); some carry more, such as the `candidates` of a likely duplicate."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(metadata={"description": "What is wrong and what to do, for a person."})
    code = fields.String(metadata={"description": "A stable name of what is wrong, for programs."})
    errors = fields.List(fields.Nested(WrongField))


def begin(api: Api) -> None:
    """The shared parts of the description."""
    bearer = {"type": "http", "scheme": "bearer", "description": "A token made with `crm token add`."}
    spec = api.spec
    spec.components.security_scheme("token", bearer)
    spec.options["security"] = [{"token": []}]
    spec.components.schema("Problem", schema=Problem)
    spec.components.parameter("IdempotencyKey", "header", IDEMPOTENCY_KEY)
    for status, sentence in SAYS.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        spec.components.response(f"Problem{status}", {"description": sentence, "content": content})


def add_problems(
    doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, spec: Any = None, **_: Any
) -> dict[str, Any]:
    """Say of one operation which problems it answers with, that a POST takes a key, and which permission it needs."""
    _one_body(doc)
    statuses = list(ALWAYS) + (list(WRITING) if method != "get" else [])
    statuses += list(WITH_BODY) if "requestBody" in doc else []
    responses = doc.setdefault("responses", {})
    responses.pop("default", None)
    for status in statuses:
        told = responses.get(str(status), responses.get(status))
        if not isinstance(told, dict) or "content" not in told:
            responses.pop(status, None)
            responses[str(status)] = f"Problem{status}"
    for status, told in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST and isinstance(told, dict) and "application/json" in told["content"]:
            told["content"][MEDIA_TYPE] = told["content"].pop("application/json")
    if method == "post":
        doc.setdefault("parameters", []).append("IdempotencyKey")
    if doc_info.get("permission"):
        doc["x-permission"] = str(doc_info["permission"])
    return doc


def _one_body(doc: dict[str, Any]) -> None:
    """Files and the fields sent with them are one multipart body."""
    parameters = doc.get("parameters", [])
    beside = [one for one in parameters if isinstance(one, dict) and one.get("in") in ("form", "files")]
    if not beside:
        return
    [content] = doc["requestBody"]["content"].values()
    parts = [_schema_class(content["schema"]), *(_schema_class(one["schema"]) for one in beside)]
    together = {name: field for part in parts for name, field in part._declared_fields.items()}
    merged = Schema.from_dict(together, name="And".join(sorted(part.__name__ for part in parts)))
    doc["requestBody"]["content"] = {"multipart/form-data": {"schema": merged}}
    doc["parameters"] = [one for one in parameters if one not in beside]


def _schema_class(schema: Any) -> type[Schema]:
    return schema if isinstance(schema, type) else type(schema)
