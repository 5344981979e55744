"""Reads settings from the environment strictly: an invalid value prevents the start and says why."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

# The names of version 0.1, which are read until 0.3. A system check asks for the new ones (backcare.W007).
FORMER_NAMES = {
    "MAX_MAILS_PER_ADDRESS_PER_DAY": "MOST_MAILS_TO_ONE_ADDRESS_A_DAY",
    "MAX_FORMS_PER_SENDER_PER_HOUR": "MOST_FORMS_OF_ONE_SENDER_AN_HOUR",
    "MAX_FORMS_PER_HOUR": "MOST_FORMS_AN_HOUR",
    "MAX_FORMS_PER_SENDER_BEFORE_REFUSAL": "MOST_FORMS_OF_ONE_SENDER_BEFORE_REFUSAL",
    "MAX_FLAGGED_ALIKE_PER_HOUR": "MOST_FLAGGED_ALIKE_AN_HOUR",
    "MAX_SET_ASIDE": "MOST_SET_ASIDE",
    "MIN_DISK_MB": "DISK_LEAST_MB",
    "MIN_DISK_PERCENT": "DISK_LEAST_PERCENT",
}


def as_set(name: str) -> str:
    """The name of a setting in the environment. If both are set, the new one counts."""
    former = FORMER_NAMES.get(name, name)
    return former if former in env.ENVIRON and name not in env.ENVIRON else name


def text(name: str, default: str = "") -> str:
    return str(env.str(as_set(name), default=default)).strip()


def former_names_in_use() -> dict[str, str]:
    """The new name of each former one that is set."""
    return {former: name for name, former in FORMER_NAMES.items() if former in env.ENVIRON}


def flag(name: str, *, default: bool = False) -> bool:
    """A yes/no setting: only 1, 0, true or false, because a typing mistake must not silently mean "no"."""
    value = text(name).lower()
    if value in {"1", "true"}:
        return True
    if value in {"0", "false"}:
        return False
    if value == "":
        return default
    raise ImproperlyConfigured(f"{name} is “{value}”. Set it to 1 or 0.")


def number(name: str, *, default: int, least: int = 0, most: int = 1_000_000) -> int:
    value = text(name) or str(default)
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{as_set(name)} is “{value}”. Set it to a whole number from {least} to {most}.")
    return int(value)


def words(name: str, default: list[str] | None = None, between: str = ",") -> list[str]:
    """A list separated by commas, or by another character if its parts contain commas."""
    listed = [part.strip() for part in text(name).split(between) if part.strip()]
    return listed or list(default or [])


def secret(name: str) -> str:
    """A secret from NAME, or from the file that NAME_FILE points to (as container platforms hand them over)."""
    file_name = text(f"{name}_FILE")
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE points to {file_name}, which cannot be read.") from error
    return text(name)


def database(name: str, default: str) -> dict[str, Any]:
    address = secret(name) or default
    scheme = address.partition("://")[0]
    if scheme not in {"sqlite", "postgres", "postgresql", "psql"}:
        # The address may contain a password, so only its start is repeated.
        raise ImproperlyConfigured(f"{name} starts with “{scheme[:20]}”. Start it with sqlite:/// or postgres://")
    return dict(env.db_url_config(address))


def mail_server(address: str) -> dict[str, Any]:
    try:
        return dict(env.email_url_config(address))
    except (ImproperlyConfigured, KeyError, ValueError):
        raise ImproperlyConfigured(
            "EMAIL_URL cannot be read. Write it like smtp+tls://user:password@smtp.example.com:587"
        ) from None


def kept_secret(path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """A secret for a local run, made once and kept in DATA_DIR, where only its owner can read it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Written to another file and linked into place, so that two processes that start together agree on one value.
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(make(), encoding="utf-8")
            try:
                path.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"the folder {path.parent} cannot be written. Set DATA_DIR to a folder that can."
        ) from error
