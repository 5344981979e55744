"""Real servers on loopback, and a client that takes little: keep-alive connections, served in turns by one thread."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS = 4
START_SECONDS = 60
OUR_CONFIG = ["--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]


class Server:
    """A program that serves HTTP on a port of loopback."""

    def __init__(self, port: int, process: subprocess.Popen):
        self.port, self.process = port, process

    def cpu(self) -> int:
        """What it and its children have taken of the processors so far, in nanoseconds."""
        return sum(_cpu(pid) for pid in family(self.process.pid))


class Together:
    """Several programs that answer as one, such as a proxy and what stands behind it."""

    def __init__(self, port: int, parts: list["Server | Together"]):
        self.port, self.parts = port, parts

    def cpu(self) -> int:
        return sum(each.cpu() for each in self.parts)


@contextmanager
def server(command: list[str], port: int, **environment: str) -> Iterator[Server]:
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"A server did not start: {' '.join(command)}")
            time.sleep(0.05)
        yield Server(port, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ours(port: int, *, workers: int = 1, **environment: str):
    """backcare as it is deployed. Its limits on forms are on, and so wide that none is met."""
    wide = {"MAX_FORMS_PER_SENDER_PER_HOUR": "1000000", "MAX_FORMS_PER_HOUR": "1000000"}
    wide |= {"MAX_FORMS_PER_SENDER_BEFORE_REFUSAL": "1000000", "MAX_MAILS_PER_ADDRESS_PER_DAY": "1000000"}
    command = [sys.executable, "-m", "gunicorn", *OUR_CONFIG]
    return server(command, port, PORT=str(port), WEB_WORKERS=str(workers), **wide, **environment)


def bare(port: int, database: Path, body: Path):
    """A plain Django application of one view (loadtests/bench/bare.py), in gunicorn's own threaded worker."""
    options = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4", "--worker-class", "gthread"]
    quiet = ["--log-level", "critical", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *options, *quiet, "loadtests.bench.bare:application"]
    return server(command, port, BARE_DATABASE=str(database), BARE_BODY=str(body))


def request(path: str, *headers: str, body: bytes = b"", method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept-Encoding: gzip, deflate, br", *headers]
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"]
        lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Client:
    """A few connections that are kept alive."""

    def __init__(self, port: int, connections: int = CONNECTIONS):
        self.address = ("127.0.0.1", port)
        self.sockets = [self._open() for _ in range(connections)]
        self.answered = 0

    def ask(self, asked: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of one answer."""
        self.sockets[0].sendall(asked)
        return self._answer(0, asked)

    def load(self, asked: bytes, seconds: float, status: int = 200) -> float:
        """Answers in a second, while every connection always waits for one."""
        count, start = 0, time.perf_counter()
        self.close()  # the server may have given them up since
        self.sockets = [self._open() for _ in self.sockets]
        for each in self.sockets:
            each.sendall(asked)
        while (spent := time.perf_counter() - start) < seconds:
            for number in range(len(self.sockets)):
                found, *_ = self._answer(number, asked)
                assert found == status, f"{found} instead of {status}"
                count += 1
                self.sockets[number].sendall(asked)
        for number in range(len(self.sockets)):
            self._answer(number, asked)
        return count / spent

    def close(self) -> None:
        for each in self.sockets:
            each.close()

    def _open(self) -> socket.socket:
        made = socket.create_connection(self.address, timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _answer(self, number: int, asked: bytes) -> tuple[int, bytes, bytes]:
        got = self._first(number)
        if not got:  # a kept connection that the server closed meanwhile
            self.sockets[number].close()
            self.sockets[number] = self._open()
            self.sockets[number].sendall(asked)
            got = self._more(number)
        while b"\r\n\r\n" not in got:
            got += self._more(number)
        end = got.index(b"\r\n\r\n") + 4
        head = got[:end]
        status = int(head[9:12])
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 and status != 304 else 0
        while b"\r\ntransfer-encoding: chunked" in head.lower() and not got.endswith(b"\r\n0\r\n\r\n"):
            got += self._more(number)
            length = len(got) - end  # with the marks between the chunks
        missing, pieces = end + length - len(got), [got[end:]]
        while missing > 0:
            pieces.append(self._more(number))
            missing -= len(pieces[-1])
        self.answered += 1
        if b"connection: close" in head.lower():
            self.sockets[number].close()
            self.sockets[number] = self._open()
        return status, head, b"".join(pieces)

    def _first(self, number: int) -> bytes:
        try:
            return self.sockets[number].recv(262_144)
        except ConnectionResetError:
            return b""

    def _more(self, number: int) -> bytes:
        got = self.sockets[number].recv(262_144)
        assert got, "The server broke off in the middle of an answer."
        return got


def family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += family(int(child))
    return found


def pss(pid: int) -> int:
    """Its share of the memory, in bytes; what several processes use together is divided among them."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def _cpu(pid: int) -> int:
    return sum(_taken(task) for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _taken(task: Path) -> int:
    try:
        return int(task.read_text().split()[0])
    except OSError:
        return 0  # it ended


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
