from django.urls import path

from enquiries.report import deletion, sent, stop, summary, views

urlpatterns = [
    path("", views.report, name="report"),
    path("sent/", sent.sent, name="report_sent"),
    path("sent/change/", sent.change, name="report_change"),
    path("sent/again/", sent.again, name="report_again"),
    path("sent/<str:token>/", sent.sent, name="report_sent_as"),
    path("stop/<str:token>/", stop.stop, name="stop_mails"),
    path("delete/<str:token>/", deletion.delete, name="report_delete"),
    path("summary/deleted/", summary.deleted, name="summary_deleted"),
    path("summary/<str:token>/", summary.opened, name="summary"),
    path("summary/<str:token>/pdf/", summary.pdf, name="summary_pdf"),
    path("summary/<str:token>/delete/", summary.delete, name="summary_delete"),
    path("<slug:page>/", views.page, name="report_page"),
]
