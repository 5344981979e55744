"""A real SMTP server for tests: it takes mail over TCP, and misbehaves on request."""

import email
import email.policy
import threading
import time
from email.message import EmailMessage

from aiosmtpd.controller import Controller


class SmtpSink:
    """`answers` maps a stage (mail, rcpt, data) to the reply given there; `delay` in seconds waits before accepting data."""

    def __init__(self, port: int = 0):
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.refuse_recipients: set[str] = set()
        self.delay = 0.0
        self.drop_connections = 0
        self.data_seen = threading.Event()
        self.controller = Controller(self, hostname="127.0.0.1", port=port or free_port())
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

    # --- what aiosmtpd calls ---

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuse_recipients:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.data_seen.set()
        if self.drop_connections:
            self.drop_connections -= 1
            server.transport.abort()
            return "421 gone"
        answer = self.answers.get("data", "250 OK")
        if answer.startswith("250"):
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.received.append((list(envelope.rcpt_tos), parsed))
        if self.delay:
            import asyncio

            await asyncio.sleep(self.delay)
        return answer


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, *, seconds: float = 15, what: str = "it"):
    """Waits until the condition holds, and returns its value. Fails with a sentence when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"Waited {seconds} s and {what} did not happen.")
