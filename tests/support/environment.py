"""A pytest plugin, loaded before Django reads its settings, that gives the suite its own environment and folder."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")


def in_memory() -> Path | None:
    """A place without a disk, if this machine has one with ample room: a test that commits waits for the disk each time. Not for
    the benchmarks, which measure that."""
    if "pytest" not in sys.modules:
        return None
    try:
        room = shutil.disk_usage(MEMORY)
    except OSError:
        return None
    return MEMORY if os.access(MEMORY, os.W_OK) and room.free >= max(2_000_000_000, room.total // 2) else None


folder = tempfile.mkdtemp(prefix="backcare-tests-", dir=in_memory())
atexit.register(shutil.rmtree, folder, ignore_errors=True)

os.environ["DJANGO_SETTINGS_MODULE"] = "backcare.config.settings"
os.environ["BACKCARE_LOCAL"] = "1"
os.environ["DAILY_DIGEST"] = "0"  # it would be sent only in tests that run on a weekday between nine and five
os.environ["DATA_DIR"] = folder
for name in ("DEBUG", "EMAIL_URL", "BASE_URL", "ALLOWED_HOSTS", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
    os.environ.pop(name, None)
# The clinic in the tests: a site that its owner has set up.
os.environ.update(
    CLINIC_NAME="Larkfield Back Clinic",
    CLINIC_PHONE="020 7946 0958",
    CLINIC_EMAIL="hello@example.com",
    CLINIC_INBOX_EMAIL="inbox@example.com",
    CLINIC_ADDRESS="1 Example Street, Larkfield",
    CLINIC_PRICES="First consultation, 45 minutes: £60; Follow-up, 30 minutes: £45; Acupuncture, 30 minutes: £45; "
    "Acupuncture with the first consultation: four sessions £240, six £330",
    CLINIC_INTEREST_STATEMENT="This clinic sells some of the treatments these pages describe, acupuncture among them. "
    "That is why each page says what the research found, and what NICE says, for and against.",
    CLINIC_PEOPLE="Ines Demo, physiotherapist (HCPC PH00000); Tom Demo, osteopath (GOsC 00000); "
    "Mei Demo, acupuncturist (BAcC)",
)
# Playwright's synchronous interface runs an event loop in the tests' own thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
