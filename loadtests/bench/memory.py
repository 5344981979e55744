"""What `manage.py serve` takes of the memory with everything warm: web server, mail worker and supervisor together.

    python -m loadtests.bench.memory

Every page and every PDF was asked of each web process before. While PDFs are made it is more, by a program of some 100 MB for
each process that makes one.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from loadtests.bench.measure import Figure
from loadtests.bench.servers import Client, family, pss, request, server
from tests.support.smtp import free_port

GOAL = 350  # MB
TRIES = 6  # of each address, each on a connection of its own, so that both web processes have it
PRIVATE = ["/search/?q=sciatica", "/consultation/", "/report/", "/question/", "/check/"]  # in no sitemap
PDFS = ["pdf/", "pdf/large/", "pdf/full/"]
REST = 75  # seconds: the programs that make PDFs have ended, and what was free is given back


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        own = {"BACKCARE_LOCAL": "1", "PORT": str(port), "DATA_DIR": folder}
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "prepare"], env=os.environ | own, check=True, capture_output=True)
        with server([*manage, "serve"], port, **own) as site:
            pages = re.findall(r"<loc>https?://[^/]+(.*?)</loc>", ask(port, "/sitemap.xml", coding="identity").decode())
            sheets = [page for page in pages if re.fullmatch(r"/fact-sheets/[^/]+/", page)]
            for page in [*pages, *PRIVATE, *(f"{sheet}{pdf}" for sheet in sheets for pdf in PDFS)]:
                for _ in range(TRIES):
                    ask(port, page)
            busy = taken(site.process.pid)
            time.sleep(REST)
            found = taken(site.process.pid)
    said = (
        f"({len(pages)} pages and {len(PDFS) * len(sheets)} PDFs in each web process; {busy:.0f} while PDFs are made)"
    )
    figure = Figure("memory: MB of the whole site, warm", [found], said, GOAL, at_most=True)
    print(figure)  # noqa: T201
    return int(not figure.is_held)


def ask(port: int, path: str, coding: str = "gzip, deflate, br") -> bytes:
    client = Client(port, 1)
    status, _, body = client.ask(request(path).replace(b"gzip, deflate, br", coding.encode()))
    client.close()
    assert status == 200, f"{path}: {status}"
    return body


def taken(pid: int) -> float:
    """MB of a process and its children."""
    return sum(pss(each) for each in family(pid) if Path(f"/proc/{each}").exists()) / 2**20


if __name__ == "__main__":
    sys.exit(main())
