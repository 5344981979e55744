from django.urls import path

from backcare.core.private_pages import personal
from enquiries.assessment import views
from enquiries.assessment.sign_off import only_when_approved


def page(address: str, view, name: str):
    """Every address of the self-assessment, so that none of them can be left on when it is off."""
    return path(address, personal(only_when_approved(view)), name=name)


urlpatterns = [
    page("", views.start, name="check"),
    page("<int:number>/", views.question, name="check_question"),
    page("answers/", views.answers, name="check_answers"),
    page("result/", views.result, name="check_result"),
    page("result/pdf/", views.result_pdf, name="check_result_pdf"),
    page("stop/", views.stop, name="check_stop"),
    page("not-sure/", views.not_sure, name="check_not_sure"),
    page("clear/", views.clear, name="check_clear"),
    page("cleared/", views.cleared, name="check_cleared"),
    page("start-again/", views.lost, name="check_lost"),
]
