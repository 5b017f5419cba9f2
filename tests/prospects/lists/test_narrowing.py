"""What a list is narrowed to, said as an address, as a saved list, and as filters."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.errors import RuleBroken
from crm.prospects.lists.models import PersonTag
from crm.prospects.lists.narrowing import EVERYBODY, NAMES, Narrowing
from crm.prospects.lists.services.tags import tag_called
from crm.prospects.models import Consent, Prospect
from crm.prospects.queries.lists import people
from crm.prospects.rules import ConsentChannel, Ground, Purpose, Sex, Stage
from tests.factories import Make

TODAY = date(2019, 10, 15)
NOW = clock.at(TODAY, 9)


@pytest.fixture
def scope(make: Make) -> Scope:
    return Scope(make.town.id, make.user(Role.MANAGER).id, Reach.ALL, None, None)


def found(session: Session, scope: Scope, **args: Any) -> list[str]:
    filters = Narrowing.from_args(args).filters(session, scope, TODAY)
    return sorted(row.full_name for row in session.scalars(people(scope, filters, today=TODAY)))


def test_an_address_and_a_saved_list_say_the_same() -> None:
    asked = {
        "place": str(uuid4()),
        "stage": ["interested", "agreed"],
        "assigned_to": "me",
        "age_from": "30",
        "occupation": "buôn bán",
        "never_contacted": "no",
        "last_contact_before": "2019-09-01",
        "tag": [str(uuid4())],
        "has_phone": "yes",
        "consent": "not_promotion",
    }
    narrowing = Narrowing.from_args(MultiDict(asked))
    assert narrowing.as_args() == asked
    assert Narrowing.from_args(narrowing.as_args()) == narrowing
    assert narrowing.stage == (Stage.INTERESTED, Stage.AGREED)


def test_nothing_chosen_narrows_nothing() -> None:
    assert Narrowing.from_args({"q": "hoa", "cursor": "x", "stage": "", "unknown": "1"}) == EVERYBODY
    assert not EVERYBODY


def test_of_several_choices_one_is_taken_away() -> None:
    narrowing = Narrowing(stage=(Stage.NEW, Stage.AGREED), place=uuid4(), neighbourhood=uuid4())
    assert narrowing.without("stage", "new").stage == (Stage.AGREED,)
    assert narrowing.without("place").neighbourhood is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["\x00", "zz'--", "9" * 40, "-5", "٣", "2019-02-30"])
def test_what_cannot_be_read_is_refused_at_its_name(name: str, value: str) -> None:
    if name == "occupation":
        assert Narrowing.from_args({name: value})
        return
    with pytest.raises(RuleBroken) as refusal:
        Narrowing.from_args({name: value})
    assert refusal.value.field == name


def test_filters_combine(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Thị Một", stage=Stage.INTERESTED, sex=Sex.FEMALE, birth_year=1979, phone=make.phone())
    make.prospect("Lê Thị Hai", stage=Stage.AGREED, sex=Sex.FEMALE, birth_year=1980)
    make.prospect("Lê Văn Ba", stage=Stage.AGREED, sex=Sex.MALE, birth_year=1979)
    make.prospect("Lê Văn Bốn", stage=Stage.NEW, sex=Sex.MALE, birth_year=1990)
    assert found(session, scope, stage=["interested", "agreed"]) == ["Lê Thị Hai", "Lê Thị Một", "Lê Văn Ba"]
    assert found(session, scope, stage=["interested", "agreed"], sex="female", age_from="40") == ["Lê Thị Một"]
    assert found(session, scope, age_from="39", age_to="39") == ["Lê Thị Hai"]
    assert found(session, scope, has_phone="no", sex="male", age_to="35") == ["Lê Văn Bốn"]


@pytest.mark.parametrize("asked", ["buon ban", "BUÔN BÁN", "ban buo", "Buôn  bán"])
def test_work_is_found_without_accents(session: Session, scope: Scope, make: Make, asked: str) -> None:
    make.prospect("Lê Thị Chợ", occupation="Buôn bán nhỏ ở chợ Bỉm Sơn")
    make.prospect("Lê Thị Đồng", occupation="Làm ruộng")
    assert found(session, scope, occupation=asked) == ["Lê Thị Chợ"]
    assert found(session, scope, occupation="ĐỒNG") == []
    assert found(session, scope, occupation="lam ruong") == ["Lê Thị Đồng"]


def test_the_last_contact_narrows(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Chưa Gặp")
    make.prospect("Lê Mới Gặp", last_contact_at=clock.at(date(2019, 10, 10), 8))
    make.prospect("Lê Lâu Gặp", last_contact_at=clock.at(date(2019, 6, 1), 8))
    assert found(session, scope, never_contacted="yes") == ["Lê Chưa Gặp"]
    assert found(session, scope, last_contact_within="7") == ["Lê Mới Gặp"]
    assert found(session, scope, last_contact_before="2019-06-02") == ["Lê Lâu Gặp"]
    assert found(session, scope, no_contact_for="30") == ["Lê Chưa Gặp", "Lê Lâu Gặp"]


def test_who_is_due_is_counted_from_today(session: Session, scope: Scope, make: Make) -> None:
    for name, day in (("Lê Hôm Qua", 14), ("Lê Hôm Nay", 15), ("Lê Ngày Mai", 16)):
        make.prospect(name, next_contact_on=date(2019, 10, day))
    assert found(session, scope, due_within="0") == ["Lê Hôm Nay", "Lê Hôm Qua"]
    assert found(session, scope, due_within="1") == ["Lê Hôm Nay", "Lê Hôm Qua", "Lê Ngày Mai"]
    assert found(session, scope, due_within="9", due_before="2019-10-15") == ["Lê Hôm Qua"]


def test_mine_are_those_of_whoever_asks(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Của Tôi", volunteer_id=scope.user_id)
    make.prospect("Lê Của Ai")
    assert found(session, scope, assigned_to="me") == ["Lê Của Tôi"]
    assert found(session, scope, assigned_to="nobody") == ["Lê Của Ai"]


def test_the_last_answer_about_messages_counts(session: Session, scope: Scope, make: Make) -> None:
    by = make.user().id

    def answers(person: Prospect, *told: bool) -> None:
        for day, given in enumerate(told, start=1):
            make.add(
                Consent(
                    town_id=person.town_id,
                    phone=person.phone,
                    purpose=Purpose.PROMOTION,
                    given=given,
                    channel=ConsentChannel.PAPER,
                    words="Ký trên phiếu",
                    recorded_by_id=by,
                    at=clock.at(date(2019, 10, day)),
                    recorded_at=NOW,
                )
            )

    answers(make.prospect("Lê Đồng Ý", phone=make.phone()), False, True)
    answers(make.prospect("Lê Rút Lui", phone=make.phone()), True, False)
    make.prospect("Lê Chưa Hỏi", phone=make.phone())
    make.prospect("Lê Không Máy")
    assert found(session, scope, consent="promotion") == ["Lê Đồng Ý"]
    assert found(session, scope, consent="not_promotion") == ["Lê Chưa Hỏi", "Lê Rút Lui"]
    assert found(session, scope, consent="service") == []


def test_a_tag_narrows(session: Session, scope: Scope, make: Make) -> None:
    by, person = make.user(), make.prospect("Lê Có Nhãn")
    make.prospect("Lê Không Nhãn")
    tag = tag_called(session, make.town.id, "cần gọi lại", by=by, at=NOW)
    again = tag_called(session, make.town.id, "CẦN  GỌI LẠI ", by=by, at=NOW)
    assert (tag.id, tag.name) == (again.id, "Cần gọi lại")
    make.add(PersonTag(town_id=make.town.id, tag_id=tag.id, prospect_id=person.id, at=NOW))
    assert found(session, scope, tag=[str(tag.id)]) == ["Lê Có Nhãn"]


def test_a_ground_and_a_stage_narrow_together(session: Session, scope: Scope, make: Make) -> None:
    make.prospect("Lê Nghèo Mới", grounds=(Ground.POOR,))
    make.prospect("Lê Nghèo Từ Chối", grounds=(Ground.POOR,), stage=Stage.REFUSED)
    assert found(session, scope, standing="poor", stage="new") == ["Lê Nghèo Mới"]
