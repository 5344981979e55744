from django.urls import path

from enquiries.assessment import views

urlpatterns = [
    path("", views.start, name="check"),
    path("<int:number>/", views.question, name="check_question"),
    path("answers/", views.answers, name="check_answers"),
    path("result/", views.result, name="check_result"),
    path("result/pdf/", views.result_pdf, name="check_result_pdf"),
    path("stop/", views.stop, name="check_stop"),
    path("not-sure/", views.not_sure, name="check_not_sure"),
    path("clear/", views.clear, name="check_clear"),
    path("cleared/", views.cleared, name="check_cleared"),
    path("start-again/", views.lost, name="check_lost"),
]
