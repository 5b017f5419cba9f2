"""The life of a message, and what is believed of late news."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Delivery(StrEnum):
    """The life of one message."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    EXCLUDED = "excluded"


ORDER = tuple(Delivery)
FINAL = frozenset(
    {
        Delivery.DELIVERED,
        Delivery.UNDELIVERED,
        Delivery.FAILED,
        Delivery.CANCELLED,
        Delivery.EXPIRED,
        Delivery.EXCLUDED,
    }
)
LOST = frozenset({Delivery.UNDELIVERED, Delivery.FAILED})
"""Nothing arrived."""
WAITING = frozenset({Delivery.HELD, Delivery.QUEUED})
LEFT_US = frozenset(
    {
        Delivery.SENDING,
        Delivery.UNKNOWN,
        Delivery.HANDED_OVER,
        Delivery.ACCEPTED,
        Delivery.SENT,
        Delivery.DELIVERED,
        Delivery.UNDELIVERED,
    }
)
"""States in which the person has, or may have, been texted: these count towards the day's limit."""


def after(now: Delivery, told: Delivery) -> Delivery:
    """What we believe once a receipt says `told`: receipts come late, twice and out of order."""
    stale = now in FINAL or ORDER.index(told) < ORDER.index(now)
    return now if stale else told


TOLD: dict[str, Delivery] = {
    "accepted": Delivery.ACCEPTED,
    "scheduled": Delivery.ACCEPTED,
    "queued": Delivery.ACCEPTED,
    "sending": Delivery.ACCEPTED,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.CANCELLED,
}
"""The carrier's words for a status, in ours."""

DELIVERY_NAMES: dict[Delivery, LazyString] = {
    Delivery.HELD: _l("On hold"),
    Delivery.QUEUED: _l("Waiting"),
    Delivery.SENDING: _l("Being sent"),
    Delivery.UNKNOWN: _l("Not known"),
    Delivery.HANDED_OVER: _l("Handed over in a file"),
    Delivery.ACCEPTED: _l("Taken by the carrier"),
    Delivery.SENT: _l("Sent"),
    Delivery.DELIVERED: _l("Reached the network"),
    Delivery.UNDELIVERED: _l("Not delivered"),
    Delivery.FAILED: _l("Could not be sent"),
    Delivery.CANCELLED: _l("Called off"),
    Delivery.EXPIRED: _l("Too late, not sent"),
    Delivery.EXCLUDED: _l("Left out of it"),
}
