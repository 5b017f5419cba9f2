"""What each state of a message means, and what there is to do about it, as one would say it across a desk."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason


class Explained(NamedTuple):
    """What a state means, and what to do; nothing to do is said as well."""

    means: LazyString
    to_do: LazyString


NOTHING = _l("Nothing needs to be done.")
MEANS: dict[Delivery, Explained] = {
    Delivery.HELD: Explained(
        _l("It waits for somebody's decision and does not leave by itself."),
        _l("Decide on the page “After the restore”, or call the campaign off."),
    ),
    Delivery.QUEUED: Explained(
        _l("It waits its turn. Hours, consent and the day's limit are asked again right before it leaves."), NOTHING
    ),
    Delivery.SENDING: Explained(_l("It is being handed to the carrier at this moment."), NOTHING),
    Delivery.UNKNOWN: Explained(
        _l(
            "It was handed to the carrier, and the answer never came: it may have gone out. The carrier is asked what it "
            "knows; it is not sent again, so that nobody gets it twice."
        ),
        _l("Wait an hour. If it matters, call the person."),
    ),
    Delivery.HANDED_OVER: Explained(
        _l(
            "It stands in a file that was given to the domestic gateway. What became of it is known from the result file."
        ),
        _l("Load the gateway's result file."),
    ),
    Delivery.ACCEPTED: Explained(
        _l("The carrier has taken it and will pass it to the network. You pay for it from here on."), NOTHING
    ),
    Delivery.SENT: Explained(
        _l("The carrier has passed it to the person's network. Whether the phone got it is not known yet."), NOTHING
    ),
    Delivery.DELIVERED: Explained(
        _l(
            "The person's network says that it took the message. That is not a sign that anybody read it: networks in "
            "Vietnam do not tell that."
        ),
        NOTHING,
    ),
    Delivery.UNDELIVERED: Explained(
        _l("The carrier passed it on, and it did not arrive. It is paid for all the same."),
        _l("Call the person, or visit; check the number with them."),
    ),
    Delivery.FAILED: Explained(
        _l("The carrier did not take it, or could not send it on: nothing arrived."), _l("See the reason below.")
    ),
    Delivery.CANCELLED: Explained(_l("It was called off before it left; nobody was texted."), NOTHING),
    Delivery.EXPIRED: Explained(
        _l("It could not leave in time and would come too late now; nobody was texted."),
        _l("If it still matters, call the person or send a new message."),
    ),
    Delivery.EXCLUDED: Explained(
        _l("The person was left out when the campaign was launched."), _l("See the reason below.")
    ),
}

TO_DO: dict[Reason, LazyString] = {
    Reason.NO_PHONE: _l("Ask for the number at the next visit and write it down."),
    Reason.NOT_MOBILE: _l("Ask for a mobile number, or call the landline."),
    Reason.NO_CONSENT: _l("Ask at the next visit whether they want messages, and write the answer down."),
    Reason.OPTED_OUT: _l("Do not text. A visit or a call is still possible."),
    Reason.SAME_PHONE: _l("Nothing: the household got one message on its shared phone."),
    Reason.MISSING_VALUE: _l("Fill in what is missing on the person's page."),
    Reason.TOO_LONG: _l("Shorten the text."),
    Reason.HELD_BACK: _l("Nothing: this person belongs to the group that shows what happens without the message."),
    Reason.TOO_MANY: _l("Nothing: it leaves by itself when 24 hours have passed since the first of the three."),
    Reason.OUT_OF_HOURS: _l("Nothing: it leaves when the hours begin."),
    Reason.PAUSED: _l("Let the campaign go on, or call it off."),
    Reason.CALLED_OFF: NOTHING,
    Reason.DONE_MEANWHILE: NOTHING,
    Reason.RULE_CHANGED: NOTHING,
    Reason.EXPIRED: _l("If it still matters, call the person or send a new message."),
    Reason.RESTORED: _l("Decide on the page “After the restore”."),
    Reason.ALREADY_HANDLED: NOTHING,
    Reason.NO_ANSWER: _l("Wait an hour: the carrier is asked. If it matters, call the person."),
    Reason.NO_TRACE: _l("The person has not got it. If it still matters, call, or send a new message."),
    Reason.MALFORMED: _l("Write the text anew: it holds signs that cannot be sent."),
    Reason.BAD_NUMBER: _l("The number is wrong: ask for it at the next visit and correct it."),
    Reason.LANDLINE: _l("Ask for a mobile number, or call the landline."),
    Reason.BLOCKED: _l("Do not text: the refusal has been written down for this number."),
    Reason.BARRED: _l("Ask at the next visit. If it was their wish, write the refusal down; else a call is the way."),
    Reason.BUSY: _l("Nothing: it is tried again by itself, later and more slowly."),
    Reason.SENDER: _l("Tell the administrator: the sender name has to be registered with the carrier."),
    Reason.ACCOUNT: _l("Tell the administrator: the carrier's account or its balance has to be looked at."),
    Reason.UNREACHABLE: _l("The phone was off. Call on another day, or visit."),
    Reason.FILTERED: _l(
        "The network takes no such text: remove words of advertising or politics, or register the template."
    ),
    Reason.CARRIER: _l("Call the person, or visit; check the number with them."),
}


def to_do(state: Delivery, reason: Reason | None) -> LazyString:
    """What there is to do: the reason's own word, else the state's."""
    return TO_DO[reason] if reason is not None else MEANS[state].to_do
