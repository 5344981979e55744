"""Part of `make lint`: no locked dependency has a known vulnerability.

Asks the OSV service through pip-audit. If the network does not allow that, it uses the stored data instead and says how old it is:
`docs/advisories.json` holds, for the packages we lock, the identifiers and the affected versions of the Python Packaging Advisory
Database (PyPA, CC-BY 4.0). An advisory that does not touch us is listed with its reason in IGNORED.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-test.txt"  # holds all that requirements.txt has
STORED = ROOT / "docs" / "advisories.json"
IGNORED: dict[str, str] = {}  # identifier: why it does not concern us
PATIENCE = 180  # seconds


def locked() -> dict[str, str]:
    """Package and version of every line of the lock."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^\s;\\]+)", LOCK.read_text(), re.MULTILINE))


def asked() -> list[str] | None:
    """The advisories that the service has for us, or None if it cannot be reached."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    options = ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        ended = subprocess.run([*command, *options], capture_output=True, timeout=PATIENCE, check=False)
        found = json.loads(ended.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return [f"{each['name']}: {hole['id']}" for each in found for hole in each.get("vulns", [])]


def stored(versions: dict[str, str], known: dict) -> list[str]:
    """The advisories in the stored data for these versions."""
    return [
        f"{package}: {identifier}"
        for package, version in versions.items()
        for identifier, ranges in known["packages"].get(package, {}).items()
        if any(
            Version(since or "0") <= Version(version) and (until is None or Version(version) < Version(until))
            for since, until in ranges
        )
    ]


def main() -> None:
    found, how = asked(), "asked of OSV now"
    if found is None:
        known = json.loads(STORED.read_text())
        found = stored(locked(), known)
        how = f"OSV was not reached; against the stored data of {known['as_of']}"
    found = [each for each in found if each.split(": ")[1] not in IGNORED]
    print(f"{len(locked())} locked packages, {how}: {', '.join(found) or 'no known hole'}.")  # noqa: T201
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
