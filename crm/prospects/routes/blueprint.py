"""The one blueprint of the register, which the files beside this one fill."""

from __future__ import annotations

from flask import Blueprint

from crm.prospects.wording import GROUNDS, SEXES, STAGES

bp = Blueprint("prospects", __name__, url_prefix="/people")
bp.app_context_processor(lambda: {"GROUNDS": GROUNDS, "SEXES": SEXES, "STAGES": STAGES})
