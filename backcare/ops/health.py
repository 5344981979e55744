"""Whether everything works: /healthz for a monitor, and a page in plain words for staff. Nothing in either is personal.

"trouble" is what keeps patients or staff from being served, and makes /healthz answer 503. "attention" can wait until somebody has
time: it leaves the answer at 200, so that no supervisor restarts a site because its backup is late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backcare.core import disk_space, encryption
from backcare.ops import schema, soundness
from backcare.ops.backups import making, offsite
from enquiries.models import Enquiry, LastPurge, OutgoingMessage, WorkerHeartbeat

WORKER_SILENT_AFTER = timedelta(minutes=15)
MAIL_LATE_AFTER = timedelta(minutes=15)
REFUSED_IS_OVER = timedelta(minutes=15)
PURGE_LATE_AFTER = timedelta(hours=25)  # the mail worker purges every hour

OK, ATTENTION, TROUBLE = "ok", "attention", "trouble"


@dataclass(frozen=True)
class Part:
    """One part of the site: `word` for the monitor, and what the staff page says about it."""

    name: str
    word: str
    level: str = OK
    since: datetime | None = None  # when it last worked, or since when it has not
    number: int | None = None  # emails, or megabytes


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 if the site works, 503 if it does not. `status` is "ok" only if there is nothing at all to do."""
    parts = look(timezone.now())
    status = worst(parts)
    words = {part.name: part.word for part in parts}
    return JsonResponse({"status": status, **words}, status=503 if status == TROUBLE else 200)


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The same for staff, in sentences. Everyone who can sign in may see it."""
    now = timezone.now()
    parts = look(now)
    context = {
        **admin.site.each_context(request),
        "title": "Is everything working?",
        "parts": parts,
        "now": now,
        "worst": worst(parts),
        "not_set_up": _not_set_up(parts),
        "is_local": settings.LOCAL,
    }
    return TemplateResponse(request, "admin/health.html", context)


def _not_set_up(parts: list[Part]) -> set[str]:
    """The parts that work but lack something a clinic's site needs. For staff only, because it need not wake anybody."""
    lacking = {part.name for part in parts if part.word == "not set up"}
    return lacking if settings.EMAIL_URL else lacking | {"mail_queue"}


def look(now: datetime) -> list[Part]:
    """All parts. Without a database, those that need it are unknown and not checked."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [Part("database", "ok"), *(_try(name, check, now) for name, check in CHECKS.items())]
    except (DatabaseError, InterfaceError):
        return [Part("database", "not reachable", TROUBLE), _try("disk", disk, now)]


def worst(parts: list[Part]) -> str:
    levels = {part.level for part in parts}
    return next((level for level in (TROUBLE, ATTENTION) if level in levels), OK)


def _try(name: str, check: Callable[[datetime], Part], now: datetime) -> Part:
    try:
        return check(now)
    except (DatabaseError, InterfaceError, OSError):
        return Part(name, "not readable", TROUBLE)


def integrity(now: datetime) -> Part:
    last = soundness.noted()
    if last is None:
        return Part("integrity", "not yet")
    at, sound = last
    return Part("integrity", "ok" if sound else "damaged", OK if sound else TROUBLE, since=at)


def forms(now: datetime) -> Part:
    """Reads what a form reads, and notes refused forms. A form saved since then shows that the trouble is over."""
    Enquiry.objects.order_by("pk").first()
    newest = Enquiry.objects.order_by("-pk").first()
    OutgoingMessage.objects.order_by("-pk").first()
    refused = soundness.refused_at()
    if refused is None or now - refused > REFUSED_IS_OVER:
        return Part("forms", "ok")
    over = newest and newest.created_at > refused
    return Part("forms", "refused", ATTENTION if over else TROUBLE, since=refused)


def migrations(now: datetime) -> Part:
    try:
        schema.verify()
    except schema.NewerDatabase:
        return Part("migrations", "newer", TROUBLE)
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return Part("migrations", "pending", TROUBLE) if pending else Part("migrations", "ok")


def worker(now: datetime) -> Part:
    newest = WorkerHeartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if newest is None:
        return Part("mail_worker", "never seen", TROUBLE)
    # If the clock was put back, the heartbeat is in the future, which says nothing about now either.
    silent = abs(now - newest) > WORKER_SILENT_AFTER
    return Part("mail_worker", "silent" if silent else "ok", TROUBLE if silent else OK, since=newest)


def queue(now: datetime) -> Part:
    """An email meant for later, such as the digest at opening time, is not late before then."""
    long_ago = now - MAIL_LATE_AFTER
    tried = Q(attempts__gt=0, created_at__lt=long_ago)
    late = OutgoingMessage.objects.unsent().filter(tried | Q(attempts=0, next_attempt_at__lt=long_ago))
    oldest = late.order_by("created_at").values_list("created_at", flat=True).first()
    if oldest is None:
        return Part("mail_queue", "ok")
    return Part("mail_queue", "late", TROUBLE, since=oldest, number=late.count())


def fitting_keys(now: datetime) -> Part:
    try:
        encryption.verify_keys()
    except (encryption.WrongKey, ImproperlyConfigured):
        return Part("keys", "wrong", TROUBLE)
    return Part("keys", "ok")


def disk(now: datetime) -> Part:
    free, low = disk_space.left()
    return Part("disk", "low" if low else "ok", ATTENTION if low else OK, number=free // 1_000_000)


def purge(now: datetime) -> Part:
    last = LastPurge.objects.values_list("at", flat=True).first()
    if last is None:
        return Part("purge", "not yet")  # a site that has just started
    return _of_age("purge", now, last, PURGE_LATE_AFTER)


def backup(now: datetime) -> Part:
    """Reported only where backups are expected: BACKUP_DIR is set, or one was made here."""
    last = making.last()
    if last is None:
        expected = settings.BACKUPS_EXPECTED
        return Part("backup", "never made" if expected else "not set up", ATTENTION if expected else OK)
    return _of_age("backup", now, last, timedelta(hours=settings.BACKUP_LATE_AFTER))


def off_site(now: datetime) -> Part:
    """Reported only where a command takes backups off this machine."""
    last = offsite.last()
    if not settings.BACKUP_HOOK:
        return Part("offsite", "not set up")
    if last.failed:
        return Part("offsite", "failed", ATTENTION, since=last.failed)
    if last.at is None:
        return Part("offsite", "never", ATTENTION)
    return _of_age("offsite", now, last.at, timedelta(hours=settings.BACKUP_LATE_AFTER))


def _of_age(name: str, now: datetime, last: datetime, late_after: timedelta) -> Part:
    late = now - last > late_after
    return Part(name, "late" if late else "ok", ATTENTION if late else OK, since=last)


CHECKS: dict[str, Callable[[datetime], Part]] = {
    "integrity": integrity,
    "forms": forms,
    "migrations": migrations,
    "keys": fitting_keys,
    "mail_worker": worker,
    "mail_queue": queue,
    "disk": disk,
    "purge": purge,
    "backup": backup,
    "offsite": off_site,
}
# What the desk's first page warns about. The others wait until somebody checks.
LOUD = {"mail_worker": worker, "mail_queue": queue}
