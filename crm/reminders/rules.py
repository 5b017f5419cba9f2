"""Which reminders there are, what they say, on which days, to whom not and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.campaigns.rules.hours import LEGAL_HOURS, VIETNAM, Hours
from crm.campaigns.rules.texts import LABELS, LONGEST, fill, places, size, unaccented
from crm.errors import RuleBroken
from crm.prospects.rules import Stage

POLITE_HOURS = Hours(time(7, 30), time(20))
"""When a reminder may reach an old person."""
FURTHEST = 100
"""Days from an event beyond which nothing is reminded of."""
NAMED = 2
"""So many people of a household are called by name; of more, the family."""


class Event(StrEnum):
    """What a reminder is about: each is a day that follows from the rows."""

    VISIT = "visit"
    PAYMENT = "payment"
    SPONSOR_ENDS = "sponsor_ends"
    STANDING_ENDS = "standing_ends"
    SUPPORT_ENDS = "support_ends"
    WIN_BACK = "win_back"
    INSTALMENT = "instalment"


EVENTS: Mapping[Event, Any] = {
    Event.VISIT: _l("the promised visit"),
    Event.PAYMENT: _l("the last day to pay"),
    Event.SPONSOR_ENDS: _l("the last day of a sponsor's help"),
    Event.STANDING_ENDS: _l("the last day of a poor household's certificate"),
    Event.SUPPORT_ENDS: _l("the last day of the State's support, its months used up"),
    Event.WIN_BACK: _l("the day on which somebody stopped paying"),
    Event.INSTALMENT: _l("the day of a sponsor's instalment"),
}
ABOUT: Mapping[Event, Any] = {
    Event.VISIT: _l("Called off as soon as the visit is recorded."),
    Event.PAYMENT: _l("Called off as soon as it is paid. For whom a sponsor pays is not asked."),
    Event.SPONSOR_ENDS: _l("Called off as soon as somebody pays on."),
    Event.STANDING_ENDS: _l("Called off as soon as a new certificate is recorded."),
    Event.SUPPORT_ENDS: _l("Called off when the months are counted anew."),
    Event.WIN_BACK: _l("Called off as soon as they take part again."),
    Event.INSTALMENT: _l("Goes to the sponsor's own number; by e-mail it goes anyhow. Called off when the money came."),
}


class Stop(StrEnum):
    """What else keeps a reminder back, besides that the thing was done."""

    DONE = "done"
    SPOKEN = "spoken"


STOPS: Mapping[Stop, Any] = {
    Stop.DONE: _l("Only when it is done"),
    Stop.SPOKEN: _l("Also when somebody spoke with them since the first of these days"),
}


class WhyNot(StrEnum):
    """Why somebody whom a rule is about gets nothing now."""

    NO_PHONE = "no_phone"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    CARRIED = "carried"
    SPOKEN = "spoken"
    TOLD = "told"
    CALLED_OFF = "called_off"
    TODAY = "today"


WHY_NOT: Mapping[WhyNot, Any] = {
    WhyNot.NO_PHONE: _l("No mobile number is on record"),
    WhyNot.NO_CONSENT: _l("Was never asked whether messages are welcome"),
    WhyNot.OPTED_OUT: _l("Wants no messages"),
    WhyNot.CARRIED: _l("A sponsor pays; they are not asked for money"),
    WhyNot.SPOKEN: _l("Somebody spoke with them already"),
    WhyNot.TOLD: _l("Has it already"),
    WhyNot.CALLED_OFF: _l("Called off after the restore"),
    WhyNot.TODAY: _l("The number has today's reminder; this one waits for tomorrow"),
}
BEFORE_ONLY = frozenset({Event.SPONSOR_ENDS, Event.SUPPORT_ENDS})
"""Events that are computed from what lies ahead alone: a day that has passed is none of theirs any more."""
PLACES: Mapping[Event, tuple[str, ...]] = {
    **dict.fromkeys(Event, ("nguoi", "xung_ho", "ten", "ngay")),
    Event.INSTALMENT: ("nguoi", "ngay", "so_tien", "ma"),
}
"""What a text may name: {nguoi} is «bà Hoa», «bà Hoa và ông Nam», or «gia đình» where more share a phone."""


@dataclass(frozen=True)
class Reminder:
    """A dated rule: its code, its text, and the days before the event on which it may leave, the earliest first.

    Days after the event are below zero. A day on which the program stood still is made up for inside these days, once;
    never after them."""

    code: str
    text: str
    earliest: int
    latest: int
    event: Event = Event.PAYMENT
    name: Any = ""
    hours: Hours = POLITE_HOURS
    stop: Stop = Stop.DONE
    active: bool = True
    version: int = 0
    """How often it was changed; 0 is as it was shipped."""
    template_version_id: UUID | None = None
    """The template whose words these are."""

    def first_event(self, today: date) -> date:
        """The soonest event this reminder may still speak of today."""
        return today + timedelta(days=self.latest)

    def last_event(self, today: date) -> date:
        """The furthest event this reminder may already speak of today."""
        return today + timedelta(days=self.earliest)

    @property
    def spare_days(self) -> int:
        """For how many days it may wait after the first on which it may leave."""
        return self.earliest - self.latest

    def leaves_at(self, now: datetime) -> datetime:
        """When a reminder queued now may leave."""
        return self.hours.next_allowed(now)

    def too_late(self, today: date) -> datetime:
        """When today's reminder makes no sense any more."""
        return datetime.combine(today, self.hours.closes, VIETNAM)

    def body(self, values: Mapping[str, str]) -> str:
        """The text as it is sent: without accents, in one segment for nearly every name."""
        text = self.text.replace("{xung_ho} {ten}", "{nguoi}")
        told = {"nguoi": f"{values.get('xung_ho', '')} {values.get('ten', '')}", **values}
        return unaccented(fill(text, told))


FOLLOW_UP = Reminder(
    code="follow_up",
    event=Event.VISIT,
    name=_l("The promised visit"),
    text="Hẹn gặp {xung_ho} {ten} ngày {ngay} về BHXH tự nguyện. Cộng tác viên sẽ gọi điện hoặc đến nhà. Trân trọng.",
    earliest=0,
    latest=-2,
)
PAYMENT_SOON = Reminder(
    code="payment_soon",
    name=_l("The payment, two weeks ahead"),
    text="Kính báo {xung_ho} {ten}: hạn đóng BHXH tự nguyện kỳ tới là ngày {ngay}. Xin đóng tại điểm thu trên địa bàn.",
    earliest=14,
    latest=4,
)
PAYMENT_LAST_DAYS = Reminder(
    code="payment_last_days",
    name=_l("The payment, its last days"),
    text="{xung_ho} {ten} ơi, chỉ còn đến ngày {ngay} để đóng BHXH tự nguyện kỳ này. Xin đóng sớm để không bị gián đoạn.",
    earliest=3,
    latest=0,
)
PAYMENTS = (PAYMENT_SOON, PAYMENT_LAST_DAYS)
SPONSOR_ENDS = Reminder(
    code="sponsor_ends",
    event=Event.SPONSOR_ENDS,
    name=_l("A sponsor's help ends"),
    text="Kính báo {xung_ho} {ten}: tiền hỗ trợ đóng BHXH tự nguyện chỉ đến hết {ngay}. Cộng tác viên sẽ gặp để bàn cách đóng tiếp.",
    earliest=92,
    latest=7,
)
"""Three months before a sponsor's money ends, the person hears it, once; of short help not before half of it has run."""
STANDING_ENDS = Reminder(
    code="standing_ends",
    event=Event.STANDING_ENDS,
    name=_l("A certificate ends"),
    text="Kính báo {xung_ho} {ten}: giấy chứng nhận hộ có hạn đến {ngay}. Cộng tác viên sẽ gặp về mức hỗ trợ đóng BHXH tự nguyện.",
    earliest=45,
    latest=7,
)
SUPPORT_ENDS = Reminder(
    code="support_ends",
    event=Event.SUPPORT_ENDS,
    name=_l("The State's support ends"),
    text="Kính báo {xung_ho} {ten}: phần hỗ trợ đóng BHXH tự nguyện theo quy định đến hết {ngay}. Cộng tác viên sẽ gặp để bàn cách đóng tiếp.",
    earliest=92,
    latest=7,
)
WIN_BACK = Reminder(
    code="win_back",
    event=Event.WIN_BACK,
    name=_l("Come back"),
    text="Thưa {xung_ho} {ten}, BHXH tự nguyện tạm dừng từ {ngay}. Thời gian đã đóng vẫn được giữ. Xin gọi cộng tác viên để đóng tiếp.",
    earliest=-30,
    latest=-60,
    stop=Stop.SPOKEN,
)
INSTALMENT = Reminder(
    code="instalment_soon",
    event=Event.INSTALMENT,
    name=_l("A sponsor's instalment"),
    text="Kính gửi {nguoi}: khoản hỗ trợ BHXH tự nguyện {so_tien} hẹn ngày {ngay}. Nội dung chuyển khoản: {ma}. Trân trọng cảm ơn.",
    earliest=7,
    latest=1,
)
SHIPPED = (
    *(FOLLOW_UP, *PAYMENTS, SPONSOR_ENDS, STANDING_ENDS, SUPPORT_ENDS, WIN_BACK, INSTALMENT),
)  # fmt: skip
ALL = {reminder.code: reminder for reminder in SHIPPED}

NOT_TO_VISIT = frozenset({Stage.REFUSED, Stage.NOT_ELIGIBLE, Stage.JOINED})
"""Stages in which nobody waits for a visit to talk about joining."""


def fills(event: Event, text: str) -> bool:
    """Whether a reminder of this event has a value for every place of a text."""
    return set(places(text)) <= set(PLACES[event])


def written(day: date) -> str:
    """A day as it stands in a message: 5/11."""
    return f"{day.day}/{day.month}"


def named(forms: Sequence[tuple[str, str]]) -> str:
    """How people who share a phone are spoken to, from each one's form of address and given name."""
    if len(forms) > NAMED:
        return "gia đình"
    return " và ".join(f"{form} {name}" for form, name in forms)


def checked(reminder: Reminder, town: Hours = LEGAL_HOURS) -> Reminder:
    """The rule, if it makes sense. Raises RuleBroken with the field that does not."""
    if not -FURTHEST <= reminder.latest <= reminder.earliest <= FURTHEST:
        raise RuleBroken(
            _l("The first day must come before the last one, both within %(most)s days.", most=FURTHEST),
            field="earliest",
        )
    if reminder.event is Event.WIN_BACK and reminder.earliest >= 0:
        raise RuleBroken(_l("Somebody is asked back after they stopped, not before."), field="earliest")
    if reminder.event in BEFORE_ONLY and reminder.latest < 0:
        raise RuleBroken(
            _l("This is told before its day; once the day has passed nobody is found. Choose 0 days or days before."),
            field="latest",
        )
    if not town.opens <= reminder.hours.opens < reminder.hours.closes <= town.closes:
        raise RuleBroken(
            _l(
                "Messages leave between %(opens)s and %(closes)s; choose hours within these.",
                opens=f"{town.opens:%H:%M}",
                closes=f"{town.closes:%H:%M}",
            ),
            field="opens",
        )
    known = PLACES[reminder.event]
    unknown = [place for place in places(reminder.text) if place not in known]
    if unknown:
        told = ", ".join(f"{{{place}}}" for place in known)
        raise RuleBroken(
            _l("{%(place)s} is not known; a text may name %(known)s.", place=unknown[0], known=told), field="text"
        )
    if reminder.text.startswith(LABELS):
        raise RuleBroken(_l("A reminder is a service message and no promotion; leave the label out."), field="text")
    if size(reminder.text).characters > LONGEST:
        raise RuleBroken(_l("The text is too long."), field="text")
    return reminder
