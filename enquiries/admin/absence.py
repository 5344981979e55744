from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html

from enquiries.admin.appointment_forms import StaffField
from enquiries.inbox import people
from enquiries.models import Absence, Enquiry


@admin.register(Absence)
class AbsenceAdmin(admin.ModelAdmin):
    """The owner says who is away until when. Their open enquiries are in a queue of their own meanwhile."""

    list_display = ["name", "first_day", "last_day"]
    fields = ["staff", "first_day", "last_day"]

    @admin.display(description="who", ordering="staff")
    def name(self, absence):
        return people.full_name(absence.staff)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("staff")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "staff":
            return StaffField(queryset=people.who_may_open(), label="Who", empty_label="Choose")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        number = Enquiry.objects.filter(live=True, owner=obj.staff).count()
        said = f"{people.full_name(obj.staff)} has {number} open enquir{'y' if number == 1 else 'ies'}. While they are away, see"
        queue = f"{reverse('admin:enquiries_enquiry_changelist')}?queue=cover"
        messages.info(request, format_html('{} <a href="{}">Colleague away</a>.', said, queue))
