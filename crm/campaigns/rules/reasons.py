"""Why somebody was left out, or a message waits or came to nothing, in words for people."""

from datetime import timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Reason(StrEnum):
    """Why somebody was left out, or a message waits or came to nothing."""

    NO_PHONE = "no_phone"
    NOT_MOBILE = "not_mobile"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    SAME_PHONE = "same_phone"
    MISSING_VALUE = "missing_value"
    TOO_LONG = "too_long"
    HELD_BACK = "held_back"
    TOO_MANY = "too_many"
    OUT_OF_HOURS = "out_of_hours"
    PAUSED = "paused"
    CALLED_OFF = "called_off"
    DONE_MEANWHILE = "done_meanwhile"
    RULE_CHANGED = "rule_changed"
    EXPIRED = "expired"
    RESTORED = "restored"
    ALREADY_HANDLED = "already_handled"
    NO_ANSWER = "no_answer"
    NO_TRACE = "no_trace"
    MALFORMED = "malformed"
    BAD_NUMBER = "bad_number"
    LANDLINE = "landline"
    BLOCKED = "blocked"
    BARRED = "barred"
    BUSY = "busy"
    SENDER = "sender"
    ACCOUNT = "account"
    UNREACHABLE = "unreachable"
    FILTERED = "filtered"
    CARRIER = "carrier"


REASONS: dict[Reason, LazyString] = {
    Reason.NO_PHONE: _l("No phone number is on record."),
    Reason.NOT_MOBILE: _l("The number is not a mobile number and cannot get messages."),
    Reason.NO_CONSENT: _l("The person has not agreed to get messages of this kind."),
    Reason.OPTED_OUT: _l("The person asked not to get messages any more."),
    Reason.SAME_PHONE: _l("Somebody else with the same phone already gets this message."),
    Reason.MISSING_VALUE: _l("A place in the text has no value for this person."),
    Reason.TOO_LONG: _l("The text is too long."),
    Reason.HELD_BACK: _l("Chosen by chance to get nothing, so that the campaign can be compared."),
    Reason.TOO_MANY: _l("This number has had three messages in 24 hours; the message waits."),
    Reason.OUT_OF_HOURS: _l("Outside the hours in which messages may leave; the message waits."),
    Reason.PAUSED: _l("The campaign is paused."),
    Reason.CALLED_OFF: _l("The campaign was called off."),
    Reason.DONE_MEANWHILE: _l("What it would remind of has been done meanwhile."),
    Reason.RULE_CHANGED: _l("The reminder was switched off or got other words."),
    Reason.EXPIRED: _l("It could not be sent in time."),
    Reason.RESTORED: _l("The data come from a backup; an operator has to confirm first."),
    Reason.ALREADY_HANDLED: _l("The message is no longer waiting to be sent."),
    Reason.NO_ANSWER: _l("The carrier did not answer; it is not sent again, so that nobody gets it twice."),
    Reason.NO_TRACE: _l("The carrier has no trace of it."),
    Reason.MALFORMED: _l("The message cannot be handed over as it is written."),
    Reason.BAD_NUMBER: _l("The carrier says this number does not exist."),
    Reason.LANDLINE: _l("The carrier says this is not a mobile number."),
    Reason.BLOCKED: _l("The person has blocked our messages at the carrier."),
    Reason.BARRED: _l("The number takes no such messages: its owner or the network has barred them."),
    Reason.BUSY: _l("The carrier is busy; it will be tried again."),
    Reason.SENDER: _l("The sender name is not accepted by the carrier; an administrator must check the settings."),
    Reason.ACCOUNT: _l("The carrier refuses our account; an administrator must check the settings."),
    Reason.UNREACHABLE: _l("The phone was switched off or out of reach."),
    Reason.FILTERED: _l("The network refused the content."),
    Reason.CARRIER: _l("The carrier could not deliver it."),
}

CARRIER_CODES: dict[int, Reason] = {
    10001: Reason.ACCOUNT,
    20003: Reason.ACCOUNT,
    20005: Reason.ACCOUNT,
    20404: Reason.ACCOUNT,
    20429: Reason.BUSY,
    21211: Reason.BAD_NUMBER,
    21212: Reason.SENDER,
    21401: Reason.BAD_NUMBER,
    21408: Reason.ACCOUNT,
    21603: Reason.SENDER,
    21604: Reason.BAD_NUMBER,
    21606: Reason.SENDER,
    21608: Reason.ACCOUNT,
    21609: Reason.ACCOUNT,
    21610: Reason.BLOCKED,
    21611: Reason.BUSY,
    21612: Reason.SENDER,
    21614: Reason.LANDLINE,
    21617: Reason.TOO_LONG,
    21635: Reason.LANDLINE,
    21657: Reason.SENDER,
    21659: Reason.SENDER,
    21660: Reason.SENDER,
    21701: Reason.SENDER,
    21703: Reason.SENDER,
    21705: Reason.SENDER,
    30002: Reason.ACCOUNT,
    30003: Reason.UNREACHABLE,
    30004: Reason.BARRED,
    30005: Reason.BAD_NUMBER,
    30006: Reason.LANDLINE,
    30007: Reason.FILTERED,
    30018: Reason.SENDER,
    30019: Reason.TOO_LONG,
    30024: Reason.SENDER,
    30042: Reason.SENDER,
}
"""Twilio's error codes (twilio.com/docs/api/errors) that have plain words of their own; all others are CARRIER. Outside America a
landline is 21635 since 2024, and 21614 before."""

TRY_AGAIN_CODES = frozenset({20429, 21611})
"""Refusals that pass: nothing was taken, the same message may be handed over later."""


def reason_for(code: int | None) -> Reason:
    """Our reason for the carrier's error code."""
    return CARRIER_CODES.get(code or 0, Reason.CARRIER)


LONGEST_WAIT = timedelta(minutes=4)


def wait_before(attempts: int) -> timedelta:
    """How long a message that was turned away waits: 15 s, 30 s, 1, 2, 4 minutes, and 4 minutes each time after."""
    return min(LONGEST_WAIT, timedelta(seconds=15 * 2 ** min(10, max(0, attempts - 1))))
