"""The floor: bare Flask and SQLAlchemy over the same tables, without sign-in, scope, layout or rules."""

from __future__ import annotations

import os
import uuid

from flask import Flask, render_template_string, request
from sqlalchemy import bindparam, create_engine, text
from sqlalchemy.orm import Session

from config import from_environment

PAGE = "<h1>People</h1><table>{% for row in rows %}<tr><td>{{ row.full_name }}<td>{{ row.phone }}<td>{{ row.stage }}{% endfor %}</table>"
COLUMNS = "id, full_name, birth_year, phone, stage, place_id"
LIVE = "merged_into_id is null"
"""The indexes of lists leave merged records out: without saying so the floor would sort the whole town."""

app = Flask(__name__)
engine = create_engine(from_environment(os.environ).database_url, pool_size=6)


@app.get("/list")
def listing() -> str:
    with Session(engine) as session:
        rows = session.execute(
            text(f"select {COLUMNS} from prospect where {LIVE} order by town_id, name_key, id limit 50")
        ).all()
        return render_template_string(PAGE, rows=rows)


@app.get("/filtered")
def filtered() -> str:
    with Session(engine) as session:
        query = text(
            f"select {COLUMNS} from prospect where {LIVE} and place_id = :place and stage = :stage order by town_id, name_key, id limit 50"
        )
        rows = session.execute(query, {"place": uuid.UUID(request.args["place"]), "stage": request.args["stage"]}).all()
        return render_template_string(PAGE, rows=rows)


@app.get("/search")
def search() -> str:
    with Session(engine) as session:
        query = text(
            f"select {COLUMNS} from prospect where {LIVE} and name_fold like :q order by town_id, name_key, id limit 50"
        )
        return render_template_string(PAGE, rows=session.execute(query, {"q": f"%{request.args['q']}%"}).all())


@app.get("/one/<uuid:key>")
def one(key: uuid.UUID) -> str:
    with Session(engine) as session:
        rows = session.execute(text(f"select {COLUMNS} from prospect where id = :id"), {"id": key}).all()
        return render_template_string(PAGE, rows=rows)


@app.post("/log")
def log() -> dict[str, str]:
    said = request.get_json()
    with Session(engine) as session, session.begin():
        session.execute(
            text(
                "insert into visit (town_id, id, prospect_id, user_id, place_id, occurred_at, recorded_at, channel, outcome,"
                " reasons) select town_id, :id, id, :user, place_id, now(), now(), 'home_visit', :outcome, '{}'"
                " from prospect where id = :person"
            ).bindparams(bindparam("id", uuid.uuid4())),
            {"user": uuid.UUID(said["user"]), "outcome": said["outcome"], "person": uuid.UUID(said["prospect_id"])},
        )
    return {"saved": "yes"}


@app.post("/receipt")
def receipt() -> tuple[str, int]:
    with Session(engine) as session, session.begin():
        session.execute(
            text("insert into outbox_receipt (sid, status, phone) values (:sid, :status, :phone)"),
            {"sid": request.form["MessageSid"], "status": request.form["MessageStatus"], "phone": request.form["To"]},
        )
    return "", 204
