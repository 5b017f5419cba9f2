"""The outbox and what is told about it: one row for every message to one number."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.campaigns.rules import delivery
from crm.campaigns.rules.answers import Meaning
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.hours import LEGAL_HOURS, Hours
from crm.campaigns.rules.reasons import Reason, reason_for
from crm.campaigns.rules.stages import FOLLOW_DAYS, Stage, Step, move, new_seed
from crm.campaigns.rules.ways import Way, way_of
from crm.db import Model, TownRow, refers
from crm.prospects.rules import Purpose

USUAL_PRICE = 750
"""Đồng for one segment, until the town says what it pays."""


class Campaign(TownRow, Model):
    """A text for many people, chosen by a filter over the prospects; the audience is frozen when it is launched."""

    __tablename__ = "campaign"
    __table_args__ = (
        refers("created_by_id", "account"),
        refers("launched_by_id", "account"),
        refers("template_version_id", "template_version"),
        Index("ix_campaign_made", "town_id", "created_at", "id"),
        Index("ix_campaign_due", "scheduled_for", postgresql_where=text("stage in ('scheduled', 'preparing')")),
        CheckConstraint("budget > 0", name="budget"),
        CheckConstraint("control_percent between 0 and 50", name="control_percent"),
        CheckConstraint("follow_days between 1 and 365", name="follow_days"),
    )

    name: Mapped[str]
    text: Mapped[str]
    purpose: Mapped[Purpose]
    accented: Mapped[bool] = mapped_column(default=False)
    stage: Mapped[Stage] = mapped_column(default=Stage.DRAFT)
    segment: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The filter: list, place, stage, organisation, volunteer, standing; empty is everybody."""
    template_version_id: Mapped[UUID | None] = mapped_column(default=None)
    scheduled_for: Mapped[datetime | None] = mapped_column(default=None)
    """When it begins; None is at once."""
    last_day: Mapped[date | None] = mapped_column(default=None)
    """What has not left by the end of this day is not sent any more."""
    budget: Mapped[int | None] = mapped_column(default=None)
    """Đồng that it may cost at most."""
    control_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    """So many of a hundred numbers get nothing, for comparison."""
    seed: Mapped[int] = mapped_column(default=new_seed, server_default="0")
    """Which numbers those are follows from this."""
    follow_days: Mapped[int] = mapped_column(default=FOLLOW_DAYS, server_default="30")
    """Visits and joinings within so many days count as having followed."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    content: Mapped[str | None] = mapped_column(default=None)
    """What says that nothing was changed; the database keeps it (`campaign_content`)."""
    created_by_id: Mapped[UUID]
    created_at: Mapped[datetime]
    launched_by_id: Mapped[UUID | None]
    launched_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    check_id: Mapped[UUID | None] = mapped_column(default=None)
    """The check whose audience it was launched with; `campaign_launched` sees to it that an approval is of just this one."""
    approval_id: Mapped[UUID | None] = mapped_column(default=None)
    price: Mapped[int | None] = mapped_column(default=None)
    """Đồng for one segment when it was launched."""
    stood_still_since: Mapped[datetime | None]
    """Nothing was sent since then because the program itself stood still; a person says whether it goes on."""

    def move_to(self, stage: Stage) -> None:
        """Go to another stage. Raises RuleBroken when that is not possible from here."""
        self.stage = move(self.stage, stage)


class CampaignStep(TownRow, Model):
    """Something somebody did with a campaign, or that happened to it; never changed."""

    __tablename__ = "campaign_step"
    __table_args__ = (
        refers("campaign_id", "campaign"),
        refers("by_id", "account"),
        Index(None, "town_id", "campaign_id", "at", "id"),
    )

    campaign_id: Mapped[UUID]
    kind: Mapped[Step]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was waiting and what had left at that moment, and words."""


def _usual_way(context: Any) -> Way:
    """The way of a message for which nobody chose one."""
    return way_of(context.get_current_parameters()["purpose"])


OF_STAFF = "morning"
"""What a text to who works here says in the place of a reminder's rule; any other without a person goes to a sponsor."""


class Message(TownRow, Model):
    """One message to one number. The row is the truth; a task only moves it on."""

    __tablename__ = "message"
    __table_args__ = (
        refers("campaign_id", "campaign"),
        refers("prospect_id", "prospect"),
        refers("trial_of_id", "campaign"),
        refers("reply_to_id", "message_inbound"),
        CheckConstraint("num_nonnulls(campaign_id, reminder, trial_of_id, reply_to_id) = 1", name="what_for"),
        CheckConstraint("phone is not null or state = 'excluded'", name="phone"),
        CheckConstraint("reminder is null or local_day is not null", name="reminder_day"),
        CheckConstraint("not asked_for or num_nonnulls(campaign_id, reply_to_id) = 0", name="asked_for"),
        refers("file_id", "sms_file"),
        CheckConstraint("way = 'brandname' or purpose <> 'promotion'", name="promotion_by_brandname"),
        CheckConstraint(
            "purpose <> 'promotion' or state = 'excluded' or body ~ '^\\[(QC|AD)\\]'", name="promotion_says_so"
        ),
        CheckConstraint("way = 'twilio' or state not in ('sending', 'unknown')", name="twilio_sends_its_own"),
        CheckConstraint(
            "(file_id is null) = (file_line is null) and (file_id is null or way = 'brandname') "
            "and (state <> 'handed_over' or file_id is not null)",
            name="in_a_file",
        ),
        Index(
            "uq_message_campaign_phone",
            "town_id",
            "campaign_id",
            "phone",
            unique=True,
            postgresql_where=text("campaign_id is not null and state <> 'excluded'"),
        ),
        Index(
            "uq_message_reminder_phone_day",
            "town_id",
            "reminder",
            "phone",
            "local_day",
            unique=True,
            postgresql_where=text("reminder is not null and state <> 'cancelled'"),
        ),
        Index(
            "uq_message_one_a_day",
            "town_id",
            "purpose",
            "phone",
            "local_day",
            unique=True,
            postgresql_where=text("reminder is not null and one_a_day and state <> 'cancelled'"),
        ),
        Index(
            "uq_message_file_line",
            "town_id",
            "file_id",
            "file_line",
            unique=True,
            postgresql_where=text("file_id is not null"),
        ),
        Index(
            "uq_message_reply_to",
            "town_id",
            "reply_to_id",
            unique=True,
            postgresql_where=text("reply_to_id is not null"),
        ),
        Index(
            "ix_message_due",
            "way",
            "not_before",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_message_unsettled",
            "claimed_at",
            postgresql_where=text("state in ('sending', 'unknown')"),
        ),
        Index("ix_message_followed", "claimed_at", postgresql_where=text("state in ('accepted', 'sent')")),
        Index("ix_message_phone", "town_id", "phone", "claimed_at"),
        Index("ix_message_prospect", "town_id", "prospect_id"),
        Index("ix_message_trial", "town_id", "trial_of_id", postgresql_where=text("trial_of_id is not null")),
        Index("ix_message_made", "town_id", "made_at", "id"),
        Index(
            "uq_message_sid",
            "sid",
            unique=True,
            postgresql_where=text("sid is not null"),
        ),
    )

    campaign_id: Mapped[UUID | None]
    reminder: Mapped[str | None]
    trial_of_id: Mapped[UUID | None] = mapped_column(default=None)
    """A trial of this campaign, sent to somebody of the office: it counts in no result."""
    reply_to_id: Mapped[UUID | None]
    """The answer that this one replies to; each is replied to once."""
    asked_for: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """The owner of the number asked for just this one (the link of a registration, a trial on their own phone): it needs no
    yes on record, and a no holds all the same. The program may not change it; the database asks as well (`message_is_wanted`)."""
    one_a_day: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Of reminders: takes the place of the one text that a number gets a day, whatever the rule. Not what its owner asked for,
    nor the morning's word to who works here."""
    purpose: Mapped[Purpose]
    way: Mapped[Way] = mapped_column(default=_usual_way, server_default=Way.TWILIO.value)
    phone: Mapped[str | None]
    prospect_id: Mapped[UUID | None]
    local_day: Mapped[date | None]
    body: Mapped[str] = mapped_column(default="")
    encoding: Mapped[str | None]
    segments: Mapped[int] = mapped_column(default=0)
    state: Mapped[Delivery] = mapped_column(default=Delivery.QUEUED)
    reason: Mapped[Reason | None]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    made_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claim_id: Mapped[UUID | None]
    """Which claim has it, or had it last: only that one may say what came of it."""
    called_at: Mapped[datetime | None]
    """Set right before the carrier is called under this claim: without it the message has certainly not left."""
    asked_at: Mapped[datetime | None]
    """When the carrier was last asked about it: while nobody knew whether it took it, or because no receipt came."""
    attempts: Mapped[int] = mapped_column(default=0)
    sid: Mapped[str | None]
    file_id: Mapped[UUID | None]
    file_line: Mapped[int | None]
    """Where it stands in the file in which it was handed over; 1 is the first."""
    error_code: Mapped[int | None]
    settled_at: Mapped[datetime | None]

    campaign: Mapped[Campaign | None] = relationship(
        primaryjoin="and_(foreign(Message.campaign_id) == Campaign.id, Message.town_id == Campaign.town_id)",
        viewonly=True,
    )

    def believe(self, told: Delivery, at: datetime, *, code: int | None = None) -> None:
        """Take a receipt into account: forwards only; the error code is kept with the state it explains."""
        new = delivery.after(self.state, told)
        if new == self.state:
            return
        self.state = new
        failed = new in delivery.LOST
        self.error_code = code if failed else None
        self.reason = reason_for(code) if failed else None
        self.settled_at = at if new in delivery.FINAL else None

    def give_up(self, state: Delivery, reason: Reason, at: datetime, *, code: int | None = None) -> None:
        """It will not be sent, or not again."""
        self.state, self.reason, self.error_code, self.settled_at = (
            state,
            reason,
            code,
            at,
        )


class MessageStatus(TownRow, Model):
    """A receipt as it came in; never changed. The same receipt twice is one row."""

    __tablename__ = "message_status"
    __table_args__ = (UniqueConstraint("town_id", "sid", "status", "error_code", postgresql_nulls_not_distinct=True),)

    message_id: Mapped[UUID]
    sid: Mapped[str]
    status: Mapped[str]
    error_code: Mapped[int | None]
    received_at: Mapped[datetime]


class Inbound(TownRow, Model):
    """A message that a person sent to us; the same one twice is one row. Never changed."""

    __tablename__ = "message_inbound"
    __table_args__ = (
        UniqueConstraint("town_id", "sid"),
        Index(None, "town_id", "phone", "received_at"),
        Index(None, "town_id", "message_id"),
    )

    sid: Mapped[str]
    phone: Mapped[str]
    body: Mapped[str]
    withdrew: Mapped[bool] = mapped_column(default=False)
    meaning: Mapped[Meaning] = mapped_column(default=Meaning.WORDS)
    message_id: Mapped[UUID | None]
    """The message it most likely answers: the last one that this number got."""
    received_at: Mapped[datetime]


class OptOutLink(TownRow, Model):
    """The short address on which the owner of a number says no; the same for every message to that number."""

    __tablename__ = "opt_out_link"
    __table_args__ = (UniqueConstraint("token"), UniqueConstraint("town_id", "phone"))

    token: Mapped[str]
    phone: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SmsSettings(TownRow, Model):
    """What a town decides about its messages: its hours within the legal ones, the price, and whether all is held."""

    __tablename__ = "sms_settings"
    __table_args__ = (
        UniqueConstraint("town_id"),
        CheckConstraint(
            "opens >= '07:00' and closes <= '22:00' and opens < closes",
            name="within_legal_hours",
        ),
        CheckConstraint("month_budget > 0", name="month_budget"),
        CheckConstraint("approve_messages >= 0 and approve_cost >= 0", name="approve"),
        CheckConstraint(
            "(unregistered_until is null) = (unregistered_why is null) and unregistered_why <> ''", name="unregistered"
        ),
    )

    opens: Mapped[time] = mapped_column(default=LEGAL_HOURS.opens)
    closes: Mapped[time] = mapped_column(default=LEGAL_HOURS.closes)
    price: Mapped[int] = mapped_column(default=USUAL_PRICE)
    """Đồng for one segment."""
    held_since: Mapped[datetime | None]
    month_budget: Mapped[int | None] = mapped_column(default=None)
    """Đồng that all campaigns of a month may cost at most."""
    approve_messages: Mapped[int | None] = mapped_column(default=None)
    """A campaign of more messages takes two people."""
    approve_cost: Mapped[int | None] = mapped_column(default=None)
    """A campaign that costs more đồng takes two people."""
    sender: Mapped[str | None] = mapped_column(default=None)
    """The registered name that messages come from (tên định danh)."""

    unregistered_until: Mapped[date | None] = mapped_column(default=None)
    """The last day on which texts may leave that the carrier has not approved for this name: an administrator said so."""
    unregistered_why: Mapped[str | None] = mapped_column(default=None)

    def takes_only_approved(self, on: date) -> bool:
        """Whether on this day a text stays here that the carrier has not approved: a registered name takes registered
        texts only, unless an administrator lets others go for a while."""
        return bool(self.sender) and (self.unregistered_until is None or self.unregistered_until < on)

    @property
    def hours(self) -> Hours:
        """When messages may leave."""
        return Hours(self.opens, self.closes)
