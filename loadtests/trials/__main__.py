import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from loadtests.trials.place import prepare
from tests.support.smtp import free_port

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
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        print(f"{' '.join(rows)} on PostgreSQL left out: its programs are not on this machine")  # noqa: T201
        return 0
    programs, port = found[-1].parent, free_port()
    state = Path(tempfile.mkdtemp(prefix="backcare-trials-postgresql-"))
    other = []
    if os.geteuid() == 0:  # PostgreSQL does not run as root
        other = ["runuser", "-u", "postgres", "--"]
        os.chown(state, pwd.getpwnam("postgres").pw_uid, -1)
    control = [*other, str(programs / "pg_ctl"), f"--pgdata={state}/data", "--wait", f"--log={state}/log"]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={state}"
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    making = [*other, str(programs / "initdb"), f"--pgdata={state}/data", "--username=backcare", "--auth=trust"]
    subprocess.run([*making, "--encoding=UTF8", "--locale=C.UTF-8"], **quiet)
    subprocess.run([*control, "--options", options, "start"], **quiet)
    try:
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgres://backcare:unused@127.0.0.1:{port}/postgres",
            "RESTART_POSTGRESQL": " ".join([*control, "--mode=immediate", "restart"]),
        }
        command = [sys.executable, "-m", "loadtests.trials", "--kills", str(kills), "--rows", ",".join(rows)]
        return subprocess.run(command, env=environment).returncode
    finally:
        subprocess.run([*control, "--mode=immediate", "stop"], **quiet)
        shutil.rmtree(state, ignore_errors=True)


sys.exit(main())
