"""What is typed of somebody new, compared before the form is finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

from crm.prospects.identity.rules import Clue, compare
from crm.prospects.identity.typed import traits_typed
from crm.prospects.rules import Same

TODAY = date(2019, 10, 15)
PLACES = {Clue.PLACE, Clue.PLACE_LATER, Clue.PLACE_OTHER}


def test_a_ward_that_is_not_chosen_yet_speaks_neither_for_nor_against() -> None:
    typed = traits_typed({"full_name": "Nguyễn Văn An", "birth": "1980"}, None, TODAY)
    assert typed
    kept = replace(typed, place_id=uuid4())
    assert not PLACES & {one.code for one in compare(typed, kept).evidence}
    elsewhere = compare(replace(typed, place_id=uuid4()), kept)
    assert Clue.PLACE_OTHER in {one.code for one in elsewhere.evidence}


def test_the_few_words_and_the_evidence_say_the_same() -> None:
    typed = traits_typed({"full_name": "Nguyễn Văn An", "phone": "0912345678", "birth": "1980"}, None, TODAY)
    assert typed
    unaccented = compare(typed, replace(typed, full_name="Nguyen Van An"))
    assert Clue.NAME_UNACCENTED in {one.code for one in unaccented.evidence}
    assert Same.NAME_AND_PHONE in unaccented.reasons
    assert not {Same.LIKE_NAME, Same.LIKE_NAME_AND_PHONE} & set(unaccented.reasons)
