"""The last four weeks of the inbox, as charts with their tables."""

from datetime import timedelta

from django.urls import reverse

from enquiries.inbox import dashboard
from enquiries.models import EnquiryKind

INBOX = "admin:enquiries_enquiry_changelist"
AIM = 90  # per cent answered on time


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
