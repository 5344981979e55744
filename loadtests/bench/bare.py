"""The plainest Django there is: five middlewares, one view that has its bytes ready, and one that writes a row.

What `make bench` compares our pages and our forms with.
"""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path

BODY = Path(os.environ["BARE_BODY"]).read_bytes()

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BARE_DATABASE"],
            "CONN_MAX_AGE": 600,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            },
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="x",
    USE_TZ=True,
)
django.setup()


class Row(models.Model):  # noqa: DJ008 - nobody reads it
    said = models.CharField(max_length=200)

    class Meta:
        app_label = "bare"


def page(request) -> HttpResponse:
    return HttpResponse(BODY, headers={"Content-Encoding": "br"})


def write(request) -> HttpResponse:
    with transaction.atomic():
        Row.objects.create(said=request.POST["said"])
    return HttpResponseRedirect("/")


write.csrf_exempt = True
urlpatterns = [path("page/", page), path("write/", write)]

with connection.schema_editor() as editor:
    if Row._meta.db_table not in connection.introspection.table_names():
        editor.create_model(Row)
connection.close()
application = get_wsgi_application()
