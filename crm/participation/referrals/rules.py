"""The states of a referral and what the office's answer leads to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.prospects.rules import Stage


class State(StrEnum):
    TO_SEND = "to_send"
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """What the insurance office says became of somebody."""

    ENROLLED = "enrolled"
    NOT_SUBJECT = "not_subject"
    UNKNOWN = "unknown"


OPEN = (State.TO_SEND, State.SENT)
STATES: Mapping[State, Any] = {
    State.TO_SEND: _l("To be sent"),
    State.SENT: _l("Sent, no answer yet"),
    State.ANSWERED: _l("Answered"),
    State.WITHDRAWN: _l("Taken off: the answers changed"),
}
ANSWERS: Mapping[Answer, Any] = {
    Answer.ENROLLED: _l("Takes part in compulsory insurance now"),
    Answer.NOT_SUBJECT: _l("Not subject to it: may join voluntary insurance"),
    Answer.UNKNOWN: _l("The office does not know the case"),
}
UNTOUCHED = (Stage.JOINED, Stage.LAPSED)
"""Stages that payments decide: a referral does not move them."""


def stage_after(answer: Answer, was: Stage | None) -> Stage | None:
    """Where somebody goes when the office answers: who is not subject goes back to where they were."""
    if answer is Answer.NOT_SUBJECT:
        return was if was and was is not Stage.NOT_ELIGIBLE else Stage.INTERESTED
    return None
