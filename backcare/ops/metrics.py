"""/metrics: what the site does, in numbers, for a monitor that asks again and again (Prometheus, or what reads its text).

Everything is counted in the database when it is asked for, so all web processes say the same and a restart changes nothing. Nothing
in it is personal: no name, no address, no word. Without METRICS_TOKEN there is no such page.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from backcare.core import disk_space
from backcare.ops import health
from backcare.ops.backups import making, offsite
from enquiries import abuse, clock
from enquiries.inbox import queues
from enquiries.models import Enquiry, EnquiryKind, MessageState, OutgoingMessage, WorkerHeartbeat
from factsheets.models import SheetReads

LEVELS = {health.OK: 0, health.ATTENTION: 1, health.TROUBLE: 2}


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For requests with `Authorization: Bearer` and the token. For others, the page does not exist."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, settings.METRICS_TOKEN):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Figures(Collector):
    def describe(self) -> list:
        return []  # or their names would be counted again

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        parts = health.look(now)
        yield _labelled(
            "backcare_health",
            "0 works, 1 can wait until somebody has time, 2 keeps patients or staff from being served.",
            "part",
            {part.name: LEVELS[part.level] for part in parts},
        )
        free, _ = disk_space.left()
        yield GaugeMetricFamily("backcare_disk_free_bytes", "Where the data is.", value=free)
        if backup := making.last():
            yield _age("backcare_backup_age_seconds", "Since the last backup that this machine made.", now - backup)
        if away := offsite.last().at:
            yield _age("backcare_offsite_age_seconds", "Since a backup last left this machine.", now - away)
        if parts[0].level == health.OK:  # the database
            yield from self.mail(now)
            yield from self.enquiries(now)
            yield from self.reading()

    def mail(self, now) -> Iterator[GaugeMetricFamily]:
        states = OutgoingMessage.objects.order_by().values_list("state").annotate(Count("pk"))
        yield _labelled(
            "backcare_mails",
            "Mails in the outbox by state.",
            "state",
            {**dict.fromkeys(MessageState.values, 0), **dict(states)},
        )
        oldest = OutgoingMessage.objects.unsent().filter(next_attempt_at__lte=now).aggregate(at=Min("created_at"))["at"]
        waited = now - oldest if oldest else timedelta(0)
        yield _age("backcare_mail_queue_age_seconds", "How long the oldest due mail has been waiting.", waited)
        if seen := WorkerHeartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True).first():
            yield _age("backcare_mail_worker_silent_seconds", "Since a mail worker's last sign of life.", now - seen)

    def enquiries(self, now) -> Iterator[GaugeMetricFamily]:
        counted = queues.counts(now=now, user=None, hours=clock.load().hours)
        yield _labelled(
            "backcare_enquiries", "What the inbox's queues hold: safety, overdue and others.", "queue", counted
        )
        for name, within in {"hour": timedelta(hours=1), "day": timedelta(days=1)}.items():
            came = Enquiry.objects.filter(created_at__gte=now - within).aggregate(
                **{kind: Count("pk", filter=Q(kind=kind)) for kind in EnquiryKind.values}
            )
            yield _labelled(f"backcare_enquiries_last_{name}", f"Forms received in the last {name}.", "kind", came)
        yield GaugeMetricFamily(
            "backcare_forms_over_the_limit_last_day",
            "Forms received after the total was reached.",
            value=abuse.beyond_total(),
        )

    def reading(self) -> Iterator[GaugeMetricFamily]:
        reads = (
            SheetReads.objects.filter(day=timezone.localdate())
            .order_by()
            .values_list("sheet__slug")
            .annotate(Sum("count"))
        )
        yield _labelled("backcare_sheet_reads_today", "How often each sheet was opened today.", "sheet", dict(reads))


def _labelled(name: str, help_text: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _age(name: str, help_text: str, age: timedelta) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=max(0.0, age.total_seconds()))
