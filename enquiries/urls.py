from django.urls import include, path

from enquiries import views
from enquiries.calendar_feed import calendar_feed
from enquiries.privacy import views as privacy

app_name = "enquiries"

urlpatterns = [
    path("report/", include("enquiries.report.urls")),
    path("consultation/", views.consultation, name="consultation"),
    path("consultation/sent/", views.consultation_sent, name="consultation_sent"),
    path("consultation/sent/<str:token>/", views.consultation_sent, name="consultation_sent_as"),
    path("consultation/<slug:page>/", views.consultation_page, name="consultation_page"),
    path("question/", views.question, name="question"),
    path("question/sent/", views.question_sent, name="question_sent"),
    path("question/sent/<str:token>/", views.question_sent, name="question_sent_as"),
    path("question/<slug:page>/", views.question_page, name="question_page"),
    path("request/", include("enquiries.patient_portal.urls")),
    path("staff/calendar/<str:token>.ics", calendar_feed, name="calendar_feed"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("privacy/what-we-hold/", privacy.what_we_hold, name="what_we_hold"),
    path("check/", include("enquiries.assessment.urls")),
]
