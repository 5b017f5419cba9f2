"""Sponsors, what they promised and paid, and whose months it carries: money as a ledger."""
