from django.urls import path

from factsheets import feedback, sheet_views, views
from factsheets.metadata import views as metadata
from factsheets.search import views as search

app_name = "factsheets"

urlpatterns = [
    path("", views.home, name="home"),
    path("fact-sheets/", views.sheet_list, name="list"),
    path("fact-sheets/<slug:slug>/", sheet_views.sheet, name="sheet"),
    path("fact-sheets/<slug:slug>/pdf/", sheet_views.sheet_pdf, name="sheet_pdf"),
    path("fact-sheets/<slug:slug>/pdf/large/", sheet_views.sheet_large_print, name="sheet_large_print"),
    path("fact-sheets/<slug:slug>/pdf/full/", sheet_views.sheet_whole_pdf, name="sheet_whole_pdf"),
    path(
        "fact-sheets/<slug:slug>/pdf/full/large/", sheet_views.sheet_whole_large_print, name="sheet_whole_large_print"
    ),
    path("fact-sheets/<slug:slug>/text/", sheet_views.sheet_text, name="sheet_text"),
    path("fact-sheets/<slug:slug>/json/", sheet_views.sheet_json, name="sheet_json"),
    path("fact-sheets/<slug:slug>/useful/", feedback.useful, name="useful"),
    path("fact-sheets/<slug:slug>/useful/<slug:said>/", feedback.said, name="useful_said"),
    # Last: the others are no former pages (factsheets/models/section.py, TAKEN_PAGES).
    path("fact-sheets/<slug:slug>/<slug:page>/", sheet_views.former_page, name="former_page"),
    path("treatments/", views.treatments, name="treatments"),
    path("treatments/<slug:first>/", views.treatments, name="treatments_of"),
    path("treatments/<slug:first>/<slug:second>/", views.treatments, name="treatments_of_both"),
    path("pictures/<slug:digest>-<int:width>.<slug:format>", views.picture, name="picture"),
    path("get-help-now/", views.get_help_now, name="get_help_now"),
    path("search/", search.search, name="search"),
    path("search/tell/", search.tell, name="search_tell"),
    path("search/thank-you/", search.thanks, name="search_thanks"),
    path("glossary/", views.glossary, name="glossary"),
    path("about/", views.about, name="about"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("complaints/", views.complaints, name="complaints"),
    path("feed.xml", metadata.feed, name="feed"),
    path("sitemap.xml", metadata.sitemap, name="sitemap"),
    path("robots.txt", metadata.robots, name="robots"),
    path(".well-known/security.txt", metadata.security, name="security"),
    path("card.png", metadata.social_card, name="social_card"),
    path("favicon.ico", metadata.image, {"name": "favicon.ico"}, name="favicon"),
    path("apple-touch-icon.png", metadata.image, {"name": "touch.png"}, name="touch_icon"),
]
