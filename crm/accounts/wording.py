"""What we call the roles, and in plain words what each sees."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from crm.accounts.rules import Reach, Role

ROLES: dict[Role, Any] = {
    Role.VOLUNTEER: _l("Volunteer"),
    Role.LEAD: _l("Lead of an organisation or ward"),
    Role.AGENT: _l("Collection agent"),
    Role.MANAGER: _l("Steering office"),
    Role.ORGANISER: _l("Campaign organiser"),
    Role.TREASURER: _l("Treasurer"),
    Role.AUDITOR: _l("Auditor"),
    Role.SPONSOR: _l("Sponsor"),
    Role.ADMIN: _l("Administrator"),
}

SEES: dict[Reach, Any] = {
    Reach.ALL: _l("You see everyone in the town."),
    Reach.UNIT: _l("You see the people of your own organisation or ward."),
    Reach.OWN: _l("You see the people who were assigned to you."),
    Reach.NOTHING: _l("You see nobody's details, only what concerns yourself."),
}
