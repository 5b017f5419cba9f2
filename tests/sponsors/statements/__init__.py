"""Statements of the bank: read, matched, decided on, reconciled."""
