"""What the first page of the desk says about enquiries and content, in words, to whoever may see it."""

from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from enquiries import clock
from enquiries.admin.charts import INBOX, four_weeks
from enquiries.clock.formatting import day_words
from enquiries.inbox import dashboard, diary, queues
from enquiries.models import Enquiry
from factsheets.models import FactSheet, GuardOverride, SearchMiss

# A mail goes out within seconds. After this long something is wrong with the mail server or the worker.
MAIL_IS_STUCK = timedelta(minutes=15)
REVIEWS_SOON = timedelta(days=60)
LISTED = 5


def blocks(user, now: datetime) -> dict:
    """Today and four weeks for who sees enquiries, content for who sees fact sheets, nothing for others."""
    found: dict = {}
    if user.has_perm("enquiries.view_enquiry"):
        if Enquiry.objects.exists():
            reply_clock = clock.load()
            found |= {"today": _today(user, now, reply_clock), "charts": four_weeks(now, reply_clock)}
            found["may_report"] = user.is_superuser
        else:
            found |= {"new": True, "may_set_hours": user.has_perm("enquiries.change_clinichours")}
    if user.has_perm("factsheets.view_factsheet"):
        found["content"] = _content(user, timezone.localdate(now))
    return found


# --- today ---


def _today(user, now, reply_clock) -> list[dict]:
    counts = queues.counts(now=now, user=user, hours=reply_clock.hours)
    cards = [
        _queue(counts, "safety", "Warning signs", "Do {these} first: someone may need help now."),
        _queue(
            counts, "overdue", "Overdue", "{They} did not hear from us by the time we promised. Answer {these} next."
        ),
        _queue(counts, "today", "Due today", "Answer {these} before the end of today.", alarm=False),
        _queue(counts, "mail", "Failed emails", "{They} did not get our email. Check the address or phone them."),
        _longest_wait(now, reply_clock),
        _appointments(counts),
    ]
    if user.has_perm("enquiries.view_outgoingmessage"):
        cards.append(_mail(now))
    return cards


def _queue(counts, name: str, label: str, words: str, *, alarm: bool = True) -> dict:
    number = counts[name]
    said = {
        "these": "this one" if number == 1 else "these",
        "They": "1 person" if number == 1 else f"{number} people",
    }
    return {
        "label": label,
        "number": number,
        "url": f"{reverse(INBOX)}?queue={name}",
        "words": words.format(**said) if number else queues.BY_NAME[name].empty,
        "tone": ("alarm" if alarm else "work") if number else "calm",
    }


def _appointments(counts) -> dict:
    today = timezone.localdate()
    number, over = diary.of_days(today, today).count(), counts["outcome"]
    diary_of_today = reverse("admin:enquiries_enquiry_appointments")
    words = "See who comes when." if number else "No appointments today."
    card = {"label": "Appointments today", "number": number, "url": diary_of_today, "words": words}
    if over:
        said = f"{over} need{'s' if over == 1 else ''} an outcome"
        card["also"] = {"url": f"{diary_of_today}?show=outcome", "words": said}
    return card | {"tone": "work" if number or over else "calm"}


def _longest_wait(now, reply_clock) -> dict:
    card = {"label": "Longest wait"}
    waiting = dashboard.longest_wait()
    if waiting is None:
        words = "Everyone has heard from us."
        return card | {"number": "None", "url": f"{reverse(INBOX)}?queue=open", "words": words, "tone": "calm"}
    late = waiting.reply_by is not None and waiting.reply_by < now
    due = clock.due_in_words(waiting.reply_by, now, reply_clock.hours)
    words = due[:1].upper() + due[1:] if late else f"Due {due}." if due else "No reply time was promised."
    return card | {
        "number": _age(waiting.created_at, now),
        "url": waiting.get_admin_url(),
        "words": f"{words.rstrip('.')}. {waiting.reference}",
        "tone": "alarm" if late else "work",
    }


def _mail(now) -> dict:
    on_its_way = dashboard.mail_on_its_way(now=now)
    log, since = reverse("admin:enquiries_outgoingmessage_changelist"), on_its_way["waiting_since"]
    card = {
        "label": "Oldest email waiting to send",
        "number": "None",
        "url": log,
        "words": "All emails have been sent.",
        "tone": "calm",
    }
    if since:
        stuck = now - since > MAIL_IS_STUCK
        words = (
            "Emails are not being sent. Tell the person who looks after the site."
            if stuck
            else "It should go in a moment."
        )
        card |= {"number": _age(since, now), "url": f"{log}?state__exact=waiting", "words": words}
        card["tone"] = "alarm" if stuck else "calm"
    if on_its_way["failed"]:
        card["also"] = {
            "words": f"{on_its_way['failed']} to staff failed",
            "url": f"{log}?state__exact=failed",
        }
    return card


def _age(since, now) -> str:
    age = timesince(since, now, depth=1)
    return "Just now" if age.startswith("0") else age


# --- content ---


def _content(user, today) -> dict:
    soon = today + REVIEWS_SOON
    reviews = (
        FactSheet.objects.review_due_by(soon)
        .order_by()
        .aggregate(due=Count("pk"), overdue=Count("pk", filter=Q(review_due_on__lt=today)))
    )
    overridden = (
        GuardOverride.objects.order_by("sheet__title").values("sheet", "sheet__title").annotate(many=Count("pk"))
    )
    sheets = f"{reverse('admin:factsheets_factsheet_changelist')}?state__exact=published&review_due_on__lte={soon}"
    overdue = reviews["overdue"]
    content = {
        "reviews": {
            "number": reviews["due"],
            "url": sheets,
            "tone": "alarm" if overdue else "work" if reviews["due"] else "calm",
            "words": f"{overdue} overdue: a clinician needs to review {'it' if overdue == 1 else 'them'}."
            if overdue
            else f"Due by {day_words(soon, today)}. Ask a clinician in good time."
            if reviews["due"]
            else "No reviews due in the next 60 days.",
        },
        "overrides": [
            {
                "url": f"{reverse('admin:factsheets_factsheet_desk', args=[each['sheet']])}#guard",
                "title": each["sheet__title"],
                "many": each["many"],
            }
            for each in overridden
        ],
    }
    content["stand"] = sum(each["many"] for each in content["overrides"])
    content["overrides"] = content["overrides"][:LISTED]
    if user.has_perm("factsheets.view_searchmiss"):
        missed = SearchMiss.objects.exclude(text="")
        content |= {"misses": list(missed[:LISTED]), "missed": missed.count()}
        content["misses_url"] = reverse("admin:factsheets_searchmiss_changelist")
    return content
