"""Dated rules that queue messages: a visit that was promised, a payment that falls due."""
