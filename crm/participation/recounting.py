"""What stands with spells and payments, counted again from the months: they must say the same.

Spells keep `paid_through` for speed, since lists of thousands are narrowed by it; whoever changes one of the two and
forgets the other is found here, by name. `crm doctor` tells it.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

MOST_NAMED = 5

DIFFERENCES: dict[str, TextClause] = {
    "spells not paid through their last paid month": text(
        """
        select s.prospect_id from participation s
        join lateral (
            select max(m.month) as last, count(*) as months from payment p
            join participant_month m on m.town_id = p.town_id and m.payment_id = p.id
            where p.town_id = s.town_id and p.participation_id = s.id) paid on paid.months > 0
        where s.withdrawn_at is null and (s.paid_through is null or s.paid_through < paid.last
            or (s.paid_through > paid.last and s.started_as not in ('listed', 'baseline')
                and not exists (select from row_meaning r
                    where r.town_id = s.town_id and r.did ->> 'spell' = s.id::text)))
        """
    ),
    "withdrawn spells with paid months": text(
        """
        select s.prospect_id from participation s
        where s.withdrawn_at is not null and exists (
            select from payment p join participant_month m on m.town_id = p.town_id and m.payment_id = p.id
            where p.town_id = s.town_id and p.participation_id = s.id)
        """
    ),
    "payments whose months do not sum to them": text(
        """
        select p.prospect_id from payment p
        left join payment r on r.town_id = p.town_id and r.reverses_id = p.id
        left join lateral (
            select count(*) as months, count(*) filter (where supported) as supported, sum(own) as own,
                sum(state_support) as state, sum(local_support) as local, sum(other_support) as other
            from participant_month m where m.town_id = p.town_id and m.payment_id = p.id) m on true
        where p.reverses_id is null and case when r.id is not null then m.months > 0 else
            (m.months, m.supported, m.own, m.state, m.local, m.other) is distinct from
            (p.months, p.supported_months, p.own, p.state_support, p.local_support, p.other_support) end
        """
    ),
    "months that count and came back, or do not and did not": text(
        """
        select m.prospect_id from participant_month m
        left join leaving_refund r on r.town_id = m.town_id and r.payment_id = m.payment_id
            and r.not_needed_from <= m.month
        where m.refund_id is distinct from r.id
        """
    ),
    "months whose payers do not sum to what others bore": text(
        """
        select m.prospect_id from participant_month m
        where m.other_support <> coalesce((select sum(y.amount) from month_payer y
            where y.town_id = m.town_id and y.payment_id = m.payment_id and y.month = m.month), 0)
        """
    ),
}
"""What is looked for, and the people it is found with."""


def differences(session: Session) -> list[str]:
    """Each kind that was found: how often, and the first people by id. Empty when all say the same."""
    found = []
    for what, query in DIFFERENCES.items():
        people = session.scalars(query).all()
        if people:
            named = ", ".join(str(one) for one in people[:MOST_NAMED])
            found.append(f"{len(people)} {what} ({named}{'…' if len(people) > MOST_NAMED else ''})")
    return found
