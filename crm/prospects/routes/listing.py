"""The register of people: the list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session
from crm.errors import NotFound, RuleBroken
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import units
from crm.prospects.forms import Choice
from crm.prospects.lists.forms import SearchForm
from crm.prospects.lists.models import Segment
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.queries import Ready, segment_seen
from crm.prospects.lists.rules import COLUMNS, Column, columns_in_order
from crm.prospects.lists.showing import chips, organisations_to_choose, volunteers_to_choose
from crm.prospects.queries.lists import count_list, list_of
from crm.prospects.routes.blueprint import bp
from crm.prospects.routes.narrowing import refused_page
from crm.prospects.wording import SEXES
from crm.web.guard import may

PAGE = 48


MOST_COUNTED = 1000
"""Of a whole register nobody needs the exact number; counting stops here."""


MOST_COUNTED_NARROWED = 5_000
"""A figure of the manager's home opens a narrowed list, which must say the same number."""


@bp.get("")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """People by name, searched and narrowed."""
    form = SearchForm(request.args)
    if form.validate():
        try:
            return _listed(form, Asked.here(form.q.data or ""))
        except RuleBroken as refusal:
            return refused_page(request.args, refusal, places_of_mine()), 422
    return render_template("prospects/listing.html", form=form, asked=None, people=[], count=None, next_url=None), 422


def _listed(form: SearchForm, asked: Asked) -> str:
    scope, today, cursor = current_scope(), clock.today(), request.args.get("cursor")
    filters, columns = asked.narrowing.filters(session(), scope, today), columns_of_mine()
    with_tags = Column.TAGS in columns
    found = list_of(session(), scope, filters, asked.q, cursor=cursor, size=PAGE, today=today, with_tags=with_tags)
    count, most = len(found.rows), MOST_COUNTED_NARROWED if asked.narrowing else MOST_COUNTED
    if cursor or found.next:
        count = count_list(session(), scope, filters, asked.q, most, today=today)
    following = url_for(".listing", **asked.args, cursor=found.next) if found.next else None
    return render_template(
        "prospects/listing.html",
        form=form,
        asked=asked,
        people=found.rows,
        count=count,
        most=most,
        next_url=following,
        today=today,
        columns=columns,
        column_words=COLUMNS,
        sexes=SEXES,
        volunteers=dict(volunteers_to_choose(session(), scope)) if Column.VOLUNTEER in columns else {},
        organisations=_organisation_names() if Column.ORGANISATION in columns else {},
    )


class Asked:
    """What a page of people was asked for: what is typed, what is chosen, and the saved list it came from."""

    def __init__(self, narrowing: Narrowing, q: str, saved: Segment | Ready | None) -> None:
        self.narrowing, self.q, self.saved = narrowing, q, saved

    @classmethod
    def here(cls, q: str, args: MultiDict[str, str] | None = None) -> Asked:
        """From the address. Raises RuleBroken at what cannot be read."""
        given = request.args if args is None else args
        return cls(Narrowing.from_args(given), q, _saved(given.get("list")))

    @property
    def args(self) -> dict[str, Any]:
        """The address of the same again, without its page."""
        return self.narrowing.as_args() | self._besides

    @property
    def _besides(self) -> dict[str, Any]:
        saved = None
        if self.saved is not None:
            saved = self.saved.key if isinstance(self.saved, Ready) else str(self.saved.id)
        return {name: value for name, value in (("q", self.q), ("list", saved)) if value}

    @property
    def chips(self) -> list[tuple[Any, str]]:
        """Everything it is narrowed to, each with the address without it."""
        found = chips(session(), current_scope(), self.narrowing) if self.narrowing else []
        return [(chip.words, url_for("prospects.listing", **{**chip.without, **self._besides})) for chip in found]

    @property
    def changed(self) -> bool:
        """Whether it is another question by now than the saved list it came from."""
        return self.saved is not None and (
            self.saved.asked != self.narrowing.as_args() or (self.saved.q or "") != self.q
        )

    @property
    def own(self) -> bool:
        """Whether the saved list is one's own."""
        return isinstance(self.saved, Segment) and self.saved.owner_id == current_user().id


def _saved(named: str | None) -> Segment | Ready | None:
    """The saved list an address names, if it is in sight."""
    if not named:
        return None
    try:
        return segment_seen(session(), current_scope(), current_user(), named)
    except NotFound:
        return None


def columns_of_mine() -> tuple[Column, ...]:
    """What lists show whoever asks, beside the name; nobody's volunteers for those who see only their own people."""
    chosen = columns_in_order(current_user().list_columns)
    alone = not volunteers_to_choose(session(), current_scope())
    return tuple(column for column in chosen if not (alone and column is Column.VOLUNTEER))


def _organisation_names() -> dict[str, str]:
    scope = current_scope()
    return {id: str(name) for id, name in organisations_to_choose(session(), scope)}


def places_of_mine() -> list[Choice]:
    """The wards and communes of today that someone of this scope works in."""
    scope, today = current_scope(), clock.today()

    def read() -> list[tuple[UUID, str]]:
        return [
            (id, name)
            for id, name in session().execute(units(scope.town_id, today).with_only_columns(Place.id, Place.name))
        ]

    here = kept(("units", scope.town_id, today), read)
    return [(str(id), name) for id, name in here if scope.place_ids is None or id in scope.place_ids]


def one_of(value: str, choices: list[Choice]) -> bool:
    return value in [choice[0] for choice in choices]
