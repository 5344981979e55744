"""What is closed or set aside has the time since which it is: the database refuses half of it, and a migration mended it."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.migrations import RemoveConstraint
from django.db.migrations.state import ProjectState
from django.utils import timezone

from enquiries.actions import triage
from enquiries.models import Enquiry, EnquiryEvent, Status
from tests.conftest import consultation


def migrated(state: ProjectState, operations: list) -> ProjectState:
    """The operations done in one transaction, as `migrate` does those of a migration."""
    with connection.schema_editor() as editor:
        for each in operations:
            new = state.clone()
            each.state_forwards("enquiries", new)
            each.database_forwards("enquiries", editor, state, new)
            state = new
    return state


def test_the_migration_mends_what_its_constraint_would_refuse(transactional_db, staff):
    """In one transaction, where PostgreSQL may refuse a constraint after data."""
    made = {
        name: consultation(name=name, email=f"{name}@example.com") for name in ("moved", "unknown", "opened", "set")
    }
    triage.triage(enquiry=made["moved"], by=staff, to=Status.CLOSED, outcome="answered")
    long_ago = timezone.now() - timedelta(days=100)
    EnquiryEvent.objects.filter(enquiry=made["moved"], to_status=Status.CLOSED).update(created_at=long_ago)
    migration = import_module("enquiries.migrations.0012_closed_at").Migration("0012_closed_at", "enquiries")
    whole = ProjectState.from_apps(apps)
    before = migrated(whole, [RemoveConstraint("enquiry", "enquiry_closed_at_when_done")])
    try:
        for name, columns in {
            "moved": {"closed_at": None},
            "unknown": {"closed_at": None, "status": Status.SPAM},
            "opened": {"closed_at": long_ago},
            "set": {"closed_at": long_ago, "status": Status.CLOSED, "outcome": "answered"},
        }.items():
            assert Enquiry.objects.filter(pk=made[name].pk).update(**columns)
    finally:
        migrated(before, migration.operations)
    closed = {each.name: each.closed_at for each in Enquiry.objects.all()}
    assert closed == {"moved": long_ago, "unknown": made["unknown"].created_at, "opened": None, "set": long_ago}
    for name in made:
        with pytest.raises(IntegrityError, match="enquiry_closed_at_when_done"):
            Enquiry.objects.filter(pk=made[name].pk).update(closed_at=None if closed[name] else long_ago)
