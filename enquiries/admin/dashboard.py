"""What the first page of the desk says about enquiries and content, in words, to those who may see it."""

from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from backcare.core.models import SetUpStep
from enquiries import clock
from enquiries.clock import day_words
from enquiries.inbox import dashboard, diary, queues
from enquiries.mail import kept_claims
from enquiries.mail.kept_claims import NOTICE, TEMPLATE, WORDING
from enquiries.models import Enquiry, EnquiryKind
from factsheets import second_reading
from factsheets.models import FactSheet, GuardOverride, KeptClaim, SearchMiss

INBOX = "admin:enquiries_enquiry_changelist"
MAY_OPEN = {
    NOTICE: "factsheets.view_sitenotice",
    WORDING: "enquiries.change_wordingedition",
    TEMPLATE: "enquiries.view_replytemplate",
}
AIM = 90  # per cent answered on time
# Email is sent within seconds. After this long, something is wrong with the mail server or the worker.
MAIL_IS_STUCK = timedelta(minutes=15)
REVIEWS_SOON = timedelta(days=60)
ASKED_FOR = timedelta(days=60)  # how long a sentence waits for a clinician
LISTED = 5


def blocks(user, now: datetime) -> dict:
    """Today and four weeks for people who see enquiries, content for those who see fact sheets, nothing for others."""
    found: dict = {}
    if user.has_perm("enquiries.view_enquiry"):
        if Enquiry.objects.exists():
            reply_clock = clock.load()
            found |= {"today": _today(user, now, reply_clock), "charts": four_weeks(now, reply_clock)}
            found["may_see_statistics"] = user.is_superuser
        else:
            found |= {"new": True, "may_set_hours": user.has_perm("enquiries.change_clinichours")}
            found["hours_are_set"] = SetUpStep.objects.filter(name=SetUpStep.HOURS).exists()
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
    content["kept"] = _kept_wording(user)
    content["stand"] = sum(each["many"] for each in content["overrides"]) + len(content["kept"])
    content["overrides"] = content["overrides"][:LISTED]
    if user.has_perm("factsheets.view_searchmiss"):
        missed = SearchMiss.objects.exclude(text="")
        content |= {"misses": list(missed[:LISTED]), "missed": missed.count()}
        content["misses_url"] = reverse("admin:factsheets_searchmiss_changelist")
    return content


def _kept_wording(user) -> list[dict]:
    """Each sentence outside the sheets that stays although the guard stops it, and those that await a clinician's agreement.

    Its address is empty for anyone who may not open that page.
    """
    used = kept_claims.in_use()
    keys = {each.key for each in used}
    is_clinician = second_reading.is_clinician(user)
    waiting = KeptClaim.objects.filter(agreed_at=None, alone=False, at__gt=timezone.now() - ASKED_FOR).exclude(
        key__in=keys
    )
    found = [
        {
            "title": each.title,
            "url": reverse(each.page, args=[each.pk]) if user.has_perm(MAY_OPEN[each.page]) else "",
            "by": each.by,
            "reason": each.reason,
            "sentence": each.finding.sentence,
            "agreed": each.second.agreed_actor if each.second and each.is_agreed else "",
            "agree": each.key if is_clinician and not each.is_agreed and each.asked_by_id != user.pk else "",
        }
        for each in used
    ]
    return found + [
        {
            "title": "Waiting for a clinician, not in use",
            "by": row,
            "reason": row.reason,
            "sentence": row.sentence,
            "waits": True,
            "agree": row.key if is_clinician and row.by_id != user.pk else "",
        }
        for row in waiting
    ]


# --- the last four weeks, as charts with their tables ---


def four_weeks(now, reply_clock) -> list[dict]:
    weeks = dashboard.counted(now=now)
    total = {name: sum(week[name] for week in weeks) for name in dashboard.PARTS}
    if not total["all"]:
        return []
    starts = dashboard.week_starts(now)
    span = [(start, f"{start:%-d %b}") for start in starts]
    minutes = dashboard.first_contacts(reply_clock.hours, now=now)
    promised = reply_clock.within // timedelta(minutes=1)
    return [
        _volume(span, weeks, total),
        _first_contact(span, minutes, promised),
        _on_time(span, weeks, total),
        _calls(total),
    ]


def _volume(span, weeks, total) -> dict:
    kinds = [EnquiryKind.CONSULTATION, EnquiryKind.QUESTION, EnquiryKind.REPORT]
    last, before = weeks[-1]["all"], round(sum(week["all"] for week in weeks[:-1]) / (len(weeks) - 1))
    change = "as many as" if last == before else f"{abs(last - before)} {'more' if last > before else 'fewer'} than"
    values = [[week[kind] for kind in kinds] for week in weeks]
    return {
        "id": "volume",
        "title": "Enquiries received",
        "figure": total["all"],
        "url": _list("all"),
        "unit": "in the last four weeks",
        "words": f"{last} in the last seven days, {change} the weekly average before that ({before}).",
        "tone": "plain",
        "drawing": dashboard.columns([label for _, label in span], values, values),
        "key": ["Consultations", "Questions", "Fact sheets"],
        "head": ["Week from", "Consultations", "Questions", "Fact sheets", "All"],
        "rows": [
            [_plain(label), *(_linked(week[name], name, start) for name in [*kinds, "all"])]
            for (start, label), week in zip(span, weeks, strict=True)
        ],
    }


def _first_contact(span, minutes, promised) -> dict:
    middles = [dashboard.middle(week) for week in minutes]
    middle = dashboard.middle(each for week in minutes for each in week)
    if middle is None:
        verdict, tone = "No enquiries were answered in these weeks.", "plain"
    elif middle <= promised:
        verdict, tone = f"Good: we promise {_hours(promised)}.", "good"
    else:
        verdict, tone = f"Too slow: we promise {_hours(promised)}.", "bad"
    return {
        "id": "first-contact",
        "title": "Time to first contact",
        "figure": _hours(middle),
        "url": _list("answered"),
        "unit": "in working time: half of patients heard from us sooner (median)",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in span], middles, map(_hours, middles), line=promised),
        "line": f"Dashed line: our promise, {_hours(promised)}",
        "head": ["Week from", "Answered", "Median"],
        "rows": [
            [_plain(label), _linked(len(week), "answered", start), _plain(_hours(each))]
            for (start, label), week, each in zip(span, minutes, middles, strict=True)
        ],
    }


def _on_time(span, weeks, total) -> dict:
    share, shares = _share(total), [_share(week) for week in weeks]
    late = total["late"]
    people = "1 person" if late == 1 else f"{late} people"
    if share is None:
        verdict, tone = "No replies have fallen due yet.", "plain"
    elif share >= AIM:
        verdict, tone = f"Good: our target is {AIM}%.", "good"
    else:
        verdict, tone = f"Too low: our target is {AIM}%. {people} heard from us late or are still waiting.", "bad"
    return {
        "id": "on-time",
        "title": "Answered on time",
        "figure": _percent(share),
        "url": _list("on_time"),
        "unit": "answered by the time we promised",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in span], shares, map(_percent, shares), line=AIM, highest=100),
        "line": f"Dashed line: our target, {AIM}%",
        "head": ["Week from", "On time", "Late", "Share"],
        "rows": [
            [_plain(label), *(_linked(week[name], name, start) for name in ("on_time", "late")), _plain(_percent(each))]
            for (start, label), week, each in zip(span, weeks, shares, strict=True)
        ],
    }


def _calls(total) -> dict:
    names = [("calls_1", "One call"), ("calls_2", "Two"), ("calls_3", "Three or more")]
    people = [total[name] for name, _ in names]
    called, vain = sum(people), total["in_vain"]
    if not called:
        verdict, tone = "No calls were made in these weeks.", "plain"
    elif vain:
        who = "1 person" if vain == 1 else f"{vain} people"
        verdict, tone = f"{who} could not be reached in three or more calls. Email them instead.", "bad"
    else:
        verdict, tone = "Good: nobody has been called three times without an answer.", "good"
    return {
        "id": "calls",
        "title": "Phone calls",
        "figure": called,
        "url": _list("in_vain") if vain else "",
        "unit": f"{'person' if called == 1 else 'people'} phoned",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in names], people, people),
        "head": ["Calls", "People"],
        "rows": [
            *([_plain(label), _linked(total[name], name)] for name, label in names),
            [_plain("Three or more, not reached"), _linked(vain, "in_vain")],
        ],
    }


def _one_each(labels, values, texts, **scale) -> dict:
    """One column for each label, with its text above it."""
    return dashboard.columns(labels, [[value] for value in values], [[text] for text in texts], **scale)


def _list(part: str, week=None) -> str:
    return f"{reverse(INBOX)}?part={part}{f'.{week.isoformat()}' if week else ''}"


def _linked(number: int, part: str, week=None) -> dict:
    return {"text": number, "url": _list(part, week) if number else ""}


def _plain(words) -> dict:
    return {"text": words, "url": ""}


def _share(week) -> int | None:
    """Per cent on time, rounded down: 99.6 is not all of them."""
    all_of_them = week["on_time"] + week["late"]
    return week["on_time"] * 100 // all_of_them if all_of_them else None


def _percent(share) -> str:
    return "–" if share is None else f"{share}%"


def _hours(minutes: int | None) -> str:
    if minutes is None:
        return "–"
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.1f}".removesuffix(".0") + " h"
