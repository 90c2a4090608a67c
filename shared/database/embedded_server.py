"""The embedded server's program: make its data, start it, see whether it runs, stop it."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path
from threading import Event
from typing import Any, Final

import psutil
import psycopg

from shared import clock
from shared.database.embedded_place import Place
from shared.database.errors import EmbeddedFailed, WrongDatabase
from shared.free_ports import free_port, is_free

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30
_HOST: Final = "127.0.0.1"
_LOG_BYTES: Final = 5_000_000
_LOCALE: Final = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # on every system
_OPTIONS: Final = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "log_min_messages": "log",  # a failed statement is its caller's to tell
    "log_error_verbosity": "terse",  # details quote rows
    "log_checkpoints": "off",
}


class Server:
    """The server at `place`. Its methods but `dsn` are called under the start lock."""

    def __init__(self, place: Place, binaries: Path) -> None:
        self._place = place
        self._binaries = binaries
        self._password = place.root / "password"
        self._port = place.root / "port"

    def dsn(self) -> str:
        """The server's address with its password."""
        password, port = self._password.read_text().strip(), self._port.read_text().strip()
        return f"postgresql://postgres:{password}@{_HOST}:{port}/postgres"

    def prepare(self) -> None:
        """Make the data directory if there is none yet; raises WrongDatabase where another version made it."""
        data = self._place.data
        for leftover in self._place.root.glob("draft-*"):
            shutil.rmtree(leftover, ignore_errors=True)  # its orphaned initdb may still be writing there
        if not data.exists():
            self._initialise()
        found, wanted = (data / "PG_VERSION").read_text().strip(), self._major()
        if found != wanted:
            raise WrongDatabase(
                f"{data} is of PostgreSQL {found}, this is {wanted}: dump and restore it first",
                "STOCKSYNC_HOME",
            )

    def running(self) -> bool:
        """Whether the server's process is there."""
        pid = self._noted_pid()
        return pid is not None and self._is_ours(pid)

    def start(self, *, port_may_move: bool) -> None:
        """Start the server and wait until it answers; raises EmbeddedFailed with the reason."""
        self._choose_port(may_move=port_may_move)
        deadline = clock.monotonic() + START_SECONDS
        while not self.running():
            self._forget_stranger()
            answer = self._launch()
            if answer.returncode == 0 or self.running():
                break
            reason = self._reason()
            if "shared memory block" not in reason or clock.monotonic() > deadline:
                raise EmbeddedFailed(f"the embedded PostgreSQL does not start: {reason}")
            Event().wait(0.2)  # the killed server's last processes are still leaving
        if not self.came_up(deadline):
            raise EmbeddedFailed(f"the embedded PostgreSQL does not start: {self._reason()}")

    def came_up(self, deadline: float | None = None) -> bool:
        """Whether the running server answers; False where it is gone, at once or while it is waited for.

        Raises EmbeddedFailed where it runs and does not answer until `deadline` (monotonic seconds).
        """
        deadline = deadline or clock.monotonic() + START_SECONDS
        while self.running():
            if self.answers():
                return True
            if clock.monotonic() > deadline:
                raise EmbeddedFailed(f"the embedded PostgreSQL does not answer: {self._reason()}")
            Event().wait(0.05)
        return False

    def answers(self) -> bool:
        """Whether a connection with our password succeeds."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop the server, connections or not; nothing happens where it does not run."""
        if self.running():
            self._run(
                "pg_ctl", "-D", str(self._place.data), "-m", "fast", "-t", str(STOP_SECONDS), "-w", "stop"
            )

    def _initialise(self) -> None:
        """Make the data aside and rename it: a killed starter leaves nothing half-made under the real name."""
        root = self._place.root
        password = self._password.read_text() if self._password.exists() else secrets.token_urlsafe(24)
        _write_private(self._password, password)
        draft = root / f"draft-{secrets.token_hex(6)}"
        draft.mkdir(mode=0o700)
        _write_private(draft / "password", password)
        (draft / "data").mkdir(mode=0o700)
        self._hand_over(draft, draft / "data", draft / "password")
        files = ("-D", str(draft / "data"), "--pwfile", str(draft / "password"))
        made = self._run("initdb", *files, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", *_LOCALE)
        if made.returncode != 0:
            raise EmbeddedFailed(f"initdb failed: {_last_line(made.stdout)}")
        (draft / "data").rename(self._place.data)
        shutil.rmtree(draft, ignore_errors=True)

    def _choose_port(self, *, may_move: bool) -> None:
        port = int(self._port.read_text()) if self._port.exists() else None
        if port is not None and is_free(_HOST, port):
            return
        if port is not None and not may_move:
            raise EmbeddedFailed(f"port {port} of the embedded PostgreSQL is taken by another program")
        try:
            chosen = free_port(_HOST)
        except OSError as error:
            raise EmbeddedFailed(f"the embedded PostgreSQL has no port: {error.strerror}") from None
        _write_private(self._port, str(chosen))

    def _launch(self) -> subprocess.CompletedProcess[str]:
        log = self._place.data / "server.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_name("server.log.1"))
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        options += f" -p {self._port.read_text().strip()}"
        where = ("-D", str(self._place.data), "-l", str(log), "-o", options)
        return self._run("pg_ctl", *where, "-w", "-t", str(int(START_SECONDS)), "start")

    def _reason(self) -> str:
        log = self._place.data / "server.log"
        lines = log.read_text(errors="replace").splitlines()[-50:] if log.exists() else []
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return _last_line("\n".join(fatal or lines))

    def _noted_pid(self) -> int | None:
        try:
            return int((self._place.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _forget_stranger(self) -> None:
        """A pid left by a killed server may be another program's by now; PostgreSQL would not start over it."""
        pid = self._noted_pid()
        if pid is not None and psutil.pid_exists(pid):
            (self._place.data / "postmaster.pid").unlink()

    def _is_ours(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self._place.data) in process.cmdline()
        except psutil.Error:
            return False

    def _major(self) -> str:
        return self._run("postgres", "-V").stdout.split()[-1].split(".")[0]

    def _hand_over(self, *paths: Path) -> None:
        if self._place.account is not None:
            for path in paths:
                shutil.chown(path, self._place.account.uid, self._place.account.gid)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        account = self._place.account
        identity: dict[str, Any] = (
            {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        )
        return subprocess.run(
            [str(self._binaries / program), *arguments],
            check=False,
            text=True,
            cwd="/",
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; the last of us stops the server
            **identity,
        )


def _write_private(path: Path, text: str) -> None:
    """Write `text` for our own eyes in one step, so that nobody reads half of it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
