"""Django's SMTP backend, held to a deadline for the whole conversation.

smtplib's time-out counts anew for every step, and for every byte of an answer. A server that is slow at each step, or sends its
answer letter by letter, would outlive the outbox's lease, and a second worker would send the same mail beside the first.
"""

import io
import smtplib
import time
from functools import partial

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend

STEP = 20  # seconds for one step, where the settings give none
FAREWELL = 5  # seconds for QUIT: the mail is settled by then, and nobody waits for the server's good wishes


def connect() -> BaseEmailBackend:
    """The backend of the settings; for SMTP, the one below."""
    if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        return EmailBackend()
    return get_connection()


class EmailBackend(smtp.EmailBackend):
    """Nothing is said to the server, and nothing heard from it, after `deadline`, a time of time.monotonic()."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.timeout = self.timeout or STEP
        self.deadline = time.monotonic() + STEP

    @property
    def connection_class(self):
        return partial(BoundedSmtps if self.use_ssl else BoundedSmtp, self)

    def close(self):
        self.deadline = time.monotonic() + FAREWELL
        super().close()

    def left(self) -> float:
        """Seconds for the next step. Raises TimeoutError when the deadline has passed."""
        left = min(self.timeout, self.deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("The conversation with the mail server took too long.")
        return left


class Bounded:
    """Goes before smtplib's own classes: every wait on the socket ends at the backend's deadline."""

    def __init__(self, backend: EmailBackend, *args, **kwargs):
        self.backend = backend
        super().__init__(*args, **kwargs)

    def _get_socket(self, host, port, timeout):
        return super()._get_socket(host, port, self.backend.left())

    def send(self, data):
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("Connect first.")
        rest = memoryview(data.encode(self.command_encoding) if isinstance(data, str) else data)
        try:
            while rest:
                self.sock.settimeout(self.backend.left())
                rest = rest[self.sock.send(rest) :]
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(type(error).__name__) from error

    def getreply(self):
        if self.file is None:
            self.file = io.BufferedReader(Answers(self))
        return super().getreply()


class BoundedSmtp(Bounded, smtplib.SMTP):
    pass


class BoundedSmtps(Bounded, smtplib.SMTP_SSL):
    pass


class Answers(io.RawIOBase):
    """What the server says, as a file that smtplib reads line by line."""

    def __init__(self, connection: Bounded):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, buffer):
        sock = self.connection.sock
        sock.settimeout(self.connection.backend.left())
        return sock.recv_into(buffer)
