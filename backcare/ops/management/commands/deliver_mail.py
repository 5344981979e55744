import logging
import signal
import threading
import time

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from backcare.core import clinic, encryption
from backcare.ops import schema, soundness
from enquiries.actions import appointments, erasure, outbox
from enquiries.mail.worker import Worker
from factsheets import actions

logger = logging.getLogger(__name__)

PAUSE = 0.5  # seconds between looks at an empty outbox: measured 0.3 % of one processor
BEAT = 20  # seconds between heartbeats
IDLE_DISCONNECT = 5  # seconds without a mail after which the SMTP connection is closed
CHORES = 60 * 60  # seconds between looks for reviews that come up, and for what is kept no longer
CHORES_AGAIN = 60  # seconds after a look that failed, or a purge that was not finished
MAX_PURGE_SECONDS = 20  # seconds: mail waits meanwhile


class Command(BaseCommand):
    help = "Delivers the mail in the outbox until it is stopped. Several may run at once."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Deliver what is due now, then stop.")

    def handle(self, *, once, **options):
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            # The mail in hand is finished and recorded before the worker goes.
            signal.signal(number, lambda *_: self.stopping.set())
        worker = Worker()
        worker.start()
        last_beat = last_mail = 0.0
        self.next_look, self.next_check, self.warned_on = 0.0, 0.0, None
        self.compared = False
        while not self.stopping.is_set():
            self.look_at_database()
            try:
                self.compare()
                self.do_chores()
                sent = worker.run_once()
                # Only after a round that worked: a worker that is alive and can do nothing is as good as none.
                if time.monotonic() - last_beat > BEAT or not last_beat:
                    worker.beat()
                    last_beat = time.monotonic()
                if sent:
                    last_mail = time.monotonic()
                    continue
            except (DatabaseError, InterfaceError) as error:
                # A restarting or locked database is not a reason to die: wait, and reconnect.
                logger.warning("Mail worker waits for the database: %s", type(error).__name__)
                connection.close()
                self.stopping.wait(2)
                continue
            if once:
                break
            if worker.connection and time.monotonic() - last_mail > IDLE_DISCONNECT:
                worker.disconnect()
            close_old_connections()
            self.stopping.wait(PAUSE)
        worker.stop()

    def look_at_database(self):
        """Outside the rounds, for in a damaged database these fail before they come to any chore."""
        if time.monotonic() < self.next_check:
            return
        self.next_check = time.monotonic() + CHORES
        self.try_chore("The database was not checked", lambda: soundness.check_nightly(timezone.now()))

    def compare(self):
        """Once, and as soon as the database answers: with wrong keys, or on a newer database, no word is read, and none written."""
        if not self.compared:
            try:
                schema.verify()
                encryption.verify_keys()
            except (schema.NewerDatabase, encryption.WrongKey) as error:
                raise CommandError(str(error)) from None
            self.compared = True

    def do_chores(self):
        """Once an hour, so that a clinic needs no timer of its own. Trouble here may never hold up what patients wait for."""
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + CHORES_AGAIN
        done = [self.try_chore("Review reminders were not written", self.remind)]
        done.append(self.try_chore("Planned publications were not made", self.publish))
        done.append(self.try_chore("The daily digest was not written", self.digest))
        done.append(self.try_chore("Reminders of appointments were not written", self.remind_patients))
        done.append(self.try_chore("Nothing was purged", self.purge))
        if all(done):
            self.next_look = time.monotonic() + CHORES

    def try_chore(self, trouble, chore) -> bool:
        try:
            return chore() is not False
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - see do_chores
            logger.error("%s: %s", trouble, type(error).__name__)
            return False

    def remind(self):
        today = timezone.localdate()
        try:
            outbox.remind_of_reviews(today=today)
        except outbox.NobodyToRemind as nobody:
            if today != self.warned_on:
                logger.warning("%s", nobody.__doc__)
            self.warned_on = today

    def publish(self):
        actions.carry_out_plans(today=timezone.localdate())

    def digest(self):
        if clinic.current()["daily_digest"]:
            outbox.write_digest(now=timezone.now())

    def remind_patients(self):
        appointments.remind_of_appointments(now=timezone.now())

    def purge(self) -> bool:
        """Whether all is done: after a change of the periods a great deal may be over at once."""
        purged = erasure.purge(now=timezone.now(), seconds=MAX_PURGE_SECONDS)
        if purged.total:
            logger.info("Purged %s", ", ".join(f"{name} {count}" for name, count in purged.counts.items() if count))
        return purged.finished
