"""Statements of the fund's bank accounts: read, matched with what was promised, and reconciled with the books."""
