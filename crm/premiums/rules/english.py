"""What the Vietnamese notes, sources and titles of the law say in English: the documents bind in Vietnamese, the gloss explains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InEnglish:
    """English by Vietnamese text. Titles are told word by word, so those of documents to come are, too."""

    titles: Mapping[str, str]
    sources: Mapping[str, str]
    notes: Mapping[str, str]

    def note(self, text: str) -> str | None:
        """A note in English; None for what an administrator wrote in their own words."""
        return self.notes.get(text)

    def source(self, text: str) -> str:
        """Where something was read; addresses and what is not known stay."""
        return self.sources.get(text, text)

    def title(self, reference: str) -> str:
        """ "Nghị định 159/2025/NĐ-CP, Điều 5" → "Decree 159/2025/NĐ-CP, Article 5"."""
        longest_first = sorted(self.titles, key=len, reverse=True)
        words = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest_first))
        return words.sub(lambda found: self.titles[found[0]], reference)
