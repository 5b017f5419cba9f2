"""The one blueprint of households, which the files beside this one fill."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from crm.prospects.households import cards
from crm.prospects.wording import KINSHIPS

bp = Blueprint("households", __name__)
bp.app_context_processor(lambda: {"KINSHIPS": KINSHIPS})
cards.register()


def is_id(text: str | None) -> bool:
    """Whether a text that somebody sent is an id."""
    try:
        return bool(text) and UUID(text) is not None
    except ValueError:
        return False
