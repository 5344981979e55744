"""Where the web server listens. Anyone who bypassed the proxy could forge X-Forwarded-For."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

from gunicorn.util import parse_address

PORT = 8000
# Left by Docker and Podman in every container of theirs.
MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
VARIABLES = ("container", "KUBERNETES_SERVICE_HOST")


def in_container(environment: Mapping[str, str] = os.environ, marks: tuple[Path, ...] = MARKS) -> bool:
    return any(environment.get(name) for name in VARIABLES) or any(mark.exists() for mark in marks)


def address(environment: Mapping[str, str] = os.environ) -> str:
    """In a container, nobody could reach loopback, and the container's own network keeps strangers out."""
    if environment.get("BACKCARE_LOCAL"):
        return f"127.0.0.1:{environment.get('PORT') or PORT}"
    everywhere = f"0.0.0.0:{PORT}"
    return environment.get("BIND", "").strip() or (everywhere if in_container(environment) else f"127.0.0.1:{PORT}")


def is_public(bind: str) -> bool:
    """Whether anyone beyond this machine and its private network can reach any of the addresses (gunicorn takes several)."""
    return any(_is_public(each.strip()) for each in bind.split(",") if each.strip())


def _is_public(bind: str) -> bool:
    try:
        parsed = parse_address(bind, default_port=str(PORT))
    except RuntimeError:
        return True  # gunicorn will report what is wrong with it
    if not isinstance(parsed, tuple):
        return False  # a socket file, or one that systemd handed over
    host = parsed[0]
    if host == "localhost":
        return False
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return True  # a name may point anywhere
    return found.is_unspecified or not found.is_private
