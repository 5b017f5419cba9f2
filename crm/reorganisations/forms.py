"""Describing a reorganisation on one page, and deciding on the next who looks after what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from crm.places.rules import PlaceKind
from crm.reorganisations.rules import DIVIDED, KINDS, MOST_NEW_UNITS, STAYS, Move, NewUnit, Plan
from crm.web.fields import MomentField
from crm.web.forms import Form, stripped

KEYS = [f"new{number}" for number in range(1, MOST_NEW_UNITS + 1)]
FORMER_AREA = "former"


class DescribeForm(Form):
    """The document, the new wards, and what becomes of each ward of the eve. Wards are added by `for_units`."""

    name = StringField(_l("What it is called"), filters=[stripped], validators=[DataRequired(), Length(max=200)])
    document = StringField(_l("Document"), filters=[stripped], validators=[DataRequired(), Length(max=100)])
    on_day = DateField(_l("From which day"), validators=[DataRequired()])

    units: Sequence[tuple[UUID, str]] = ()

    @classmethod
    def for_units(cls, units: Sequence[tuple[UUID, str]]) -> DescribeForm:
        """The form for the wards there are now (id, name)."""
        fields: dict[str, Any] = {"units": units}
        for number, key in enumerate(KEYS, start=1):
            fields[f"{key}_name"] = StringField(
                _l("Name of new ward %(number)s", number=number), filters=[stripped], validators=[Length(max=100)]
            )
            code = Regexp(r"\d{5}$", message=_l("The code of a ward has 5 digits."))
            fields[f"{key}_code"] = StringField(_l("Code"), filters=[stripped], validators=[Optional(), code])
            fields[f"{key}_kind"] = SelectField(_l("Ward or commune?"), choices=KINDS)
        new = [(key, _l("becomes part of new ward %(number)s", number=number)) for number, key in enumerate(KEYS, 1)]
        for unit, name in units:
            others = [
                (str(other), _l("becomes part of %(ward)s", ward=named)) for other, named in units if other != unit
            ]
            choices = [(STAYS, _l("stays as it is")), *new, *others, (DIVIDED, _l("is divided by neighbourhood"))]
            fields[f"of_{unit.hex}"] = SelectField(name, choices=choices, default=STAYS)
        return type("DescribeWards", (cls,), fields)()  # type: ignore[no-any-return]

    def new_units(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each new ward."""
        return [(self[f"{key}_name"], self[f"{key}_code"], self[f"{key}_kind"]) for key in KEYS]

    def moves(self) -> list[Any]:
        """The field of each ward there is."""
        return [self[f"of_{unit.hex}"] for unit, _name in self.units]

    def validate(self, extra_validators: Any = None) -> bool:
        """A new ward with a name needs its code."""
        good = super().validate(extra_validators=extra_validators)
        for name, code, _kind in self.new_units():
            if name.data and not code.data:
                code.errors = [*code.errors, _l("Write the code of this ward, 5 digits.")]
                good = False
        return bool(good)

    @property
    def document_of_day(self) -> dict[str, Any]:
        """What it is called, its document and its day, once they are valid."""
        return {"name": self.name.data, "document": self.document.data, "on_day": self.on_day.data}

    @property
    def plan(self) -> Plan:
        """What was said."""
        units = [
            NewUnit(key, name.data, code.data, PlaceKind(kind.data))
            for key, (name, code, kind) in zip(KEYS, self.new_units(), strict=True)
            if name.data
        ]
        moves = []
        for unit, _name in self.units:
            chosen = self[f"of_{unit.hex}"].data
            if chosen == DIVIDED:
                moves.append(Move(unit, units[0].key if units else str(self._other(unit)), divided=True))
            elif chosen != STAYS:
                moves.append(Move(unit, chosen))
        return Plan(tuple(units), tuple(moves))

    def _other(self, unit: UUID) -> UUID:
        return next(other for other, _name in self.units if other != unit)


class DivideForm(Form):
    """Where each neighbourhood of a divided ward goes, and whoever is in none of them."""

    @classmethod
    def for_parts(
        cls, move: Move, neighbourhoods: Iterable[tuple[UUID, str]], targets: Sequence[tuple[str, str]]
    ) -> DivideForm:
        """The form for one divided ward; `targets` are keys or ids with names."""
        fields: dict[str, Any] = {
            "to": SelectField(_l("Everybody whose neighbourhood is not known"), choices=targets, default=move.to)
        }
        for key, name in neighbourhoods:
            fields[f"in_{key.hex}"] = SelectField(name, choices=targets, default=move.neighbourhoods.get(key, move.to))
        return type("DivideWard", (cls,), fields)()  # type: ignore[no-any-return]

    def answer(self, move: Move) -> Move:
        """The move as it was decided."""
        inside = {UUID(name[3:]): field.data for name, field in self._fields.items() if name.startswith("in_")}
        return Move(move.of, self._fields["to"].data, divided=True, neighbourhoods=inside)


class DecideForm(Form):
    """For each account and branch: the new place, or the former area as before; and a note to them."""

    note = TextAreaField(_l("A note to everybody concerned"), filters=[stripped], validators=[Length(max=500)])
    knowing = MomentField()
    """When what the page showed had been decided."""

    @classmethod
    def for_subjects(
        cls,
        subjects: Iterable[tuple[UUID, str, Sequence[tuple[UUID, str]], UUID | None]],
        note: str | None = None,
        decided_at: datetime | None = None,
    ) -> DecideForm:
        """`subjects`: id, name, the places that may follow (id, name), and the one proposed or decided; `decided_at`: when
        what stands now was decided, if anything was."""
        fields: dict[str, Any] = {}
        for key, name, options, proposed in subjects:
            choices = [(str(place), _l("looks after %(ward)s", ward=ward)) for place, ward in options]
            choices.append((FORMER_AREA, _l("keeps the former area")))
            fields[f"who_{key.hex}"] = SelectField(name, choices=choices, default=str(proposed or FORMER_AREA))
        return type("DecidePlaces", (cls,), fields)(note=note, knowing=decided_at)  # type: ignore[no-any-return]

    @property
    def places(self) -> Mapping[UUID, UUID | None]:
        """What was decided."""
        return {
            UUID(name[4:]): None if field.data == FORMER_AREA else UUID(field.data)
            for name, field in self._fields.items()
            if name.startswith("who_")
        }
