"""The account book counted again from its entries, months and promises: all must say the same. `crm doctor` tells it.

The database refuses most of these at the commit; what stands here would show a row that was written around it.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

MOST_NAMED = 5

DIFFERENCES: dict[str, TextClause] = {
    "accounts whose balance is not the sum of their entries": text(
        """
        select a.id from ledger_account a
        left join lateral (select coalesce(sum(e.amount), 0) as amount from ledger_entry e
            where e.town_id = a.town_id and e.ledger_account_id = a.id) e on true
        where a.balance <> e.amount
        """
    ),
    "accounts below zero": text(
        "select id from ledger_account where balance < 0 and kind not in ('outside', 'promise')"
    ),
    "postings that do not sum to zero or lack entries": text(
        """
        select p.id from posting p
        left join lateral (select count(*) as number, coalesce(sum(e.amount), 0) as amount from ledger_entry e
            where e.town_id = p.town_id and e.posting_id = p.id) e on true
        where e.amount <> 0 or e.number <> p.entries
        """
    ),
    "sponsors whose accounts do not sum to zero": text(
        """
        select sponsor_id from ledger_account where sponsor_id is not null
        group by town_id, sponsor_id having sum(balance) <> 0
        """
    ),
    "sponsors of whom another sum is set aside than that of their months": text(
        """
        select coalesce(a.sponsor_id, m.sponsor_id) from (
            select town_id, sponsor_id, balance from ledger_account where kind = 'reserved') a
        full join (
            select a.town_id, a.sponsor_id, sum(m.amount) as amount from allocation_month m
            join allocation a on a.town_id = m.town_id and a.id = m.allocation_id
            where m.released_at is null and m.payment_id is null group by a.town_id, a.sponsor_id) m
            on m.town_id = a.town_id and m.sponsor_id = a.sponsor_id
        where coalesce(a.balance, 0) <> coalesce(m.amount, 0)
        """
    ),
    "allocations that are not the sum of their months": text(
        """
        select a.id from allocation a
        left join lateral (
            select count(*) as months, coalesce(sum(m.amount), 0) as amount,
                count(*) filter (where m.released_at is null) as carried,
                coalesce(sum(m.amount) filter (where m.released_at is null), 0) as carried_amount,
                bool_and(m.prospect_id = a.prospect_id) as same_person
            from allocation_month m where m.town_id = a.town_id and m.allocation_id = a.id) m on true
        where (m.months, m.amount, m.carried, m.carried_amount, m.same_person)
            is distinct from (a.months, a.amount, a.carried_months, a.carried_amount, true)
        """
    ),
    "months carried twice": text(
        """
        select prospect_id from allocation_month where released_at is null and refund_id is null
        group by town_id, prospect_id, month having count(*) > 1
        """
    ),
    "months carried that came back, or do not and did not": text(
        """
        select m.prospect_id from allocation_month m
        left join leaving_refund r on r.town_id = m.town_id and r.payment_id = m.payment_id
            and r.not_needed_from <= m.month
        where m.refund_id is distinct from r.id and m.released_at is null
        """
    ),
    "months paid with a sponsor's money of which the payment says otherwise": text(
        """
        select m.prospect_id from allocation_month m
        join allocation a on a.town_id = m.town_id and a.id = m.allocation_id
        left join payment r on r.town_id = m.town_id and r.reverses_id = m.payment_id
        left join month_payer y on y.town_id = m.town_id and y.payment_id = m.payment_id and y.month = m.month
            and y.kind = 'sponsor' and y.payer_id = a.sponsor_id
        where m.payment_id is not null and m.released_at is null and r.id is null
            and (y.amount is null or y.amount > m.amount)
        """
    ),
    "sponsors who paid another sum on than the months say": text(
        """
        select coalesce(l.sponsor_id, p.sponsor_id) from (
            select town_id, sponsor_id, balance from ledger_account where kind = 'insurance_fund') l
        full join (
            select town_id, sponsor_id, sum(amount) as amount from (
                select town_id, payer_id as sponsor_id, amount from month_payer where kind = 'sponsor'
                union all
                select town_id, payee_id, -paid_back from leaving_part
                where payee = 'sponsor' and settled_on is not null
                union all
                select a.town_id, a.sponsor_id, p.other_support from allocation a
                join payment p on p.town_id = a.town_id and p.id = a.payment_id
                where a.released_at is null
                    and exists (select from payment r where r.town_id = p.town_id and r.reverses_id = p.id)
            ) paid group by town_id, sponsor_id) p on p.town_id = l.town_id and p.sponsor_id = l.sponsor_id
        where coalesce(l.balance, 0) <> coalesce(p.amount, 0)
        """
    ),
    "promises of which something else is expected than is missing": text(
        """
        select p.id from pledge p
        left join ledger_account a on a.town_id = p.town_id and a.pledge_id = p.id and a.kind = 'expected'
        left join lateral (select coalesce(sum(r.amount), 0) as amount from receipt r
            where r.town_id = p.town_id and r.pledge_id = p.id and r.corrected_id is null) came on true
        where coalesce(a.balance, 0) <> case when p.state = 'open' then greatest(p.amount - came.amount, 0) else 0 end
        """
    ),
    "closed months that are not as they were closed": text(
        """
        select c.month from (
            select town_id, month, digest, lag(month) over earlier as before, lag(digest) over earlier as digest_before
            from ledger_period window earlier as (partition by town_id order by month)) c
        where c.digest <> ledger_digest(c.town_id, (c.before + interval '1 month')::date,
            (c.month + interval '1 month')::date, c.digest_before)
        """
    ),
}
"""What is looked for, and the rows it is found at."""


def differences(session: Session) -> list[str]:
    """Each kind that was found: how often, and the first rows by id. Empty when all say the same."""
    found = []
    for what, query in DIFFERENCES.items():
        rows = session.scalars(query).all()
        if rows:
            named = ", ".join(str(one) for one in rows[:MOST_NAMED])
            found.append(f"{len(rows)} {what} ({named}{'…' if len(rows) > MOST_NAMED else ''})")
    return found
