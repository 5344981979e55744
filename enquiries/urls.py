from django.urls import include, path

from enquiries import views

app_name = "enquiries"

urlpatterns = [
    path("report/", views.report, name="report"),
    path("report/sent/", views.report_sent, name="report_sent"),
    path("consultation/", views.consultation, name="consultation"),
    path("consultation/sent/", views.consultation_sent, name="consultation_sent"),
    path("question/", views.question, name="question"),
    path("question/sent/", views.question_sent, name="question_sent"),
    path("check/", include("enquiries.assessment.urls")),
]
