"""A town whose promotions wait for the gateway."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.campaigns.files.models import SmsFile, SmsResults
from crm.campaigns.files.services import making, results
from crm.campaigns.models import Message
from crm.prospects.rules import Purpose
from tests.campaigns.conftest import Texting
from tests.factories import Make


class Gateway:
    """`gateway.waiting(3)`, `gateway.make()`, `gateway.rows(file)`, `gateway.answer(file, "Thành công")`."""

    def __init__(self, session: Session, make: Make) -> None:
        self.session, self.make_, self.texting = session, make, Texting(session, make)
        self.town_id = make.town.id
        self._by: User | None = None

    @property
    def by(self) -> User:
        self._by = self._by or self.make_.user(Role.ORGANISER)
        return self._by

    def waiting(self, many: int = 1, **fields: Any) -> list[Message]:
        """So many promotions, each to somebody else."""
        promotion = {"purpose": Purpose.PROMOTION, "body": "[QC] Moi ba Hoa. Tu choi: http://a.vn/o/x", **fields}
        return [self.texting.message(self.texting.person(), **promotion) for _one in range(many)]

    def make(self, purpose: Purpose = Purpose.PROMOTION) -> SmsFile:
        file_id = making.ask(self.session, self.town_id, purpose, by_id=self.by.id, at=clock.now())
        making.make(self.session, self.town_id, file_id, at=clock.now())
        return self.session.get_one(SmsFile, (self.town_id, file_id))

    @staticmethod
    def rows(file: SmsFile) -> list[dict[str, str]]:
        """What stands in a file."""
        return list(csv.DictReader(io.StringIO((file.content or b"").decode("utf-8-sig"), newline="")))

    def hand_back(self, text: str, name: str = "kq.csv", file: SmsFile | None = None, **words: str) -> SmsResults:
        """Results as a text table: columns as they were found, words as they were told or given."""
        act: dict[str, Any] = {"file_id": file.id if file else None, "by_id": self.by.id, "at": clock.now()}
        taken = results.take_in(self.session, self.town_id, name, text.encode(), **act)
        if taken.state == "columns":
            results.confirm(self.session, taken, taken.found["columns"], words, at=clock.now())
        while results.step(self.session, self.town_id, taken.id, at=clock.now()):
            pass
        self.session.expire_all()
        return taken


@pytest.fixture
def gateway(session: Session, make: Make) -> Gateway:
    return Gateway(session, make)
