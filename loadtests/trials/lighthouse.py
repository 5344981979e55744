"""Lighthouse, as a phone on a slow line, over the pages that patients meet first. Needs npx, and a Chromium.

    python -m loadtests.trials.lighthouse [PATH ...]

Prints the four scores of each page, and what cost a point.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from urllib.request import urlopen

from loadtests.trials.load import ROOT
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for
from tests.support.visitor import chromium

PAGES = [
    "/",
    "/fact-sheets/",
    "/fact-sheets/tests-and-treatments/",
    "/search/",
    "/consultation/",
    "/report/",
    "/check/",
]
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"


def judged(address: str) -> dict:
    command = ["npx", "--yes", "lighthouse@12", address, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"]
    env = {**os.environ, "CHROME_PATH": chromium()}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def lost_points(report: dict) -> list[str]:
    weighed = {ref["id"] for group in report["categories"].values() for ref in group["auditRefs"] if ref["weight"]}
    return [
        f"{each['title']} ({each.get('displayValue', '')})"
        for name, each in report["audits"].items()
        if name in weighed and each["score"] is not None and each["score"] < 1
    ]


def main(pages: list[str]) -> int:
    if not shutil.which("npx"):
        sys.exit("npx is not here: install Node.js.")
    port, failed = free_port(), 0
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "BACKCARE_LOCAL": "1", "DATA_DIR": folder, "PORT": str(port)}
        quiet = {"cwd": ROOT, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([sys.executable, "manage.py", "prepare"], check=True, **quiet)
        server = start_process([sys.executable, "manage.py", "serve"], **quiet)
        try:
            site = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(site), seconds=60)
            for page in pages:
                urlopen(site + page).close()
                report = judged(site + page)
                scores = [round(group["score"] * 100) for group in report["categories"].values()]
                failed += min(scores) < 100
                print(f"{page:<40} {scores} {'; '.join(lost_points(report))}", flush=True)  # noqa: T201
        finally:
            server.terminate()
            server.wait(60)
    return 1 if failed else 0


def answers(site: str) -> bool:
    try:
        return urlopen(f"{site}/robots.txt").status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or PAGES))
