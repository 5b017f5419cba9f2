"""From a decree on paper to the law, as an administrator meets it; and what nobody may do to what holds already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.decrees import queries, services
from crm.decrees.models import Decree, DecreePerson
from crm.decrees.rules.states import ImpactState, State
from crm.participation.models import Payment
from crm.premiums.models import LawValueRow, LocalTopUpRow
from crm.premiums.queries import law, top_ups_for
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.rules import Ground, Stage
from tasks import decrees as tasks
from tests.factories import Make
from tests.pages import text_of
from tests.participation.stories import join, pay

Browser = Callable[..., FlaskClient]
DAY = date(2020, 1, 1)
DOCUMENT = {
    "document": "Nghị định 9/2019/NĐ-CP",
    "article": "Điều 3",
    "source": "Công báo",
    "effective_from": str(DAY),
    "status": "in_force",
}
FLOOR = {"key": "poverty_line", "value": "1.000.000"}


def words(page: str) -> str:
    return text_of(html5lib.parse(page, namespaceHTMLElements=False)).replace("\N{NO-BREAK SPACE}", " ")


def drafted(office: FlaskClient, *values: dict[str, str], **document: str) -> str:
    """The address of a draft with these values."""
    answer = office.post("/law/decrees", data=DOCUMENT | document)
    assert answer.status_code == 302, words(answer.text)
    for version, value in enumerate(values, start=1):
        added = office.post(f"{answer.location}/values", data={**value, "version": version})
        assert added.status_code == 302, words(added.text)
    return str(answer.location)


def on_record(office: FlaskClient, *values: dict[str, str], **document: str) -> str:
    """The address of a decree that was compared and saved."""
    address = drafted(office, *values, **document)
    assert office.post(f"{address}/compare").status_code == 302
    assert office.post(f"{address}/save", data={"version": len(values) + 1}).status_code == 302
    return address


@pytest.fixture
def office(signed_in: Browser) -> FlaskClient:
    return signed_in(Role.ADMIN)


def test_from_the_paper_to_the_law(office: FlaskClient, session: Session, make: Make) -> None:
    least, more, poor = make.prospect("Mai Thị Lan"), make.prospect("Lê Văn Hùng"), make.prospect("Vũ Thị Cúc")
    make.standing(poor, Ground.POOR)
    for person, income, grounds in ((least, 700_000, ()), (more, 2_000_000, ()), (poor, 700_000, (Ground.POOR,))):
        join(person, date(2019, 10, 1), income=income, grounds=grounds)
    make.prospect("Đỗ Văn Tư", stage=Stage.AGREED)
    make.prospect("Ai đó", stage=Stage.NEW)
    before = law(session)
    address = drafted(office, FLOOR)
    assert law(session).values == before.values
    assert "Trước hết" in words(office.get(f"{address}/confirm").text)
    office.post(f"{address}/compare")
    page = words(office.get(address).text)
    assert "Đang tham gia: 3 người" in page
    assert "Đã đồng ý hoặc đang vận động: 1 người" in page
    listed = words(office.get(f"{address}/people?side=more&part=yes").text)
    assert "Mai Thị Lan" in listed
    assert "Lê Văn Hùng" not in listed
    assert "138.600 đ" in listed
    assert "198.000 đ" in listed
    assert "+59.400 đ" in listed
    assert "Vũ Thị Cúc" in words(office.get(f"{address}/people?side=below").text)
    assert "Lê Văn Hùng" in words(office.get(f"{address}/people?side=less").text)
    assert "Ghi văn bản này?" in words(office.get(f"{address}/confirm").text)
    assert office.post(f"{address}/save", data={"version": 2}).status_code == 302
    assert law(session).on(date(2019, 12, 31)).floor == 700_000
    assert law(session).on(DAY).floor == 1_000_000
    assert set(before.values) <= set(law(session).values)
    assert "từ 1/1/2020" in words(office.get("/law").text)
    acts = set(session.scalars(select(ChangeRecord.act).where(ChangeRecord.subject == "decree")))
    assert acts == {"describe_decree", "amend_decree", "save_decree"}


def test_the_list_stays_ready_for_campaigns_and_whoever_gives_people_to_volunteers(
    office: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    join(make.prospect("Mai Thị Lan"), date(2019, 10, 1))
    mine = make.prospect("Lê Thị Hoa")
    join(mine, date(2019, 10, 1))
    address = on_record(office, FLOOR)
    key = f"decree-more:{address.rpartition('/')[2]}"
    everybody = office.get(f"/people?condition={key}").text
    assert "Mai Thị Lan" in everybody
    assert "Phải đóng nhiều hơn theo Nghị định 9/2019/NĐ-CP" in words(everybody)
    assert key in office.get("/people/lists").text
    volunteer = make.user(Role.VOLUNTEER)
    mine.volunteer_id = volunteer.id
    session.flush()
    seen = signed_in(volunteer).get(f"/people?condition={key}").text
    assert "Lê Thị Hoa" in seen
    assert "Mai Thị Lan" not in seen
    assert office.get(f"/people?condition=decree-less:{address.rpartition('/')[2]}").status_code == 200
    assert "Mai Thị Lan" not in office.get("/people?condition=decree-more:x").text


def test_a_lead_sees_of_a_decree_only_the_people_of_the_own_unit(
    office: FlaskClient, signed_in: Browser, make: Make
) -> None:
    here, there = make.ward(), make.ward("14818@2019-10-15")
    join(make.prospect("Mai Thị Lan", place=here), date(2019, 10, 1))
    join(make.prospect("Lê Thị Hoa", place=there), date(2019, 10, 1))
    draft = drafted(office, FLOOR)
    address = on_record(office, FLOOR)
    lead = signed_in(make.user(Role.LEAD, place_id=here.id))
    page = words(lead.get(f"{address}/people").text)
    assert "Mai Thị Lan" in page
    assert "Lê Thị Hoa" not in page
    assert "Đang tham gia: 1 người" in words(lead.get(address).text)
    assert lead.get(draft).status_code == 404
    assert lead.post(f"{address}/save").status_code == 403


def test_the_same_persons_year_under_a_change_in_the_middle(
    office: FlaskClient, session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    person = make.prospect("Mai Thị Lan")
    join(person, date(2019, 10, 1))
    ahead = pay(person, date(2019, 10, 14))
    on_record(office, FLOOR)
    kept = [(one.gross, one.own, one.law) for one in (ahead,)]
    at_time(clock.at(date(2020, 4, 2), 9))
    refused = office.post(f"/people/{person.id}/pay", data={"income": "700000", "months": "3", "paid_on": "2020-04-02"})
    assert "1.000.000" in words(refused.text)
    later = pay(person, date(2020, 4, 2), income=1_000_000)
    session.expire_all()
    assert [(one.gross, one.own, one.law) for one in (ahead,)] == kept
    assert (ahead.start_month, ahead.gross, ahead.own) == (date(2020, 1, 1), 462_000, 415_800)
    assert (later.start_month, later.gross, later.state_support) == (date(2020, 4, 1), 660_000, 66_000)
    assert "Nghị định 9/2019/NĐ-CP" in str(later.law)
    assert "Nghị định 9/2019/NĐ-CP" not in str(ahead.law)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"effective_from": "2019-10-14", "status": "announced"}, "đã qua"),
        ({"effective_from": "31/31/2020"}, ""),
        ({"effective_from": "2100-01-01"}, "quá xa"),
        ({"document": ""}, "Văn bản"),
        ({"source": ""}, "Nguồn đã đọc"),
        ({"status": "sure"}, ""),
    ],
)
def test_a_document_that_cannot_be_is_refused(office: FlaskClient, wrong: dict[str, str], sentence: str) -> None:
    answer = office.post("/law/decrees", data=DOCUMENT | wrong)
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert sentence in words(answer.text)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"value": "một triệu"}, "tròn đồng"),
        ({"value": ""}, ""),
        ({"value": "1.000.00"}, "tròn đồng"),
        ({"key": "support_percent", "value": "101", "ground": "poor"}, "không thể quá 100%"),
        ({"key": "support_percent", "value": "ba mươi", "ground": "poor"}, "phần trăm bằng chữ số"),
        ({"key": "support_percent", "value": "40"}, "cho đối tượng nào"),
        ({"key": "nothing"}, ""),
        ({"of_year": "2019"}, "không khác nhau theo năm"),
    ],
)
def test_a_value_that_cannot_be_is_said_at_its_field(office: FlaskClient, wrong: dict[str, str], sentence: str) -> None:
    address = drafted(office)
    answer = office.post(f"{address}/values", data=FLOOR | {"version": "1"} | wrong)
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert sentence in words(answer.text)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([FLOOR | {"value": "1.020.000"}], "không chia hết cho bước"),
        ([FLOOR | {"value": "99.000.000"}], "cao hơn mức cao nhất"),
        ([FLOOR | {"value": "700.000"}], "đã là mức này rồi"),
        ([], "ít nhất một mức"),
    ],
)
def test_a_law_that_cannot_be_is_not_compared(office: FlaskClient, values: list[dict[str, str]], sentence: str) -> None:
    address = drafted(office, *values)
    assert sentence in words(office.post(f"{address}/compare", follow_redirects=True).text)


def test_what_was_not_compared_as_it_stands_is_not_saved(office: FlaskClient, session: Session) -> None:
    address = drafted(office, FLOOR)
    refused = office.post(f"{address}/save", data={"version": 2}, follow_redirects=True)
    assert "Trước hết" in words(refused.text)
    office.post(f"{address}/compare")
    office.post(f"{address}/values", data={"key": "contribution_percent", "value": "20", "version": "2"})
    assert "đã sửa sau lần so sánh" in words(office.get(address).text)
    refused = office.post(f"{address}/save", data={"version": 3}, follow_redirects=True)
    assert "Trước hết" in words(refused.text)
    assert law(session).on(DAY).floor == 700_000


def test_two_administrators_do_not_write_over_each_other(office: FlaskClient, signed_in: Browser) -> None:
    address, other = drafted(office, FLOOR), signed_in(Role.ADMIN)
    office.post(f"{address}/remove", data={"number": 0, "version": 2})
    late = other.post(f"{address}/values", data={"key": "contribution_percent", "value": "20", "version": "2"})
    assert "vừa sửa bản nháp" in words(late.text)


def test_two_decrees_do_not_say_the_same_of_one_day(office: FlaskClient, session: Session) -> None:
    first, second = drafted(office, FLOOR), drafted(office, FLOOR | {"value": "1.500.000"})
    for address in (first, second):
        office.post(f"{address}/compare")
    office.post(f"{first}/save", data={"version": 2})
    refused = office.post(f"{second}/save", data={"version": 2}, follow_redirects=True)
    assert "đã được ghi cho ngày này" in words(refused.text)
    assert law(session).on(DAY).floor == 1_000_000


def test_saving_twice_saves_once(office: FlaskClient, session: Session) -> None:
    address = on_record(office, FLOOR)
    assert office.post(f"{address}/save", data={"version": 2}).status_code == 302
    rows = session.scalars(select(LawValueRow).where(LawValueRow.recorded_at.is_not(None))).all()
    assert len(rows) == 1


def test_a_day_on_which_somebody_paid_by_what_changes_is_refused(
    office: FlaskClient, session: Session, make: Make
) -> None:
    join(make.prospect(), date(2019, 10, 10))
    address = drafted(office, effective_from="2019-10-01")
    refused = office.post(f"{address}/values", data=FLOOR | {"version": "1"})
    assert refused.status_code == 422
    assert "Chọn ngày 11/10/2019 hoặc muộn hơn" in words(refused.text)
    with pytest.raises(DBAPIError, match="reckoned"), session.begin_nested():
        session.execute(
            text(
                "insert into law_value (id, key, value, effective_from, document, status, recorded_at) "
                "values (gen_random_uuid(), 'poverty_line', 1, '2019-10-01', 'x', 'in_force', '2019-10-15')"
            )
        )


def test_a_value_learned_late_is_recorded_with_its_real_day(
    office: FlaskClient, session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    person = make.prospect()
    join(person, date(2019, 10, 10))
    paid = session.scalars(select(Payment)).one()
    kept = (paid.gross, paid.own, paid.law)
    at_time(clock.at(date(2019, 10, 20), 9))
    on_record(
        office,
        {"key": "funeral_multiple", "value": "12"},
        {"key": "years_ahead_most", "value": "4"},
        effective_from="2019-07-01",
    )
    then = law(session).on(date(2019, 8, 1))
    assert (then.number(LawKey.FUNERAL_MULTIPLE), then.number(LawKey.YEARS_AHEAD_MOST)) == (12, 4)
    assert law(session).on(date(2019, 6, 30)).number(LawKey.YEARS_AHEAD_MOST) == 5
    session.expire_all()
    assert (paid.gross, paid.own, paid.law) == kept


def test_a_rate_that_was_unknown_is_recorded_once_the_year_has_begun(
    office: FlaskClient, session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    join(make.prospect(), date(2019, 10, 10))
    at_time(clock.at(date(2027, 3, 1), 9))
    assert not law(session).on(date(2027, 2, 1)).says(LawKey.INVESTMENT_PERCENT)
    drafting = drafted(office, {"key": "investment_percent", "value": "0,31"}, effective_from="2027-01-01")
    office.post(f"{drafting}/compare")
    assert "đã qua" in words(office.get(f"{drafting}/confirm").text)
    assert office.post(f"{drafting}/save", data={"version": 2}).status_code == 302
    assert law(session).on(date(2027, 2, 1)).says(LawKey.INVESTMENT_PERCENT)


def test_what_has_not_begun_is_withdrawn_with_its_reason_and_may_be_written_anew(
    office: FlaskClient, session: Session
) -> None:
    address = on_record(office, FLOOR)
    row = session.scalars(select(Decree)).one()
    [found] = queries.recorded_by(session, row)
    withdrawing = f"{address}/rows/{found.id}/withdraw"
    assert office.get(withdrawing).status_code == 200
    assert office.post(withdrawing, data={"why": ""}).status_code == 422
    assert office.post(withdrawing, data={"why": "Văn bản bị hoãn"}).status_code == 302
    assert law(session).on(DAY).floor == 700_000
    assert "Văn bản bị hoãn" in words(office.get(address).text)
    assert "rút lại rồi" in words(office.post(withdrawing, data={"why": "lần nữa"}).text)
    on_record(office, FLOOR | {"value": "1.100.000"})
    assert law(session).on(DAY).floor == 1_100_000


def test_what_has_begun_is_not_withdrawn(
    office: FlaskClient, session: Session, at_time: Callable[[datetime], None]
) -> None:
    address = on_record(office, FLOOR)
    at_time(clock.at(DAY, 0, 1))
    [found] = queries.recorded_by(session, session.scalars(select(Decree)).one())
    answer = office.post(f"{address}/rows/{found.id}/withdraw", data={"why": "hoãn"})
    assert "đã có hiệu lực" in words(answer.text)
    assert law(session).on(DAY).floor == 1_000_000


@pytest.mark.parametrize(
    "statement",
    [
        "update law_value set value = 1 where key = 'poverty_line'",
        "update law_value set effective_from = '2030-01-01' where key = 'poverty_line'",
        "update law_value set withdrawn_at = now(), withdrawn_why = 'x' where key = 'poverty_line' and status <> 'announced'",
        "update law_value set withdrawn_at = now() where status = 'announced'",
        "delete from law_value",
    ],
)
def test_the_database_itself_keeps_what_the_law_was(session: Session, statement: str) -> None:
    with pytest.raises((DBAPIError, IntegrityError)), session.begin_nested():
        session.execute(text(statement))


def test_what_was_announced_is_confirmed_with_its_real_day(office: FlaskClient, session: Session) -> None:
    promised = session.scalars(select(LawValueRow).where(LawValueRow.status == LawStatus.ANNOUNCED)).first()
    assert promised is not None
    assert "Xác nhận điều đã công bố" in words(office.get(f"/law/decrees/new?confirms={promised.id}").text)
    answer = office.post("/law/decrees", data=DOCUMENT | {"confirms": str(promised.id), "effective_from": "2027-07-01"})
    compared = office.post(f"{answer.location}/compare")
    assert compared.status_code == 302, words(compared.text)
    assert office.post(f"{answer.location}/save", data={"version": 1}).status_code == 302
    session.expire_all()
    assert promised.withdrawn_at is not None
    assert law(session).on(date(2027, 7, 1)).row(promised.key, promised.ground).value == promised.value
    assert office.get(f"/law/decrees/new?confirms={promised.id}").status_code == 404


def test_what_is_only_announced_is_compared_and_shown_but_not_counted(
    office: FlaskClient, session: Session, make: Make
) -> None:
    join(make.prospect("Mai Thị Lan"), date(2019, 10, 1))
    address = on_record(office, FLOOR, status="announced")
    assert law(session).on(DAY).floor == 700_000
    assert "nếu văn bản có hiệu lực" in words(office.get(address).text)
    assert "1.000.000 đ" in words(office.get("/law").text)


def test_a_ward_adds_for_its_own_poor_and_their_quote_says_so(
    office: FlaskClient, session: Session, make: Make, at_time: Callable[[datetime], None]
) -> None:
    here, there = make.ward(), make.ward("14818@2019-10-15")
    inside, outside = make.prospect("Mai Thị Lan", place=here), make.prospect("Lê Thị Hoa", place=there)
    for person in (inside, outside):
        make.standing(person, Ground.POOR, until=None)
        join(person, date(2019, 10, 1), grounds=(Ground.POOR,))
    address = drafted(office)
    addition = {"place": str(here.id), "top_up_ground": "poor", "percent": "50", "months_cap": "12", "version": "1"}
    added = office.post(f"{address}/top-ups", data=addition)
    assert added.status_code == 302, words(added.text)
    office.post(f"{address}/compare")
    listed = words(office.get(f"{address}/people?side=less").text)
    assert "Mai Thị Lan" in listed
    assert "Lê Thị Hoa" not in listed
    office.post(f"{address}/save", data={"version": 2})
    assert f"Hộ nghèo, {here.name}" in words(office.get("/law").text)
    at_time(clock.at(date(2020, 1, 5), 9))
    paid = pay(inside, date(2020, 1, 5), grounds=(Ground.POOR,))
    assert (paid.state_support, paid.local_support, paid.own) == (138_600, 231_000, 92_400)
    assert "Nghị định 9/2019/NĐ-CP" in str(paid.law)
    assert pay(outside, date(2020, 1, 5), grounds=(Ground.POOR,)).local_support == 0
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("update local_top_up set percent = 60"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"percent": "", "amount": ""}, "chỉ một trong hai"),
        ({"percent": "150"}, "nhiều nhất 100%"),
        ({"percent": "x"}, "phần trăm bằng chữ số"),
        ({"percent": "", "amount": "nhiều"}, "tròn đồng"),
        ({"until": "2019-12-31"}, "trước ngày bắt đầu"),
        ({"months_cap": "0"}, ""),
        ({"place": "elsewhere"}, ""),
    ],
)
def test_an_addition_that_cannot_be_is_refused(office: FlaskClient, wrong: dict[str, str], sentence: str) -> None:
    address = drafted(office)
    good = {"place": "", "top_up_ground": "poor", "percent": "50", "version": "1"}
    answer = office.post(f"{address}/top-ups", data=good | wrong)
    assert answer.status_code == 422
    assert sentence in words(answer.text)


def test_the_addition_of_a_former_ward_holds_for_those_recorded_there_and_that_of_its_successor_too(
    session: Session, make: Make
) -> None:
    former, later = make.ward(), make.ward("14812@2025-07-01")
    for place, since in ((former, date(2024, 1, 1)), (later, date(2026, 1, 1))):
        make.add(
            LocalTopUpRow(
                town_id=make.town.id,
                place_id=place.id,
                ground=Ground.POOR,
                percent=Decimal(10),
                effective_from=since,
                document=place.name,
            )
        )
    person, newcomer = make.prospect(place=former), make.prospect(place=later)
    assert [one.place for one in top_ups_for(session, person, date(2025, 12, 31))] == [former.id]
    assert {one.place for one in top_ups_for(session, person, date(2026, 1, 1))} == {former.id, later.id}
    assert {one.place for one in top_ups_for(session, newcomer, date(2026, 1, 1))} == {later.id}


def test_a_large_town_is_compared_by_a_task_that_goes_on_where_it_stopped(
    office: FlaskClient, session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(5):
        join(make.prospect(), date(2019, 10, 1))
    monkeypatch.setattr(services, "AT_ONCE", 0)
    monkeypatch.setattr(services, "CHUNK", 2)
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr("crm.decrees.routes.ring", lambda _task, *ids: rung.append(ids))
    address = drafted(office, FLOOR)
    office.post(f"{address}/compare")
    assert "Đang so sánh" in words(office.get(address).text)
    assert office.get(f"{address}/progress").get_json()["finished"] is False
    [ids] = rung
    services.step(session, UUID(ids[0]), UUID(ids[1]), at=clock.now())
    assert office.get(f"{address}/progress").get_json()["done"] == 2
    for unfinished in ("people", "people.xlsx"):
        assert office.get(f"{address}/{unfinished}").location == f"{address}#impact"
    tasks.compare(*ids)
    tasks.compare(*ids)
    tasks.resume()
    impact = queries.impact_of(session, session.scalars(select(Decree)).one())
    assert impact is not None
    assert (impact.state, impact.done, impact.total) == (ImpactState.DONE, 5, 5)
    assert len(session.scalars(select(DecreePerson)).all()) == 5
    assert office.get(f"{address}/progress").get_json()["next"] == address


def test_a_draft_is_thrown_away_and_nobody_finds_it(office: FlaskClient, session: Session) -> None:
    address = drafted(office, FLOOR)
    office.post(f"{address}/compare")
    assert office.post(f"{address}/drop").status_code == 302
    assert session.scalars(select(Decree.state)).one() is State.DROPPED
    assert office.get(address).status_code == 404
    assert office.post(f"{address}/save", data={"version": 2}).status_code == 404


def test_the_document_of_a_draft_may_be_written_anew(office: FlaskClient, session: Session) -> None:
    address = drafted(office, FLOOR)
    assert "Nghị định 9/2019/NĐ-CP" in office.get(f"{address}/document").text
    again = office.post(f"{address}/document", data=DOCUMENT | {"effective_from": "2020-02-01", "version": "2"})
    assert again.status_code == 302
    assert session.scalars(select(Decree.effective_from)).one() == date(2020, 2, 1)
    assert office.post(f"{address}/document", data=DOCUMENT | {"version": "3", "document": ""}).status_code == 422


def test_only_an_administrator_changes_the_law(signed_in: Browser, client: FlaskClient) -> None:
    assert client.get("/law/decrees").status_code == 302
    manager = signed_in(Role.MANAGER)
    assert manager.get("/law/decrees").status_code == 200
    assert manager.get("/law/decrees/new").status_code == 403
    assert signed_in(Role.VOLUNTEER).get("/law/decrees").status_code == 403
