"""`with_database.py COMMAND …`: runs COMMAND, such as pg_dump, with PostgreSQL's variables leading to the database.

That is DATABASE_URL, or the embedded one, which runs meanwhile. The embedded PostgreSQL's programs come first in PATH.
"""  # noqa: INP001 - a script, no package

from __future__ import annotations

import os
import subprocess
import sys

from psycopg.pq import Conninfo

from shared.database.connect import dsn
from shared.database.embedded_place import find_binaries
from shared.database.errors import EmbeddedFailed, WrongDatabase
from shared.settings import WRONG_SETTING, DatabaseSettings, child_environment, load


def variables(address: str) -> dict[str, str]:
    """PGHOST, PGPASSWORD and whatever else `address` says."""
    options = Conninfo.parse(address.encode())
    return {o.envvar.decode(): o.val.decode() for o in options if o.envvar and o.val is not None}


def main() -> None:
    """Run it; its exit code is ours."""
    try:
        address = dsn(load(DatabaseSettings))
        programs = find_binaries(None)
    except (EmbeddedFailed, WrongDatabase) as error:
        sys.stderr.write(f"stocksync: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    surroundings = child_environment(**variables(address))
    surroundings["PATH"] = os.pathsep.join((str(programs), surroundings.get("PATH", os.defpath)))
    raise SystemExit(subprocess.run(sys.argv[1:], env=surroundings, check=False).returncode)


if __name__ == "__main__":
    main()
