"""PostgreSQL for the trials: alone, or on two machines as docs/operations.md sets it up, a primary and a replica that has each
commit before it counts.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.support.smtp import free_port, wait_for

NAME = "postgres"
USER = "backcare"


class Server:
    """One PostgreSQL on loopback."""

    def __init__(self, folder: Path, programs: Path, account: list[str]):
        self.folder, self.programs, self.account, self.port = folder, programs, account, free_port()
        self.data = folder / f"data-{self.port}"

    def run(self, name: str, *arguments: str) -> str:
        command = [*self.account, str(self.programs / name), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder)
        assert done.returncode == 0, f"{name}: {done.stdout[-500:]}"
        return done.stdout

    def controlling(self, *arguments: str) -> list[str]:
        """The command that does so with it."""
        # Its output goes to a file: the server keeps what it was given open.
        log = f"--log={self.folder}/log-{self.port}"
        return [*self.account, str(self.programs / "pg_ctl"), f"--pgdata={self.data}", "--wait", log, *arguments]

    def control(self, *arguments: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(self.controlling(*arguments), check=True, cwd=self.folder, **quiet)

    def make(self) -> None:
        options = [f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        self.run("initdb", f"--pgdata={self.data}", *options)

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}"
        self.control("--options", options, "start")

    def sql(self, statement: str) -> str:
        where = ["--host=127.0.0.1", f"--port={self.port}", f"--username={USER}", f"--dbname={NAME}"]
        return self.run("psql", *where, "--tuples-only", "--no-align", f"--command={statement}").strip()

    def follow(self, primary: "Server") -> None:
        """Becomes the replica of another. No commit of that one counts any more before this one has it, too."""
        where = f"host=127.0.0.1 port={primary.port} user={USER}"
        self.run(
            "pg_basebackup", f"--pgdata={self.data}", f"--dbname={where}", "--write-recovery-conf", "--checkpoint=fast"
        )
        self.start()
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
        primary.sql("SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        wait_for(lambda: primary.sql(state) == "quorum", seconds=30, what="a replica that has everything")

    def promote(self) -> None:
        self.control("promote")

    def kill(self) -> None:
        """kill -9, every process of it."""
        main = int((self.data / "postmaster.pid").read_text().split()[0])
        others = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for pid in (main, *map(int, others)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def clear(self) -> None:
        try:
            self.control("--mode=immediate", "stop")
        except subprocess.CalledProcessError:
            return  # killed


def programs() -> Path | None:
    """Where PostgreSQL's programs are, of its newest version; Debian has no other place for them. None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


class Cluster:
    def __init__(self, *, replicated: bool = True):
        self.programs = programs()
        assert self.programs, "PostgreSQL's programs are not on this machine."
        self.folder, self.account = Path(tempfile.mkdtemp(prefix="backcare-trials-postgresql-")), []
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            self.account = ["runuser", "-u", "postgres", "--"]
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        self.servers = [self.server() for _ in range(2 if replicated else 1)]

    def server(self) -> Server:
        return Server(self.folder, self.programs, self.account)

    def __enter__(self) -> "Cluster":
        primary, *replicas = self.servers
        primary.make()
        primary.start()
        for replica in replicas:
            replica.follow(primary)
        return self

    def __exit__(self, *error) -> None:
        for server in self.servers:
            server.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        """Of both servers, whoever connects gets the one that takes writes."""
        places = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"postgres://{USER}:unused@{places}/{NAME}?target_session_attrs=read-write&connect_timeout=3"
