from django.apps import AppConfig


class EnquiriesConfig(AppConfig):
    name = "enquiries"
    verbose_name = "Inbox and opening hours"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from django.contrib import admin

        from backcare.core import clinic
        from enquiries import clock
        from enquiries.actions.outbox import tell_of_review
        from enquiries.admin import statistics
        from enquiries.assessment import question_approval  # noqa: F401 - registers the questions for approval
        from enquiries.assessment.flags import missing
        from factsheets import review_notifications, safety_drafts

        admin.site.add_page("statistics/", statistics.page, name="statistics")
        clinic.read_desk_with(clock.for_readers)
        safety_drafts.requirements.append(missing)
        review_notifications.tellers.append(tell_of_review)
