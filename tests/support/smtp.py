"""Real SMTP servers for tests, which take email over TCP and misbehave on request."""

import asyncio
import email
import email.policy
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class SmtpSink:
    """A mail server that keeps what it accepts.

    `answers` maps a stage (mail, rcpt, data) to its reply. `stall` maps a stage to the seconds it waits before it accepts anything;
    `delay` holds back the reply after it has accepted an email. `password` is the one it lets in.
    """

    def __init__(self, port: int = 0, **smtp_options):
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.answered: list[str] = []  # the Message-IDs of what it accepted, if the client was still there to be told
        self.clients: list[tuple] = []
        self.answers: dict[str, str] = {}
        self.stall: dict[str, float] = {}
        self.refuse_recipients: set[str] = set()
        self.delay = 0.0
        self.drop_connections = 0
        self.password = ""
        self.data_seen = threading.Event()
        self.during_data: Callable[[], None] | None = None
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port or free_port(),
            authenticator=self.let_in,
            auth_require_tls=False,
            **smtp_options,
        )
        self.host, self.port = "127.0.0.1", self.controller.port

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        if self.controller.server is not None:
            self.controller.stop()

    @property
    def messages(self) -> list[EmailMessage]:
        return [message for _, message in self.received]

    @property
    def recipients(self) -> list[list[str]]:
        return [recipients for recipients, _ in self.received]

    @property
    def ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.messages]

    # --- what aiosmtpd calls ---

    def let_in(self, server, session, envelope, mechanism, login):
        # `handled=False`: aiosmtpd itself answers 535 to a wrong password.
        return AuthResult(success=bool(self.password) and login.password == self.password.encode(), handled=False)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        await asyncio.sleep(self.stall.get("mail", 0))
        envelope.mail_from = address
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        await asyncio.sleep(self.stall.get("rcpt", 0))
        if address in self.refuse_recipients:
            return f"550 5.1.1 <{address}> no such user here"
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.data_seen.set()
        await asyncio.sleep(self.stall.get("data", 0))
        if self.during_data:
            # In a thread of its own, because the server goes on serving meanwhile.
            await asyncio.to_thread(self.during_data)
        if self.drop_connections:
            self.drop_connections -= 1
            server.transport.abort()
            return "421 gone"
        answer = self.answers.get("data", "250 OK")
        if answer.startswith("250"):
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.received.append((list(envelope.rcpt_tos), parsed))
            self.clients.append(session.peer)
            await asyncio.sleep(self.delay)  # aiosmtpd cancels it when the client is gone
            self.answered.append(parsed["Message-ID"])
        return answer


class ScriptedServer:
    """Sends its lines one by one, whatever it hears, then drops the connection or leaves it hanging open."""

    def __init__(self, *lines: str, then: str):
        self.lines, self.then = lines, then
        self.stopped = threading.Event()
        self.heard: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.05)
        self.host, self.port = self.listener.getsockname()
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        self.thread.join()
        self.listener.close()

    def serve(self):
        while not self.stopped.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(5)
                for position, line in enumerate(self.lines):
                    if position:
                        self.heard.append(client.recv(65536))
                    client.sendall(f"{line}\r\n".encode())
                if self.then == "hang":
                    self.stopped.wait()
                elif self.lines:
                    self.heard.append(client.recv(100))
                    # A reset, as when the server's machine goes away and what is on the wire is lost.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


RESERVED: deque[socket.socket] = deque()


def free_port() -> int:
    """A port where nothing listens, and which nobody else is given before its server starts.

    Several suites and their servers run at once. On Linux a bound socket keeps its port from everyone who asks for any free
    one; a server that asks for this very port with SO_REUSEADDR, as all of ours do, gets it beside the socket.
    """
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    if sys.platform == "linux":
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        RESERVED.append(probe)
        if len(RESERVED) > 50:
            RESERVED.popleft().close()
    else:
        probe.close()
    return port


def wait_for(condition, *, seconds: float = 120, what: str = "it"):
    """Waits until the condition holds and returns its value, or fails with a sentence. Waits long enough for a busy machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"Waited {seconds} s and {what} did not happen.")
