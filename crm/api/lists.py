"""What every list of the API takes and answers."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

import crm.api.words  # noqa: F401  marshmallow speaks our words from here on

MOST = 200
USUAL = 50


class ListQuery(Schema):
    """`limit` and `cursor`; a list's own filters are added in a subclass."""

    limit = fields.Integer(
        load_default=USUAL,
        validate=validate.Range(min=1, max=MOST),
        metadata={"description": "How many items at most."},
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(max=2000),
        metadata={"description": "`next` of the page before."},
    )


def listing(item: type[Schema], name: str | None = None) -> type[Schema]:
    """The answer of a list of such items: `{"items": […], "next": cursor or null}`."""
    parts: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(required=True, allow_none=True, metadata={"description": "The cursor of what follows."}),
    }
    return Schema.from_dict(parts, name=name or f"{item.__name__}List")
