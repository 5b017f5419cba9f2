"""Kinds of sponsors, accounts and movements of money."""

from __future__ import annotations

from enum import StrEnum


class SponsorKind(StrEnum):
    AGENCY = "agency"
    COMPANY = "company"
    ORGANISATION = "organisation"
    PERSON = "person"


class PledgeState(StrEnum):
    OPEN = "open"
    ENDED = "ended"


class AccountKind(StrEnum):
    """Where money can be. Only the world outside may stand below zero."""

    OUTSIDE = "outside"
    AVAILABLE = "available"
    RESERVED = "reserved"
    INSURANCE_FUND = "insurance_fund"


class Movement(StrEnum):
    RECEIVED = "received"
    RESERVED = "reserved"
    RELEASED = "released"
    PAID = "paid"
    REFUNDED = "refunded"
    CORRECTED = "corrected"
