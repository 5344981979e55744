from django.urls import path

from factsheets import views

app_name = "factsheets"

urlpatterns = [
    path("", views.home, name="home"),
    path("fact-sheets/", views.sheet_list, name="list"),
    path("fact-sheets/<slug:slug>/", views.sheet, name="sheet"),
    path("fact-sheets/<slug:slug>/pdf/", views.sheet_pdf, name="sheet_pdf"),
    path("fact-sheets/<slug:slug>/text/", views.sheet_text, name="sheet_text"),
    path("fact-sheets/<slug:slug>/json/", views.sheet_json, name="sheet_json"),
    path("get-help-now/", views.get_help_now, name="get_help_now"),
    path("glossary/", views.glossary, name="glossary"),
    path("privacy/", views.privacy, name="privacy"),
    path("about/", views.about, name="about"),
    path("robots.txt", views.robots, name="robots"),
]
