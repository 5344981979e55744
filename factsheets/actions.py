"""What changes more than one row of the content."""

import logging

from django.db import transaction
from django.utils import timezone

from factsheets.models import FactSheet
from factsheets.rendering.document import build
from factsheets.rendering.markdown import BodyError

logger = logging.getLogger(__name__)


def refresh(*, sheet: FactSheet) -> bool:
    """Makes the sheet's document anew after it or a part of it was saved. True when the document changed.

    Raises BodyError when a part cannot be shown; the document that readers see stays as it was.
    """
    document = build(sheet)
    if document == sheet.document:
        return False
    sheet.document = document
    sheet.updated_at = timezone.now()
    sheet.save(update_fields=["document", "updated_at"])
    return True


def refresh_all() -> int:
    """Makes every sheet's document anew, after something they share changed. Returns how many changed."""
    changed = 0
    with transaction.atomic():
        for sheet in FactSheet.objects.all():
            try:
                changed += refresh(sheet=sheet)
            except BodyError as error:
                logger.warning("Sheet %s keeps its last good document: %s", sheet.slug, error)
    return changed
