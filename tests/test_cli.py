"""The `crm` command as somebody at a keyboard meets it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from config import from_environment
from crm import cli, processes, running
from crm.embedded.directory import CannotRun
from crm.environment import environment
from crm.safekeeping.commands.doctor import CHECKS

ROOT = Path(__file__).parent.parent
CRM = Path(sys.executable).with_name("crm")
Run = Callable[..., subprocess.CompletedProcess[str]]
Typed = Callable[..., Result]


@pytest.fixture(scope="module")
def crm() -> Iterator[Run]:
    """Runs `crm` on a data directory of its own."""
    folder = tempfile.mkdtemp(prefix="ansinh-cli-", dir="/var/tmp")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "DATABASE_", "REDIS_"))}

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CRM), *arguments],
            env={**env, "CRM_DATA_DIR": folder},
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    yield run
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def typed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs a command here, in the tests' own program: for what needs no process of its own."""
    monkeypatch.setattr(running, "program", lambda folder: nullcontext(app))
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_a_fresh_machine_answers_what_a_premium_costs(crm: Run) -> None:
    done = crm("premium", "--income", "700000", "--ground", "poor", "--start", "2019-08", "--months", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["payable"] == 107_800
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["clock", "mai"],
        ["premium", "--income", "690000", "--start", "2019-08", "--months", "1"],
    ],
)
def test_what_a_person_does_wrong_is_one_line_and_code_2(crm: Run, arguments: list[str]) -> None:
    done = crm(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "Không có lệnh “nothing”. Hãy xem `crm --help`."),
        (["user", "nothing"], "Không có lệnh “nothing”. Hãy xem `crm --help`."),
        (["premium", "--nothing"], "Không có tùy chọn --nothing. Hãy xem --help."),
        (["premium", "--start", "2019-08"], "Còn thiếu --income. Hãy xem --help."),
        (["premium", "--income", "abc", "--start", "2019-08"], "--income là số nguyên, chỉ ghi bằng chữ số."),
        (["premium", "--income", "700000", "--start", "2019-13"], "Hãy"),
        (["import", "prospects", "/no/such/list.xlsx"], "Không có tệp /no/such/list.xlsx. Hãy kiểm tra lại tên tệp."),
        (["import", "prospects", "/tmp"], "/tmp là thư mục. Hãy ghi tên một tệp trong đó."),
        (["restore", "no-such-file", "--yes"], "Không có tệp no-such-file. Hãy kiểm tra lại tên tệp."),
        (["backup", "/no/such/folder/file"], "Không có thư mục /no/such/folder: hãy tạo thư mục trước."),
        (["token", "add", "khong.ai@example.vn"], "Chưa ai đăng nhập bằng “khong.ai@example.vn”"),
        (["demo", "load", "--as-of", "hôm nay"], "“hôm nay” không phải là ngày"),
        (["worker"], "Hãy đặt DATABASE_URL, REDIS_URL trước"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_of_vietnamese(typed: Typed, arguments: list[str], told: str) -> None:
    done = typed(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(told)
    assert (len(done.stderr.splitlines()), done.stdout) == (1, "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_of_commands_says_what_they_say_themselves(name: str) -> None:
    listed = CliRunner().invoke(cli.main, ["--help"], terminal_width=200).stdout
    assert f"  {name} " in listed
    told = " ".join(CliRunner().invoke(cli.main, [name, "--help"]).stdout.split())
    assert cli.COMMANDS[name].help in told


@pytest.mark.parametrize(("typed", "more"), [(["--help"], {"flask"}), (["up", "--help"], set[str]())])
def test_help_is_answered_without_the_program(typed: list[str], more: set[str]) -> None:
    asked = f"import sys; from crm.cli import main; main({typed}, standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT)
    read = set(done.stdout.split())
    assert "crm.cli" in read
    assert not ({"sqlalchemy", "crm.app", "crm.running"} | more) & read


def test_a_backup_comes_back_and_a_new_epoch_begins(crm: Run, tmp_path: Path) -> None:
    file = tmp_path / "town.backup"
    added = crm("user", "add", "ke.toan@example.vn", "--role", "treasurer", "--password-stdin", text="mật khẩu dài\n")
    assert added.returncode == 0, added.stderr
    assert crm("backup", str(file)).returncode == 0
    assert (
        crm(
            "user", "add", "sau.nay@example.vn", "--role", "auditor", "--password-stdin", text="mật khẩu dài\n"
        ).returncode
        == 0
    )
    restored = crm("restore", str(file), "--yes")
    assert restored.returncode == 0, restored.stderr
    assert "epoch 2" in restored.stdout
    again = crm("user", "add", "sau.nay@example.vn", "--role", "auditor", "--password-stdin", text="mật khẩu dài\n")
    assert again.returncode == 0, "the later account was not in the backup"
    taken = crm("user", "add", "ke.toan@example.vn", "--role", "treasurer", "--password-stdin", text="mật khẩu dài\n")
    assert taken.returncode == 2


def test_the_doctor_finds_a_fresh_installation_in_order(crm: Run) -> None:
    done = crm("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(line.startswith("ok ") for line in done.stdout.splitlines()), done.stdout


def test_commands_speak_of_the_address_that_the_program_was_last_up_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/ansinh")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    asked: list[str] = []

    @contextmanager
    def only_asked(folder: Path, *, up_at: str) -> Iterator[None]:
        asked.append(up_at)
        with environment(folder, up_at=up_at):
            raise CannotRun("Only asked.")
        yield

    def told() -> str:
        with environment(tmp_path) as env:
            return CHECKS["settings"](from_environment(env))[1]

    assert told().endswith("http://127.0.0.1:8000"), "where it would be up"
    monkeypatch.setattr(processes, "environment", only_asked)
    port = processes.free_port(18_000)
    done = CliRunner().invoke(cli.main, ["up", "--port", str(port), "--data-dir", str(tmp_path)])
    assert done.exit_code != 0
    assert asked == [f"http://127.0.0.1:{port}"]
    assert told().endswith(asked[0])
    monkeypatch.setenv("PUBLIC_URL", "https://an-sinh.example")
    assert told().endswith("https://an-sinh.example")
