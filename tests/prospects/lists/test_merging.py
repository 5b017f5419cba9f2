"""Two records that become one, and what lists keep of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.prospects.lists.models import PersonTag
from crm.prospects.lists.services import acts
from crm.prospects.merging.services.joining import merge
from tests.factories import Make

NOW = clock.at(date(2019, 10, 15), 9)


def test_people_with_one_tag_and_of_one_act_become_one(session: Session, make: Make) -> None:
    by = make.user()
    kept, gone = make.prospect("Lê Thị Hoa", birth_year=1975), make.prospect("Lê Thị Hoà", birth_year=1975)
    for sent in ({"new_tag": "Chung"}, {"new_tag": "Đợt 2"}):
        meant = acts.Meant([kept.id, gone.id] if sent["new_tag"] == "Chung" else [gone.id])
        row = acts.ask_for(session, scope_of(session, by), "tag", sent, meant, by=by, at=NOW)
        acts.work_at_once(session, row, at=NOW)
    merge(session, kept, gone, None, by=by, at=NOW)
    assert set(session.scalars(select(PersonTag.prospect_id))) == {kept.id, gone.id}
    assert len(session.scalars(select(PersonTag).where(PersonTag.prospect_id == kept.id)).all()) == 2
