"""A database as an earlier version left it, because a new one has no states in between."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class OneByOne(MigrationLoader):
    def load_disk(self):
        super().load_disk()
        last = {key: each.replaces[-1] for key, each in self.disk_migrations.items() if each.replaces}
        self.disk_migrations = {key: each for key, each in self.disk_migrations.items() if key not in last}
        for each in self.disk_migrations.values():
            each.dependencies = [last.get(tuple(key), key) for key in each.dependencies]


def one_by_one() -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.loader = OneByOne(connection)
    return executor
