"""Who may be the same person: the question is answered in crm/prospects/identity."""

from __future__ import annotations

from crm.prospects.identity.queries import Candidate, candidates, traits_of

__all__ = ["Candidate", "candidates", "traits_of"]
