"""`crm premium`: a quote on the command line; `crm law`: the law it rests on."""

import json
from datetime import date, datetime
from typing import Any

import click
from flask_babel import force_locale, get_locale, ngettext
from flask_babel import gettext as _

from crm import clock
from crm.db import session
from crm.errors import RuleBroken
from crm.money import in_words
from crm.places.queries import only_town, place_named
from crm.premiums import queries
from crm.premiums.resources import LawAnswer, QuoteAnswer
from crm.premiums.rules.keys import LawStatus
from crm.premiums.rules.law import LocalTopUp
from crm.premiums.rules.quotes import Plan, Quote, quote, read_start
from crm.premiums.rules.steps import steps, weighing
from crm.premiums.rules.timeline import Span, timelines
from crm.premiums.rules.wording import GROUNDS, STATUSES, titled, value_of
from crm.prospects.rules import Ground
from crm.told import Told
from crm.web.filters import in_day, vnd
from crm.web.language import LANGUAGES

GROUND = click.Choice([str(ground) for ground in Ground])
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("premium")
@click.option("--income", type=int, required=True, help="Chosen income a month, whole đồng.")
@click.option("--ground", "grounds", type=GROUND, multiple=True, help="Several: the highest support counts.")
@click.option("--start", required=True, metavar="YYYY-MM", help="First month paid for.")
@click.option("--paid-on", type=DAY, help="Day of payment; by default the first day of the start month.")
@click.option("--months", type=int, help="1, 3, 6 or 12 at a time.")
@click.option("--years-ahead", type=int, help="Once for so many years.")
@click.option("--missing-months", type=int, help="Once for the months missing for a pension.")
@click.option("--supported-before", type=int, default=0, help="Months the State has supported already.")
@click.option("--place", metavar="PLACE", help="Where one lives, as UUID, CODE or CODE@DATE: what it adds counts too.")
@click.option(
    "--local-months-before", type=int, default=0, help="Months the place's own budget has helped with already."
)
@click.option("--explain", is_flag=True, help="Also how each figure comes about.")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], help="Of what is told.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the API answers.")
def premium(
    income: int,
    grounds: tuple[str, ...],
    start: str,
    paid_on: datetime | None,
    months: int | None,
    years_ahead: int | None,
    missing_months: int | None,
    supported_before: int,
    place: str | None,
    local_months_before: int,
    explain: bool,
    language: str,
    as_json: bool,
) -> None:
    """What a premium costs, who helps, and by which rules. Needs an app context."""
    with force_locale(language):
        try:
            plan = Plan.of(months=months, years_ahead=years_ahead, missing_months=missing_months)
            first, paid = read_start(start), paid_on.date() if paid_on else None
            told = quote(
                queries.law(session()),
                income,
                [Ground(ground) for ground in grounds],
                first,
                paid,
                plan,
                supported_before=supported_before,
                local_top_ups=_top_ups(place, paid or first.first_day),
                local_months_before=local_months_before,
            )
        except RuleBroken as refusal:
            raise Told(str(refusal)) from None
        lines = [*explained(told), *(step_by_step(told) if explain else [])]
        click.echo(json.dumps(_as_api(told), ensure_ascii=False, indent=2) if as_json else "\n".join(lines))


def _top_ups(place: str | None, day: date) -> list[LocalTopUp]:
    """What is added on a day in a place of the town of this installation; without one, in the whole town."""
    if not place:
        return queries.top_ups_here(session(), day)
    town_id = only_town(session())
    if not town_id:
        raise RuleBroken(_("A place can be named only where this installation serves one town."))
    return queries.top_ups_at(session(), town_id, place_named(session(), town_id, place, today=day), day)


def _as_api(told: Quote) -> Any:
    return QuoteAnswer().dump(told)


def explained(told: Quote) -> list[str]:
    """A quote line by line, in the reader's language."""
    locale = str(get_locale())
    figures = [
        (
            ngettext("Premium for %(num)s month", "Premium for %(num)s months", told.plan.months),
            vnd(told.gross, locale),
        ),
        (
            ngettext("State support (%(num)s month)", "State support (%(num)s months)", told.supported_months),
            vnd(told.state_support, locale),
        ),
        (_("Addition by the place's own budget"), vnd(told.local_support, locale)),
        (_("Other support"), vnd(told.other_support, locale)),
        (_("I pay"), vnd(told.payable, locale)),
    ]
    width = max(len(name) for name, _figure in figures)
    amounts = max(len(figure) for _name, figure in figures)
    lines = [f"{name:<{width}}  {figure:>{amounts}}" for name, figure in figures]
    lines.append(_("In words: %(words)s đồng", words=in_words(told.payable)))
    lines.append(_("Ground: %(ground)s", ground=GROUNDS[told.ground]))
    lines += [f"- {line}" for line in weighing(told, locale)]
    if told.deadline:
        lines.append(_("Pay by %(day)s", day=in_day(told.deadline)))
    if told.late:
        lines.append(_("This is after the time to pay: one has to register again before paying on."))
    if told.next_start:
        lines.append(_("Next payment from %(month)s", month=f"{told.next_start.number}/{told.next_start.year}"))
    lines += [remark.text for remark in told.said]
    lines += ["", _("Rules this rests on:")]
    for line in told.lines:
        said = [_("since %(day)s", day=in_day(line.since)), line.source]
        said += [] if line.status is LawStatus.IN_FORCE else [str(STATUSES[line.status])]
        name = titled(line.name, line.ground, line.of_year)
        lines.append(f"- {name}: {value_of(line.name, line.value, locale)} ({'; '.join(said)})")
    return lines


def step_by_step(told: Quote) -> list[str]:
    """How each figure comes about."""
    locale = str(get_locale())
    lines = ["", _("How each figure comes about:")]
    for step in steps(told, locale):
        source = f" ({step.source})" if step.source else ""
        lines.append(f"- {step.label}: {step.how} = {vnd(step.amount, locale)}{source}")
    return lines


@click.command("law")
@click.option("--on", type=DAY, help="What holds on a day; by default today.")
@click.option("--all", "every", is_flag=True, help="Also what held, what comes and what was only announced.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the API answers.")
def law(on: datetime | None, every: bool, as_json: bool) -> None:
    """The law on record, with its documents. Needs an app context."""
    day = on.date() if on else clock.today()
    lines = timelines(queries.law(session()).values, day)
    shown = [span for line in lines for span in ((*line.spans, *line.announced) if every else (line.now,)) if span]
    if as_json:
        click.echo(json.dumps(LawAnswer().dump({"day": day, "values": shown}), ensure_ascii=False, indent=2))
        return
    for span in shown:
        click.echo(_told(span))


def _told(span: Span) -> str:
    """One value on one line."""
    value = span.value
    name = titled(value.key, value.ground, value.of_year)
    said = [_("since %(day)s", day=in_day(value.since)), value.reference]
    said += [] if value.status is LawStatus.IN_FORCE else [str(STATUSES[value.status])]
    return f"{name}: {value_of(value.key, value.value)} ({'; '.join(said)})"
