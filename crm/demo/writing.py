"""Messages that people of the demo wrote and answered: templates, invitations by the domestic gateway, one that waits for its
file and one that waits for a second person, and what came back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from flask import current_app
from sqlalchemy import Uuid, cast, func, insert, literal, select
from sqlalchemy.orm import Session, aliased

from crm.campaigns.files.models import SmsFile
from crm.campaigns.files.services import making, results
from crm.campaigns.inbox.services import take_in
from crm.campaigns.models import Campaign, Message
from crm.campaigns.preflight import approving, checking
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.stages import Content, Stage
from crm.campaigns.services import dispatching, drafting, launching
from crm.campaigns.services.sending import settings_of
from crm.campaigns.templating.queries import template
from crm.campaigns.templating.rules import Registered
from crm.campaigns.templating.services import add_template, register
from crm.clock import at
from crm.demo.team import Team
from crm.ids import new_id
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.rules import Stage as People

ONE_OF = 5
"""Of so many who agreed to reminders one agreed to invitations as well."""
AGREED_TO = "Đồng ý nhận tin mời tham gia BHXH tự nguyện"
SENDER = "ANSINH"
LIMIT = 300
"""More messages than that take two people."""
INVITATION = "[QC] BHXH tự nguyện: được hỗ trợ tiền đóng, về già có lương hưu. Mời {xung_ho} {ten} gọi {dien_thoai}. Từ chối: {tu_choi}"
MEETING = "Mời {xung_ho} {ten} dự buổi tư vấn BHXH tự nguyện tại nhà văn hóa khu phố. Từ chối: {tu_choi}"
TEMPLATES = (
    ("Mời tham gia", Purpose.PROMOTION, INVITATION, Registered.APPROVED, "QC-2019-0117", None),
    ("Mời dự buổi tư vấn", Purpose.SERVICE, MEETING, Registered.SUBMITTED, None, None),
)
ANSWERS = (
    ("Mấy giờ bắt đầu vậy cháu? Bác đi làm đồng 5 giờ mới về.", timedelta(days=-1, hours=18)),
    ("Dong y", timedelta(hours=7, minutes=45)),
)
LOST_OF_TEN = 1
HELD_BACK = 10
"""Of a hundred numbers so many get nothing, for comparison."""


class Writing:
    """Lets the organiser write and the manager be asked, by the same acts as in the office."""

    def __init__(self, session: Session, team: Team, as_of: date, random: Random) -> None:
        self.session, self.team, self.as_of, self.random = session, team, as_of, random
        self.url = str(current_app.config["SETTINGS"].public_url)

    def write(self) -> None:
        """All of it."""
        self._agree(at(self.as_of.replace(month=1, day=10), 9))
        self._templates(at(self.as_of - timedelta(days=40), 10))
        began = at(self.as_of - timedelta(days=12), 15)
        self._launched("Mời tham gia trước cuối năm", People.CONSIDERING, began, control_percent=HELD_BACK)
        self._by_file(began + timedelta(minutes=20))
        dispatching.sweep(self.session, began + timedelta(days=1))
        self._launched("Mời người đang quan tâm", People.INTERESTED, at(self.as_of, 8, 30))
        self._wait_for_a_second(at(self.as_of, 8, 45))
        self._answers()

    def _agree(self, moment: datetime) -> None:
        """Some of those who agreed to reminders, and refused nothing, agreed to invitations on the same slip."""
        refused = aliased(Consent)
        no = select(refused.id).where(
            refused.town_id == Consent.town_id, refused.phone == Consent.phone, refused.given.is_(False)
        )
        rows = (
            select(
                Consent.town_id,
                cast(func.md5(func.concat(Consent.id, Purpose.PROMOTION.value)), Uuid),
                Consent.phone,
                literal(Purpose.PROMOTION.value),
                literal(True),
                literal(ConsentChannel.PAPER.value),
                literal(moment),
                literal(AGREED_TO),
                Consent.prospect_id,
                literal(moment),
                Consent.recorded_by_id,
            )
            .where(Consent.town_id == self.team.town_id, Consent.purpose == Purpose.SERVICE, Consent.given)
            .where(func.abs(func.hashtext(Consent.phone)) % ONE_OF == 0, ~no.exists())
        )
        columns = ["town_id", "id", "phone", "purpose", "given", "channel", "at", "words", "prospect_id", "recorded_at"]
        self.session.execute(insert(Consent).from_select([*columns, "recorded_by_id"], rows, include_defaults=False))

    def _templates(self, moment: datetime) -> None:
        by_id, town_id = self.team.organiser_id, self.team.town_id
        for name, purpose, text, state, number, words in TEMPLATES:
            made = add_template(self.session, town_id, name=name, purpose=purpose, text=text, by_id=by_id, at=moment)
            version = template(self.session, town_id, made.id).version
            register(
                self.session,
                version,
                sender=SENDER,
                state=state,
                number=number,
                words=words,
                on=moment.date(),
                by_id=by_id,
                at=moment,
            )

    def _launched(self, name: str, stage: People, moment: datetime, *, control_percent: int = 0) -> Campaign:
        by_id = self.team.organiser_id
        content = Content(name, INVITATION, Purpose.PROMOTION, {"stage": stage.value})
        made = drafting.draft_campaign(self.session, self.team.town_id, content, by_id=by_id, at=moment)
        drafting.change(self.session, made, {"control_percent": control_percent}, version=None, at=moment)
        self._looked_at(made, moment)
        launching.launch(self.session, made, public_url=self.url, by_id=by_id, at=moment)
        return made

    def _looked_at(self, campaign: Campaign, moment: datetime) -> None:
        check = checking.ask(self.session, campaign, by_id=self.team.organiser_id, at=moment)
        checking.make_now(self.session, campaign, check, public_url=self.url, at=moment)

    def _by_file(self, moment: datetime) -> None:
        """The file was made, uploaded, and the gateway's results came the next morning."""
        town_id, by_id = self.team.town_id, self.team.organiser_id
        file_id = making.ask(self.session, town_id, Purpose.PROMOTION, by_id=by_id, at=moment)
        making.make(self.session, town_id, file_id, at=moment)
        file = self.session.get_one(SmsFile, (town_id, file_id))
        making.was_downloaded(file, moment)
        came = moment + timedelta(hours=17)
        out = io.StringIO(newline="")
        csv.writer(out).writerows(self._results(file))
        content = out.getvalue().encode("utf-8-sig")
        taken = results.take_in(
            self.session, town_id, "ket-qua-tep-1.csv", content, file_id=file_id, by_id=by_id, at=came
        )
        results.confirm(self.session, taken, taken.found["columns"], {}, at=came)
        while results.step(self.session, town_id, taken.id, at=came):
            pass

    def _results(self, file: SmsFile) -> Iterator[list[str]]:
        yield ["phone", "request_id", "status"]
        for row in csv.DictReader(io.StringIO((file.content or b"").decode("utf-8-sig"), newline="")):
            lost = self.random.randrange(10) < LOST_OF_TEN
            yield [row["phone"], row["request_id"], "Thất bại" if lost else "Thành công"]

    def _wait_for_a_second(self, moment: datetime) -> None:
        """The draft that lies there is above the limit: the organiser asked, the manager may say yes."""
        settings = settings_of(self.session, self.team.town_id)
        settings.approve_messages = LIMIT
        self.session.add(settings)
        self.session.flush()
        drafts = select(Campaign).where(Campaign.town_id == self.team.town_id, Campaign.stage == Stage.DRAFT)
        draft = self.session.scalars(drafts).one()
        self._looked_at(draft, moment)
        check = checking.latest(self.session, draft)
        if check is not None and check.messages > LIMIT:
            words = "Nhờ anh xem giúp, tôi muốn gửi trước thứ sáu."
            approving.ask(self.session, draft, words=words, by_id=self.team.organiser_id, at=moment)

    def _answers(self) -> None:
        """What some who got the invitation to a meeting wrote back."""
        query = (
            select(Message.phone)
            .where(Message.town_id == self.team.town_id, Message.purpose == Purpose.SERVICE)
            .where(Message.campaign_id.is_not(None), Message.state == Delivery.DELIVERED)
            .order_by(Message.phone)
        )
        phones = self.session.scalars(query.limit(len(ANSWERS))).all()
        for phone, (words, after) in zip(phones, ANSWERS, strict=False):
            sid, moment = f"SM{new_id().hex}", at(self.as_of, 0) + after
            take_in(self.session, self.team.town_id, sid=sid, phone=phone or "", body=words, at=moment)
