import argparse
import os
import shutil
import subprocess
import sys
import traceback

from loadtests.trials.cluster import Cluster, programs
from loadtests.trials.place import prepare

ON_POSTGRESQL = ["F13", "F22", "F24"]  # after the rows on SQLite


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.trials", description=sys.modules["loadtests.trials"].__doc__
    )
    parser.add_argument("--kills", type=int, default=200, help="how many kills (default: 200)")
    parser.add_argument("--rows", default="", help="only these, such as F6,F12")
    asked = parser.parse_args()
    folder = prepare()
    from django.db import connection

    from loadtests.trials.bulk import BULK
    from loadtests.trials.flood import FLOOD
    from loadtests.trials.ground import empty
    from loadtests.trials.held import HELD
    from loadtests.trials.rows import ROWS

    on_sqlite = connection.vendor == "sqlite"
    wanted = [name for name in asked.rows.split(",") if name]
    failed = 0
    try:
        for name, row in (ROWS | HELD | BULK | FLOOD).items():
            if (wanted and name not in wanted) or (name == "F13" and on_sqlite):
                continue
            empty()
            try:
                print(f"{name:<6} {connection.vendor}: {row(folder, asked.kills)}", flush=True)  # noqa: T201
            except Exception:  # noqa: BLE001 - the other rows are tried all the same
                failed += 1
                print(f"{name:<6} FAILED\n{traceback.format_exc()}", flush=True)  # noqa: T201
            finally:
                connection.close()
        too = [name for name in ON_POSTGRESQL if not wanted or name in wanted]
        if on_sqlite and too:
            failed += on_postgresql(too, asked.kills)
    finally:
        if failed:
            print(f"The processes' log is in {folder}")  # noqa: T201
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def on_postgresql(rows: list[str], kills: int) -> int:
    """These rows on a PostgreSQL of its own, where its programs are."""
    if not programs():
        print(f"{' '.join(rows)} on PostgreSQL left out: its programs are not on this machine")  # noqa: T201
        return 0
    with Cluster(replicated=False) as cluster:
        [server] = cluster.servers
        environment = {
            **os.environ,
            "DATABASE_URL": cluster.address,
            "RESTART_POSTGRESQL": " ".join(server.controlling("--mode=immediate", "restart")),
        }
        command = [sys.executable, "-m", "loadtests.trials", "--kills", str(kills), "--rows", ",".join(rows)]
        return subprocess.run(command, env=environment).returncode


sys.exit(main())
