"""Papers on their way and people told to the insurance office, so that no page of the demo is empty. They change nobody's
stage: papers are of people who have agreed or joined, referrals of people whose stage payments decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at
from crm.demo.numbering import Numbering
from crm.demo.team import DOMAIN, Team
from crm.joining.lists.queries import members, rows_on
from crm.joining.models import Dossier, DossierList, DossierStep, ListedDossier
from crm.joining.queries import work_out
from crm.joining.rules import Movement, Outcome, State, code_of, row_of_payment
from crm.months import Month
from crm.participation.models import Participation, Payment
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import Answer
from crm.participation.referrals.rules import State as Referred
from crm.participation.rules import Beginning
from crm.participation.screening.models import Screening
from crm.participation.screening.queries import verdict_of
from crm.participation.screening.rules import Allowance, Business, Elsewhere, Kind, Work
from crm.premiums.queries import law
from crm.premiums.rules.quotes import Plan, quote
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage

PREPARED = (State.DRAFT, State.READY)
ON_THEIR_WAY = (State.SUBMITTED, State.HANDED_OVER, State.RETURNED)
OF_EACH = 4
"""So many dossiers in each state."""
MONTHS = (3, 3, 6, 12, 1)
STEPS = (State.DRAFT, State.READY, State.HANDED_OVER, State.SUBMITTED, State.ACCEPTED)
WHY_RETURNED = (
    "Số căn cước trong tờ khai khác với thẻ: đề nghị xem lại.",
    "Thiếu bản chụp giấy chứng nhận hộ cận nghèo.",
    "Mức thu nhập ghi trong tờ khai và trong danh sách không khớp.",
    "Chữ ký trên TK1-TS không đúng người kê khai.",
)
REFERRED = (Referred.TO_SEND, Referred.TO_SEND, Referred.TO_SEND, Referred.SENT, Referred.SENT, Referred.ANSWERED)


@dataclass
class Papers:
    """Writes dossiers in every state and the referral list, as of the demo's day."""

    session: Session
    team: Team
    number: Numbering
    as_of: date

    def __post_init__(self) -> None:
        self.law = law(self.session)
        agents = select(User.id).where(User.town_id == self.team.town_id, User.email == f"daily@{DOMAIN}")
        self.agent_id = self.session.scalars(agents).one()
        first = select(User.id).where(User.town_id == self.team.town_id, User.email == f"tinhnguyen@{DOMAIN}")
        self.shown_first = self.session.scalars(first).one()

    def write(self) -> None:
        """All of it."""
        accepted, waiting = self._list(1, 9), self._list(2, 2)
        self._on_their_way(waiting)
        self._accepted(accepted)
        self._handed_in(accepted, 9)
        self._handed_in(waiting, 2)
        self._referrals()
        self.session.flush()

    def _moment(self, days: int, hour: int) -> datetime:
        return at(self.as_of - timedelta(days=days), hour)

    # ---- dossiers

    def _list(self, number: int, days: int) -> DossierList:
        made = DossierList(
            town_id=self.team.town_id,
            id=self.number(),
            year=self.as_of.year,
            number=number,
            made_at=self._moment(days, 8),
            by_id=self.agent_id,
        )
        self.session.add(made)
        self.session.flush()
        return made

    def _handed_in(self, made: DossierList, days: int) -> None:
        """Its rows as they are that day, and then the day: from then on it takes no more."""
        inside, day = members(self.session, made), self.as_of - timedelta(days=days)
        written = rows_on(self.session, inside, day)
        for number, (dossier, person, _place) in enumerate(inside, 1):
            row, ward = written[dossier.id]
            answered = dossier.accepted_on
            code = code_of(person.insurance_number, person.citizen_id, self.law.on(answered)) if answered else None
            self.session.add(
                ListedDossier(
                    town_id=made.town_id,
                    id=self.number(),
                    list_id=made.id,
                    dossier_id=dossier.id,
                    number=number,
                    agent_id=dossier.agent_id,
                    place_id=ward.id,
                    declared=row.without_code(),
                    code=row.MasoBHXH or None,
                    outcome=Outcome.ACCEPTED if answered else Outcome.WAITING,
                    answered_on=answered,
                    answered_by_id=self.agent_id if answered else None,
                    given=code or None,
                )
            )
        self.session.flush()
        made.submitted_on = day
        self.session.flush()

    def _on_their_way(self, waiting: DossierList) -> None:
        """Of people who have agreed, and papers being prepared also of those who are interested; those of the volunteer to
        try come first."""
        mine = case((Prospect.volunteer_id == self.shown_first, 0), else_=1)
        first = case((Prospect.stage == Stage.AGREED, 0), else_=1)
        willing = (
            select(Prospect)
            .where(Prospect.town_id == self.team.town_id)
            .where(Prospect.stage.in_((Stage.AGREED, Stage.INTERESTED)))
            .where(Prospect.merged_into_id.is_(None), Prospect.volunteer_id.is_not(None))
            .where(Prospect.birth_year < self.as_of.year - 18)
            .order_by(mine, first, Prospect.id)
            .limit(40 * OF_EACH)
        )
        left = dict.fromkeys((*PREPARED, *ON_THEIR_WAY), OF_EACH)
        for count, person in enumerate(self.session.scalars(willing).all()):
            self._asked(person, 8)
            dossier = self._dossier(person, MONTHS[count % len(MONTHS)])
            worked = work_out(self.session, dossier, person, self.as_of, self.law)
            wanted: Sequence[State] = PREPARED if worked.complete else PREPARED[:1]
            wanted = ON_THEIR_WAY if worked.complete and person.stage is Stage.AGREED else wanted
            state = max(wanted, key=lambda one: left[one])
            if not left[state]:
                continue
            left[state] -= 1
            dossier.state = state
            if state is State.RETURNED:
                dossier.returned_for = WHY_RETURNED[left[state] % len(WHY_RETURNED)]
            if state in (State.HANDED_OVER, State.SUBMITTED) and worked.row:
                ground = worked.quote.ground if worked.quote else Ground.OTHER
                dossier.declared = worked.row.without_names() | {"ground": ground.value}
            if state is State.SUBMITTED:
                dossier.list_id = waiting.id
            if state in (State.HANDED_OVER, State.SUBMITTED, State.RETURNED):
                dossier.agent_id = self.agent_id
            self._keep(dossier, self._path(state), person.volunteer_id)

    def _accepted(self, accepted: DossierList) -> None:
        """Of people who joined not long ago: their first payment is what was declared."""
        recent = (
            select(Prospect, Payment)
            .join(Payment, (Payment.town_id == Prospect.town_id) & (Payment.prospect_id == Prospect.id))
            .join(
                Participation,
                (Participation.town_id == Payment.town_id) & (Participation.id == Payment.participation_id),
            )
            .where(Prospect.town_id == self.team.town_id, Participation.started_as == Beginning.JOINED)
            .where(Participation.goes_on, Payment.paid_on == Participation.started_on)
            .where(Payment.other_support == 0, Payment.paid_on <= self.as_of - timedelta(days=9))
            .order_by(Payment.paid_on.desc(), Payment.id)
            .limit(OF_EACH)
        )
        for person, payment in self.session.execute(recent).all():
            dossier = self._dossier(person, payment.months)
            dossier.state, dossier.list_id, dossier.agent_id = State.ACCEPTED, accepted.id, self.agent_id
            dossier.income, dossier.start_month = payment.income, payment.start_month
            dossier.payment_id, dossier.accepted_on = payment.id, self.as_of - timedelta(days=4)
            dossier.declared = self._declared(payment)
            self._keep(dossier, STEPS, person.volunteer_id)

    def _declared(self, payment: Payment) -> dict[str, Any]:
        start, plan = Month.of(payment.start_month), Plan.periodic(payment.months)
        told = quote(self.law, payment.income, [Ground(payment.ground)], start, payment.paid_on, plan)
        row = row_of_payment(told, self.law.on(payment.paid_on), Movement.NEW, name="", code="", remarks="")
        return row.without_names() | {"ground": payment.ground}

    def _dossier(self, person: Prospect, months: int) -> Dossier:
        return Dossier(
            town_id=self.team.town_id,
            id=self.number(),
            prospect_id=person.id,
            state=State.DRAFT,
            movement=Movement.NEW,
            income=self.law.on(self.as_of).floor,
            months=months,
            start_month=Month.of(self.as_of).first_day,
            opened_at=self._moment(7, 16),
            opened_by_id=person.volunteer_id,
            changed_at=self._moment(7, 16),
        )

    def _path(self, state: State) -> Sequence[State]:
        return (*STEPS[:3], state) if state is State.RETURNED else STEPS[: STEPS.index(state) + 1]

    def _keep(self, dossier: Dossier, path: Sequence[State], by_id: UUID | None) -> None:
        """The dossier with each step it took, a day after the other, the last of them before the demo's day."""
        moments = [self._moment(days, 9) for days in range(len(path) + 1, 1, -1)]
        dossier.opened_at, dossier.changed_at = moments[0], moments[-1]
        self.session.add(dossier)
        self.session.flush()
        for state, moment in zip(path, moments, strict=True):
            own = state in (State.DRAFT, State.READY, State.HANDED_OVER)
            self.session.add(
                DossierStep(
                    town_id=dossier.town_id,
                    id=self.number(),
                    dossier_id=dossier.id,
                    to_state=state,
                    at=moment,
                    by_id=by_id if own else self.agent_id,
                    agent_id=self.agent_id if state is State.HANDED_OVER else None,
                    note=dossier.returned_for if state is State.RETURNED else None,
                )
            )
        self.session.flush()

    # ---- who may join, and referrals

    def _asked(self, person: Prospect, days: int, work: Work = Work.NONE) -> None:
        self.session.add(
            Screening(
                town_id=self.team.town_id,
                id=self.number(),
                prospect_id=person.id,
                citizen=True,
                work=work,
                business=Business.NONE,
                allowance=Allowance.NONE,
                elsewhere=Elsewhere.NO,
                at=self._moment(days, 15),
                by_id=person.volunteer_id,
            )
        )
        self.session.flush()

    def _referrals(self) -> None:
        """People who found work with a contract after they had paid: the office is told, and answers of some."""
        sent = ReferralList(
            town_id=self.team.town_id,
            id=self.number(),
            year=self.as_of.year,
            number=1,
            sent_on=self.as_of - timedelta(days=6),
            at=self._moment(6, 10),
            by_id=self.team.manager_id,
        )
        people = list(self._lapsed())
        if len(people) == len(REFERRED):
            self.session.add(sent)
            self.session.flush()
        for person, state in zip(people, REFERRED, strict=False):
            self._asked(person, 12, Work.CONTRACT)
            verdict = verdict_of(self.session, person, self.as_of, self.law)
            if verdict.kind is not Kind.COMPULSORY or len(people) < len(REFERRED):
                continue
            answered = state is Referred.ANSWERED
            self.session.add(
                Referral(
                    town_id=self.team.town_id,
                    id=self.number(),
                    prospect_id=person.id,
                    why=[one.code for one in verdict.deciding],
                    since=verdict.since,
                    state=state,
                    stage_was=person.stage,
                    referred_at=self._moment(12, 15),
                    referred_by_id=person.volunteer_id,
                    list_id=None if state is Referred.TO_SEND else sent.id,
                    answer=Answer.ENROLLED if answered else None,
                    answered_at=self._moment(1, 14) if answered else None,
                    answered_by_id=self.team.manager_id if answered else None,
                    note="Đã có sổ BHXH bắt buộc từ tháng 9." if answered else None,
                )
            )
        self.session.flush()

    def _lapsed(self) -> Iterator[Prospect]:
        query = (
            select(Prospect)
            .where(Prospect.town_id == self.team.town_id, Prospect.stage == Stage.LAPSED)
            .where(Prospect.merged_into_id.is_(None), Prospect.volunteer_id.is_not(None))
            .order_by(Prospect.id)
            .limit(len(REFERRED))
        )
        yield from self.session.scalars(query).all()
