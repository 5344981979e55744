"""The steps of deploy/Dockerfile, without an engine: in an empty folder, as nobody in particular, with only its data to write."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.filled_database import FilledDatabase
from tests.support.processes import program, start_process
from tests.support.smtp import wait_for

pytestmark = [pytest.mark.process, pytest.mark.once]

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def steps() -> list[tuple[str, str]]:
    """Each instruction with its words, its lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def free_port() -> int:
    with socket.socket(socket.AF_INET6) as found:
        found.bind(("::1", 0))
        return found.getsockname()[1]


def test_hadolint_has_nothing_to_say():
    said = subprocess.run([program("hadolint"), str(DOCKERFILE)], capture_output=True, text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_the_steps_make_a_site_that_runs_with_few_rights_anywhere(tmp_path):
    """In a folder with spaces, in the C locale, and on IPv6 too: what a container does not try. The packages are those at hand."""
    image, data = tmp_path / "an image" / "opt backcare", tmp_path / "a volume"
    image.mkdir(parents=True)
    data.mkdir()
    FilledDatabase().start(data)
    final = steps()[[number for number, (word, _) in enumerate(steps()) if word == "FROM"][-1] :]
    for word, rest in final:
        if word == "COPY" and not rest.startswith("--from=packages"):
            *sources, target = rest.split()
            for each in sources:
                assert f"!{each}\n" in DOCKERFILE.with_suffix(".dockerignore").read_text()
                to = image / target / ("" if (ROOT / each).is_dir() else each)
                (shutil.copytree if (ROOT / each).is_dir() else shutil.copy)(ROOT / each, to)
        elif word == "RUN" and "apt-get" in rest:
            assert {"age", "postgresql-client"} <= set(rest.split())  # what backups call (backcare/ops/backups)
        elif word == "RUN":
            # “-l”: not the folders below, which would take seconds.
            compiling, making = rest.split(" && ")
            subprocess.run([sys.executable, *compiling.split()[1:], "-l"], cwd=image, check=True)
            assert making == "install -d -m 700 -o 10001 -g 10001 /var/lib/backcare"
    told = dict(final)
    settings = dict(part.split("=") for part in told["ENV"].split())
    assert settings.pop("DATA_DIR") == json.loads(told["VOLUME"])[0] == "/var/lib/backcare"
    for path in image.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "HOME": str(data),
        **settings,
        "DATA_DIR": str(data),
        "BIND": f"[::1]:{port}",
        "SECRET_KEY": "not so secret" * 5,
        "FIELD_ENCRYPTION_KEYS": f"1:{'A' * 43}=",
        "BASE_URL": "https://backcare.example.org",
        "ALLOWED_HOSTS": "backcare.example.org",
        "EMAIL_URL": "smtp+tls://127.0.0.1:9",
        "BEHIND_TLS_PROXY": "1",
        "TRUSTED_PROXIES": "1",
    }
    command = json.loads(told["CMD"])
    command[-1] = command[-1].replace(".venv/bin/python", f"'{sys.executable}'")
    if os.geteuid() == 0:  # root, but for what lets root write what it may not
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command]
    log = (tmp_path / "log").open("w+b")
    site = start_process(command, cwd=image, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        check = json.loads(told["HEALTHCHECK"].partition("CMD ")[2])
        check = [sys.executable, *(part.replace("127.0.0.1:8000", f"[::1]:{port}") for part in check[1:])]

        def healthy() -> bool:
            assert site.poll() is None, (tmp_path / "log").read_text()
            return not subprocess.run(check, capture_output=True, env={"PATH": os.environ["PATH"]}).returncode

        wait_for(healthy, seconds=120, what="a healthy answer")
        page = read(port, "/fact-sheets/about-back-pain/")
        assert b"</html>" in page and not page.isascii()
    finally:
        site.terminate()
        site.wait(120)
        log.close()
    assert site.returncode == 0, (tmp_path / "log").read_text()[-2000:]


def read(port: int, path: str) -> bytes:
    """Over IPv6, as a proxy asks."""
    with socket.create_connection(("::1", port), 20) as asked:
        asked.sendall(
            f"GET {path} HTTP/1.1\r\nHost: backcare.example.org\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n".encode()
        )
        return b"".join(iter(lambda: asked.recv(65536), b""))


@pytest.mark.parametrize("name", ["compose.yaml", "compose.growth.yaml"])
def test_the_compositions_run_what_there_is(name):
    """Each service of ours is built from the Dockerfile and may write nothing but its volume; what is mounted exists.

    Only the proxy is reached from outside, and the site listens where the proxy can reach it, whatever BIND the settings have.
    """
    made = yaml.safe_load((ROOT / "deploy" / name).read_text())
    ours = {name: each for name, each in made["services"].items() if "build" in each}
    assert ours
    for each in ours.values():
        assert (ROOT / "deploy" / each["build"]["context"] / each["build"]["dockerfile"]).resolve() == DOCKERFILE
        assert each["read_only"] and each["cap_drop"] == ["ALL"] and each["volumes"] == ["data:/var/lib/backcare"]
        assert each["environment"]["BIND"] == "0.0.0.0:8000"
        if "manage.py" in each.get("command", []):
            assert each["command"][2] in {"prepare", "deliver_mail"}
    [proxy] = [name for name, each in made["services"].items() if "ports" in each]
    assert proxy not in ours and not [each for each in made["services"].values() if "network_mode" in each]
    [web] = [name for name in made["services"][proxy]["depends_on"] if name in ours]
    assert f"`{web}:8000` for 127.0.0.1:8000" in (ROOT / "deploy" / name).read_text().replace("\n# ", " ")
    mounts = [mount for each in made["services"].values() for mount in each.get("volumes", [])]
    for mount in mounts:
        source = mount.split(":")[0]
        assert source in made["volumes"] or (ROOT / "deploy" / source).exists() or source == "/etc/letsencrypt", source
