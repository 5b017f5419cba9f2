"""Who the payers are. A package that knows payers of a kind registers here how they are called:

    payers.knows(PayerKind.SPONSOR, names_of_sponsors)

so that this package can say who bore a month without knowing sponsors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm.participation.shares import Payer, PayerKind

Names = Callable[[Session, UUID, Collection[UUID]], Mapping[UUID, str]]

_names: dict[PayerKind, Names] = {}


def knows(kind: PayerKind, names: Names) -> None:
    """Let this function say what payers of a kind are called: town and ids → names by id."""
    _names[kind] = names


def named(session: Session, town_id: UUID, payers: Iterable[Payer]) -> dict[Payer, str]:
    """What these payers are called; whoever is not on record is «another payer»."""
    wanted = set(payers)
    found: dict[Payer, str] = dict.fromkeys(wanted, _("Another payer"))
    for kind, names in _names.items():
        ids = {payer.id for payer in wanted if payer.kind is kind and payer.id}
        if ids:
            found |= {Payer(kind, id): name for id, name in names(session, town_id, ids).items()}
    return found
