"""What is made by hand to be quick says just what the usual way says."""

from __future__ import annotations

import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from crm.ids import new_id, new_ids
from crm.prospects.importing.rules import Proposed
from crm.prospects.importing.services.copying import copy_in
from crm.prospects.rules import Ground, Sex
from crm.sealed import Seal

KINDS = {
    "number": "int8",
    "id": "uuid",
    "words": "text",
    "sealed": "bytea",
    "yes": "bool",
    "day": "date",
    "list": "text[]",
    "document": "jsonb",
}


def test_packed_rows_come_back_as_they_were(session: Session) -> None:
    one = (
        1,
        new_id(),
        "Đặng Thị Ngọ 'Ó\\\t\n",
        b"\0\xff",
        True,
        date(1931, 2, 28),
        ["poor", "", "ở"],
        {"ở": [None, 1]},
    )
    rows = [one, (-2, *[None] * 7), (2**62, new_id(), "", b"", False, date(2031, 12, 31), [], [])]
    columns = ", ".join(f'"{name}" {kind}' for name, kind in KINDS.items())
    session.execute(text(f"create temporary table packed_here ({columns}) on commit drop"))
    copy_in(session, "packed_here", KINDS, rows)
    copy_in(session, "packed_here", KINDS, [])
    assert [tuple(row) for row in session.execute(text("select * from packed_here"))] == rows


words = st.text(max_size=12)
proposed = st.builds(
    Proposed,
    full_name=words,
    place_id=st.uuids(),
    sex=st.none() | st.sampled_from(Sex),
    birth_year=st.none() | st.integers(1900, 2100),
    birth_date=st.none() | st.dates(),
    phone=st.none() | words,
    other_phone=st.none() | words,
    citizen_id=st.none() | words,
    si_number=st.none() | words,
    grounds=st.lists(st.sampled_from(Ground)).map(tuple),
    address=st.none() | words,
    neighbourhood=st.none() | words,
    occupation=st.none() | words,
    sms_consent=st.none() | st.booleans(),
    note=st.none() | words,
    extra=st.dictionaries(words, st.none() | words | st.integers()),
)


@given(proposed)
def test_the_words_a_row_is_known_again_by_are_those_of_any_list_before(one: Proposed) -> None:
    said = one._asdict()
    assert one.as_json() == json.dumps(said, ensure_ascii=False, default=str)
    assert Proposed.from_json(one.as_json()) == one


def test_many_ids_come_in_their_order() -> None:
    ids = new_ids(2_000)
    assert ids == sorted(set(ids))
    assert len(ids) == 2_000
    assert {one.version for one in ids} == {7}


def test_many_texts_are_sealed_each_by_itself() -> None:
    seal = Seal("a secret of thirty-two letters or so")
    texts = ["038170000119", "038170000119", ""]
    closed = seal.close_all(texts)
    assert [seal.open(one) for one in closed] == texts
    assert len({one[:13] for one in closed}) == 3
