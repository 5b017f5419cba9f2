"""The timetable. Times are Vietnam's; every task may run twice or late without harm, for each looks at the rows."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

EVERY_MINUTE = 60.0

TIMETABLE: dict[str, dict[str, Any]] = {
    "participants whose deadline has passed": {"task": "participation.lapse_overdue", "schedule": 5 * EVERY_MINUTE},
    "sums of people and participants, counted again": {
        "task": "sums.check",
        "schedule": crontab(hour=1, minute=40),
    },
    "listed payments that wait to be recorded": {"task": "participation.record_accepted", "schedule": EVERY_MINUTE},
    "lists whose reading or loading stands still": {"task": "prospects.resume_lists", "schedule": EVERY_MINUTE},
    "people who are in the register twice": {"task": "identity.look_through", "schedule": crontab(hour=2, minute=10)},
    "people who came in number by themselves": {
        "task": "identity.look_where_many_came",
        "schedule": 10 * EVERY_MINUTE,
    },
    "wards that become others today": {"task": "places.hand_over_due", "schedule": 5 * EVERY_MINUTE},
    "work packages whose last day is past": {"task": "outreach.return_overdue", "schedule": 5 * EVERY_MINUTE},
    "acts on many people and files that stand still": {"task": "lists.resume", "schedule": EVERY_MINUTE},
    "proposals whom to fund that stand still": {"task": "matching.resume", "schedule": EVERY_MINUTE},
    "reports whose counting stands still": {"task": "documents.resume", "schedule": EVERY_MINUTE},
    "reporting rounds whose day has come": {"task": "rounds.open_due", "schedule": 10 * EVERY_MINUTE},
    "reminders of reports that are owed": {"task": "rounds.remind", "schedule": crontab(hour=7, minute=30)},
    "comparisons of decrees that stand still": {"task": "decrees.resume", "schedule": EVERY_MINUTE},
    "reminders of sponsors' instalments": {"task": "giving.remind", "schedule": crontab(hour=8, minute=0)},
    "people whose sponsor's help ends": {"task": "cliff.tell", "schedule": crontab(hour=4, minute=30)},
    "registrations that nobody confirmed": {
        "task": "giving.forget_unconfirmed",
        "schedule": crontab(hour=3, minute=20),
    },
    "the forecast of the day before, and of months that have none": {
        "task": "forecast.make_missing",
        "schedule": 5 * EVERY_MINUTE,
    },
    "the week before, to who wishes": {
        "task": "reports.weekly_summary",
        "schedule": crontab(hour=7, minute=0, day_of_week="monday"),
    },
    "e-mails that wait or are stuck": {"task": "mail.sweep", "schedule": EVERY_MINUTE},
    "statements of the bank that stand still": {"task": "statements.resume", "schedule": EVERY_MINUTE},
    "messages that may leave now": {
        "task": "campaigns.send_some",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "messages of which nothing is known": {"task": "campaigns.ask_about_unknown", "schedule": EVERY_MINUTE},
    "messages whose receipt did not come": {"task": "campaigns.ask_about_silent", "schedule": EVERY_MINUTE},
    "campaigns whose time has come": {"task": "launching.begin_due", "schedule": EVERY_MINUTE / 4},
    "campaigns that wait to be looked at": {"task": "launching.resume", "schedule": EVERY_MINUTE},
    "comparisons with the carrier that stand still": {"task": "restored.resume", "schedule": EVERY_MINUTE},
    "lists of refusals that stand still": {"task": "numbers.resume", "schedule": EVERY_MINUTE},
    "messages that wait or are stuck": {"task": "campaigns.sweep", "schedule": EVERY_MINUTE},
    "files for the gateway and results that stand still": {"task": "files.resume", "schedule": EVERY_MINUTE},
    "files for the gateway that a town wishes each morning": {
        "task": "files.by_themselves",
        "schedule": 10 * EVERY_MINUTE,
    },
    "the word of the morning": {"task": "mornings.tell", "schedule": 5 * EVERY_MINUTE},
    "links to confirm a contribution with": {"task": "linking.text_links", "schedule": EVERY_MINUTE},
    "sponsors without an e-mail whose help ends": {
        "task": "linking.text_endings",
        "schedule": crontab(hour=8, minute=10),
    },
    "reminders of visits and payments": {"task": "reminders.queue_due", "schedule": EVERY_MINUTE},
}
