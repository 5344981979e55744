"""A mail server for many large mails, in a process of its own: it takes every mail, and writes down when and which.

The mail server of the suite (tests/support/smtp.py) reads a mail line by line, in the process of the test, and keeps it. With the
PDFs of a sustained load that takes more of the machine than the site does.

    python -m loadtests.trials.sink PORT FILE SECONDS_FOR_A_MAIL
"""

import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for

ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
ROOT = Path(__file__).resolve().parent.parent.parent
END = b"\r\n.\r\n"


class Mail(NamedTuple):
    at: float  # time.time() when it was accepted
    id: str
    to: str


class MailServer:
    """Starts and stops it. `slow` is the seconds it takes over each mail."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, slow: float = 0):
        self.port, self.slow = free_port(), slow
        self.file = folder / f"mails-{self.port}"
        self.file.touch()
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "MailServer":
        command = [sys.executable, "-m", "loadtests.trials.sink", str(self.port), str(self.file), str(self.slow)]
        self.process = start_process(command, stdout=subprocess.PIPE)
        assert self.process.stdout.readline(), "The mail server did not start."
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.process.stdout.close()

    @property
    def mails(self) -> list[Mail]:
        lines = self.file.read_text().split("\n")[:-1]
        return [Mail(float(at), mail, to) for at, mail, to in map(str.split, lines)]

    @property
    def ids(self) -> list[str]:
        return [mail.id for mail in self.mails]

    @property
    def twice(self) -> int:
        """How many mails came more than once."""
        return sum(number > 1 for number in Counter(self.ids).values())

    def wait_for_mail_to(self, address: str, seconds: float) -> Mail:
        def found():
            return [mail for mail in self.mails if mail.to == address]

        return wait_for(found, seconds=seconds, what=f"the mail to {address}")[0]


class Conversation(asyncio.Protocol):
    """SMTP as far as a client like ours speaks it (RFC 5321)."""

    file = None
    slow = 0.0

    def connection_made(self, transport):
        self.transport, self.heard, self.looked, self.in_mail, self.to = transport, bytearray(), 0, False, ""
        self.say("220 ready")

    def say(self, line: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(f"{line}\r\n".encode())

    def data_received(self, data):
        self.heard += data
        while self.take_mail() if self.in_mail else self.take_line():
            pass

    def take_line(self) -> bool:
        line, end, _ = self.heard.partition(b"\r\n")
        if not end:
            return False
        del self.heard[: len(line) + 2]
        verb = line[:4].upper().decode("ascii", "replace")
        if verb == "RCPT":
            self.to = line[line.find(b"<") + 1 : line.find(b">")].decode()
        if verb == "DATA":
            self.in_mail, self.looked = True, 0
            self.say("354 go on")
        elif verb == "QUIT":
            self.say("221 bye")
            self.transport.close()
        else:
            self.say("250 OK")
        return True

    def take_mail(self) -> bool:
        end = self.heard.find(END, max(0, self.looked - len(END)))
        if end < 0:
            self.looked = len(self.heard)
            return False
        found = ID.search(self.heard[:4096])
        del self.heard[: end + len(END)]
        self.in_mail = False
        asyncio.get_running_loop().call_later(self.slow, self.accept, found[1].decode() if found else "<none>", self.to)
        return True

    def accept(self, mail: str, to: str) -> None:
        self.file.write(f"{time.time():.3f} {mail} {to}\n")
        self.file.flush()
        self.say("250 accepted")


async def serve(port: int, file: Path, slow: float) -> None:
    with file.open("a") as Conversation.file:
        Conversation.slow = slow
        server = await asyncio.get_running_loop().create_server(Conversation, MailServer.host, port, reuse_port=True)
        print("ready", flush=True)  # noqa: T201
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
