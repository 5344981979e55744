"""Shared by the tests of the keys: enquiries under the present key, and the command that moves them to a new one."""

import io

from django.core.management import call_command

from backcare.core import encryption
from enquiries.models import Enquiry
from tests.conftest import consultation


def compare_again() -> None:
    """As after a start: the next write checks the keys."""
    encryption._keys_seen["right"] = False


def three_enquiries() -> list[Enquiry]:
    """Encrypted with the key that comes first now. As after a start, the first write checks the keys."""
    compare_again()
    return [consultation(name=f"Ada Example{n}", email=f"ada{n}@example.com") for n in range(3)]


def rotate(**options) -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()
