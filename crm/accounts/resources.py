"""`GET /whoami`: whom a token acts for, and what it may do."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from crm.accounts.gateway import api_token, current_scope, current_user
from crm.accounts.queries import unit_names
from crm.accounts.rules import PERMISSIONS, May, Reach, Role
from crm.api.blueprint import Blueprint
from crm.db import session
from crm.web.guard import may

blp = Blueprint("whoami", __name__, description="Whom a token acts for")


class WhoAmI(Schema):
    """A person who signs in, as their own programs see them."""

    id = fields.UUID(required=True)
    full_name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    role = fields.Enum(Role, by_value=True, required=True)
    reach = fields.Enum(Reach, by_value=True, required=True, metadata={"description": "How far they see."})
    organisation = fields.String(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    permissions = fields.List(fields.Enum(May, by_value=True), required=True)
    scopes = fields.List(fields.String(), required=True, metadata={"description": "What the token may do besides."})


@blp.get("/whoami")
@may(May.SEE_OWN_ACCOUNT)
@blp.response(200, WhoAmI)
def whoami() -> dict[str, Any]:
    """Whom this token acts for, and what it may do"""
    who, token = current_user(), api_token()
    organisation, place = unit_names(session(), who)
    return {
        **{name: getattr(who, name) for name in ("id", "full_name", "email", "phone", "role")},
        "reach": current_scope().reach,
        "organisation": organisation,
        "place": place,
        "permissions": sorted(PERMISSIONS[who.role]),
        "scopes": token.scopes if token else [],
    }
