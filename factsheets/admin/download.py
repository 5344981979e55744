"""All content as the files that `export_content` writes, for owners, in one press."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from factsheets import content_export


@require_safe
def content(request):
    if not request.user.is_superuser:
        raise PermissionDenied
    response = HttpResponse(content_export.as_zip(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="content-{timezone.localdate().isoformat()}.zip"'
    return response
