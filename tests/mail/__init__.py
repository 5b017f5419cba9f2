"""Tests of the outbox of e-mails."""
