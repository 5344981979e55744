from django.contrib import admin
from django.urls import include, path

from backcare.config import errors
from backcare.ops import health, metrics

# The desk has few pages, and a list of them beside every table would only make the tables narrow.
admin.site.enable_nav_sidebar = False

urlpatterns = [
    path("", include("factsheets.urls")),
    path("", include("enquiries.urls")),
    # Answered earlier, in RequestGuardMiddleware, under any host name.
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
