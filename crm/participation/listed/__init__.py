"""Payments that a list of the insurance office tells of, beside what is on record: agreed, new, or to be decided."""
