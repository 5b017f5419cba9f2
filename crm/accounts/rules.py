"""Roles, what each may do, and how far each sees."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

WRONG_TRIES = 10
"""So many wrong passwords in a row lock an account."""
LOCKED_FOR = timedelta(minutes=15)
INVITED_FOR = timedelta(days=14)


class OrganisationKind(StrEnum):
    FRONT = "front"
    LABOUR_FEDERATION = "labour_federation"
    WOMENS_UNION = "womens_union"
    FARMERS_UNION = "farmers_union"
    YOUTH_UNION = "youth_union"
    VETERANS = "veterans"
    PEOPLES_COMMITTEE = "peoples_committee"
    LABOUR_OFFICE = "labour_office"
    SOCIAL_INSURANCE = "social_insurance"
    OTHER = "other"


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    ORGANISER = "organiser"
    TREASURER = "treasurer"
    LEAD = "lead"
    VOLUNTEER = "volunteer"
    AGENT = "agent"
    SPONSOR = "sponsor"
    AUDITOR = "auditor"


class May(StrEnum):
    """Permissions. Every route names one."""

    SEE_PEOPLE = "see_people"
    EDIT_PEOPLE = "edit_people"
    SEE_ALIKE = "see_alike"
    MERGE = "merge"
    IMPORT_PEOPLE = "import_people"
    EXPORT_PEOPLE = "export_people"
    SEE_EXPORTS = "see_exports"
    REVEAL_IDENTITY = "reveal_identity"
    LOG_VISITS = "log_visits"
    ASSIGN = "assign"
    ENROL = "enrol"
    TAKE_PREMIUMS = "take_premiums"
    SEE_DASHBOARD = "see_dashboard"
    SEE_REPORTS = "see_reports"
    WRITE_REPORTS = "write_reports"
    SEE_SPONSORS = "see_sponsors"
    RECORD_MONEY = "record_money"
    SEE_MESSAGES = "see_messages"
    RUN_CAMPAIGNS = "run_campaigns"
    SEE_TARGETS = "see_targets"
    SET_TARGETS = "set_targets"
    SEE_AMENDMENTS = "see_amendments"
    PROPOSE_AMENDMENTS = "propose_amendments"
    SEE_LAW = "see_law"
    CHANGE_LAW = "change_law"
    MANAGE_ACCOUNTS = "manage_accounts"
    INVITE_VOLUNTEERS = "invite_volunteers"
    MOVE_CLOCK = "move_clock"
    CHANGE_WARDS = "change_wards"
    SEE_OWN_ACCOUNT = "see_own_account"
    SEE_OWN_GIVING = "see_own_giving"


_SEES = {May.SEE_PEOPLE, May.SEE_DASHBOARD, May.SEE_TARGETS, May.SEE_LAW, May.SEE_OWN_ACCOUNT}
_FIELD = {
    May.SEE_PEOPLE,
    May.EDIT_PEOPLE,
    May.REVEAL_IDENTITY,
    May.LOG_VISITS,
    May.SEE_AMENDMENTS,
    May.PROPOSE_AMENDMENTS,
    May.SEE_LAW,
    May.SEE_OWN_ACCOUNT,
    May.ENROL,
}

_NOT_THE_OFFICE = {May.TAKE_PREMIUMS, May.SEE_OWN_GIVING}
"""What belongs to agents and to sponsors alone."""

PERMISSIONS: dict[Role, frozenset[May]] = {
    Role.ADMIN: frozenset(May) - _NOT_THE_OFFICE,
    Role.MANAGER: frozenset(May)
    - _NOT_THE_OFFICE
    - {May.MANAGE_ACCOUNTS, May.CHANGE_LAW, May.MOVE_CLOCK, May.CHANGE_WARDS},
    Role.ORGANISER: frozenset(
        _SEES
        | {May.SEE_MESSAGES, May.RUN_CAMPAIGNS, May.LOG_VISITS, May.EDIT_PEOPLE}
        | {May.SEE_AMENDMENTS, May.PROPOSE_AMENDMENTS}
    ),
    Role.TREASURER: frozenset(_SEES | {May.SEE_SPONSORS, May.RECORD_MONEY, May.SEE_REPORTS}),
    Role.LEAD: frozenset(
        _SEES
        | _FIELD
        | {
            May.ASSIGN,
            May.INVITE_VOLUNTEERS,
            May.SEE_ALIKE,
            May.MERGE,
            May.IMPORT_PEOPLE,
            May.SEE_MESSAGES,
            May.EXPORT_PEOPLE,
            May.SEE_EXPORTS,
            May.SEE_REPORTS,
            May.WRITE_REPORTS,
        }
    ),
    Role.VOLUNTEER: frozenset(_FIELD),
    Role.AGENT: frozenset(_FIELD | {May.TAKE_PREMIUMS}),
    Role.SPONSOR: frozenset({May.SEE_OWN_ACCOUNT, May.SEE_OWN_GIVING}),
    Role.AUDITOR: frozenset(
        _SEES
        | {May.SEE_ALIKE, May.SEE_SPONSORS, May.SEE_MESSAGES, May.SEE_EXPORTS, May.SEE_REPORTS, May.SEE_AMENDMENTS}
    ),
}


class Reach(StrEnum):
    """How far a person sees."""

    ALL = "all"
    UNIT = "unit"
    OWN = "own"
    NOTHING = "nothing"


def reach(role: Role, *, has_unit: bool) -> Reach:
    """A lead sees the organisation or the place they lead (both, when both are given: only what is in both);
    without either they see nothing. A volunteer or agent sees who is assigned to them."""
    if role is Role.LEAD:
        return Reach.UNIT if has_unit else Reach.NOTHING
    if role in (Role.VOLUNTEER, Role.AGENT):
        return Reach.OWN
    return Reach.NOTHING if role is Role.SPONSOR else Reach.ALL


def is_locked(until: datetime | None, now: datetime) -> bool:
    """Whether an account rests after too many wrong passwords."""
    return until is not None and now < until
