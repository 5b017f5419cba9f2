"""A small town of people nobody could confuse: every text about somebody carries a word of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from crm import clock, sealed
from crm.accounts.models import ApiToken, ChangeRecord, Organisation, User
from crm.accounts.rules import OrganisationKind, Role
from crm.campaigns.files.models import SmsFile, SmsResults
from crm.campaigns.files.rules import ResultState
from crm.campaigns.inbox.models import Conversation
from crm.campaigns.inbox.rules import Talk
from crm.campaigns.models import Campaign, Inbound, Message, OptOutLink
from crm.campaigns.numbers.models import DoNotCallList
from crm.campaigns.numbers.rules import ListState
from crm.campaigns.preflight import checking
from crm.campaigns.preflight.models import CampaignApproval
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.templating import services as templating
from crm.collecting import services as collecting
from crm.collecting.rules import PointKind, Told
from crm.decrees.models import Decree, DecreeImpact, DecreePerson, DecreeRow
from crm.decrees.rules.saying import Item
from crm.decrees.rules.states import ImpactState
from crm.decrees.rules.states import State as DecreeState
from crm.emulation.models import Commendation
from crm.emulation.rules import Form as Commended
from crm.ids import new_id
from crm.joining.models import Dossier, DossierList, DossierStep
from crm.joining.rules import Movement, row_of_stopping
from crm.joining.rules import State as DossierState
from crm.months import Month
from crm.names import fold, sort_key
from crm.outreach.models import Assignment, Visit
from crm.outreach.packages.models import PackageItem, WorkPackage
from crm.outreach.rules import Channel, Outcome
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import Verdict
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import State as ReferralState
from crm.participation.rules import Basis, Beginning
from crm.participation.screening.models import Screening
from crm.participation.screening.rules import Allowance, Business, Elsewhere, Work
from crm.places.models import Place, Town
from crm.places.rules import PlaceKind
from crm.premiums.models import LawValueRow
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.households.models import HouseholdCertificate
from crm.prospects.importing.rules import Proposed
from crm.prospects.lists import rules as lists
from crm.prospects.lists.models import BulkAct, BulkActPerson, PeopleExport, Segment, Tag
from crm.prospects.merging.models import Merge
from crm.prospects.merging.rules import KEPT_IN_LAYERS
from crm.prospects.models import (
    Consent,
    Household,
    IdentityReading,
    ImportRow,
    ListImport,
    Prospect,
    StageChange,
    Standing,
)
from crm.prospects.rules import ConsentChannel, Ground, ImportState, Kinship, Purpose, RowOutcome, Sex, Stage
from crm.reminders.models import ReminderRule
from crm.reorganisations.models import Handover, Reorganisation
from crm.reorganisations.rules import Move, Plan
from crm.reorganisations.rules import State as ReorganisationState
from crm.reports.amendments import services as amendments
from crm.reports.amendments.paper import usual_head
from crm.reports.amendments.rules import Subject, Words
from crm.reports.documents.models import ReportTemplate
from crm.reports.documents.printing import word
from crm.reports.documents.services import counting as reporting
from crm.reports.documents.services import papers
from crm.reports.duties.models import Duty
from crm.reports.duties.rules import DayBy
from crm.reports.events.models import PublicEvent
from crm.reports.events.rules import EventKind
from crm.reports.periods import ReportKind
from crm.reports.rounds import services as rounds
from crm.reports.rounds.models import ReportingRule, ReportOwed
from crm.reports.rounds.rules import Who
from crm.sealed import current as seal
from crm.sponsors import services as sponsoring
from crm.sponsors.duplicates.services import merge
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.rules import Asked
from crm.sponsors.giving.services import registering
from crm.sponsors.ledger import deciding
from crm.sponsors.letters import services as letters
from crm.sponsors.matching.models import FundingLine, FundingOffer, FundingProposal, FundingRefusal
from crm.sponsors.matching.rules.needs import Rest, Terms
from crm.sponsors.matching.rules.states import LineState as FundingState
from crm.sponsors.matching.rules.states import ProposalState
from crm.sponsors.models import Allocation, Sponsor
from crm.sponsors.rules import SponsorKind, Wish
from crm.sponsors.statements.models import BankAccount, Statement, StatementLine
from crm.sponsors.statements.rules.kinds import LineState, StatementState
from crm.targets.models import Target
from crm.targets.rules import Indicator
from crm.targets.sharing.models import TargetShare, TargetSharing
from crm.targets.sharing.rules import Level, Method
from crm.targets.sharing.rules import State as SharingState
from tests.factories import Make

TODAY = date(2019, 10, 15)
FIRST_PHONE = 915_550_000
JOINED = ("beta", "gamma", "zeta", "theta")
MERGED = "iota"
AWAY = "omega"
"""The one person of another town."""


@dataclass
class Known:
    """Somebody of the town, by the word that stands in everything about them, and by all their ids and numbers."""

    row: Prospect
    word: str
    digits: str
    citizen: str
    ids: set[str] = field(default_factory=set)
    rows: dict[str, list[UUID]] = field(default_factory=dict)

    def has(self, kind: str, row: Any) -> Any:
        """This row is about them; `kind` is how addresses call its id."""
        self.ids.add(str(row.id))
        self.rows.setdefault(kind, []).append(row.id)
        return row


class SmallTown:
    """Ten people: three wards, two organisations, two volunteers and an agent, one merged record, one other town."""

    def __init__(self, make: Make) -> None:
        self.make, self.session = make, make.session
        self.town = make.town
        self.wards = [make.ward(f"{code}@2019-10-15") for code in ("14812", "14818", "14815")]
        self.union, self.front = make.organisation("HPN"), make.organisation("LDLD")
        self.part = self._add(self._place(self.town.id, "Khu phố Chín", PlaceKind.NEIGHBOURHOOD, self.wards[0].id))
        self.people: dict[str, Known] = {}
        self.referred = self._add(self._referral_list(self.town.id))
        self.gathered = self._add(DossierList(town_id=self.town.id, year=2019, number=1, made_at=clock.now()))
        self.users = self._users()
        self.sponsor, self.letter = self._sponsor(self.town.id, "Công ty Gạch Men", self.users["admin"])
        self._everybody()
        self.drafts = self._campaigns()
        self._texts()
        self.campaigning = self._campaigning(self.drafts["draft"], self.users["manager"])
        self.lists = self._lists()
        self.kept = self._kept(self.town.id, self.users["manager"], [one.row for one in self.people.values()])
        self.package = self._package(self.people["alpha"], self.users["volunteer"], self.users["manager"])
        self.wards_changed = self._reorganisation(self.town.id, self.users["lead of a ward"], self.wards[0])
        admin = self.users["admin"]
        self.law_changed = self._decree(
            self.town.id, admin, [one.row for one in self.people.values()], date(2026, 5, 1)
        )
        standing = [known for known in self.people.values() if known.row.merged_into_id is None]
        self.proposed = self._proposal(self.sponsor, standing)
        self.banked = self._banked(self.town.id) | self._refused(self.town.id)
        self.banked |= self._shared_out(self.town.id, self.wards[0])
        self.reported = self._reported(self.users["manager"])
        self.other = self._other_town()
        self.session.flush()

    # ---- who looks

    def _users(self) -> dict[str, User]:
        make, union, first = self.make, self.union.id, self.wards[0].id
        return {
            "admin": make.user(Role.ADMIN),
            "manager": make.user(Role.MANAGER),
            "organiser": make.user(Role.ORGANISER),
            "treasurer": make.user(Role.TREASURER),
            "auditor": make.user(Role.AUDITOR),
            "lead of a ward": make.user(Role.LEAD, place_id=first),
            "lead of an organisation": make.user(Role.LEAD, organisation_id=union),
            "lead of both": make.user(Role.LEAD, organisation_id=union, place_id=first),
            "lead of a neighbourhood": make.user(Role.LEAD, place_id=self.part.id),
            "lead of nothing": make.user(Role.LEAD),
            "volunteer": make.user(Role.VOLUNTEER, organisation_id=union, place_id=first),
            "another volunteer": make.user(Role.VOLUNTEER, organisation_id=self.front.id),
            "agent": make.user(Role.AGENT),
            "sponsor": make.user(Role.SPONSOR),
        }

    # ---- whom they see

    def _everybody(self) -> None:
        first, second, third = self.wards
        one, two, agent = (self.users[name] for name in ("volunteer", "another volunteer", "agent"))
        self._person("alpha", first, self.union, one)
        self._person("beta", first, self.union, None)
        self._person("gamma", first, self.front, two)
        self._person("delta", second, self.union, two)
        self._person("epsilon", second, self.front, agent)
        self._person("zeta", third, self.front, None)
        self._person("eta", third, None, None)
        self._person("theta", first, self.union, one, neighbourhood_id=self.part.id)
        merged = self._person(MERGED, third, self.front, None)
        merged.row.merged_into_id = self.people["zeta"].row.id
        self.session.flush()
        self._merged(self.people["zeta"], merged)

    def _person(
        self, key: str, ward: Place, organisation: Organisation | None, holder: User | None, **more: Any
    ) -> Known:
        """Somebody with one row of everything; whoever holds them now, the first volunteer called on them once."""
        number = len(self.people) + 1
        word, digits, citizen = f"Xq{key}qx", str(FIRST_PHONE + number), f"038170{number:06d}"
        name = f"Nguyễn Thị {word}"
        row = self._add(
            Prospect(
                town_id=ward.town_id,
                full_name=name,
                name_fold=fold(name),
                name_key=sort_key(name),
                sex=Sex.FEMALE,
                birth_year=1970,
                phone=f"+84{digits}",
                citizen_id=citizen,
                citizen_index=seal().index(citizen),
                citizen_masked=f"038***{number:03d}",
                place_id=ward.id,
                organisation_id=organisation.id if organisation else None,
                volunteer_id=holder.id if holder else None,
                address=f"Ngõ {word}",
                occupation=f"nghề {word}",
                stage=Stage.JOINED if key in JOINED else Stage.AGREED,
                created_at=clock.now() - timedelta(days=60),
                updated_at=clock.now() - timedelta(days=1),
                next_contact_on=TODAY - timedelta(days=1),
                **more,
            )
        )
        known = self.people[key] = Known(row, word, digits, citizen)
        known.has("prospect_id", row)
        if key != MERGED:
            self._at_home(known)
        self._history(known, self.users["volunteer"] if ward.town_id == self.town.id else self._away_user)
        return known

    def _at_home(self, known: Known) -> None:
        """A household of their own, with its certificate; a merged record has none."""
        row, town_id = known.row, known.row.town_id
        home = self._later(Household(town_id=town_id, id=new_id(), place_id=row.place_id, address=f"Nhà {known.word}"))
        known.has("household_id", home)
        self.session.flush()
        row.household_id, row.kinship = home.id, Kinship.HEAD
        dated = {"year": 2018, "valid_from": date(2018, 1, 1), "valid_to": date(2019, 1, 1), "recorded_at": clock.now()}
        paper = HouseholdCertificate(
            town_id=town_id, id=new_id(), household_id=home.id, ground=Ground.POOR, number=f"GCN {known.word}", **dated
        )
        known.has("certificate_id", self._later(paper))

    def _merged(self, kept: Known, gone: Known) -> None:
        """A merge in force that moved nothing and took nothing over."""
        blank = json.dumps(dict.fromkeys(KEPT_IN_LAYERS))
        row = Merge(
            town_id=self.town.id,
            kept_id=kept.row.id,
            gone_id=gone.row.id,
            at=clock.now(),
            by_id=self.users["manager"].id,
            taken=[],
            before=blank,
            after=blank,
        )
        kept.has("merge_id", self._add(row))

    def _history(self, known: Known, by: User) -> None:
        row, word, moment = known.row, known.word, clock.now() - timedelta(days=30)
        of = {"town_id": row.town_id, "prospect_id": row.id}
        known.has(
            "standing_id",
            self._later(
                Standing(
                    **of, ground=Ground.POOR, certificate=f"GCN {word}", valid_from=date(2019, 1, 1), recorded_at=moment
                )
            ),
        )
        for purpose in Purpose:
            consent = {"channel": ConsentChannel.PAPER, "words": f"lời {word}"}
            self._later(
                Consent(**of, phone=row.phone, purpose=purpose, given=True, at=moment, recorded_at=moment, **consent)
            )
        self._later(StageChange(**of, from_stage=Stage.NEW, to_stage=row.stage, at=moment, by_id=by.id))
        self._later(IdentityReading(**of, user_id=by.id, at=moment, way="page"))
        visit = {"channel": Channel.HOME_VISIT, "outcome": Outcome.CONSIDERING, "reasons": [], "note": f"kể {word}"}
        known.has(
            "visit_id",
            self._later(
                Visit(
                    **of,
                    **visit,
                    id=new_id(),
                    user_id=by.id,
                    place_id=row.place_id,
                    occurred_at=moment,
                    recorded_at=moment,
                )
            ),
        )
        corrected = {"before": {"address": f"cũ {word}"}, "after": {"address": row.address}}
        subject = {"town_id": row.town_id, "subject": "prospect", "subject_id": row.id}
        record = ChangeRecord(**subject, **corrected, id=new_id(), at=moment, user_id=by.id, act="change_prospect")
        known.has("record_id", self._later(record))
        assigned = {"organisation_id": row.organisation_id, "volunteer_id": row.volunteer_id}
        self._later(Assignment(**of, **assigned, since=moment, note=f"giao {word}"))
        self._asked(known, by)
        self.session.flush()
        if word[2:-2] in JOINED or word[2:-2] == AWAY:
            self._takes_part(known, by)

    @staticmethod
    def _referral_list(town_id: UUID) -> ReferralList:
        """A list that went to the insurance office."""
        return ReferralList(town_id=town_id, year=2019, number=1, sent_on=TODAY, at=clock.now(), by_id=None)

    def _asked(self, known: Known, by: User) -> None:
        """The five questions, and a referral that waits for the office's answer."""
        of = {"town_id": known.row.town_id, "prospect_id": known.row.id}
        said = {"work": Work.NONE, "business": Business.NONE, "allowance": Allowance.NONE, "elsewhere": Elsewhere.NO}
        self._later(Screening(**of, **said, citizen=True, at=clock.now(), by_id=by.id))
        counted = {"through": date(2018, 12, 1), "voluntary": 0, "supported": 0, "compulsory": 5}
        self._later(InsuranceRecord(**of, **counted, proof="Sổ BHXH", at=clock.now(), by_id=by.id))
        referral = Referral(
            **of,
            why=["contract"],
            since=None,
            state=ReferralState.SENT,
            stage_was=Stage.AGREED,
            referred_at=clock.now(),
            referred_by_id=by.id,
            list_id=(self.referred if known.row.town_id == self.town.id else self.referred_away).id,
        )
        known.has("referral_id", self._later(referral))
        self._papers(known, by)

    def _papers(self, known: Known, by: User) -> None:
        """Papers that went to the insurance office in a list, and wait for its answer."""
        here = known.row.town_id == self.town.id
        row = row_of_stopping(name="", code="", month=Month(2019, 10), income=0, method="", remarks="")
        dossier = Dossier(
            town_id=known.row.town_id,
            prospect_id=known.row.id,
            state=DossierState.SUBMITTED,
            movement=Movement.STOPS,
            stop_on=TODAY,
            results_address=f"Nhận tại {known.word}",
            list_id=(self.gathered if here else self.gathered_away).id,
            declared=row.without_names(),
            opened_at=clock.now(),
            changed_at=clock.now(),
        )
        known.has("dossier_id", self._later(dossier))
        self.session.flush()
        note = f"nộp {known.word}"
        step = {"dossier_id": dossier.id, "to_state": DossierState.SUBMITTED, "at": clock.now(), "by_id": by.id}
        self._later(DossierStep(town_id=known.row.town_id, **step, note=note))

    def _takes_part(self, known: Known, by: User) -> None:
        """Three months paid, the last of them this one: the next falls due."""
        row, paid = known.row, clock.now() - timedelta(days=60)
        spell = self._add(
            Participation(
                town_id=row.town_id,
                prospect_id=row.id,
                started_on=date(2019, 8, 1),
                started_as=Beginning.JOINED,
                place_id=row.place_id,
                organisation_id=row.organisation_id,
                recruited_by_id=by.id,
                income=700_000,
                method=3,
                paid_through=date(2019, 10, 1),
                deadline_on=date(2019, 11, 10),
            )
        )
        payment = self._add(
            Payment(
                town_id=row.town_id,
                participation_id=spell.id,
                prospect_id=row.id,
                paid_on=date(2019, 8, 15),
                start_month=date(2019, 8, 1),
                months=3,
                method=3,
                income=700_000,
                ground=Ground.POOR,
                gross=462_000,
                state_support=138_600,
                local_support=0,
                other_support=0,
                own=323_400,
                supported_months=3,
                law={},
                basis=Basis.CONFIRMED,
                confirmation=f"danh sách {known.word}",
                recorded_at=paid,
                recorded_by_id=by.id,
            )
        )
        known.has("payment_id", payment)
        for month in Month(2019, 8).run(3):
            self.session.add(
                ParticipantMonth(
                    town_id=row.town_id,
                    prospect_id=row.id,
                    month=month.first_day,
                    payment_id=payment.id,
                    supported=True,
                    own=107_800,
                    state_support=46_200,
                    local_support=0,
                    other_support=0,
                )
            )

    # ---- money

    def _sponsor(self, town_id: UUID, name: str, by: User) -> tuple[Sponsor, str]:
        at = clock.now()
        made, token = sponsoring.register_sponsor(
            self.session, town_id, name=name, kind=SponsorKind.COMPANY, by_id=None, at=at
        )
        promise = sponsoring.pledge(self.session, made, 90_000_000, due=None, by_id=None, on=TODAY, at=at)
        receipt = sponsoring.receive(
            self.session, made, 90_000_000, reference=f"FT{name[-3:]}", pledge=promise, by_id=None, on=TODAY, at=at
        )
        self.pledge_id, self.receipt_id = promise.id, receipt.id
        asked = Asked(name, SponsorKind.COMPANY, Wish(), 5_000_000, phone="0912 000 111")
        waits, _page = registering.register(self.session, town_id, asked, links=Links("http://x", "secret"), at=at)
        self.registration_id = waits.id
        asked = deciding.ask_to_refund(self.session, made, 1_000, reason="xin lại", reference=None, by=by, at=at)
        self.asked_id = asked.id
        self.paper = letters.issue_receipt(
            self.session, made, receipt, address="http://localhost/verify", by=None, on=TODAY, at=at
        )
        self.thanks = letters.show(self.session, made, thanked=True, by=None, at=at).public_id
        again, joined = (
            sponsoring.register_sponsor(
                self.session, town_id, name=f"{name} {turn}", kind=SponsorKind.COMPANY, by_id=None, at=at
            )[0]
            for turn in ("lần hai", "lần ba")
        )
        self.session.flush()
        merged = merge(self.session, made, joined, "cùng một công ty", by=by, on=TODAY, at=at)
        self.doubled = {"same_sponsor_id": again.id, "sponsor_merge_id": merged.id}
        return made, token

    def _refused(self, town_id: UUID) -> dict[str, UUID]:
        """A do-not-call list that waits for a word."""
        moments = {"touched_at": clock.now(), "recorded_at": clock.now()}
        loaded = {"state": ListState.READY, "purposes": ["promotion"], "numbers": 1, "bad": {}}
        row = DoNotCallList(town_id=town_id, name="Quốc gia", filename="a.csv", digest=b"d", **loaded, **moments)
        return {"refusal_list_id": self._add(row).id}

    def _banked(self, town_id: UUID) -> dict[str, Any]:
        """A statement of the bank with a line that waits."""
        account = self._add(
            BankAccount(town_id=town_id, number="3500201", name="Quỹ", recorded_at=clock.now(), recorded_by_id=None)
        )
        of = {"town_id": town_id, "bank_account_id": account.id}
        loaded = {"state": StatementState.LOADED, "found": {}, "breaks": {}, "from_day": TODAY, "to_day": TODAY}
        moments = {"touched_at": clock.now(), "recorded_at": clock.now()}
        statement = self._add(Statement(**of, **loaded, **moments, filename="sao-ke.xlsx", digest=b"d", lines=1))
        texts = {"narrative": "chuyen tien", "payer": "", "payer_fold": "", "payer_account": "", "reference": "R1"}
        places = {"statement_id": statement.id, "place": 1, "file_row": 1, "occurrence": 1}
        line = self._add(StatementLine(**of, **texts, **places, posted_on=TODAY, amount=5_000, state=LineState.OPEN))
        return {
            "bank_account_id": account.id,
            "statement_id": statement.id,
            "line_id": line.id,
            **self._handed_over(town_id),
        }

    def _handed_over(self, town_id: UUID) -> dict[str, Any]:
        """A file of the gateway that is being made, and results that wait to be looked at."""
        at = clock.now()
        file = self._add(SmsFile(town_id=town_id, purpose=Purpose.SERVICE, asked_at=at, asked_by_id=None))
        found = {"sheet": "kq", "header_row": 1, "headings": ["ref", "status"], "samples": [[], []]}
        moments = {"touched_at": at, "recorded_at": at, "recorded_by_id": None}
        results = self._add(
            SmsResults(
                town_id=town_id,
                filename="kq.csv",
                digest=b"d",
                content=b"ref,status\nAS1-1,OK\n",
                found={**found, "columns": {"A": "reference", "B": "status"}, "kept": {}, "words": {}},
                state=ResultState.COLUMNS,
                **moments,
            )
        )
        hours = {"opens": time(8), "closes": time(19)}
        days = {"earliest": 3, "latest": 0, "event": "payment", "stop": "done"}
        rule = self._add(
            ReminderRule(
                town_id=town_id,
                code=f"own_{town_id.hex[:8]}",
                name="Nhắc",
                text="Nhắc {nguoi} {ngay}",
                active=True,
                version=1,
                changed_at=at,
                **hours,
                **days,
            )
        )
        return {"file_id": file.id, "results_id": results.id, "rule_code": rule.code}

    def _shared_out(self, town_id: UUID, ward: Place) -> dict[str, UUID]:
        """A target of next year's, and its sharing out among the wards, of which one has its part."""
        told = {"town_id": town_id, "authority": "UBND", "document": None}
        target = self._add(Target(**told, year=2020, indicator=Indicator.VOLUNTARY, people=9, recorded_at=clock.now()))
        how = {"level": Level.PLACE, "method": Method.EVEN, "state": SharingState.SENT, "made_at": clock.now()}
        row = self._add(TargetSharing(**told, **how, year=2020, total=9, least=0))
        known = {"stock": 1, "could_join": 4, "gained": 0, "weight": 1.0, "capped": False}
        share = self._add(
            TargetShare(town_id=town_id, sharing_id=row.id, place_id=ward.id, **known, proposed=9, people=9)
        )
        union = self.session.scalars(select(Organisation.id).where(Organisation.town_id == town_id).limit(1)).one()
        proposed = {"year": 2019, "position": 1, "name": "Hội", "result": "đạt", "form": Commended.TITLE}
        line = self._add(
            Commendation(town_id=town_id, organisation_id=union, **proposed, years_in_row=1, changed_at=clock.now())
        )
        made = {"target_id": target.id, "sharing_id": row.id, "share_id": share.id}
        return made | {"commendation_id": line.id}

    def _reported(self, by: User) -> dict[str, UUID]:
        """The counted report of a month, and a template of the office."""
        at = clock.now()
        report = reporting.open_report(self.session, ReportKind.MONTH, "2019-09", None, None, by=by, at=at)
        reporting.record(self.session, report, reporting.count(self.session, report, at=at), at=at)
        template = papers.use_shipped(self.session, None, by=by, at=at)
        own = ReportTemplate(
            town_id=by.town_id,
            version=2,
            name="m.docx",
            content=word.SHIPPED.read_bytes(),
            added_at=at,
            added_by_id=by.id,
        )
        assert template.content is None
        self.session.add(self._deadline(by.town_id))
        row = rounds.open_round(self.session, by.town_id, ReportKind.MONTH, "2019-09", by=by, at=at)
        owed = self.session.scalars(select(ReportOwed).where(ReportOwed.round_id == row.id).limit(1)).one()
        known = rounds.known_of(self.session, owed, row, clock.today())
        rounds.submit(self.session, owed, row, {}, None, who=Who.WARDS, known=known, knowing_version=0, by=by, at=at)
        duty = {"year": 2019, "actor_no": 11, "actor": "UBND", "position": 1, "words": "Lập kế hoạch", "source": "KH"}
        planned = self._add(
            Duty(town_id=by.town_id, place_id=owed.place_id, due_on=date(2019, 9, 30), day_by=DayBy.PROPOSAL, **duty)
        )
        held = {
            "held_on": date(2019, 9, 12),
            "title": "Họp khu phố",
            "times": 1,
            "logged_at": at,
            "logged_by_id": by.id,
        }
        event = self._add(PublicEvent(town_id=by.town_id, place_id=owed.place_id, kind=EventKind.MEETING, **held))
        wrote = {"law": "", "happens": "Người bán chợ hay lỡ hạn đóng", "change": "Cho đóng gộp theo quý"}
        proposed = amendments.write(
            self.session, new_id(), Subject.PREMIUM, owed.place_id, Words(**wrote), by=by, at=at
        )
        letter = amendments.open_letter(self.session, new_id(), usual_head("Bỉm Sơn"), "MTTQ tỉnh", by=by, at=at)
        told = self._network(by, owed.place_id, at) | {
            "amendment_id": proposed.id,
            "letter_id": letter.id,
            "event_id": event.id,
            "round_id": row.id,
            "owed_id": owed.id,
            "duty_id": planned.id,
            "token_id": self._key(by),
        }
        return told | {"report_id": report.id, "office_template_id": self._add(own).id}

    def _key(self, by: User) -> UUID:
        """The key of a program that acts for somebody."""
        self.make.token(by)
        return self.session.scalars(select(ApiToken.id).where(ApiToken.user_id == by.id).limit(1)).one()

    def _network(self, by: User, place_id: UUID | None, at: Any) -> dict[str, UUID]:
        """A collection point, somebody there, and what they were trained in."""
        spoken = {
            "name": "Bưu điện",
            "address": "Số 1",
            "hours": "7:30–17:00",
            "phone": None,
            "spot": None,
            "note": None,
        }
        told = Told(kind=PointKind.POST, since=date(2019, 1, 1), until=None, **spoken)
        point = collecting.open_point(self.session, new_id(), place_id, told, [], by=by, at=at)
        staff = collecting.hire(self.session, point, new_id(), "Lê Thị Thu", None, date(2019, 1, 1), by=by, at=at)
        held = {"held_on": date(2019, 2, 1), "valid_until": None, "document": None}
        training = collecting.train(self.session, staff, "Nghiệp vụ thu", **held, by=by, at=at)
        return {"point_id": point.id, "staff_id": staff.id, "training_id": training.id}

    @staticmethod
    def _deadline(town_id: UUID) -> ReportingRule:
        until = {"valid_from": date(2019, 1, 1), "months_after": 1, "day": 5, "opens_before": 30}
        told = {"owed_by": ["wards"], "source": "KH 1553", "recorded_at": clock.now()}
        return ReportingRule(town_id=town_id, kind="month", **until, **told)

    def _carried(self, known: Known, by: Sponsor) -> Allocation:
        row = known.row
        made = sponsoring.allocate(
            self.session, by, row, start=Month(2019, 11), months=1, by_id=None, on=TODAY, at=clock.now(), reason=None
        )
        return known.has("allocation_id", made)  # type: ignore[no-any-return]

    def _proposal(self, by: Sponsor, people: list[Known]) -> dict[str, Any]:
        """A proposal to fund these people next, each refused once before."""
        at = clock.now()
        proposal = self._add(
            FundingProposal(
                town_id=by.town_id, state=ProposalState.READY, as_of=TODAY, terms=Terms().as_json(), asked_at=at
            )
        )
        self._add(
            FundingOffer(
                town_id=by.town_id,
                proposal_id=proposal.id,
                sponsor_id=by.id,
                available=90_000_000,
                why=Rest.NOTHING,
                cheapest=None,
            )
        )
        for position, known in enumerate(people, 1):
            line = FundingLine(
                town_id=by.town_id,
                proposal_id=proposal.id,
                prospect_id=known.row.id,
                position=position,
                state=FundingState.CHANGED,
                sponsor_id=by.id,
                start_month=date(2019, 12, 1),
                months=1,
                amount=1,
                facts={"ground": "poor", "since": str(TODAY)},
                words=f"Đổi {known.word}",
            )
            refusal = FundingRefusal(
                town_id=by.town_id, sponsor_id=by.id, prospect_id=known.row.id, words=f"Không {known.word}", at=at
            )
            known.has("funding_line_id", self._add(line))
            known.has("refusal_id", self._add(refusal))
        return {"proposal_id": proposal.id}

    # ---- messages

    def _campaigns(self) -> dict[str, Campaign]:
        """A draft whose example names whoever comes first, and one that ran."""
        for known in list(self.people.values()):
            if known.row.merged_into_id is None:
                self._carried(known, self.sponsor)
        return {state: self._campaign(self.town.id, self.users["organiser"], state) for state in ("draft", "running")}

    def _campaigning(self, campaign: Campaign, by: User) -> dict[str, UUID]:
        """A template, and a second person who was asked and whose answer is void."""
        at = clock.now()
        template = templating.add_template(
            self.session, campaign.town_id, name="Mời", purpose=Purpose.SERVICE, text="Mời {ten}", by_id=by.id, at=at
        )
        check = checking.ask(self.session, campaign, by_id=by.id, at=at)
        checking.make_now(self.session, campaign, check, public_url="http://127.0.0.1", at=at)
        asked = CampaignApproval(
            town_id=campaign.town_id,
            campaign_id=campaign.id,
            check_id=check.id,
            content=str(campaign.content),
            messages=1,
            cost=750,
            asked_by_id=by.id,
            asked_at=at,
            words=None,
        )
        return {"template_id": template.id, "approval_id": self._add(asked).id}

    def _campaign(self, town_id: UUID, by: User, stage: str) -> Campaign:
        made = self._add(
            Campaign(
                town_id=town_id,
                name="Mời tham gia",
                text="Mời {xung_ho} {ho_ten} tham gia",
                purpose=Purpose.PROMOTION,
                stage=stage,
                segment={},
                created_by_id=by.id,
                created_at=clock.now(),
            )
        )
        self.session.refresh(made)
        return made  # type: ignore[no-any-return]

    def _texts(self) -> None:
        for known in self.people.values():
            self._text(known, self.drafts["running"])

    def _text(self, known: Known, campaign: Campaign) -> None:
        row, at = known.row, clock.now()
        message = self._later(
            Message(
                town_id=row.town_id,
                campaign_id=campaign.id,
                purpose=Purpose.PROMOTION,
                phone=row.phone,
                prospect_id=row.id,
                body=f"[QC] Moi ba {known.word}",
                segments=1,
                state=Delivery.DELIVERED,
                not_before=at,
                expires_at=at + timedelta(days=3),
                made_at=at,
                claimed_at=at,
                attempts=1,
            )
        )
        known.ids.add(str(message.id))
        known.rows.setdefault("message_id", []).append(message.id)
        link = self._later(
            OptOutLink(town_id=row.town_id, token=f"duong-{known.digits[-2:]}", phone=row.phone, made_at=at)
        )
        known.rows.setdefault("token", []).append(link.token)
        if known.row.merged_into_id is None:
            self._wrote_back(known, message)

    def _wrote_back(self, known: Known, message: Message) -> None:
        """What their number answered, and the page of the number itself."""
        of, at = {"town_id": known.row.town_id, "phone": known.row.phone}, clock.now()
        wrote = Inbound(**of, sid=f"SM{known.digits}", body=f"dạ {known.word}", message_id=message.id, received_at=at)
        known.ids.add(str(self._later(wrote).id))
        self.session.flush()
        known.has("talk_id", self._later(Conversation(**of, state=Talk.OPEN, latest_id=wrote.id, latest_at=at)))
        if known.row.town_id == self.town.id:  # elsewhere it is the number of nobody, and anybody's to refuse for
            known.rows["number"] = [f"0{known.digits}"]

    # ---- lists

    def _lists(self) -> dict[str, ListImport]:
        """The office's list names everybody; the ward lead's met somebody who lives elsewhere."""
        office = self._list(self.town.id, self.users["manager"])
        for number, known in enumerate(self.people.values(), 2):
            self._line(office, number, known, RowOutcome.NEW)
        ward = self._list(self.town.id, self.users["lead of a ward"])
        self._line(ward, 2, self.people["alpha"], RowOutcome.CHANGED)
        self.found_away = self._add(
            ImportRow(
                town_id=self.town.id,
                import_id=ward.id,
                sheet="A",
                row_number=3,
                raw=json.dumps(["Nguyễn Thị Khác"]),
                understood=self._proposed("Nguyễn Thị Khác", self.wards[0]),
                outcome=RowOutcome.CHANGED,
                reasons=[],
                detail={"fills": [], "differs": ["address", "phone"]},
                prospect_id=self.people["zeta"].row.id,
            )
        )
        return {"office": office, "ward": ward}

    def _list(self, town_id: UUID, by: User) -> ListImport:
        return self._add(  # type: ignore[no-any-return]
            ListImport(
                town_id=town_id,
                filename="danh-sach.xlsx",
                digest=new_id().bytes,
                options={},
                state=ImportState.COMMITTED,
                rows=1,
                valid=1,
                created_at=clock.now(),
                created_by_id=by.id,
            )
        )

    def _line(self, of: ListImport, number: int, known: Known, outcome: RowOutcome) -> None:
        row = self._later(
            ImportRow(
                town_id=of.town_id,
                import_id=of.id,
                sheet="A",
                row_number=number,
                raw=json.dumps([known.row.full_name, known.row.phone]),
                understood=self._proposed(known.row.full_name, self.wards[0], phone=known.row.phone),
                outcome=outcome,
                reasons=[],
                prospect_id=known.row.id,
            )
        )
        known.rows.setdefault("row_id", []).append(row.id)
        listed = self._later(
            ListedPayment(
                town_id=of.town_id,
                id=new_id(),
                import_id=of.id,
                row_id=row.id,
                prospect_id=known.row.id,
                start_month=date(2019, 12, 1),
                months=1,
                said={},
                ours={},
                income=None,
                paid_on=TODAY,
                receipt_number=None,
                source=f"C12 {known.word}",
                verdict=Verdict.NEW,
                why=[],
                refused=None,
                payment_id=None,
            )
        )
        known.rows.setdefault("listed_id", []).append(listed.id)

    @staticmethod
    def _proposed(name: str, ward: Place, **more: Any) -> str:
        return Proposed(full_name=name, place_id=ward.id, **more).as_json()

    # ---- work packages

    def _package(self, known: Known, volunteer: User, by: User) -> WorkPackage:
        """Somebody, given to whoever has them, for two weeks."""
        at = clock.now()
        package: WorkPackage = self._add(
            WorkPackage(
                town_id=known.row.town_id,
                name="Khu phố Chín",
                volunteer_id=volunteer.id,
                until=TODAY + timedelta(days=14),
                given_at=at,
                given_by_id=by.id,
                counts_from=clock.at(TODAY),
            )
        )
        self._add(PackageItem(town_id=known.row.town_id, package_id=package.id, prospect_id=known.row.id, position=1))
        return package

    def _reorganisation(self, town_id: UUID, lead: User, ward: Place) -> dict[str, Any]:
        """A draft, and what a lead was told of another."""
        draft = self._add(
            Reorganisation(
                town_id=town_id,
                name="Sắp xếp",
                document="1/NQ",
                on_day=date(2026, 3, 1),
                state=ReorganisationState.DRAFT,
                plan=Plan((), (Move(ward.id, str(ward.id), divided=True),)).as_json(),
                created_at=clock.now(),
            )
        )
        told = self._add(
            Handover(
                town_id=town_id,
                reorganisation_id=draft.id,
                account_id=lead.id,
                from_place_id=ward.id,
                at=clock.now(),
                read_at=clock.now(),
            )
        )
        return {"reorganisation_id": draft.id, "place_id": ward.id, "handover_id": told.id}

    def _decree(self, town_id: UUID, by: User, people: list[Prospect], day: date) -> dict[str, Any]:
        """A decree on record that concerns all of these people."""
        row = self._add(
            Decree(
                town_id=town_id,
                document="1/NĐ",
                source="Công báo",
                effective_from=day,
                status=LawStatus.IN_FORCE,
                items=[Item(LawKey.POVERTY_LINE, None, Decimal(3_000_000)).as_json()],
                version=1,
                state=DecreeState.SAVED,
                created_at=clock.now(),
                created_by_id=by.id,
                saved_at=clock.now(),
                saved_by_id=by.id,
            )
        )
        value = self._add(
            LawValueRow(
                key=LawKey.POVERTY_LINE,
                value=Decimal(3_000_000),
                effective_from=day,
                document="1/NĐ",
                source="Công báo",
                status=LawStatus.IN_FORCE,
                recorded_at=clock.now(),
            )
        )
        recorded = self._add(DecreeRow(town_id=town_id, decree_id=row.id, law_value_id=value.id))
        self._add(
            DecreeImpact(
                town_id=town_id,
                decree_id=row.id,
                version=1,
                today=clock.today(),
                state=ImpactState.DONE,
                total=len(people),
                done=len(people),
                begun_at=clock.now(),
                heartbeat_at=clock.now(),
            )
        )
        layers = {
            f"{layer}_{when}": 0 for layer in ("gross", "state", "place", "sponsors") for when in ("before", "after")
        }
        for person in people:
            self._add(
                DecreePerson(
                    town_id=town_id,
                    decree_id=row.id,
                    prospect_id=person.id,
                    takes_part=True,
                    place_id=person.place_id,
                    ground="other",
                    start_month=day,
                    months=3,
                    pay_by=day,
                    before_possible=False,
                    below_floor=False,
                    income_before=0,
                    income_after=0,
                    own_before=0,
                    own_after=1,
                    **layers,
                )
            )
        return {"decree_id": row.id, "recorded_id": recorded.id}

    # ---- saved lists, tags, acts on many, files

    def _kept(self, town_id: UUID, by: User, people: list[Prospect]) -> dict[str, UUID]:
        """A list shared with the whole town, a tag, an act that left everybody out, and a file of everybody."""
        at, asked = clock.now(), {"has_phone": "yes"}
        segment = self._add(
            Segment(
                town_id=town_id,
                name="Có điện thoại",
                name_fold="co dien thoai",
                owner_id=by.id,
                sharing=lists.Sharing.TOWN,
                asked=asked,
                created_at=at,
                updated_at=at,
            )
        )
        tag = self._add(Tag(town_id=town_id, name="Chung", name_fold="chung", created_at=at))
        act = self._add(
            BulkAct(
                town_id=town_id,
                kind="tag",
                detail={"tag": str(tag.id), "tag_name": "Chung"},
                by_id=by.id,
                at=at,
                state=lists.ActState.DONE,
                people=len(people),
            )
        )
        for one in people:
            self.session.add(
                BulkActPerson(
                    town_id=town_id,
                    act_id=act.id,
                    prospect_id=one.id,
                    outcome=lists.Outcome.LEFT_OUT,
                    why=lists.Why.ALREADY,
                    at=at,
                )
            )
        file = self._add(
            PeopleExport(
                town_id=town_id,
                by_id=by.id,
                at=at,
                asked=asked,
                words="Có điện thoại",
                columns=["phone"],
                language="vi",
                state=lists.ExportState.READY,
                content=sealed.current().close_bytes(b"xlsx"),
                expires_at=at + timedelta(days=1),
                people=len(people),
            )
        )
        return {"segment_id": segment.id, "tag_id": tag.id, "act_id": act.id, "export_id": file.id}

    # ---- elsewhere

    def _other_town(self) -> dict[str, Any]:
        """A second town with its own of everything, in the same database."""
        town = self._add(Town(code="99999", name="Thị xã Nơi Khác"))
        whole = self._add(self._place(town.id, "Thị xã Nơi Khác", PlaceKind.TOWN, None, "99999"))
        ward = self._add(self._place(town.id, "Phường Nơi Khác", PlaceKind.WARD, whole.id, "99901"))
        union = self._add(
            Organisation(
                town_id=town.id,
                code="NK",
                name="Hội Nơi Khác",
                kind=OrganisationKind.WOMENS_UNION,
                valid_from=date(2000, 1, 1),
            )
        )
        self._away_user = self.make.user(Role.MANAGER, town_id=town.id, full_name="Cán bộ Nơi Khác")
        helper = self.make.user(Role.VOLUNTEER, town_id=town.id, full_name="Cộng tác viên Nơi Khác")
        self.referred_away = self._add(self._referral_list(town.id))
        self.gathered_away = self._add(DossierList(town_id=town.id, year=2019, number=1, made_at=clock.now()))
        omega = self._person(AWAY, ward, union, helper)
        own = self.pledge_id, self.receipt_id, self.asked_id, self.paper, self.thanks
        own_doubled = self.doubled
        own_registration = self.registration_id
        sponsor, letter = self._sponsor(town.id, "Công ty Xa Xôi", self._away_user)
        away = {"pledge_id": self.pledge_id, "receipt_id": self.receipt_id, "asked_id": self.asked_id}
        away["paper_id"] = self.paper.id
        self.pledge_id, self.receipt_id, self.asked_id, self.paper, self.thanks = own
        away["registration_id"], self.registration_id = self.registration_id, own_registration
        away |= self.doubled
        self.doubled = own_doubled
        self._carried(omega, sponsor)
        away |= self._proposal(sponsor, [omega])
        campaign = self._campaign(town.id, self._away_user, "draft")
        self._text(omega, campaign)
        self.session.flush()
        away |= self._campaigning(campaign, self._away_user)
        listed = self._list(town.id, self._away_user)
        self._line(listed, 2, omega, RowOutcome.NEW)
        self.users |= {"manager of another town": self._away_user, "volunteer of another town": helper}
        return (
            away
            | self._kept(town.id, self._away_user, [omega.row])
            | {
                "town": town,
                "sponsor_id": sponsor.id,
                "campaign_id": campaign.id,
                "import_id": listed.id,
                "user_id": helper.id,
                "package_id": self._package(omega, helper, self._away_user).id,
                "letter": letter,
                "list_id": self.referred_away.id,
                "dossier_list_id": self.gathered_away.id,
                **self._reorganisation(town.id, helper, ward),
                **self._decree(town.id, self._away_user, [omega.row], date(2026, 6, 1)),
                **self._banked(town.id),
                **self._refused(town.id),
                **self._shared_out(town.id, ward),
                **self._reported(self._away_user),
            }
        )

    @staticmethod
    def _place(town_id: UUID, name: str, kind: PlaceKind, parent: UUID | None, code: str | None = None) -> Place:
        return Place(
            town_id=town_id,
            code=code,
            name=name,
            name_fold=fold(name),
            kind=kind,
            parent_id=parent,
            valid_from=date(2000, 1, 1),
        )

    def _add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def _later(self, row: Any) -> Any:
        """The same, written together with what follows: many rows, one statement."""
        row.id = row.id or new_id()
        self.session.add(row)
        return row


EVERYONE = frozenset({"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota"})
SEES: dict[str, frozenset[str]] = {
    "admin": EVERYONE,
    "manager": EVERYONE,
    "organiser": EVERYONE,
    "treasurer": EVERYONE,
    "auditor": EVERYONE,
    "lead of a ward": frozenset({"alpha", "beta", "gamma", "theta"}),
    "lead of an organisation": frozenset({"alpha", "beta", "delta", "theta"}),
    "lead of both": frozenset({"alpha", "beta", "theta"}),
    "lead of a neighbourhood": frozenset({"theta"}),
    "lead of nothing": frozenset(),
    "volunteer": frozenset({"alpha", "theta"}),
    "another volunteer": frozenset({"gamma", "delta"}),
    "agent": frozenset({"epsilon"}),
    "sponsor": frozenset(),
    "nobody signed in": frozenset(),
    "manager of another town": frozenset({AWAY}),
    "volunteer of another town": frozenset({AWAY}),
}
"""Whom each of them sees, told by hand and not by the program's own condition. `iota` became `zeta`."""
MERGED = "iota"
