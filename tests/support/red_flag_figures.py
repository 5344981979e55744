# ruff: noqa: T201
"""How well the word patterns find red flags: `python -m tests.support.red_flag_figures [FILE…]`.

Each file is a list of {text, where, want, topic}; without one, every set in tests/data/phrases. Reads the patterns from fixtures/,
so that an edit can be tried without a database. `--misses` lists what was missed, `--why TEXT` says which patterns a text meets.
"""

import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import yaml

PHRASES = Path(__file__).parents[1] / "data" / "phrases"
FIXTURES = Path(__file__).parents[2] / "fixtures"
TIERS = {"E": "emergency", "U": "urgent", "C": "crisis", "": "nothing"}


def reader():
    """The patterns in fixtures/."""
    from factsheets.search.redflags import Flag, Reader

    flags = [
        Flag(each["fields"]["code"], each["fields"]["tier"], tuple(each["fields"]["patterns"]))
        for each in _entries("safety_advice.yaml")
    ]
    lists = {each["fields"]["name"]: each["fields"]["lines"] for each in _entries("word_lists.yaml")}
    return Reader(flags, lists)


def _entries(name: str) -> list:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FIXTURES / name).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - it is safe


def is_right(want: str, reading) -> bool:
    """A graver tier than wanted is also right. If nothing is wanted, anything is wrong."""
    if want == "E":
        return bool(reading.emergency or reading.crisis)
    if want == "U":
        return bool(reading.emergency or reading.urgent)
    if want == "C":
        return reading.crisis
    return not reading


def phrases(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def figures(read, listed: list[dict]) -> tuple[dict, dict, list]:
    """How many were right and how many there are, by tier and by (tier, topic); and the wrong ones with what was read."""
    tiers, topics, wrong = (defaultdict(lambda: [0, 0]) for _ in range(2)), None, []
    tiers, topics = tiers
    for each in listed:
        reading = read(each["text"])
        right = is_right(each["want"], reading)
        for counts in (tiers[each["want"]], topics[each["want"], each.get("topic", "")]):
            counts[0] += right
            counts[1] += 1
        if not right:
            wrong.append((each, reading))
    return tiers, topics, wrong


def set_up() -> None:
    os.environ.setdefault("BACKCARE_LOCAL", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backcare.config.settings")
    import django

    django.setup()


def main(arguments: list[str]) -> None:
    set_up()
    found = reader()
    for where, why in found.faults:
        print(f"FAULT {where}: {why}")
    if "--why" in arguments:
        for text in arguments[arguments.index("--why") + 1 :]:
            print(found.read(text))
            for code, pattern in found.why(text):
                print(f"  {code}  {pattern[:160]}")
        return
    files = [Path(each) for each in arguments if not each.startswith("--")] or sorted(PHRASES.glob("*.json"))
    for path in files:
        listed = phrases(path)
        started = time.perf_counter()
        tiers, topics, wrong = figures(found.read, listed)
        spent = (time.perf_counter() - started) / max(1, len(listed))
        print(f"\n{path.name}: {len(listed)} phrasings, {spent * 1000:.1f} ms each")
        for want, (right, every) in sorted(tiers.items(), reverse=True):
            print(f"  {TIERS[want]:<10} {right:>4} of {every:<4} {right / every:.1%}")
        for (want, topic), (right, every) in sorted(topics.items(), reverse=True):
            print(f"      {TIERS[want]:<10} {topic:<14} {right:>3} of {every}")
        if "--misses" in arguments:
            for each, reading in sorted(wrong, key=lambda pair: pair[0]["want"]):
                got = " ".join([*reading.emergency, *reading.urgent, *(["crisis"] * reading.crisis)]) or "nothing"
                print(f"  want {each['want'] or '-'} {each.get('topic', '')}: {got}: {each['text']}")


if __name__ == "__main__":
    main(sys.argv[1:])
