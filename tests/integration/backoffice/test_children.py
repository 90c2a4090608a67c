from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from services.backoffice.supervisor.addresses import Taken, resolve
from services.backoffice.supervisor.fleet import Fleet
from services.backoffice.supervisor.plan import ChildSpec
from services.backoffice.supervisor.restarts import GiveUp
from services.backoffice.supervisor.signals import Signals
from tests.support.processes import gone
from tests.support.waiting import until

LONG = "import threading; threading.Event().wait()"
HELD = f"from shared import lifeline; lifeline.hold(); {LONG}"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ChildSpec]:
    """Makes a module out of source text, as a child to run."""
    root = Path(__file__).resolve().parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{root}")

    def make(name: str, source: str) -> ChildSpec:
        (tmp_path / f"{name}.py").write_text(source)
        return ChildSpec(name, name)

    return make


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A fleet that is stopped at the end, whatever happened."""
    made = Fleet(Signals())
    yield made
    for child in made.children:
        child.kill()


def test_fault_52_a_killed_child_is_started_again(
    fleet: Fleet, program: Callable[[str, str], ChildSpec]
) -> None:
    """A child that dies by kill -9 runs again a moment later, as another process."""
    fleet.add([program("steady", LONG)])
    fleet.tend()
    first = fleet.children[0].process
    assert first is not None
    first.kill()
    first.wait()

    def runs_again() -> bool:
        fleet.tend()
        second = fleet.children[0].process
        return second is not None and second.pid != first.pid

    until("another process", runs_again)


def test_what_a_dead_child_left_behind_is_ended_too(
    fleet: Fleet, program: Callable[[str, str], ChildSpec], tmp_path: Path
) -> None:
    """A worker process of a killed child does not live on and hold its port."""
    note = tmp_path / "pid"
    source = f"""
import pathlib, subprocess, sys
made = subprocess.Popen([sys.executable, "-c", {LONG!r}])
pathlib.Path({str(note)!r}).write_text(str(made.pid) + ".")
made.wait()
"""
    fleet.add([program("parent", source)])
    fleet.tend()
    until("the worker's number", lambda: note.exists() and note.read_text().endswith("."))
    worker = psutil.Process(int(note.read_text().rstrip(".")))
    process = fleet.children[0].process
    assert process is not None
    process.kill()
    process.wait()
    fleet.tend()
    until("the worker to end", lambda: gone(worker))


def test_a_wrong_setting_of_a_child_ends_the_whole(
    fleet: Fleet, program: Callable[[str, str], ChildSpec]
) -> None:
    """A child that ends with code 2 makes the fleet give up instead of trying for ever."""
    fleet.add([program("wrong", "raise SystemExit(2)")])
    assert fleet.tend_until(lambda: False) == GiveUp(2)


def test_stopping_asks_politely_and_waits(
    fleet: Fleet, program: Callable[[str, str], ChildSpec], tmp_path: Path
) -> None:
    """A child gets SIGTERM and the time to finish what is in hand."""
    story = tmp_path / "story"
    source = f"""
import pathlib, signal, threading
story = pathlib.Path({str(story)!r})
def tell(word):
    with story.open("a") as file:
        file.write(word + " ")
done = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (tell("asked-" + __spec__.name), done.set()))
tell("up-" + __spec__.name)
while not done.wait(0.05): pass
done.clear(); done.wait(0.3)
tell("finished-" + __spec__.name)
"""
    fleet.add([program("house", source)])
    fleet.tend()
    until("the child to run", lambda: story.exists() and story.read_text().count("up-") == 1)
    fleet.stop()
    told = [word for word in story.read_text().split() if not word.startswith("up-")]
    assert told == ["asked-house", "finished-house"]


@pytest.mark.parametrize("held", [True, False], ids=["with the lifeline", "without: the negative control"])
def test_children_notice_the_death_of_their_supervisor(
    program: Callable[[str, str], ChildSpec], *, held: bool
) -> None:
    """After kill -9 of the supervisor its children end by themselves, and only because of the lifeline."""
    child = program("orphan", HELD if held else LONG)
    supervisor = program(
        "boss",
        f"""
import threading
from services.backoffice.supervisor.fleet import Fleet
from services.backoffice.supervisor.plan import ChildSpec
from services.backoffice.supervisor.signals import Signals
from shared import logs
logs.configure("boss")
fleet = Fleet(Signals())
fleet.add([ChildSpec("orphan", {child.module!r})])
fleet.tend()
print(fleet.children[0].process.pid, flush=True)
threading.Event().wait()
""",
    )
    command = [sys.executable, "-m", supervisor.module]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as boss:
        assert boss.stdout is not None
        try:
            orphan = psutil.Process(int(boss.stdout.readline()))
        finally:
            boss.kill()
    try:
        if held:
            until(
                "the orphan to end",
                lambda: gone(orphan),
            )
        else:
            threading.Event().wait(1.0)
            assert orphan.is_running()
    finally:
        if orphan.is_running():
            orphan.kill()


def test_a_taken_port_is_named() -> None:
    """An address that another program listens on is one clear line."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Taken, match=f"INGEST_BIND: {taken} can't be used: .*in use"):
            resolve("INGEST_BIND", taken)


def test_port_zero_becomes_a_real_one() -> None:
    """Port 0 is turned into a free port that can be told to others."""
    host, _, port = resolve("SIMULATOR_BIND", "127.0.0.1:0").rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_signals_wake_the_waiter_and_count() -> None:
    """SIGTERM ends a wait at once and asks to stop; the second one asks to hurry."""
    with Signals() as signals:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        started = time.monotonic()
        signals.wait(20.0)
        assert time.monotonic() - started < 10
        assert (signals.stop, signals.hurry) == (True, False)
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.hurry
