"""Proposals on policy in the demo: written by volunteers, two alike and joined, one sent upward and answered."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.rules import Role
from crm.clock import at as moment
from crm.demo.numbering import Numbering
from crm.demo.team import DOMAIN, Account, Team
from crm.reports.amendments import paper, queries, services
from crm.reports.amendments.models import Amendment
from crm.reports.amendments.rules import Subject, Words
from crm.reports.documents.printing import word
from crm.reports.documents.queries.naming import town_called
from crm.reports.documents.rules import Head

WRITTEN = (
    (
        Subject.SUPPORT,
        "Nghị định 134/2015/NĐ-CP, Điều 14: hỗ trợ 30 % hộ nghèo, 25 % hộ cận nghèo, 10 % đối tượng khác, tính trên mức chuẩn hộ nghèo nông thôn.",
        "Hộ cận nghèo vẫn phải đóng 115.500 đồng mỗi tháng, nhiều hộ chỉ theo được vài tháng rồi dừng.",
        "Nâng mức hỗ trợ cho hộ cận nghèo bằng hộ nghèo.",
    ),
    (
        Subject.SUPPORT,
        "",
        "Bà con cận nghèo nói mức hỗ trợ còn thấp, đóng được vài tháng thì dừng vì không đủ tiền.",
        "Nâng mức hỗ trợ cho hộ cận nghèo lên ngang hộ nghèo.",
    ),
    (
        Subject.BENEFITS,
        "Luật Bảo hiểm xã hội 2014: bảo hiểm xã hội tự nguyện có hai chế độ hưu trí và tử tuất.",
        "Phụ nữ trẻ hỏi nhiều nhất là có được hưởng thai sản không; nghe nói không có thì không tham gia.",
        "Bổ sung chế độ thai sản cho người tham gia bảo hiểm xã hội tự nguyện.",
    ),
    (
        Subject.BENEFITS,
        "Luật Bảo hiểm xã hội 2014: phải đóng đủ 20 năm mới được hưởng lương hưu.",
        "Người ngoài 45 tuổi tính ra đóng đủ 20 năm thì đã quá già, nên không vào.",
        "Giảm số năm đóng tối thiểu để hưởng lương hưu.",
    ),
    (
        Subject.AGENTS,
        "",
        "Ở khu phố xa trung tâm phải đi ba cây số mới tới điểm thu, người già ngại đi.",
        "Cho đại lý thu về nhà văn hóa khu phố mỗi tháng một buổi.",
    ),
)
OFFICER = "Nguyễn Thị Hòa"
SENT = (2, 3)
"""Those that went upward."""
JOINED = (1, 0)


class Amending:
    """Writes them on different days by volunteers of different units."""

    def __init__(self, session: Session, team: Team, number: Numbering, as_of: date) -> None:
        self.session, self.team, self.number, self.as_of = session, team, number, as_of
        self.manager = session.get_one(User, (team.town_id, team.manager_id))

    def write(self) -> None:
        """All of them, then what the Front's officer did with them."""
        self.officer = self._officer()
        rows = [self._one(place) for place in range(len(WRITTEN))]
        first, other = rows[JOINED[0]], rows[JOINED[1]]
        done = {"by": self.officer, "at": moment(self.as_of - timedelta(days=12), 9)}
        services.join(self.session, self.team.town_id, first.id, other.id, **done)  # type: ignore[arg-type]
        self._send([rows[place] for place in SENT])

    def _officer(self) -> User:
        """Who leads the Front: one more account to try."""
        front = select(Organisation.id).where(Organisation.town_id == self.team.town_id, Organisation.code == "MTTQ")
        key = self.number()
        user = User(
            town_id=self.team.town_id,
            id=key,
            full_name=OFFICER,
            email=f"mattran@{DOMAIN}",
            password=self.manager.password,
            fs_uniquifier=key.hex,
            role=Role.LEAD,
            organisation_id=self.session.scalars(front).one(),
            created_at=self.manager.created_at,
            active=True,
        )
        self.session.add(user)
        self.session.flush()
        self.team.accounts.append(Account(user.email or "", user.role, user.full_name))
        return user

    def _one(self, place: int) -> Amendment:
        subject, law, happens, change = WRITTEN[place]
        unit = self.team.units[place % len(self.team.units)]
        helper = unit.volunteers[place % len(unit.volunteers)]
        by = self.session.scalars(select(User).where(User.town_id == self.team.town_id, User.id == helper.id)).one()
        at = moment(self.as_of - timedelta(days=50 - 6 * place), 16)
        return services.write(self.session, self.number(), subject, unit.id, Words(law, happens, change), by=by, at=at)

    def _send(self, rows: list[Amendment]) -> None:
        day = self.as_of - timedelta(days=10)
        town = town_called(self.session, self.team.town_id, day)
        at, by = moment(day, 10), self.officer
        letter = services.open_letter(
            self.session, self.number(), paper.usual_head(town), paper.USUAL_WHOM, by=by, at=at
        )
        services.choose(self.session, letter, [row.id for row in rows])
        told = paper.told_of(queries.chosen_for(self.session, letter))

        def made(number: int, on_day: date) -> services.Made:
            head = Head.from_json(letter.head)
            one = paper.written(told, head, letter.to_whom, town, number=number, day=on_day, at=at)
            return services.Made({"proposals": told, "town": town}, word.document(one), one.digest)

        services.send(self.session, letter, number=7, sent_on=day, made=made, by=by, at=at)
        self.session.refresh(rows[0])
        services.answer(
            self.session,
            rows[0],
            "Đã tiếp thu, tổng hợp gửi Ủy ban Trung ương MTTQ Việt Nam để kiến nghị khi sửa đổi Luật Bảo hiểm xã hội.",
            paper.USUAL_WHOM,
            document="118/MTTQ-BTT",
            on_day=self.as_of - timedelta(days=2),
            by=by,
            at=moment(self.as_of - timedelta(days=2), 14),
        )
