"""The appointments for calendar programs of staff, which cannot sign in: behind an address that nobody can guess.

It says references and times, so that an address that gets about says when the clinic is busy, and nothing about anybody. The
address is signed as well: a copy of the database alone opens none.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backcare.core.private_pages import personal
from enquiries.inbox import people
from enquiries.mail import calendar
from enquiries.models import Appointment, AppointmentState, CalendarFeed

SIGNER = signing.Signer(salt="enquiries.calendar_feed", sep=".")
BACK = timedelta(days=31)  # how long an appointment stays in the feed after its time
SHOWN = [AppointmentState.BOOKED, AppointmentState.CAME, AppointmentState.MISSED]


def address(feed: CalendarFeed) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:calendar_feed', args=[SIGNER.sign(feed.secret)])}"


@personal
@require_safe
def calendar_feed(request, token: str):
    try:
        feed = CalendarFeed.objects.select_related("staff").filter(secret=SIGNER.unsign(token)).first()
    except signing.BadSignature:
        feed = None
    if feed is None or not people.may_open(feed.staff):
        raise Http404("No calendar of ours")
    now = timezone.now()
    shown = Appointment.objects.filter(state__in=SHOWN, starts_at__gt=now - BACK)
    if feed.only_mine:
        shown = shown.filter(with_whom=feed.staff)
    shown = shown.select_related("enquiry").only("starts_at", "minutes", "uid", "sequence", "enquiry__reference")
    file = calendar.feed(shown.order_by("starts_at", "pk"), stamp=now)
    return HttpResponse(file, content_type="text/calendar; charset=utf-8")
