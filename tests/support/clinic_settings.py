"""The clinic's settings for a test: what an owner would have saved."""

from backcare.core.models import ClinicSettings


def set_clinic(**values) -> ClinicSettings:
    row = ClinicSettings.objects.get(pk=1)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row
