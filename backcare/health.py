"""/healthz: one word for a monitor, and the reasons beside it. Nothing in it is personal."""

from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from enquiries.models import OutgoingMessage, WorkerHeartbeat

WORKER_SILENT_AFTER = timedelta(minutes=15)
MAIL_LATE_AFTER = timedelta(minutes=15)


@never_cache
def healthz(request):
    """200 when everything is well, 503 otherwise."""
    try:
        parts = {
            "database": "ok",
            "migrations": _migrations(),
            "mail_worker": _worker(),
            "mail_queue": _queue(),
        }
    except DatabaseError:
        parts = {"database": "not reachable"}
    well = all(value == "ok" for value in parts.values())
    return JsonResponse({"status": "ok" if well else "trouble", **parts}, status=200 if well else 503)


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _worker() -> str:
    newest = WorkerHeartbeat.objects.order_by("-seen_at").first()
    if newest is None:
        return "never seen"
    return "ok" if timezone.now() - newest.seen_at < WORKER_SILENT_AFTER else "silent"


def _queue() -> str:
    oldest = OutgoingMessage.objects.unsent().order_by("created_at").first()
    if oldest and timezone.now() - oldest.created_at > MAIL_LATE_AFTER:
        return "late"
    return "ok"
