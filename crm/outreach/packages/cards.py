"""What packages add to other pages: a line about one, and its beginning and end on a person's timeline."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import and_, select

from crm.clock import local_day
from crm.outreach.packages.models import PackageItem, WorkPackage
from crm.outreach.packages.queries import Progress
from crm.outreach.packages.rules import ENDINGS, Ending, Settled
from crm.prospects import cards
from crm.prospects.cards import Event, Happened, Kind, Trail, facts_as, of_person
from crm.web.filters import in_day


def line_of(progress: Progress, today: date) -> Any:
    """«12/25 met · 6 days left» of a package that is out, else how it ended."""
    met = _("%(met)s/%(people)s met", met=progress.met, people=progress.people)
    ended_at = progress.package.ended_at
    if ended_at is not None:
        day = in_day(local_day(ended_at))
        return _("%(met)s, %(num)s returned on %(day)s", met=met, num=progress.returned, day=day)
    left = progress.days_left(today)
    if left <= 0:
        return _("%(met)s · its last day is past", met=met)
    if left == 1:
        return _("%(met)s · today is the last day", met=met)
    return ngettext("%(met)s · %(num)s day left", "%(met)s · %(num)s days left", left, met=met)


def _came_back(row: Happened) -> Event:
    facts = row.facts
    name = facts["package"]
    title = _("Came back from the package “%(name)s”, not met", name=name)
    return Event(row.at, title, "undo", "quiet", row.by, ENDINGS[Ending(facts["ending"])])


RETURNED = Trail(
    "packages",
    Kind.OFFICE,
    select(PackageItem)
    .join(WorkPackage, and_(WorkPackage.town_id == PackageItem.town_id, WorkPackage.id == PackageItem.package_id))
    .where(of_person(PackageItem), PackageItem.settled == Settled.RETURNED),
    at=PackageItem.settled_at,
    id=PackageItem.id,
    by=WorkPackage.ended_by_id,
    facts=facts_as(package=WorkPackage.name, ending=WorkPackage.ending),
    tell=_came_back,
)
cards.register(trails=(RETURNED,))
