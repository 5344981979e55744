"""The audit of our dependencies, as far as it is ours: what is read from the lock, and what the stored data is asked."""

import json

import pytest

from tests.support import audit

KNOWN = {
    "packages": {"django": {"A": [["5.0", "5.0.8"], ["4.2", "4.2.15"]], "B": [[None, "3.0"]], "C": [["5.1", None]]}}
}


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("5.0", ["A"]),
        ("5.0.7", ["A"]),
        ("5.0.8", []),
        ("4.2.14", ["A"]),
        ("2.2.28", ["B"]),
        ("5.1rc1", []),
        ("5.2.19", ["C"]),
    ],
)
def test_a_version_is_looked_for_in_every_range(version, found):
    assert audit.stored({"django": version}, KNOWN) == [f"django: {each}" for each in found]


def test_the_whole_lock_is_read():
    locked = audit.locked()
    assert {"django", "django-crispy-forms", "gunicorn", "pillow", "whitenoise", "pytest-django"} <= set(locked)
    starts = [line for line in audit.LOCK.read_text().splitlines() if line and line[0] not in " #"]
    assert len(locked) == len(starts)


def test_the_stored_data_knows_holes_that_our_packages_once_had():
    known = json.loads(audit.STORED.read_text())
    assert audit.stored({"django": "4.2.3"}, known)
    assert not audit.stored(audit.locked(), known)
