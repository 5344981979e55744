"""The commands of docs/operations.md that need neither root nor systemd, run from the document itself.

`make runbook` follows the whole document in an empty Debian. Here the site's account has other folders, what only root may do
(systemctl, apt-get) is noted and not done, a new release is a commit that changes nothing, and "another machine" and "elsewhere"
are folders. PostgreSQL's commands are for `make runbook`; test_move.py tries the move itself.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

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
# What happens outside the document, before or after a block with these words.
BEFORE = {
    "git -C /opt/backcare pull": 'git -C "$HOME/source" commit --quiet --allow-empty --message "A new release"',
    "person --export": """backcare shell -c '
from factsheets.models import FactSheet
from tests.conftest import report
report(FactSheet.objects.published()[0], email="somebody@example.org")
'""",
    "export RECIPIENT": "age-keygen -o owner.key",
}
AFTER = {
    "git -C /opt/backcare pull": '[ "$(git -C /opt/backcare rev-parse HEAD)" != "$BEFORE" ]',
    "git -C /opt/backcare checkout": '[ "$(git -C /opt/backcare rev-parse HEAD)" = "$BEFORE" ]',
    "backcare-move.tar /etc": "rm -r /etc/backcare /var/lib/backcare; mkdir /var/lib/backcare",
    "person --export": "cat ~/backcare-wrong-mail.json",
}


def blocks(heading: str) -> list[str]:
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def test_what_the_document_says_is_what_is_to_be_done(tmp_path):
    """From the installation to a backup that is sent away; a key is lost, somebody gets in, a mail goes to the wrong address."""
    etc, data, bin_, log = tmp_path / "etc", tmp_path / "data", tmp_path / "bin", tmp_path / "noted"
    for folder in (bin_, data, tmp_path / "elsewhere"):
        folder.mkdir()
    FilledDatabase().start(data)
    for name in ("systemctl", "journalctl", "apt-get"):
        (bin_ / name).write_text(NOTED.format(log=log))
    (bin_ / "backcare").write_text(BACKCARE.format(etc=etc, data=data, root=ROOT, python=sys.executable))
    age, bash = Path(program("age")), program("bash")

    [install_at_the_top, _, settings, start, *_] = blocks("Install on a plain server")
    assert "DOMAIN=" in install_at_the_top and "FIELD_ENCRYPTION_KEYS" in settings and "backcare prepare" in start
    parts = [install_at_the_top, settings, "backcare prepare\n"]
    for heading in (
        "Back up and restore",
        "Move to another machine",
        "Upgrade and roll back",
        "Keys",
        "When something went wrong",
        "Backups that leave this machine",
    ):
        found = blocks(heading)
        assert found, heading
        for block in found:
            parts += [BEFORE[words] for words in BEFORE if words in block]
            parts += [block, *(AFTER[words] for words in AFTER if words in block)]
    script = "set -euo pipefail\n" + "\n".join(parts)
    for there, here in {
        "/etc/backcare": str(etc),
        "/var/lib/backcare": str(data),
        "/opt/backcare/.venv/bin/pip": "pip",
        "/opt/backcare": f"{tmp_path}/opt",
        "/usr/local/bin": str(bin_),
        "rclone copy": "cp",
        "offsite:backcare": f"{tmp_path}/elsewhere/",
        "RECIPIENT=age1…": "RECIPIENT=$(age-keygen -y owner.key)",
    }.items():
        assert there in script, there
        script = script.replace(there, here)
    environment = {
        "PATH": f"{bin_}:{age.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C",
    }
    environment |= {
        f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    (bin_ / "pip").write_text(NOTED.format(log=log))
    for each in bin_.iterdir():
        each.chmod(0o755)
    made = "git init --quiet source && cd source && git commit --quiet --allow-empty --message First && git clone --quiet . ../opt"
    subprocess.run([bash, "-c", made], cwd=tmp_path, env=environment, check=True)
    done = subprocess.run([bash, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    for words, times in {
        "This backup would work.": 2,
        "The backup is in place.": 3,  # restored, moved, rolled back
        "The previous database is kept: ": 2,
        "Everything is under key ": 1,
        "You may now take key ": 1,
        "The site starts without key ": 1,
        '"somebody@example.org"': 1,
        "1 enquiries: ": 1,
        "It is encrypted: only": 1,
    }.items():
        assert said.count(words) == times, f"{words}: {said[-3000:]}"
    # The one that moved, one before the upgrade, one to show how somebody got in, and an encrypted one, which is elsewhere too.
    assert [len(list((data / "backups").glob(kind))) for kind in ("*.tar.gz", "*.tar.gz.age")] == [3, 1]
    assert len(list((tmp_path / "elsewhere").glob("*.tar.gz.age"))) == 1
    kept = (etc / "environment").read_text()
    [keys] = re.findall(r"^FIELD_ENCRYPTION_KEYS='([^']*)'$", kept, re.MULTILINE)
    assert "," not in keys, "The earlier key was not taken out."
    noted = log.read_text()
    assert noted.count("systemctl stop backcare-web backcare-mail") == noted.count("systemctl start backcare-web") == 4
    assert noted.count("systemctl restart") == 4
    assert noted.count("pip install") == 2
