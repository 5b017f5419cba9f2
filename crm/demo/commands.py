"""`crm demo load`: the demo town in an empty installation."""

from __future__ import annotations

from datetime import date

import click
from flask_babel import gettext as _

from crm import clock
from crm.db import transaction
from crm.demo import services
from crm.demo.town import PLAN_DAY
from crm.errors import RuleBroken

TODAY = "today"


@click.group()
def demo() -> None:
    """A believable town to try everything in."""


@demo.command("load")
@click.option("--prospects", type=click.IntRange(1, services.MOST), default=services.PROSPECTS, show_default=True)
@click.option("--seed", type=int, default=services.SEED, show_default=True, help="The same seed makes the same town.")
@click.option("--as-of", default=PLAN_DAY.isoformat(), show_default=True, help="The day it is there, or `today`.")
def load(prospects: int, seed: int, as_of: str) -> None:
    """Load Bỉm Sơn: its people, volunteers, visits, payments and sponsors; the program's clock starts on that day."""
    day = clock.today() if as_of == TODAY else _day(as_of)
    moved_to = None if as_of == TODAY else clock.at(day, 9)
    with transaction() as current:
        services.load(current, services.Wanted(prospects, seed, day), moved_to=moved_to)
        lines = services.account_lines(current)
    services.analyze()
    for line in lines:
        click.echo(line)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleBroken(_("“%(text)s” is no day: write --as-of 2019-10-15, or --as-of today.", text=text)) from None
