"""Statements loaded once or twice, lines booked, held, returned, divided and undone; the difference comes to nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.db import session as current
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.sponsors import services
from crm.sponsors.giving.rules import Due
from crm.sponsors.ledger.closing import close_month
from crm.sponsors.models import Receipt
from crm.sponsors.queries import balance_of
from crm.sponsors.statements import queries
from crm.sponsors.statements.models import LinePart, StatementLine
from crm.sponsors.statements.queries import Narrowed
from crm.sponsors.statements.rules.kinds import Likely, LineState, Share, Use
from crm.sponsors.statements.services import deciding, loading, taking_in
from crm.sponsors.statements.showing import rows_of
from tests.factories import Make
from tests.sponsors.statements.stories import TODAY, acts, csv_of, lines, load, pledge, run
from tests.sponsors.stories import allocate, poor, sponsor


def scope(make: Make) -> Scope:
    return Scope(town_id=make.town.id, user_id=make.user().id, reach=Reach.ALL, place_ids=None, organisation_id=None)


def parts(line: StatementLine) -> list[LinePart]:
    query = select(LinePart).where(LinePart.line_id == line.id, LinePart.ended_at.is_(None)).order_by(LinePart.id)
    return list(current().scalars(query))


def bridge(make: Make, day: date = TODAY) -> queries.Bridge:
    found = queries.bridge_on(current(), make.town.id, day)
    assert found.unexplained == 0
    return found


def test_a_line_with_a_code_is_booked_by_itself_and_the_rest_waits(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 990_000)
    row = load(
        make,
        csv_of((1, 330_000, f"MBVCB.12.{promise.code}.ung ho"), (2, -11_000, "phi sms"), (3, 500_000, "chuyen tien")),
    )
    assert (row.lines, row.new_lines, row.done) == (3, 3, 3)
    first, fee, unknown = lines(make)
    assert [one.state for one in (first, fee, unknown)] == [LineState.SETTLED, LineState.OPEN, LineState.OPEN]
    assert [one.likely for one in (fee, unknown)] == [Likely.NOT_GIFT, Likely.UNKNOWN]
    receipt = current().scalars(select(Receipt)).one()
    assert (receipt.amount, receipt.pledge_id, receipt.received_on) == (330_000, promise.id, date(2019, 10, 1))
    assert parts(first)[0].by_itself


def test_the_same_statement_twice_and_one_that_overlaps_book_nothing_again(make: Make) -> None:
    promise = pledge(sponsor(make), 990_000)
    rows = [
        (1, 330_000, promise.code, "R1"),
        (3, 5_000, "z", "R2"),
        (4, 330_000, promise.code, "R3"),
        (5, 7_000, "w", "R4"),
    ]
    load(make, csv_of(*rows[:3]))
    again = load(make, csv_of(*rows[:3]), "again.csv")
    assert (again.lines, again.new_lines, again.done) == (3, 0, 3)
    assert load(make, csv_of(*rows[1:]), "overlap.csv").new_lines == 1
    assert sorted(current().scalars(select(Receipt.reference))) == ["R1", "R3"]


def test_lines_without_a_reference_are_known_again_by_what_stands_in_them(make: Make) -> None:
    content = "Ngày;Số tiền;Số dư;Nội dung\n01/10/2019;5.000;5.000;x\n01/10/2019;5.000;10.000;x\n"
    assert load(make, content.encode()).new_lines == 2
    assert load(make, content.encode(), "again.csv").new_lines == 0


def test_lines_that_are_truly_equal_within_a_file_all_count_and_only_once(make: Make) -> None:
    promise = pledge(sponsor(make), 990_000)
    rows = [(1, 330_000, promise.code, "BATCH"), (1, 330_000, promise.code, "BATCH")]
    load(make, csv_of(*rows))
    assert [one.occurrence for one in lines(make)] == [1, 2]
    assert load(make, csv_of(*rows), "again.csv").new_lines == 0
    assert sorted(current().scalars(select(Receipt.reference))) == ["BATCH", "BATCH/2"]


def test_the_database_itself_refuses_a_line_twice(make: Make, session: Session) -> None:
    load(make, csv_of((1, 5_000, "x")))
    copy = (
        "insert into statement_line select town_id, gen_random_uuid(), bank_account_id, statement_id, place, file_row, "
        "posted_on, posted_at, amount, balance, reference, occurrence, narrative, payer, payer_fold, payer_account, "
        "state, likely from statement_line"
    )
    with pytest.raises(IntegrityError, match="uq_statement_line_identity"), session.begin_nested():
        session.execute(text(copy))


@pytest.mark.committed
def test_the_database_refuses_a_settled_line_whose_parts_do_not_sum_to_it(make: Make, session: Session) -> None:
    load(make, csv_of((1, 5_000, "x")))
    session.commit()
    session.execute(text("update statement_line set state = 'settled'"))
    with pytest.raises(IntegrityError, match="parts"):
        session.commit()
    session.rollback()


def test_a_receipt_recorded_by_hand_under_the_banks_reference_is_not_booked_again(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 990_000)
    services.receive(current(), by, 330_000, reference="FT77", pledge=promise, on=date(2019, 10, 2), **acts())
    load(make, csv_of((2, 330_000, promise.code, "FT77"), (3, 20_000, promise.code, "FT78")))
    assert balance_of(current(), by).received == 350_000
    line = lines(make)[0]
    assert parts(line)[0].linked
    deciding.undo(current(), line, "sai", on=TODAY, **acts())
    assert balance_of(current(), by).received == 350_000, "the receipt by hand stands"


def test_part_over_and_many_lines_to_one_promise(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 500_000)
    load(make, csv_of((1, 200_000, promise.code), (2, 400_000, promise.code)))
    told = balance_of(current(), by)
    assert (told.received, told.available, told.expected) == (600_000, 600_000, 0)


def test_one_line_is_divided_over_many_promises_and_must_sum(make: Make) -> None:
    stone, tam = sponsor(make), sponsor(make, "Bà Tâm")
    first, second = pledge(stone, 300_000), pledge(tam, 700_000)
    load(make, csv_of((1, 1_000_000, "gop chung")))
    line = lines(make)[0]
    with pytest.raises(RuleBroken) as refused:
        deciding.book(current(), line, [Share(stone.id, first.id, 300_000)], **acts())
    assert refused.value.code == "sums_differ"
    deciding.book(current(), line, [Share(stone.id, first.id, 300_000), Share(tam.id, second.id, 700_000)], **acts())
    assert [balance_of(current(), one).received for one in (stone, tam)] == [300_000, 700_000]
    assert sorted(current().scalars(select(Receipt.reference))) == ["FT01001", "FT01001/2"]


def test_unknown_money_is_held_then_found_in_parts(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 300_000)
    load(make, csv_of((1, 1_000_000, "khong ro")))
    line = lines(make)[0]
    deciding.hold(current(), line, **acts())
    assert (bridge(make).unidentified, bridge(make).difference) == (1_000_000, 0)
    deciding.identify(current(), line, [Share(by.id, promise.id, 300_000)], on=TODAY, **acts())
    told = bridge(make)
    assert (told.unidentified, told.available, told.difference) == (700_000, 300_000, 0)
    assert bridge(make, date(2019, 10, 10)).unidentified == 1_000_000, "on that day nobody knew"
    assert bridge(make, date(2019, 10, 10)).difference == 0
    assert sorted(part.amount for part in parts(line)) == [300_000, 700_000]
    deciding.identify(current(), line, [Share(by.id, None, 700_000)], on=TODAY, **acts())
    assert {part.use for part in parts(line)} == {Use.GIFT}
    deciding.undo(current(), line, "nhầm", on=TODAY, **acts())
    assert (line.state, parts(line)) == (LineState.OPEN, [])
    assert (bridge(make).books, bridge(make).undecided.total) == (0, 1_000_000)


def test_held_money_is_sent_back_and_that_can_be_undone_too(make: Make) -> None:
    load(make, csv_of((1, 400_000, "nham", "", "TRAN VAN A"), (5, -400_000, "Hoan tra tien chuyen nham")))
    came, went = lines(make)
    deciding.hold(current(), came, **acts())
    offer = rows_of(current(), scope(make), [went])[0].offers[0]
    assert offer.act == "send_back"
    deciding.send_back(current(), went, parts(came)[0], **acts())
    assert (bridge(make).books, bridge(make).difference, bridge(make, date(2019, 10, 3)).difference) == (0, 0, 0)
    assert queries.counts(current(), scope(make), Narrowed())["held"] == (0, 0)
    with pytest.raises(RuleBroken) as refused:
        deciding.undo(current(), came, "nhầm", on=TODAY, **acts())
    assert refused.value.code == "sent_back"


def test_undoing_what_was_sent_back_holds_the_money_again(make: Make) -> None:
    load(make, csv_of((1, 400_000, "nham"), (5, -400_000, "Hoan tra")))
    came, went = lines(make)
    deciding.hold(current(), came, **acts())
    deciding.send_back(current(), went, parts(came)[0], **acts())
    deciding.undo(current(), went, "chưa trả", on=TODAY, **acts())
    assert bridge(make).unidentified == 400_000
    assert queries.counts(current(), scope(make), Narrowed())["held"] == (1, 400_000)


def test_undo_takes_the_receipt_back_and_the_line_can_be_booked_rightly(make: Make) -> None:
    wrong, right = sponsor(make), sponsor(make, "Bà Tâm")
    promise = pledge(wrong, 330_000)
    load(make, csv_of((1, 330_000, promise.code)))
    line = lines(make)[0]
    deciding.undo(current(), line, "khách ghi nhầm mã", on=TODAY, **acts())
    assert (balance_of(current(), wrong).received, balance_of(current(), wrong).expected) == (0, 330_000)
    deciding.book(current(), line, [Share(right.id, None, 330_000)], **acts())
    assert balance_of(current(), right).received == 330_000
    assert bridge(make).difference == 0


def test_a_receipt_that_was_taken_back_elsewhere_leaves_its_line_to_be_decided_again(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 330_000)
    load(make, csv_of((1, 330_000, promise.code)))
    receipt = current().scalars(select(Receipt)).one()
    services.correct_receipt(current(), receipt, reason="nhầm", on=TODAY, **acts())
    (line,) = queries.loose_lines(current(), make.town.id)
    assert bridge(make).difference == 330_000
    deciding.undo(current(), line, "nhầm", on=TODAY, **acts())
    deciding.book(current(), line, [Share(by.id, promise.id, 330_000)], **acts())
    assert (bridge(make).difference, list(queries.loose_lines(current(), make.town.id))) == (0, [])


def test_money_that_is_spent_already_cannot_be_undone(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 107_800)
    load(make, csv_of((1, 107_800, promise.code)))
    allocate(by, poor(make))
    with pytest.raises(Conflict) as refused:
        deciding.undo(current(), lines(make)[0], "nhầm", on=TODAY, **acts())
    assert refused.value.code == "not_enough_received"


def test_fees_and_interest_are_put_aside_together_and_something_else_needs_words(make: Make) -> None:
    load(make, csv_of((1, -11_000, "phi sms"), (2, 900, "tra lai tien gui"), (3, -50_000, "mua hoa")))
    assert deciding.clear_small(current(), make.town.id, **acts()) == 2
    bought = lines(make)[2]
    with pytest.raises(RuleBroken) as refused:
        deciding.set_aside(current(), bought, Use.OTHER, None, **acts())
    assert refused.value.field == "why"
    deciding.set_aside(current(), bought, Use.OTHER, "hoa viếng", **acts())
    assert (bridge(make).not_sponsors, bridge(make).difference) == (-60_100, 0)


def test_money_returned_to_a_sponsor_is_shown_by_the_line_once(make: Make) -> None:
    by = sponsor(make)
    promise = pledge(by, 900_000)
    load(make, csv_of((1, 900_000, promise.code), (6, -250_000, "hoan tra"), (7, -250_000, "hoan tra")))
    services.refund(current(), by, 250_000, reason="chuyển thừa", by_id=None, on=date(2019, 10, 6), at=clock.now())
    _came, first, second = lines(make)
    assert bridge(make).went_without_line == (1, -250_000)
    move = queries.moves_unseen(current(), make.town.id, Use.REFUND, TODAY)[0]
    deciding.show_moves(current(), first, Use.REFUND, [move.posting_id], **acts())
    with pytest.raises(Conflict) as refused:
        deciding.show_moves(current(), second, Use.REFUND, [move.posting_id], **acts())
    assert refused.value.code == "shown_already"
    assert bridge(make).difference == -250_000, "the second line is still to be explained"


def test_what_stood_on_the_account_before_is_told_apart(make: Make) -> None:
    row = load(make, csv_of((1, -11_000, "phi"), opening=5_000_000))
    assert (bridge(make).difference, bridge(make).earlier) == (4_989_000, 5_000_000)
    account = current().get_one(queries.BankAccount, (make.town.id, row.bank_account_id))
    with pytest.raises(RuleBroken):
        taking_in.say_what_stood_before(account, 5_000_000, None)
    taking_in.say_what_stood_before(account, 5_000_000, "của công đoàn")
    deciding.clear_small(current(), make.town.id, **acts())
    assert bridge(make).difference == 0


def test_a_month_of_an_account_adds_up(make: Make) -> None:
    promise = pledge(sponsor(make), 990_000)
    row = load(make, csv_of((1, 330_000, promise.code), (2, -11_000, "phi"), (9, 5_000, "?"), opening=70_000))
    account = current().get_one(queries.BankAccount, (make.town.id, row.bank_account_id))
    told = queries.bank_in(current(), account, Month(2019, 10))
    assert (told.opening, told.came_in, told.went_out, told.closing, told.told) == (
        70_000,
        335_000,
        -11_000,
        394_000,
        394_000,
    )
    assert (told.uses[Use.GIFT], told.undecided) == ((1, 330_000), (2, -6_000))


def test_a_payer_is_remembered_for_next_time(make: Make) -> None:
    by = sponsor(make)
    pledge(by, 5_000_000)
    load(make, csv_of((1, 200_000, "ung ho", "A1", "KE TOAN X", "1900123")))
    deciding.book(current(), lines(make)[0], [Share(by.id, None, 200_000)], **acts())
    load(make, csv_of((2, 210_000, "ung ho", "A2", "NGUOI KHAC", "1900123")), "b.csv")
    line = lines(make)[1]
    assert (
        rows_of(current(), scope(make), [line])[0].offers[0].whys[0]
        == "Tài khoản 1900123 đã từng chuyển cho nhà hỗ trợ này."
    )


def test_columns_that_were_put_right_are_remembered_for_the_account(make: Make) -> None:
    content = b"Ngay;So tien;Ghi chu;Noi dung;So du\n01/10/2019;1000;real;xx;1000\n"
    session = current()
    account = taking_in.account_numbered(session, make.town.id, "12345678", name="", **acts())
    row = taking_in.take_in(session, account, "a.csv", content, **acts())
    assert row.found["columns"]["C"] == "narrative"
    rightly = {"A": "day", "B": "amount", "C": "payer", "D": "narrative", "E": "balance"}
    taking_in.confirm(session, row, rightly, **acts())
    later = taking_in.take_in(session, account, "b.csv", content, **acts())
    assert later.found["columns"] == rightly
    assert (later.found["whys"]["C"], later.found["whys"]["A"]) == ("remembered", "heading")


@pytest.mark.parametrize(
    "columns",
    [{"A": "day", "C": "narrative"}, {"A": "day", "B": "amount", "C": "amount"}, {"B": "amount"}, {"A": "nonsense"}],
)
def test_columns_that_cannot_be_are_refused(make: Make, columns: dict[str, str]) -> None:
    row = load(make, csv_of((1, 5_000, "x")))
    with pytest.raises(RuleBroken):
        taking_in.looked_through(row, taking_in.table_of(row, columns))


def test_loading_stops_in_the_middle_and_goes_on_without_effect(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "CHUNK", 2)
    promise = pledge(sponsor(make), 9_000_000)
    session = current()
    account = taking_in.account_numbered(session, make.town.id, "12345678", name="", **acts())
    row = taking_in.take_in(session, account, "a.csv", csv_of(*((1, 1_000, promise.code) for _ in range(5))), **acts())
    taking_in.confirm(session, row, row.found["columns"], **acts())
    assert loading.step(session, row.town_id, row.id, at=clock.now())
    assert loading.step(session, row.town_id, row.id, at=clock.now())
    assert row.done == 2
    run(row)
    run(row)
    assert (row.done, current().scalar(select(func.sum(Receipt.amount)))) == (5, 5_000)


@pytest.mark.committed
def test_of_two_treasurers_at_one_line_one_wins_and_the_other_is_told(app: Flask, make: Make, session: Session) -> None:
    stone, tam = sponsor(make), sponsor(make, "Bà Tâm")
    load(make, csv_of((1, 400_000, "chung")))
    town_id, line_id, ids = make.town.id, lines(make)[0].id, (stone.id, tam.id)
    session.commit()
    ready, told = threading.Barrier(2), []

    def decide(sponsor_id: Any) -> None:
        with app.app_context():
            try:
                with transaction() as own:
                    line = own.get_one(StatementLine, (town_id, line_id))
                    ready.wait()
                    deciding.book(own, line, [Share(sponsor_id, None, 400_000)], **acts())
                told.append("won")
            except Conflict as refused:
                told.append(refused.code)

    threads = [threading.Thread(target=decide, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["decided", "won"]
    assert session.scalar(select(func.sum(Receipt.amount))) == 400_000


def test_a_line_of_a_closed_month_is_booked_on_the_first_open_day(make: Make, at_time: Callable[..., None]) -> None:
    promise = pledge(sponsor(make), 990_000)
    at_time(clock.at(date(2019, 11, 5), 9))
    by = make.user(Role.TREASURER)
    for month in (Month(2019, 9), Month(2019, 10)):
        close_month(current(), make.town.id, month, on=date(2019, 11, 5), **acts(by.id))
    load(make, csv_of((1, 330_000, promise.code)))
    assert current().scalars(select(Receipt.received_on)).one() == date(2019, 11, 1)
    then = bridge(make, date(2019, 10, 31))
    assert (then.difference, then.undecided.total) == (330_000, 330_000)
    assert bridge(make, date(2019, 11, 5)).difference == 0


def test_the_difference_is_always_explained_whatever_is_done(make: Make) -> None:
    random = Random(5)
    by, other = sponsor(make), sponsor(make, "Bà Tâm")
    promise = pledge(by, 5_000_000)
    rows = [
        (1 + n // 3, random.choice((-40_000, 90_000, 250_000)), random.choice(("x", promise.code, "phi")))
        for n in range(30)
    ]
    load(make, csv_of(*rows, opening=700_000))
    for turn in range(40):
        line = random.choice(lines(make))
        try:
            with current().begin_nested():
                if line.state is LineState.SETTLED and random.random() < 0.5:
                    deciding.undo(current(), line, "thử", on=TODAY, **acts())
                elif line.state is LineState.SETTLED:
                    shares = [Share(other.id, None, random.randint(1, 90_000))]
                    deciding.identify(current(), line, shares, on=TODAY, **acts())
                elif line.amount < 0:
                    deciding.set_aside(current(), line, random.choice((Use.FEE, Use.OWN_TRANSFER)), None, **acts())
                elif turn % 3:
                    deciding.hold(current(), line, **acts())
                else:
                    deciding.book(current(), line, [Share(by.id, promise.id, line.amount)], **acts())
        except RuleBroken:
            current().expire_all()
        for day in (TODAY, date(2019, 10, 5)):
            bridge(make, day)


def test_an_instalment_of_a_promise_is_recognised_by_its_amount_and_its_time(make: Make) -> None:
    by = sponsor(make)
    dues = (Due(date(2019, 10, 10), 200_000), Due(date(2020, 1, 10), 700_000))
    given: dict[str, Any] = {"by_id": None, "at": clock.now(), "on": date(2019, 9, 1)}
    promise = services.pledge(current(), by, 900_000, due=None, dues=dues, **given)
    load(make, csv_of((9, 200_000, "cty da xanh")))
    line = lines(make)[0]
    first = rows_of(current(), scope(make), [line])[0].offers[0]
    assert first.sends["shares"] == f"{by.id}:{promise.id}:200000"
    assert f"Số tiền đúng bằng một kỳ của cam kết {promise.code}." in first.whys
    deciding.book(current(), line, [Share(by.id, promise.id, 200_000)], **acts())
    (left,) = queries.matcher_of(current(), make.town.id).promises.values()
    assert left.due == ((date(2020, 1, 10), 700_000),)


def test_a_code_in_the_text_is_offered_before_a_receipt_by_hand_that_only_has_the_same_amount(
    make: Make, session: Session
) -> None:
    stone, tam = sponsor(make), sponsor(make, "Bà Tâm")
    promise, theirs = pledge(stone, 330_000), pledge(tam, 990_000)
    by_hand = {"reference": "BL01", "pledge": theirs, "on": date(2019, 10, 2)}
    services.receive(session, tam, 330_000, **by_hand, **acts())
    load(make, csv_of((2, 330_000, f"hoan tra {promise.code}"), (3, 330_000, f"hoan tra {theirs.code}")))
    first, second = (row.offers[0] for row in rows_of(session, scope(make), lines(make)))
    assert first.act == "accept"
    assert second.act == "link"
