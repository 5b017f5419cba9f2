"""`crm clock`: read or move the program's time."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask import current_app
from flask_babel import gettext as _

from crm import clock
from crm.db import transaction
from crm.errors import RuleBroken
from crm.timekeeping.services import move


@click.command("clock")
@click.argument("moment", required=False)
def clock_command(moment: str | None) -> None:
    """Print the program's time; or let it be MOMENT (2019-10-15T22:30, Vietnam's time) from now on; `real` undoes it."""
    if moment:
        if not current_app.extensions["clock"].asks:
            raise RuleBroken(_("The time is fixed: by CRM_CLOCK, or because this is production."))
        target = None if moment == "real" else datetime.now(UTC) + clock.read_setting(moment, datetime.now(UTC))
        with transaction() as session:
            move(session, target)
        current_app.extensions["clock"].refresh()
    click.echo(clock.now().astimezone(clock.LOCAL).isoformat(timespec="seconds"))
