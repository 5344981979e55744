"""The commands of docs/operations.md that need neither root nor systemd, run from the document itself.

`make runbook` follows the whole document in an empty Debian. Here the site's account has other folders, and what only root may do
(systemctl) is noted and not done.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.filled_database import FilledDatabase
from tests.support.processes import program

pytestmark = [pytest.mark.process, pytest.mark.once]

TEXT = (ROOT / "docs" / "operations.md").read_text()
NOTED = '#!/bin/sh\necho "$(basename "$0") $*" >> "{log}"\n'
BACKCARE = """#!/bin/sh
set -eu
set -a
. "{etc}/environment"
DATA_DIR="{data}"
set +a
cd "{root}"
exec "{python}" manage.py "$@"
"""


def blocks(heading: str) -> list[str]:
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def test_a_site_is_set_up_backed_up_restored_and_its_keys_changed_by_the_document(tmp_path):
    etc, data, bin_, log = tmp_path / "etc", tmp_path / "data", tmp_path / "bin", tmp_path / "noted"
    bin_.mkdir()
    data.mkdir()
    FilledDatabase().start(data)
    for name in ["systemctl"]:
        (bin_ / name).write_text(NOTED.format(log=log))
    (bin_ / "backcare").write_text(BACKCARE.format(etc=etc, data=data, root=ROOT, python=sys.executable))
    for each in bin_.iterdir():
        each.chmod(0o755)

    [install_at_the_top, _, settings, start, *_] = blocks("Install on a plain server")
    assert "DOMAIN=" in install_at_the_top and "FIELD_ENCRYPTION_KEYS" in settings and "backcare prepare" in start
    parts = [
        *(install_at_the_top, settings, "backcare prepare\n"),
        *blocks("Back up and restore"),
        *blocks("Keys"),
        *blocks("When something went wrong"),
    ]
    script = "set -euo pipefail\n" + "\n".join(parts)
    assert script.count("backcare ") >= 8
    for there, here in {
        "/etc/backcare": str(etc),
        "/var/lib/backcare": str(data),
    }.items():
        assert there in script
        script = script.replace(there, here)
    environment = {"PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C"}
    done = subprocess.run(
        [program("bash"), "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    for words, times in {
        "This backup would work.": 1,
        "The backup is in place.": 1,
        "The previous database is kept: ": 1,
        "Everything is under key ": 1,
        "You may now take key ": 1,
    }.items():
        assert said.count(words) == times, f"{words}: {said[-3000:]}"
    assert len(list((data / "backups").iterdir())) == 1
    kept = (etc / "environment").read_text()
    [keys] = re.findall(r"^FIELD_ENCRYPTION_KEYS='([^']*)'$", kept, re.MULTILINE)
    assert "," not in keys, "The earlier key was not taken out."
    noted = log.read_text()
    assert noted.count("systemctl stop backcare-web backcare-mail") == noted.count("systemctl start backcare-web") == 1
    assert noted.count("systemctl restart") == 3
