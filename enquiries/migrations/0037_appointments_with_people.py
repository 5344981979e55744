import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import enquiries.models.appointment


def name_people(apps, schema_editor):
    """The person of each account that an appointment names. One who is in no list becomes a person whom the website does not show."""
    people, users = apps.get_model("factsheets", "TeamMember").objects, apps.get_model(settings.AUTH_USER_MODEL).objects
    appointments = apps.get_model("enquiries", "Appointment").objects
    for user in users.filter(pk__in=appointments.exclude(account=None).values("account")):
        name = f"{user.first_name} {user.last_name}".strip() or user.username
        person, _ = people.get_or_create(account=user, defaults={"name": name[:150], "shown": False})
        appointments.filter(account=user).update(with_whom=person)


def name_accounts(apps, schema_editor):
    appointments = apps.get_model("enquiries", "Appointment").objects
    for person in apps.get_model("factsheets", "TeamMember").objects.exclude(account=None):
        appointments.filter(with_whom=person).update(account=person.account_id)


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0036_tell_of_red_flags'),
        ('factsheets', '0041_claims_it_rests_on'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField(model_name='appointment', old_name='with_whom', new_name='account'),
        migrations.AlterField(
            model_name='appointment',
            name='account',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appointment',
            name='with_whom',
            field=models.ForeignKey(editable=False, null=True, on_delete=enquiries.models.appointment.name_nobody_afterwards, related_name='appointments', to='factsheets.teammember'),
        ),
        migrations.RunPython(name_people, name_accounts),
        migrations.RemoveField(model_name='appointment', name='account'),
    ]
