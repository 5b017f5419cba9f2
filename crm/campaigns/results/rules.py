"""The questions that a figure of a campaign answers, each with its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.delivery import LEFT_US, LOST, WAITING, Delivery
from crm.campaigns.rules.reasons import Reason


class Which(StrEnum):
    """People of a campaign, by what became of their message or what followed."""

    WAITING = "waiting"
    LEFT = "left"
    DELIVERED = "delivered"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    EXCLUDED = "excluded"
    HELD_BACK = "held_back"
    OPTED_OUT = "opted_out"
    REPLIED = "replied"
    VISITED = "visited"
    JOINED = "joined"


WHICH: dict[Which, LazyString] = {
    Which.WAITING: _l("waiting"),
    Which.LEFT: _l("sent"),
    Which.DELIVERED: _l("reached the network"),
    Which.FAILED: _l("could not be delivered"),
    Which.NOT_SENT: _l("called off or too late, not sent"),
    Which.EXCLUDED: _l("left out"),
    Which.HELD_BACK: _l("held back for comparison"),
    Which.OPTED_OUT: _l("refused messages afterwards"),
    Which.REPLIED: _l("answered"),
    Which.VISITED: _l("were met afterwards"),
    Which.JOINED: _l("joined afterwards"),
}
STOPPED = frozenset({Delivery.CANCELLED, Delivery.EXPIRED})


@dataclass(frozen=True)
class Count:
    """How many messages stand somewhere, for one reason, with their segments."""

    state: Delivery
    reason: Reason | None
    messages: int
    segments: int


@dataclass(frozen=True)
class Tally:
    """What became of a campaign's messages: each is in exactly one of `waiting`, `left`, `refused`, `stopped`, `excluded` and
    `held_back`."""

    counts: Sequence[Count]
    price: int

    def _sum(self, states: frozenset[Delivery]) -> int:
        return sum(one.messages for one in self.counts if one.state in states)

    @property
    def waiting(self) -> int:
        return self._sum(WAITING)

    @property
    def left(self) -> int:
        """Handed over, whatever came of it: these may have reached somebody."""
        return self._sum(LEFT_US)

    @property
    def delivered(self) -> int:
        return self._sum(frozenset({Delivery.DELIVERED}))

    @property
    def in_files(self) -> int:
        """Handed over in a file of which no result has come."""
        return self._sum(frozenset({Delivery.HANDED_OVER}))

    @property
    def lost(self) -> int:
        return self._sum(LOST)

    @property
    def stopped(self) -> int:
        return self._sum(STOPPED)

    @property
    def refused(self) -> int:
        """Never taken by the carrier, so never charged."""
        return self._sum(frozenset({Delivery.FAILED}))

    @property
    def held_back(self) -> int:
        return sum(one.messages for one in self.counts if one.reason is Reason.HELD_BACK)

    @property
    def excluded(self) -> int:
        return self._sum(frozenset({Delivery.EXCLUDED})) - self.held_back

    @property
    def everybody(self) -> int:
        """All messages that were to go out."""
        return sum(one.messages for one in self.counts if one.state is not Delivery.EXCLUDED)

    @property
    def settled(self) -> int:
        """Those of which something became."""
        return self.everybody - self.waiting

    @property
    def cost(self) -> int:
        """Đồng of what has left so far."""
        return self.price * sum(one.segments for one in self.counts if one.state in LEFT_US)

    @property
    def cost_in_all(self) -> int:
        """Đồng when what waits has left, too."""
        return self.cost + self.price * sum(one.segments for one in self.counts if one.state in WAITING)

    def reasons(self, which: Which) -> Sequence[Count]:
        """The lines of a part that say why, the most first."""
        states = {Which.FAILED: LOST, Which.NOT_SENT: STOPPED, Which.EXCLUDED: frozenset({Delivery.EXCLUDED})}[which]
        found = [
            one for one in self.counts if one.state in states and one.reason and one.reason is not Reason.HELD_BACK
        ]
        return sorted(found, key=lambda one: -one.messages)
