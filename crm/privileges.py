"""What the program's everyday database role may do. It owns nothing and cannot rewrite what is append-only."""

from __future__ import annotations

from sqlalchemy import Connection, text

APPEND_ONLY = (
    "amendment_answer",
    "amendment_wording",
    "auto_answer",
    "change_record",
    "consent",
    "credit_rule",
    "conversation_step",
    "dossier_step",
    "duty_step",
    "funding_offer",
    "identity_reading",
    "instalment_reminder",
    "insurance_record",
    "leaving_refund",
    "message_inbound",
    "message_status",
    "ledger_entry",
    "ledger_period",
    "month_payer",
    "naming_consent",
    "payment",
    "pledge_step",
    "posting",
    "public_event_person",
    "report_correction",
    "report_file",
    "report_letterhead",
    "report_return",
    "report_snapshot",
    "report_submission",
    "report_template",
    "report_text",
    "reporting_rule",
    "screening",
    "sponsor_paper",
    "stage_change",
    "target",
)

MAY_NOT_BE_DELETED = (
    "account",
    "amendment",
    "amendment_letter",
    "bulk_act",
    "collection_point",
    "collection_staff",
    "collection_training",
    "commendation",
    "conversation",
    "do_not_call_list",
    "dossier",
    "dossier_list",
    "decree",
    "decree_row",
    "duty",
    "people_export",
    "funding_line",
    "funding_proposal",
    "funding_refusal",
    "household",
    "message",
    "participation",
    "pledge",
    "prospect",
    "public_event",
    "referral",
    "referral_list",
    "sms_file",
    "sms_results",
    "report",
    "report_owed",
    "reporting_round",
    "sponsor",
    "sponsor_account",
    "sponsor_publicity",
    "statement",
    "target_share",
    "target_sharing",
    "visit",
    "work_package",
    "work_package_item",
)
"""Rows that end, are withdrawn or change their state, and stay."""

MOVING = {
    "allocation": (),
    "allocation_month": ("payment_id", "paid_id", "released_at", "released_id"),
    "email": ("body", "state", "trouble", "not_before", "claimed_at", "attempts", "settled_at"),
    "money_request": ("decided_by_id", "decided_at", "decision", "words"),
    "leaving_part": ("settled_on", "settled_note", "settled_at", "settled_by_id", "paid_back"),
    "message": (
        "state",
        "reason",
        "not_before",
        "claimed_at",
        "claim_id",
        "called_at",
        "asked_at",
        "attempts",
        "sid",
        "error_code",
        "settled_at",
        "expires_at",
        "way",
        "file_id",
        "file_line",
    ),
    "listed_dossier": ("outcome", "answered_on", "answered_by_id", "reason", "given"),
    "law_value": ("withdrawn_at", "withdrawn_why"),
    "local_top_up": ("withdrawn_at", "withdrawn_why"),
    "pledge_instalment": ("dropped_step_id",),
    "receipt": ("corrected_id",),
    "statement_line": ("state", "likely"),
    "statement_part": ("ended_on", "ended_at", "ended_by_id"),
    "sponsor_merge": ("undone_at", "undone_by_id", "undone_why"),
    "merge": ("before", "after", "undone_at", "undone_by_id"),
}
"""Money, messages and the law, whose rows have a life: only these columns may change, and no row may go."""

MAY_NOT_BE_CHANGED = ("participant_month",)
"""Rows that stay as they are and go with what they belong to: months, when their payment is reversed."""

KEPT_BY_THE_DATABASE = ("merged_row",)
"""Written by the database's own functions, which run as the owner."""


BEFORE_RIGHTS = "before_rights"
"""Under this name the program keeps what is to be done on the owner's connection before the everyday role gets its rights."""


def grant(connection: Connection, role: str | None) -> None:
    """Give `role` its rights on every table there is. An owner has them anyway and is left alone."""
    if role is None or role == connection.scalar(text("select current_user")):
        return
    tables = set(connection.scalars(text("select tablename from pg_tables where schemaname = current_schema()")))
    columns_there = (
        "select table_name, column_name from information_schema.columns where table_schema = current_schema()"
    )
    known = {(row[0], row[1]) for row in connection.execute(text(columns_there))}
    quoted = connection.dialect.identifier_preparer.quote(role)
    schema = connection.scalar(text("select current_schema()"))
    connection.execute(text(f'grant usage on schema "{schema}" to {quoted}'))
    connection.execute(text(f'grant select, insert, update, delete on all tables in schema "{schema}" to {quoted}'))
    connection.execute(text(f'grant usage, select on all sequences in schema "{schema}" to {quoted}'))
    for table in sorted(tables.intersection(APPEND_ONLY)):
        connection.execute(text(f"revoke update, delete, truncate on {table} from {quoted}"))
    for table in sorted(tables.intersection(MAY_NOT_BE_DELETED)):
        connection.execute(text(f"revoke delete, truncate on {table} from {quoted}"))
    for table in sorted(tables.intersection(MAY_NOT_BE_CHANGED)):
        connection.execute(text(f"revoke update, truncate on {table} from {quoted}"))
    for table, columns in MOVING.items():
        if table not in tables:
            continue
        connection.execute(text(f"revoke update, delete, truncate on {table} from {quoted}"))
        there = [name for name in columns if (table, name) in known]
        if there:
            connection.execute(text(f"grant update ({', '.join(there)}) on {table} to {quoted}"))
    for table in sorted(tables.intersection(KEPT_BY_THE_DATABASE)):
        connection.execute(text(f"revoke insert, update, delete, truncate on {table} from {quoted}"))
    if "ledger_account" in tables:
        connection.execute(text(f"revoke update, delete, truncate on ledger_account from {quoted}"))
