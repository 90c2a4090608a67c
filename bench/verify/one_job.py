"""`python -m bench.verify.one_job NAME`: run one job as the reconciler does; prints what it took."""

from __future__ import annotations

import json
import resource
import sys
from threading import Event

from services.reconciler.__main__ import JOB_RUNNERS
from services.reconciler.jobs import Tools, run
from services.reconciler.settings import ReconcilerSettings
from shared import clock, logs, paced_stripe
from shared.broker.connect import connect
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.settings import load
from shared.store.jobs import Jobs
from shared.vocabulary import account_key


def main() -> None:
    """Plan the job for now, run it, tell."""
    name = sys.argv[1]
    logs.configure("bench", "ERROR")
    settings = load(ReconcilerSettings)
    database = Database(dsn(settings), name="stocksync bench", size=13)
    account, stop, at = account_key(None, livemode=False), Event(), clock.now()
    tools = Tools(account, database, connect(settings), paced_stripe.connect(settings, database, stop), stop)
    database.run(lambda connection: Jobs(connection, account).plan(name, at, actor="bench"))
    began = clock.monotonic()
    run(JOB_RUNNERS, name, at, tools)
    seconds = clock.monotonic() - began
    (done,) = database.run(lambda connection: Jobs(connection, account).history(name, 1))
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "state": done.state,
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "figures": dict(done.figures),
    }
    print(json.dumps(told | {"error": done.error}))
    database.close()


if __name__ == "__main__":
    main()
