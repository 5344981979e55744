"""A place of its own for the trials: an empty folder with the real content."""

import logging
import os
import tempfile
from pathlib import Path


def prepare() -> Path:
    """Settings, database and content in a folder that is new. Returns the folder. Before anything of Django is imported."""
    folder = Path(tempfile.mkdtemp(prefix="backcare-trials-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="backcare.config.settings", BACKCARE_LOCAL="1", DATA_DIR=str(folder), PORT="8199"
    )
    os.environ["DAILY_DIGEST"] = "0"  # it would wait for the morning, and "all mail is sent" with it
    for name in ("DEBUG", "EMAIL_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "BACKUP_DIR"):
        os.environ.pop(name, None)
    import django

    django.setup()
    logging.disable(logging.WARNING)  # of this process: the figures are what counts
    from django.core.management import call_command

    from backcare.ops import demo

    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        call_command("migrate", verbosity=0)
        call_command("load_content", verbosity=0, stdout=nowhere)
        call_command("collectstatic", interactive=False, verbosity=0)
    demo.clinic()
    return folder
