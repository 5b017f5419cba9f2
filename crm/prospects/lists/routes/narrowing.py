"""Everything a list can be narrowed to."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from crm.accounts.rules import May
from crm.errors import RuleBroken
from crm.prospects.lists.forms import NarrowForm
from crm.prospects.lists.routes.blueprint import asked_here, bp
from crm.prospects.routes.listing import places_of_mine
from crm.prospects.routes.narrowing import narrow_page, refused_page
from crm.web.guard import may


@bp.get("/narrow")
@may(May.SEE_PEOPLE)
def narrow() -> ResponseReturnValue:
    """Everything a list can be narrowed to."""
    try:
        asked = asked_here()
    except RuleBroken as refusal:
        return refused_page(request.args, refusal, places_of_mine())
    return narrow_page(NarrowForm.of(asked.narrowing, q=asked.q, named=asked.args.get("list")), places_of_mine())
