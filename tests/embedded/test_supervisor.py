"""Real programs, short ones, kept running by a supervisor."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from crm.embedded.directory import CannotRun, prepare
from crm.supervisor import Child, Supervisor, only_one, ready


def program(name: str, code: str, **more: float) -> Child:
    """A child that runs this Python code."""
    return Child(name, [sys.executable, "-u", "-c", textwrap.dedent(code)], {"SAID": name}, **more)


def faithful(name: str, record: Path) -> Child:
    """It ends when asked to, and writes its name down as it does."""
    return program(
        name,
        f"""
        import os, signal, sys
        def end(*_):
            open({str(record)!r}, "a").write(os.environ["SAID"] + " ")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        print("here is", os.environ["SAID"], os.getpid())
        while True: signal.pause()
        """,
    )


def said(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def is_alive(pid: int) -> bool:
    """Whether the process lives; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return prepare(tmp_path / "data")


def test_one_signal_ends_all_the_last_one_first(place: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    names = ["web", "worker", "timetable"]
    logs = [place / "logs" / f"{name}.log" for name in names]
    greeted = []

    def greet() -> None:
        greeted.append("ready")
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()

    handlers = signal.getsignal(signal.SIGTERM)
    keeper = Supervisor([faithful(name, record) for name in names], place)
    status = keeper.run(ready=lambda: all("here is" in said(log) for log in logs), on_ready=greet)
    assert (status, greeted, record.read_text()) == (0, ["ready"], "timetable worker web ")
    assert [said(log).split()[2] for log in logs] == names
    assert not any(is_alive(int(said(log).split()[3])) for log in logs)
    assert signal.getsignal(signal.SIGTERM) == handlers


def test_one_that_dies_is_started_again_and_its_orphans_are_cleared_away(place: Path, tmp_path: Path) -> None:
    once = tmp_path / "once"
    child = program(
        "worker",
        f"""
        import os, subprocess, sys, time
        again = os.path.exists({str(once)!r})
        open({str(once)!r}, "w").close()
        if not again:
            print("orphan", subprocess.Popen(["sleep", "600"]).pid)
            sys.exit(3)
        print("second life")
        time.sleep(600)
        """,
    )
    lines: list[str] = []
    log = place / "logs" / "worker.log"
    keeper = Supervisor([child], place, say=lines.append)
    assert keeper.run(ready=lambda: "second life" in said(log), on_ready=keeper.stop) == 0
    assert lines == [f"worker ended with 3, starting it again in 0.5 s: see {log}."]
    assert not is_alive(int(said(log).split()[1]))


def test_one_that_keeps_dying_ends_everything_with_a_clear_line(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.supervisor.QUICK_DEATHS", 3)
    lines: list[str] = []
    other = faithful("web", tmp_path / "record")
    keeper = Supervisor([other, Child("worker", ["/nonexistent/program"])], place, say=lines.append)
    assert keeper.run() == 1
    log = place / "logs" / "worker.log"
    assert lines[-1] == f"worker died 3 times in a row: see the end of {log}."
    assert said(log).splitlines() == ["/nonexistent/program: No such file or directory"] * 3
    assert (tmp_path / "record").read_text() == "web "


def test_one_that_will_not_end_is_killed(place: Path) -> None:
    child = program(
        "web",
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("stubborn", os.getpid())
        time.sleep(600)
        """,
        patience=0.3,
    )
    log = place / "logs" / "web.log"
    keeper = Supervisor([child], place)
    assert keeper.run(ready=lambda: "stubborn" in said(log), on_ready=keeper.stop) == 0
    assert not is_alive(int(said(log).split()[1]))


def test_one_that_never_becomes_ready_is_not_waited_for(place: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    keeper = Supervisor([faithful("web", tmp_path / "record")], place, say=lines.append)
    assert keeper.run(ready=lambda: False, timeout=0.5) == 1
    assert lines[0].startswith("The program did not become ready in time: see the end of ")


def test_the_children_of_a_killed_supervisor_end(place: Path) -> None:
    code = f"""
        import sys
        from pathlib import Path
        from crm.supervisor import Child, Supervisor
        Supervisor([Child("web", ["sh", "-c", "echo $$; exec sleep 600"])], Path({str(place)!r})).run()
        """
    keeper = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parents[2])
    log = place / "logs" / "web.log"
    assert ready(lambda: bool(said(log).strip()), 10)
    child = int(said(log))
    assert is_alive(child)
    keeper.kill()
    keeper.wait()
    assert ready(lambda: not is_alive(child), 5)


def test_a_second_one_on_the_same_directory_is_refused_while_the_first_lives(place: Path) -> None:
    with only_one(place), pytest.raises(CannotRun, match="An Sinh is already up on "), only_one(place):
        pass
    with only_one(place):
        pass


def test_waiting_ends_in_time() -> None:
    began = time.monotonic()
    assert not ready(lambda: False, 0.2)
    assert 0.2 <= time.monotonic() - began < 2


def test_a_long_log_is_set_aside(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.supervisor.LOG_LIMIT", 3)
    log = place / "logs" / "web.log"
    log.write_text("long")
    keeper = Supervisor([faithful("web", tmp_path / "record")], place)
    assert keeper.run(ready=lambda: "here is" in said(log), on_ready=keeper.stop) == 0
    assert said(log.with_name("web.log.1")) == "long"
