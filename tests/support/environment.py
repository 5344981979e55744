"""A pytest plugin, loaded before Django reads its settings: gives the suite an environment and a folder of its own."""

import atexit
import os
import shutil
import tempfile

folder = tempfile.mkdtemp(prefix="backcare-tests-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)

os.environ["DJANGO_SETTINGS_MODULE"] = "backcare.config.settings"
os.environ["BACKCARE_LOCAL"] = "1"
os.environ["DAILY_DIGEST"] = (
    "0"  # it would leave in tests that run on a weekday between nine and five, and in no others
)
os.environ["DATA_DIR"] = folder
for name in ("DEBUG", "EMAIL_URL", "BASE_URL", "ALLOWED_HOSTS", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
    os.environ.pop(name, None)
# Playwright's synchronous interface runs an event loop in the tests' own thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
