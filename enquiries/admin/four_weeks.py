"""The last four weeks of the inbox, as charts with their tables."""

from datetime import timedelta

from django.urls import reverse

from enquiries.desk import charts, dashboard
from enquiries.models import Kind

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
    kinds = [Kind.CONSULTATION, Kind.QUESTION, Kind.REPORT]
    last, before = weeks[-1]["all"], round(sum(week["all"] for week in weeks[:-1]) / (len(weeks) - 1))
    change = "as many as" if last == before else f"{abs(last - before)} {'more' if last > before else 'fewer'} than"
    values = [[week[kind] for kind in kinds] for week in weeks]
    return {
        "id": "volume",
        "title": "What came in",
        "figure": total["all"],
        "url": _list("all"),
        "unit": "in four weeks",
        "words": f"{last} in the last seven days, {change} in a week before ({before}).",
        "tone": "plain",
        "drawing": charts.columns([label for _, label in span], values, values),
        "key": ["Consultations", "Questions", "Reports"],
        "head": ["Week from", "Consultations", "Questions", "Reports", "All"],
        "rows": [
            [_plain(label), *(_linked(week[name], name, start) for name in [*kinds, "all"])]
            for (start, label), week in zip(span, weeks, strict=True)
        ],
    }


def _first_contact(span, minutes, promised) -> dict:
    middles = [dashboard.middle(week) for week in minutes]
    middle = dashboard.middle(each for week in minutes for each in week)
    if middle is None:
        verdict, tone = "Nobody has been answered in these weeks.", "plain"
    elif middle <= promised:
        verdict, tone = f"Good. Half of them heard from us sooner than that; we promise {_hours(promised)}.", "good"
    else:
        verdict, tone = f"Too slow. Half of them waited longer than that; we promise {_hours(promised)}.", "bad"
    return {
        "id": "first-contact",
        "title": "How long people wait for us",
        "figure": _hours(middle),
        "url": _list("answered"),
        "unit": "of working time until the first contact (median)",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in span], middles, map(_hours, middles), line=promised),
        "line": f"Dashed: what we promise, {_hours(promised)}",
        "head": ["Week from", "Answered", "Median"],
        "rows": [
            [_plain(label), _linked(len(week), "answered", start), _plain(_hours(each))]
            for (start, label), week, each in zip(span, minutes, middles, strict=True)
        ],
    }


def _on_time(span, weeks, total) -> dict:
    share, shares = _share(total), [_share(week) for week in weeks]
    late = total["late"]
    people = "One person" if late == 1 else f"{late} people"
    if share is None:
        verdict, tone = "No promised time has come yet.", "plain"
    elif share >= AIM:
        verdict, tone = f"Good: our aim is {AIM}%.", "good"
    else:
        verdict, tone = f"Too few: our aim is {AIM}%. {people} heard from us too late, or not yet.", "bad"
    return {
        "id": "on-time",
        "title": "Answered by the time we promised",
        "figure": _percent(share),
        "url": _list("on_time"),
        "unit": "on time",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in span], shares, map(_percent, shares), line=AIM, highest=100),
        "line": f"Dashed: our aim, {AIM}%",
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
        verdict, tone = "Nobody has been phoned in these weeks.", "plain"
    elif vain:
        who = "One person was" if vain == 1 else f"{vain} people were"
        verdict, tone = f"{who} phoned three times or more and not reached. Write to them instead.", "bad"
    else:
        verdict, tone = "Good. Nobody was phoned three times in vain.", "good"
    return {
        "id": "calls",
        "title": "Attempts to reach people by phone",
        "figure": called,
        "url": _list("in_vain") if vain else "",
        "unit": "people phoned",
        "words": verdict,
        "tone": tone,
        "drawing": _one_each([label for _, label in names], people, people),
        "head": ["Attempts", "People"],
        "rows": [
            *([_plain(label), _linked(total[name], name)] for name, label in names),
            [_plain("Three or more, not reached"), _linked(vain, "in_vain")],
        ],
    }


def _one_each(labels, values, texts, **scale) -> dict:
    """One column for each label, with its text above it."""
    return charts.columns(labels, [[value] for value in values], [[text] for text in texts], **scale)


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
