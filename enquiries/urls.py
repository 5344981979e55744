from django.urls import include, path

from backcare.core.private_pages import personal
from enquiries import views
from enquiries.assessment import views as check
from enquiries.assessment.question_approval import only_when_approved
from enquiries.calendar import calendar_feed
from enquiries.patient_portal import views as portal
from enquiries.report import sent, summary

app_name = "enquiries"


def of_the_check(address: str, view, name: str):
    """Every address of the self-assessment, so that none can stay on when it is off."""
    return path(address, personal(only_when_approved(view)), name=name)


assessment = [
    of_the_check("", check.start, "check"),
    of_the_check("<int:number>/", check.question, "check_question"),
    of_the_check("answers/", check.answers, "check_answers"),
    of_the_check("result/", check.result, "check_result"),
    of_the_check("result/pdf/", check.result_pdf, "check_result_pdf"),
    of_the_check("stop/", check.stop, "check_stop"),
    of_the_check("not-sure/", check.not_sure, "check_not_sure"),
    of_the_check("clear/", check.clear, "check_clear"),
    of_the_check("cleared/", check.cleared, "check_cleared"),
    of_the_check("start-again/", check.lost, "check_lost"),
]

report = [
    path("", views.report, name="report"),
    path("sent/", sent.sent, name="report_sent"),
    path("sent/change/", sent.change, name="report_change"),
    path("sent/again/", sent.again, name="report_again"),
    path("sent/<str:token>/", sent.sent, name="report_sent_as"),
    path("stop/<str:token>/", portal.stop, name="stop_mails"),
    path("delete/<str:token>/", portal.delete_report, name="report_delete"),
    path("summary/deleted/", summary.deleted, name="summary_deleted"),
    path("summary/<str:token>/", summary.opened, name="summary"),
    path("summary/<str:token>/pdf/", summary.pdf, name="summary_pdf"),
    path("summary/<str:token>/delete/", summary.delete, name="summary_delete"),
    path("<slug:page>/", views.report_page, name="report_page"),
]

patient_portal = [
    path("erased/", portal.erased, name="manage_erased"),
    path("<str:token>/", portal.opened, name="manage"),
    path("<str:token>/no-reminder/", portal.no_reminder, name="no_reminder"),
    path("<str:token>/<slug:at>/done/", portal.opened, name="manage_done"),
    path("<str:token>/times/", portal.times, name="manage_times"),
    path("<str:token>/times/<slug:at>/", portal.times),
    path("<str:token>/add/", portal.add, name="manage_add"),
    path("<str:token>/add/<slug:at>/", portal.add),
    path("<str:token>/withdraw/", portal.withdraw, name="manage_withdraw"),
    path("<str:token>/withdraw/<slug:at>/", portal.withdraw),
    path("<str:token>/erase/", portal.erase, name="manage_erase"),
    path("<str:token>/erase/<slug:at>/", portal.erase),
]

urlpatterns = [
    path("check/", include(assessment)),
    path("consultation/", views.consultation, name="consultation"),
    path("consultation/sent/", views.consultation_sent, name="consultation_sent"),
    path("consultation/sent/<str:token>/", views.consultation_sent, name="consultation_sent_as"),
    path("consultation/<slug:page>/", views.consultation_page, name="consultation_page"),
    path("question/", views.question, name="question"),
    path("question/sent/", views.question_sent, name="question_sent"),
    path("question/sent/<str:token>/", views.question_sent, name="question_sent_as"),
    path("question/<slug:page>/", views.question_page, name="question_page"),
    path("report/", include(report)),
    path("request/", include(patient_portal)),
    path("staff/calendar/<str:token>.ics", calendar_feed, name="calendar_feed"),
    path("privacy/", views.privacy, name="privacy"),
    path("privacy/what-we-hold/", views.what_we_hold, name="what_we_hold"),
]
