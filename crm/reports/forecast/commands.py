"""`crm forecast`: when the target is reached, in one answer."""

from __future__ import annotations

import json
from datetime import datetime

import click
from sqlalchemy import select

from crm import clock
from crm.db import session, transaction
from crm.places.queries import the_town
from crm.reports.forecast import services
from crm.reports.forecast.models import Forecast
from crm.reports.forecast.outlook import Outlook
from crm.reports.forecast.queries import scores
from crm.reports.forecast.rules import record
from crm.reports.forecast.writing import headline, sentences, verdict


@click.command("forecast")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="By default today, by the program's clock.")
@click.option("--json", "as_json", is_flag=True, help="All of it, as the API gives it.")
def forecast(as_of: datetime | None, as_json: bool) -> None:
    """When the target is reached, with a range, and how earlier forecasts did. What is said is kept."""
    today = clock.today()
    day = min(as_of.date() if as_of else today, today)
    with transaction() as current:
        made = services.make(current, the_town(current).id, day, today=today, at=clock.now())
    said = Outlook.from_json(session().scalars(select(Forecast.said).where(Forecast.id == made)).one())
    if as_json:
        click.echo(json.dumps(said.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(headline(said))
    for one in sentences(said):
        click.echo(one)
    click.echo(verdict(record(scores(session(), the_town(session()).id, today))))
