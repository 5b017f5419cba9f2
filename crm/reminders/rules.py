"""Which reminders there are, what they say, and on which days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from crm.campaigns.rules.hours import VIETNAM, Hours
from crm.campaigns.rules.texts import fill, unaccented
from crm.prospects.rules import Stage

POLITE_HOURS = Hours(time(7, 30), time(20))
"""When a reminder may reach an old person."""


@dataclass(frozen=True)
class Reminder:
    """A dated rule: its code, its text, and the days before the event on which it may leave, the earliest first.

    A day on which the program stood still is made up for inside these days, once; never after them."""

    code: str
    text: str
    earliest: int
    latest: int
    hours: Hours = POLITE_HOURS

    def first_event(self, today: date) -> date:
        """The soonest event this reminder may still speak of today."""
        return today + timedelta(days=self.latest)

    def last_event(self, today: date) -> date:
        """The furthest event this reminder may already speak of today."""
        return today + timedelta(days=self.earliest)

    def leaves_at(self, now: datetime) -> datetime:
        """When a reminder queued now may leave."""
        return self.hours.next_allowed(now)

    def too_late(self, today: date) -> datetime:
        """When today's reminder makes no sense any more."""
        return datetime.combine(today, self.hours.closes, VIETNAM)

    def body(self, values: dict[str, str]) -> str:
        """The text as it is sent: without accents, in one segment for nearly every name."""
        return unaccented(fill(self.text, values))


FOLLOW_UP = Reminder(
    code="follow_up",
    text="Hẹn gặp {xung_ho} {ten} ngày {ngay} về BHXH tự nguyện. Cộng tác viên sẽ gọi điện hoặc đến nhà. Trân trọng.",
    earliest=0,
    latest=-2,
)
PAYMENT_SOON = Reminder(
    code="payment_soon",
    text="Kính báo {xung_ho} {ten}: hạn đóng BHXH tự nguyện kỳ tới là ngày {ngay}. Xin đóng tại điểm thu trên địa bàn.",
    earliest=14,
    latest=4,
)
PAYMENT_LAST_DAYS = Reminder(
    code="payment_last_days",
    text="{xung_ho} {ten} ơi, chỉ còn đến ngày {ngay} để đóng BHXH tự nguyện kỳ này. Xin đóng sớm để không bị gián đoạn.",
    earliest=3,
    latest=0,
)
PAYMENTS = (PAYMENT_SOON, PAYMENT_LAST_DAYS)
SPONSOR_ENDS = Reminder(
    code="sponsor_ends",
    text="Kính báo {xung_ho} {ten}: tiền hỗ trợ đóng BHXH tự nguyện chỉ đến hết {ngay}. Cộng tác viên sẽ gặp để bàn cách đóng tiếp.",
    earliest=92,
    latest=7,
)
"""Three months before a sponsor's money ends, the person hears it, once."""
ALL = {reminder.code: reminder for reminder in (FOLLOW_UP, *PAYMENTS, SPONSOR_ENDS)}

NOT_TO_VISIT = frozenset({Stage.REFUSED, Stage.NOT_ELIGIBLE, Stage.JOINED})
"""Stages in which nobody waits for a visit to talk about joining."""


def written(day: date) -> str:
    """A day as it stands in a message: 5/11."""
    return f"{day.day}/{day.month}"
