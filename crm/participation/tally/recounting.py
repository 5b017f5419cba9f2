"""The sums against a recount of the spells: every night, and when `crm doctor` asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from crm import stored

CHECKED = "tally_checked"
"""Where the last night's word stands: when, and what was found apart."""

MOST_NAMED = 5

KEY = "town_id, month, place_id, neighbourhood_id, organisation_id, ground"
SUMS = "sum(joined) joined, sum(returned) returned, sum(lapsed) lapsed, sum(stopped) stopped"

APART = f"""
    select {KEY}, {SUMS} from (
        select {KEY}, -joined joined, -returned returned, -lapsed lapsed, -stopped stopped from participation_tally
        union all
        select town_id, date_trunc('month', day)::date, place_id, neighbourhood_id, organisation_id, ground,
            joined, returned, lapsed, stopped from spell_movement) both_ways
    group by {KEY}
    having sum(joined) <> 0 or sum(returned) <> 0 or sum(lapsed) <> 0 or sum(stopped) <> 0
"""
"""What would have to be added to the sums for them to be the recount."""

FOLD = f"""
    with gone as (delete from participation_tally returning *)
    insert into participation_tally (town_id, id, month, place_id, neighbourhood_id, organisation_id, ground,
        joined, returned, lapsed, stopped)
    select town_id, gen_random_uuid(), month, place_id, neighbourhood_id, organisation_id, ground,
        sum(joined), sum(returned), sum(lapsed), sum(stopped)
    from gone group by {KEY}
    having sum(joined) <> 0 or sum(returned) <> 0 or sum(lapsed) <> 0 or sum(stopped) <> 0
"""

PUT_RIGHT = f"""
    insert into participation_tally ({KEY}, id, joined, returned, lapsed, stopped)
    select {KEY}, gen_random_uuid(), joined, returned, lapsed, stopped from ({APART}) apart
"""


def differences(session: Session) -> list[str]:
    """Months and places of which the sums say something else than the spells; empty when they say the same."""
    found = session.execute(text(f"select month, place_id, joined, returned, lapsed, stopped from ({APART}) apart"))
    rows = [f"{row[0]:%m/%Y} {row[1]}: {' '.join(f'{int(one):+d}' for one in row[2:])}" for row in found]
    if not rows:
        return []
    more = "…" if len(rows) > MOST_NAMED else ""
    return [f"{len(rows)} sums of participants differ from a recount ({'; '.join(rows[:MOST_NAMED])}{more})"]


def last_word(session: Session) -> list[str]:
    """What the last night found apart and put right."""
    kept = stored.read(session, CHECKED)
    return list(kept["found"]) if kept else []


def check(session: Session, at: datetime) -> list[str]:
    """Fold the sums into one row each, count again, put right what differs, and keep what was found. Safe to run again."""
    session.execute(text(FOLD))
    found = differences(session)
    if found:
        session.execute(text(PUT_RIGHT))
    stored.write(session, CHECKED, {"at": at.isoformat(), "found": found})
    return found
