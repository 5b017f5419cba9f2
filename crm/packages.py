"""The packages of the program and what each brings. Adding a package adds its lines here."""

from __future__ import annotations

from flask import Blueprint
from flask_smorest import Blueprint as ApiBlueprint

import crm.accounts.models
import crm.api.models
import crm.campaigns.models
import crm.outreach.models
import crm.participation.models
import crm.places.models
import crm.premiums.models
import crm.prospects.models
import crm.sponsors.models
import crm.stored
import crm.targets.models  # noqa: F401
from crm.premiums import resources as premium_resources
from crm.premiums import routes as premium_routes

BLUEPRINTS: tuple[Blueprint, ...] = (premium_routes.bp,)
RESOURCES: tuple[ApiBlueprint, ...] = (premium_resources.blp,)
