"""How a decree is shown: its lines beside what holds without them, and who pays how much more or less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.decrees import queries
from crm.decrees.forms import TopUpForm, ValueForm
from crm.decrees.models import Decree, DecreePerson
from crm.decrees.queries import Recorded, Sums, recorded_by, said_of, sums
from crm.decrees.rules.saying import Item
from crm.errors import NotFound
from crm.ids import read_id
from crm.places.queries import units
from crm.premiums.models import LawValueRow
from crm.premiums.queries import all_top_ups, law
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import LocalTopUp, holding
from crm.premiums.rules.wording import BY_YEAR_PAID, GROUNDS, LABELS, LOCAL_TOP_UP, value_of
from crm.prospects.rules import Ground
from crm.web.filters import in_day, number
from crm.web.language import chosen


class Written(NamedTuple):
    """A line of a decree in words, beside what holds on its day without it."""

    name: Any
    before: Any
    after: Any
    article: str


def about(row: Decree) -> str:
    """What a decree changes, in few words."""
    names = dict.fromkeys(str(_name(item)) for item in said_of(row).items)
    return "; ".join(names)


def _name(item: Item) -> Any:
    return LABELS[item.key] if item.key else _l("Additions by places")


def lines(session: Session, row: Decree) -> list[Written]:
    """What a decree says, line by line."""
    said = said_of(row)
    before, here = law(session).on(said.since), all_top_ups(session, row.town_id)
    if row.saved_at is not None:
        before = _without(session, row).on(said.since)
        here = [one for one in here if not (one.document.startswith(said.document) and one.since == said.since)]
    names = queries.place_names(session, row.town_id, {item.place for item in said.items})
    return [_line(item, before, here, names, said.since) for item in said.items]


def _without(session: Session, row: Decree) -> Any:
    """The law without what this decree put on record."""
    mine = {one.value.as_value() for one in recorded_by(session, row) if one.value}
    whole = law(session)
    return type(whole)(tuple(value for value in whole.values if value not in mine))


def _line(item: Item, before: Any, here: Sequence[LocalTopUp], names: Mapping[UUID, str], since: date) -> Written:
    language = chosen()
    if item.key is not None and item.value is not None:
        held = before.rows.get((item.key, item.ground, item.of_year))
        parts = [str(LABELS[item.key])]
        parts += [str(GROUNDS[item.ground])] if item.ground else []
        parts += [_("months paid in %(year)s", year=item.of_year)] if item.of_year else []
        old = value_of(item.key, held.value, language) if held else "—"
        return Written(" – ".join(parts), old, value_of(item.key, item.value, language), item.article)
    ground = item.ground or Ground.OTHER
    where = names.get(item.place, "") if item.place else _("the whole town")
    addition = _("Addition by the place's own budget")
    name = f"{addition}: {where} – {GROUNDS[ground]}"
    held_here = [one for one in holding(here, since, {item.place} if item.place else ()) if one.place == item.place]
    old_top_up = next((one for one in held_here if one.ground is ground), None)
    old = _given(old_top_up.percent, old_top_up.amount) if old_top_up else "—"
    return Written(name, old, _given(item.value, item.amount) + _limits(item), "")


def _given(percent: Any, amount: int | None) -> str:
    if percent is not None:
        return str(value_of(LOCAL_TOP_UP, percent, chosen()))
    return str(_("%(amount)s đ a month", amount=number(amount or 0, 0, chosen())))


def _limits(item: Item) -> str:
    found = []
    if item.until:
        found.append(_("until %(day)s", day=in_day(item.until)))
    if item.months_cap:
        found.append(ngettext("for %(num)s month at most", "for %(num)s months at most", item.months_cap))
    return f" ({'; '.join(found)})" if found else ""


# ---- forms with what they offer


def value_form(session: Session, today: date, *, empty: bool = False) -> ValueForm:
    """The form for a value, with what holds today beside each name."""
    here, language = law(session).on(today), chosen()
    now = {
        key: value_of(key, here.rows[key, None, None].value, language)
        for key in LawKey
        if (key, None, None) in here.rows and key not in BY_YEAR_PAID
    }
    return (ValueForm(formdata=None) if empty else ValueForm()).offering(now)


def top_up_form(session: Session, town_id: UUID, today: date, *, empty: bool = False) -> TopUpForm:
    """The form for an addition, with the wards and communes of today."""
    places = [(str(unit.id), unit.name) for unit in session.scalars(units(town_id, today))]
    return (TopUpForm(formdata=None) if empty else TopUpForm()).offering(places)


def announced_row(session: Session, text: str | None) -> LawValueRow | None:
    """The announced row that is to be confirmed, None without any. Raises NotFound."""
    if not text:
        return None
    id = read_id(text)
    row = session.get(LawValueRow, id) if id else None
    if row is None or row.status is not LawStatus.ANNOUNCED or row.withdrawn_at is not None:
        raise NotFound
    return row


def confirming(row: LawValueRow) -> Item:
    """The line of a decree that confirms what was announced."""
    value = row.as_value()
    return Item(key=value.key, ground=value.ground, value=value.value, of_year=value.of_year, confirms=row.id)


# ---- what is on record


class OnRecord(NamedTuple):
    """A row a decree put on record: what it says and whether it may still be withdrawn."""

    found: Recorded
    words: str


def recorded(session: Session, row: Decree) -> list[OnRecord]:
    """What a decree put on record, in words."""
    return [OnRecord(one, recorded_words(session, row, one)) for one in recorded_by(session, row)]


def recorded_words(session: Session, row: Decree, found: Recorded) -> str:
    """One row in words."""
    if found.value:
        value = found.value.as_value()
        ground = f" – {GROUNDS[value.ground]}" if value.ground else ""
        year = f" – {value.of_year}" if value.of_year else ""
        return f"{LABELS[value.key]}{ground}{year}: {value_of(value.key, value.value, chosen())}"
    assert found.top_up is not None
    added = found.top_up.as_top_up()
    names = queries.place_names(session, row.town_id, {added.place})
    where = names.get(added.place, "") if added.place else _("the whole town")
    return f"{where} – {GROUNDS[added.ground]}: {_given(added.percent, added.amount)}"


# ---- who pays how much more or less


class Told(NamedTuple):
    """The sums of those who take part and of those who might, and the former by ground and by ward."""

    part: Sums | None
    others: Sums | None
    by_ground: list[tuple[Any, Any, Sums]]
    by_ward: list[tuple[Any, Any, Sums]]


def told(session: Session, scope: Scope, row: Decree) -> Told:
    """What a decree means, among those this person may see; four queries."""
    both = {key[0]: found for key, found in sums(session, scope, row, DecreePerson.takes_part)}
    grounds = {
        key[1]: found
        for key, found in sums(session, scope, row, DecreePerson.takes_part, DecreePerson.ground)
        if key[0]
    }
    wards = {
        key[1]: found
        for key, found in sums(session, scope, row, DecreePerson.takes_part, DecreePerson.place_id)
        if key[0]
    }
    names = queries.place_names(session, scope.town_id, wards)
    return Told(
        both.get(True),
        both.get(False),
        [(ground, GROUNDS[ground], grounds[ground]) for ground in Ground if ground in grounds],
        sorted(((id, names.get(id, ""), found) for id, found in wards.items()), key=lambda one: one[1]),
    )


def wards_of(session: Session, scope: Scope, row: Decree) -> list[tuple[str, str]]:
    """The wards whose people a decree concerns, to choose from."""
    found = {key[0] for key, _sums in sums(session, scope, row, DecreePerson.place_id)}
    names = queries.place_names(session, scope.town_id, found)
    return sorted(((str(id), name) for id, name in names.items()), key=lambda one: one[1])
