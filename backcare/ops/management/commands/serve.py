import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.urls import reverse

from backcare.core.crypto import keys
from backcare.ops import schema
from backcare.staff import first_steps

logger = logging.getLogger(__name__)

RESTART_PAUSE = 1  # seconds
STOP_PATIENCE = 25  # seconds: gunicorn's graceful timeout, and the mail in hand
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the child gets SIGTERM when its parent is gone, also by kill -9. Linux only; elsewhere None.

    Without it a supervisor that was killed leaves a web server that holds the port, and a mail worker that nobody stops.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here: little is safe between fork and exec

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone before we asked
            os.kill(os.getpid(), signal.SIGTERM)

    return set_signal


def owner_code() -> str:
    """A code for the first owner, where there is none yet. A database that is away just now is no reason to stay down."""
    try:
        return first_steps.new_owner_code()
    except Error as error:
        logger.warning("Whether the site has an owner was not looked at: %s", type(error).__name__)
        return ""


class Command(BaseCommand):
    help = "Runs the web server and the mail worker side by side. Ctrl-C, or SIGTERM, stops both."

    def handle(self, **options):
        try:
            schema.at_start()
            keys.at_start()
        except (schema.NewerDatabase, keys.WrongKey) as error:
            raise CommandError(str(error)) from None
        code = owner_code()
        connection.close()
        commands = {
            "web server": [
                sys.executable,
                "-m",
                "gunicorn",
                "--config",
                "python:backcare.ops.gunicorn",
                "backcare.config.wsgi",
            ],
            "mail worker": [sys.executable, "manage.py", "deliver_mail"],
        }
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        running = {name: self.start(command) for name, command in commands.items()}
        if settings.LOCAL:
            self.stdout.write(f"\nThe site is on {settings.BASE_URL} and the staff desk on {settings.BASE_URL}/admin/")
            if not settings.EMAIL_URL:
                self.stdout.write(f"Mail is written to {settings.MAIL_DIR}")
            self.stdout.write("Ctrl-C stops it.")
        if code:
            address = f"{settings.BASE_URL}{reverse('admin:first_owner')}"
            self.stdout.write(
                f"\nThis site has no owner yet. Set it up on {address}\nThe code is {code} (24 hours, once)."
            )
        self.stdout.flush()
        status = 0
        while not self.stopping.wait(0.2):
            for name, process in running.items():
                if process.poll() is None:
                    continue
                if name == "web server":
                    # Without it there is nothing to supervise: stop, so that whoever started us notices.
                    self.stderr.write(f"The {name} stopped with {process.returncode}.")
                    status = 1
                    self.stopping.set()
                    break
                self.stderr.write(f"The {name} stopped with {process.returncode}; starting it again.")
                time.sleep(RESTART_PAUSE)
                running[name] = self.start(commands[name])
        self.stop(running.values())
        sys.exit(status)

    def start(self, command):
        # A group of its own, so that Ctrl-C reaches the children through us, in order, and once.
        return subprocess.Popen(  # noqa: S603 - fixed commands
            command, cwd=settings.BASE_DIR, start_new_session=True, preexec_fn=die_with(os.getpid())
        )

    def stop(self, processes):
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_PATIENCE
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
