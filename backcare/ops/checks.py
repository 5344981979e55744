"""System checks: each names what is missing or weak, and where to set it."""

import os
import shlex
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection

from backcare.core import addresses, encryption, environment
from backcare.core.encryption import key_ring
from backcare.core.models import ClinicSettings, SetUpStep
from backcare.ops import binding, schema
from backcare.ops.backups import Trouble, offsite
from backcare.staff.first_steps import missing_steps
from enquiries.mail import kept_claims
from factsheets import approvals
from factsheets.models import Subject

SQLITE_WITHOUT_WAL_RESET_BUG = (3, 51, 3)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# As Linux names them in /proc/self/mountinfo.
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "glusterfs", "fuse.glusterfs", "fuse.sshfs"}


@checks.register(checks.Tags.security)
def encryption_key(app_configs, **kwargs):
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return [
            checks.Error(
                str(error),
                hint="Set FIELD_ENCRYPTION_KEYS. `manage.py new_encryption_key` makes one.",
                id="backcare.E001",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def allowed_hosts(app_configs, **kwargs):
    host = urlsplit(settings.BASE_URL).hostname
    if not settings.BASE_URL:
        return [
            checks.Error(
                "BASE_URL is not set, so mail and feeds cannot link to this site.",
                hint="Set BASE_URL to the public address, such as https://back.example.com",
                id="backcare.E002",
            )
        ]
    if not settings.BASE_URL.startswith("https://"):
        return [
            checks.Error(
                f"BASE_URL is {settings.BASE_URL}, which does not start with https://.",
                hint="Patients send health details to this address: give it a certificate.",
                id="backcare.E003",
            )
        ]
    address = urlsplit(settings.BASE_URL)
    if address.path or address.query or address.fragment or "@" in address.netloc:
        return [
            checks.Error(
                "BASE_URL has more than a host in it: a path, a query or a user.",
                hint=f"Set BASE_URL to the address of the home page alone: https://{host}",
                id="backcare.E015",
            )
        ]
    if host not in settings.ALLOWED_HOSTS:
        return [
            checks.Error(
                f"The host of BASE_URL, {host}, is not in ALLOWED_HOSTS.",
                hint="Set ALLOWED_HOSTS to a comma-separated list of the site's host names.",
                id="backcare.E004",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def mail(app_configs, **kwargs):
    found = []
    if not settings.EMAIL_URL:
        found.append(
            checks.Error(
                "EMAIL_URL is not set: mail would only be written to files.",
                hint="Set EMAIL_URL, such as smtp+tls://user:password@smtp.example.com:587",
                id="backcare.E005",
            )
        )
    elif (
        settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
        and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
        and settings.EMAIL_HOST not in LOOPBACK
    ):
        found.append(
            checks.Error(
                "EMAIL_URL sends mail without encryption.",
                hint="Start it with smtp+tls:// or smtp+ssl://",
                id="backcare.E006",
            )
        )
    return found


def clinic_settings() -> ClinicSettings:
    """The row, or its first values if there is no database yet."""
    try:
        return ClinicSettings.stored()
    except Error:
        return ClinicSettings(**{name: value for name, value in settings.CLINIC_AT_FIRST.items() if value})


def is_started() -> bool:
    """Whether the database has been prepared, so that the clinic's settings are on the staff desk."""
    try:
        return ClinicSettings.objects.exists()
    except Error:
        return False


@checks.register(checks.Tags.security)
def provider(app_configs, **kwargs):
    """Sign-in with the clinic's own provider is set as a whole, and its answers come from where nobody can change them."""
    if not settings.OIDC_ISSUER:
        return []
    found = []
    if not settings.OIDC_CLIENT_ID or not settings.OIDC_CLIENT_SECRET:
        found.append(
            checks.Error(
                "OIDC_ISSUER is set without OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.",
                hint="Set all three as the provider gives them, or none to have staff sign in here only.",
                id="backcare.E025",
            )
        )
    if not settings.LOCAL and not settings.OIDC_ISSUER.startswith("https://"):
        found.append(
            checks.Error(
                f"OIDC_ISSUER is {settings.OIDC_ISSUER}, which does not start with https://.",
                hint="Whoever can change the provider’s answers can sign in as anybody.",
                id="backcare.E026",
            )
        )
    return found


@checks.register(checks.Tags.security, deploy=True)
def clinic(app_configs, **kwargs):
    row, found = clinic_settings(), []
    where = "Set it on the staff desk under “Clinic settings” (/admin/clinic/)."
    sender = str((not is_started() and settings.SENDER_AT_FIRST) or row.sender_email or row.email)
    if sender and not addresses.can_send(sender):
        found.append(
            checks.Error(
                f"No mail program can send from “{sender}”.",
                hint=where
                if is_started()
                else "Set DEFAULT_FROM_EMAIL to one address, such as clinic@example.com or Clinic <clinic@example.com>",
                id="backcare.E016",
            )
        )
    if not row.inbox_email:
        hint = where if is_started() else "Set CLINIC_INBOX_EMAIL, or set it on the staff desk after the first start."
        found.append(checks.Error("No inbox for staff alerts is set.", hint=hint, id="backcare.E007"))
    for name, called in (("phone", "phone number"), ("email", "email address")):
        if not getattr(row, name):
            hint = (
                where
                if is_started()
                else f"Set CLINIC_{name.upper()}, or set it on the staff desk after the first start."
            )
            found.append(
                checks.Error(
                    f"The clinic’s {called} is not set: patients would have no other way to reach the clinic.",
                    hint=hint,
                    id="backcare.E008",
                )
            )
    return found


@checks.register(checks.Tags.security, deploy=True)
def set_up(app_configs, **kwargs):
    """What the staff desk asks for at the first start, once there is a database."""
    try:
        missing = {step.name for step in missing_steps()}
    except Error:
        return []  # no database yet
    found = []
    if SetUpStep.HOURS in missing:
        found.append(
            checks.Error(
                "Nobody has set the opening hours: patients would be promised a reply by hours that nobody chose.",
                hint="Set them on the staff desk under “Opening hours and replies” (/admin/enquiries/clinichours/).",
                id="backcare.E019",
            )
        )
    if SetUpStep.MAIL in missing:
        found.append(
            checks.Error(
                "Nobody has tested that email arrives, with the present sender and server.",
                hint="Send a test message on the staff desk under “Test email” (/admin/clinic/email/).",
                id="backcare.E020",
            )
        )
    return found


@checks.register(checks.Tags.security, deploy=True)
def read_once(app_configs, **kwargs):
    """Variables that filled the clinic's settings once. Anyone who still changes one would think that patients see it."""
    still = [name for name in settings.CLINIC_VARIABLES if os.environ.get(name, "").strip()]
    if not still or not is_started():
        return []
    return [
        checks.Info(
            f"{', '.join(still)}: set in the environment, but not read since the first start.",
            hint="Change the clinic’s settings on the staff desk (/admin/clinic/), and remove the variables.",
            id="backcare.I001",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def opening_hours(app_configs, **kwargs):
    """A former setting. Anyone who still sets it would think that patients see it."""
    if os.environ.get("CLINIC_HOURS", "").strip():
        return [
            checks.Warning(
                "CLINIC_HOURS is set, but nothing reads it any more: patients see the opening hours of the staff desk.",
                hint="Set them on the desk under “Opening hours and replies” (/admin/enquiries/clinichours/), "
                "then remove CLINIC_HOURS.",
                id="backcare.W004",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def proxies(app_configs, **kwargs):
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        return [
            checks.Warning(
                "BEHIND_TLS_PROXY is set but TRUSTED_PROXIES is not: everybody would share the limits of one address.",
                hint="Set TRUSTED_PROXIES to the number of proxies that write X-Forwarded-For, such as 1.",
                id="backcare.W002",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def only_the_proxy_reaches_us(app_configs, **kwargs):
    bind = binding.address()
    if settings.SECURE_PROXY_SSL_HEADER and binding.is_public(bind) and not binding.in_container():
        return [
            checks.Error(
                f"BEHIND_TLS_PROXY is set and the web server listens on {bind}: strangers could bypass the proxy "
                "and forge the headers that it sets.",
                hint="Leave BIND out (127.0.0.1:8000), or set it to an address that only the proxy reaches.",
                id="backcare.E013",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def backups_elsewhere(app_configs, **kwargs):
    """Finds out now, rather than at half past two in the morning."""
    found = []
    if settings.BACKUP_RECIPIENTS:
        try:
            offsite.try_recipients(settings.BACKUP_RECIPIENTS)
        except Trouble as trouble:
            found.append(
                checks.Error(
                    f"No backup can be encrypted: {trouble}",
                    hint="Set BACKUP_RECIPIENTS to the public keys that `age-keygen` prints, with commas between them.",
                    id="backcare.E027",
                )
            )
    if settings.BACKUP_HOOK:
        try:
            program = shlex.split(settings.BACKUP_HOOK)[0]
        except ValueError:
            program = ""
        if not program or not shutil.which(program):
            found.append(
                checks.Error(
                    "BACKUP_HOOK names no program that this account can run.",
                    hint="Set it to a command that takes the path of a backup as its last argument.",
                    id="backcare.E028",
                )
            )
    return found


@checks.register(checks.Tags.security, deploy=True)
def clinical_sign_off(app_configs, **kwargs):
    """Names what no clinician has approved. The self-assessment is off until then."""
    try:
        standings = [approvals.standing(subject) for subject in Subject.values]
    except Error:
        return []  # no database yet, or one that other checks speak of
    return [
        checks.Error(
            f"“Check your symptoms” is off. {each.why_not}",
            hint="A clinician approves it on the staff desk under “Approvals”.",
            id="backcare.E018" if each.subject == Subject.RED_FLAGS else "backcare.E017",
        )
        for each in standings
        if not each.approval
    ]


@checks.register(checks.Tags.security, deploy=True)
def claims_of_one_person(app_configs, **kwargs):
    """Names sentences that the claims guard stops but patients read, and to which no second person has agreed."""
    try:
        alone = [each for each in kept_claims.in_use() if not each.is_agreed]
    except Error:
        return []  # no database yet, or one that other checks speak of
    return [
        checks.Warning(
            f"{each.title}: one person kept “{each.finding.sentence}”, which the claims guard stops.",
            hint="Change it, or have another clinician agree on the first page of the desk, under “Approved exceptions”.",
            id="backcare.W008",
        )
        for each in alone
    ]


@checks.register(checks.Tags.database)
def keys_fit(app_configs, databases=None, **kwargs):
    """A wrong key can read nothing, and no other key can read what it writes."""
    if "default" not in (databases or []):
        return []
    try:
        encryption.verify_keys_at_start()
    except (encryption.WrongKey, ImproperlyConfigured) as error:
        return [checks.Error(str(error), id="backcare.E010")]
    return []


@checks.register(checks.Tags.database)
def software_fits(app_configs, databases=None, **kwargs):
    if "default" not in (databases or []):
        return []
    try:
        schema.at_start()
    except schema.NewerDatabase as error:
        return [checks.Error(str(error), id="backcare.E014")]
    return []


@checks.register(checks.Tags.security)
def names_of_settings(app_configs, **kwargs):
    return [
        checks.Warning(
            f"{former} is now called {name}. The old name will be read until version 0.3.",
            hint=f"Rename {former} to {name} in the environment.",
            id="backcare.W007",
        )
        for former, name in environment.former_names_in_use().items()
    ]


@checks.register(checks.Tags.security, deploy=True)
def second_factor(app_configs, **kwargs):
    if not settings.STAFF_SECOND_FACTOR:
        return [
            checks.Error(
                "STAFF_SECOND_FACTOR is off: a stolen password alone would open what patients wrote.",
                hint="Leave STAFF_SECOND_FACTOR out. Only a local run may do without.",
                id="backcare.E011",
            )
        ]
    return []


@checks.register(checks.Tags.database)
def durability(app_configs, databases=None, **kwargs):
    """Refuses less durability than "nothing lost" needs: WAL and synchronous=FULL, or PostgreSQL's synchronous commit."""
    if "default" not in (databases or []):
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            found = []
            cursor.execute("PRAGMA synchronous")
            if cursor.fetchone()[0] < 2:
                found.append(
                    checks.Error(
                        "SQLite runs with less than synchronous=FULL: a power cut would lose accepted enquiries.",
                        id="backcare.E009",
                    )
                )
            cursor.execute("PRAGMA journal_mode")
            if (mode := cursor.fetchone()[0]) not in {"wal", "memory"}:  # a database in memory makes no promises
                found.append(
                    checks.Error(
                        f"SQLite runs with journal_mode={mode} and not WAL: nobody could read while somebody writes.",
                        hint="WAL needs a disk of this machine. Move DATA_DIR to one, or use PostgreSQL.",
                        id="backcare.E012",
                    )
                )
            if (kind := file_system(Path(connection.settings_dict["NAME"]))) in NETWORK_FILE_SYSTEMS:
                found.append(
                    checks.Warning(
                        f"The database is on a network file system ({kind}), whose locks SQLite cannot trust.",
                        hint="Move DATA_DIR to a disk of this machine, or use PostgreSQL.",
                        id="backcare.W003",
                    )
                )
            if not settings.LOCAL and sqlite3.sqlite_version_info < SQLITE_WITHOUT_WAL_RESET_BUG:
                found.append(
                    checks.Warning(
                        f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug, fixed in 3.51.3.",
                        hint="Use a newer Python image, or PostgreSQL. The write gate removes the known trigger.",
                        id="backcare.W001",
                    )
                )
            return found
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":
            return [
                checks.Error(
                    "PostgreSQL runs with synchronous_commit=off: a power cut would lose accepted enquiries.",
                    id="backcare.E009",
                )
            ]
    return []


def file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of file system a path is on, as Linux names it. Empty where that is unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    path, best, kind = path.resolve(), -1, ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        place = Path(fields.split(" ")[4].replace("\\040", " "))
        if path.is_relative_to(place) and len(place.parts) >= best:  # later mounts cover earlier ones
            best, kind = len(place.parts), rest.split(" ")[0]
    return kind
