import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import CharField, Model

from backcare.core import environment as env
from backcare.core.progress import Progress, stoppable

NEW = "new"
AT_ONCE = 500  # rows
CLOCKS = ("auto_now", "auto_now_add")


class Command(BaseCommand):
    help = (
        "Copies everything from this SQLite database to the empty PostgreSQL database that NEW_DATABASE_URL (or "
        "NEW_DATABASE_URL_FILE) names, and compares every row. Stop the site first. Nothing here is changed, and whatever stops it "
        "leaves the new database empty."
    )

    def handle(self, **options):
        if connection.vendor != "sqlite":
            raise CommandError("DATABASE_URL does not name an SQLite database, so there is nothing to move.")
        self.open_new()
        self.progress = Progress(self.stdout)
        models = [*apps.get_models(include_auto_created=True)]
        models = [model for model in models if model._meta.managed and not model._meta.proxy]
        try:
            with stoppable(self.progress, "The new database has no rows, and this one is as it was. Run it again."):
                self.prepare_new()
                rows = self.move(models)
        except Error as error:
            raise CommandError(f"Stopped, and the new database is empty: {error}") from error
        finally:
            connections[NEW].close()
        self.stdout.write(
            f"Copied: all {rows:,} rows of {len(models)} tables. Each was read from both databases, and is what it was.\n"
            f"Nothing was changed in {connection.settings_dict['NAME']}, and the site still uses it. To use the new database:\n"
            "1. Set DATABASE_URL to what NEW_DATABASE_URL says, and take NEW_DATABASE_URL out.\n"
            "2. Run `manage.py prepare`, and start the site.\n"
            "3. Keep the old file until you have seen the site work."
        )

    def prepare_new(self) -> None:
        # Migrations speak to the default database: there, it is the new one.
        migrated = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=settings.BASE_DIR,
            env={**env.env.ENVIRON, "DATABASE_URL": env.secret("NEW_DATABASE_URL"), "DATABASE_URL_FILE": ""},
            check=False,
        )
        if migrated.returncode:
            raise CommandError("The new database could not be prepared. The lines above say why.")
        self.compare_versions()

    def move(self, models: list[type[Model]]) -> int:
        """How many rows were copied and compared. One transaction: whatever stops it, none is there."""
        with transaction.atomic(), transaction.atomic(using=NEW):
            # Each row is copied, then compared.
            self.progress.total = 2 * sum(model._base_manager.count() for model in models)
            # What migrations and their signals put there; this database has it, too.
            call_command("flush", database=NEW, interactive=False, verbosity=0, inhibit_post_migrate=True)
            rows = sum(self.copy(model) for model in models)
            for statement in connections[NEW].ops.sequence_reset_sql(no_style(), models):
                with connections[NEW].cursor() as cursor:
                    cursor.execute(statement)
            for model in models:
                self.compare(model)
        return rows

    def open_new(self) -> None:
        try:
            new = env.database("NEW_DATABASE_URL", "")
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        if new["ENGINE"] != "django.db.backends.postgresql":
            raise CommandError("Set NEW_DATABASE_URL to postgres://user:password@host/name, an empty database.")
        connections.databases[NEW] = connections.configure_settings({"default": {}, NEW: new})[NEW]
        try:
            with connections[NEW].cursor() as cursor:
                there = set(connections[NEW].introspection.table_names(cursor))
                for model in apps.get_models():
                    if model._meta.label in {"auth.User", "enquiries.Enquiry"} and model._meta.db_table in there:
                        cursor.execute(f"SELECT 1 FROM {model._meta.db_table} LIMIT 1")  # noqa: S608 - our own name
                        if cursor.fetchone():
                            raise CommandError(
                                "The new database holds accounts or enquiries already. Name an empty one."
                            )
        except Error as error:
            connections[NEW].close()
            raise CommandError(f"The new database cannot be reached: {error}") from error

    def compare_versions(self) -> None:
        here, there = (
            set(MigrationRecorder(connections[each]).applied_migrations()) for each in (DEFAULT_DB_ALIAS, NEW)
        )
        if here != there:
            raise CommandError("This database is not of this version. Run `manage.py prepare` first.")

    def copy(self, model: type[Model]) -> int:
        done = 0
        for batch in batches(model._base_manager.order_by("pk").iterator(AT_ONCE)):
            with without_clocks(model):
                model._base_manager.using(NEW).bulk_create(batch)
            done += len(batch)
            self.progress.more(len(batch), f"copying {model._meta.db_table}")
        return done

    def compare(self, model: type[Model]) -> None:
        names = [field.attname for field in model._meta.concrete_fields]
        both = [model._base_manager.using(each).order_by("pk").values_list(*names) for each in (DEFAULT_DB_ALIAS, NEW)]
        # Databases sort text each in its own way.
        as_text = isinstance(model._meta.pk.target_field if model._meta.pk.is_relation else model._meta.pk, CharField)
        old, new = (iter(sorted(rows, key=str)) if as_text else rows.iterator(AT_ONCE) for rows in both)
        told, number = 0, 0
        for number, row in enumerate(old, start=1):
            if plain(row) != plain(next(new, ())):
                raise CommandError(f"Stopped: row {number} of {model._meta.db_table} came out different.")
            if number % AT_ONCE == 0:
                self.progress.more(number - told, f"comparing {model._meta.db_table}")
                told = number
        self.progress.more(number - told, f"comparing {model._meta.db_table}")
        if next(new, None) is not None:
            raise CommandError(f"Stopped: {model._meta.db_table} has rows that it did not have.")


@contextmanager
def without_clocks(model: type[Model]) -> Iterator[None]:
    """What was written when a row was made or changed stays, and is not the moment of copying."""
    clocks = [(field, name) for field in model._meta.concrete_fields for name in CLOCKS if getattr(field, name, False)]
    for field, name in clocks:
        setattr(field, name, False)
    try:
        yield
    finally:
        for field, name in clocks:
            setattr(field, name, True)


def batches(rows: Iterator[Model]) -> Iterator[list[Model]]:
    batch: list[Model] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def plain(row: tuple) -> tuple:
    """The same values from both: one driver gives bytes, the other a view of them."""
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
