"""`make_secrets.py FOLDER`: made-up secrets for the local compose stack, one file each; what is there is kept."""  # noqa: INP001 - a script, no package

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
from pathlib import Path

VHOST = "stocksync"
INGEST, WORKER = "stocksync_ingest", "stocksync_worker"
OWN = r"^stocksync(\..*)?$"
PERMISSIONS = {
    INGEST: {"configure": "^$", "write": "^stocksync$", "read": "^$"},
    WORKER: {"configure": OWN, "write": r"^(amq\.default|stocksync(\..*)?)$", "read": OWN},
}
ALONE = {"backoffice_password"}
"""What fits any set: where it alone is missing, as in a set of an earlier version, it is made."""
ROLES = """\
-- The owner changes the schema; the application changes rows, and can't take a trigger off the ledger.
create role stocksync_owner login password '{owner}';
create role stocksync_app login password '{app}';
alter database stocksync owner to stocksync_owner;
revoke connect, temporary on database stocksync from public;
grant connect on database stocksync to stocksync_app;
alter default privileges for role stocksync_owner grant select, insert, update, delete on tables to stocksync_app;
alter default privileges for role stocksync_owner grant usage, select on sequences to stocksync_app;
"""


def made_up() -> dict[str, str]:
    """File name -> contents of a consistent set of secrets."""
    admin, owner, app, ingest, worker = (secrets.token_hex(24) for _ in range(5))
    return {
        "postgres_password": admin,
        "postgres_roles.sql": ROLES.format(owner=owner, app=app),
        "database_url_owner": f"postgresql://stocksync_owner:{owner}@postgres:5432/stocksync",
        "database_url": f"postgresql://stocksync_app:{app}@postgres:5432/stocksync",
        "rabbitmq_definitions.json": _definitions({INGEST: ingest, WORKER: worker}),
        "amqp_url_ingest": f"amqp://{INGEST}:{ingest}@rabbitmq:5672/{VHOST}",
        "amqp_url": f"amqp://{WORKER}:{worker}@rabbitmq:5672/{VHOST}",
        "stripe_api_key": "sk_test_simulator",
        "stripe_webhook_secret": f"whsec_{secrets.token_hex(32)}",
        "backoffice_password": secrets.token_urlsafe(18),
    }


def _definitions(passwords: dict[str, str]) -> str:
    users = [
        {
            "name": name,
            "password_hash": _hash(password),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": "",
        }
        for name, password in passwords.items()
    ]
    permissions = [{"user": name, "vhost": VHOST, **rights} for name, rights in PERMISSIONS.items()]
    return json.dumps({"users": users, "vhosts": [{"name": VHOST}], "permissions": permissions}, indent=2)


def _hash(password: str) -> str:
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def main() -> None:
    """Make the folder and its files, once; an incomplete set is named, never mended."""
    folder = Path(sys.argv[1])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = made_up()
    missing = [name for name in wanted if not (folder / name).exists()]
    if not missing:
        return
    lacks = [name for name in missing if name not in ALONE]
    if lacks and len(missing) < len(wanted):
        sys.exit(
            f"{folder} lacks {', '.join(lacks)}; they belong together: remove the folder to make all anew"
        )
    for name in missing:
        # The folder keeps others on this machine out; in the containers, where each file is mounted alone,
        # a user without privileges has to read it.
        path = folder / name
        path.touch(mode=0o644)
        path.chmod(0o644)
        path.write_text(wanted[name])
    sys.stdout.write(f"made up secrets for the local stack in {folder}\n")


if __name__ == "__main__":
    main()
