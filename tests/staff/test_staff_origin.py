"""The desk takes no post from a browser that does not say where the form was sent from."""

from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, build_opener

import html5lib
import pytest
from django.conf import settings
from django.test import Client

from tests.conftest import consultation
from tests.support.html import text

pytestmark = pytest.mark.once

NOTE = "Asked for a call <after> six."


def posted(site: str, path: str, cookie: str, fields: dict, **headers: str) -> tuple[int, str]:
    request = Request(f"{site}{path}", urlencode(fields).encode(), {"Cookie": cookie, **headers})
    try:
        with build_opener().open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as answer:
        return answer.code, answer.read().decode()


def test_a_post_that_does_not_say_where_it_came_from_does_nothing_and_gives_back_what_was_typed(site, staff):
    enquiry = consultation()
    client = Client()
    client.force_login(staff)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    fields = {"status": "in_progress", "note": NOTE, "opened_version": enquiry.version, "owner": ""}
    fields |= {f"{part}-{count}": 0 for part in ("events", "messages") for count in ("TOTAL_FORMS", "INITIAL_FORMS")}
    code, page = posted(site, enquiry.get_admin_url(), cookie, fields)
    assert code == 403
    document = html5lib.parse(page, namespaceHTMLElements=False)
    assert [each.text.strip() for each in document.iter("textarea")] == [NOTE]
    assert "did not say where this form came from" in text(document)
    enquiry.refresh_from_db()
    assert enquiry.version == 1
    for path in ("/admin/login/", "/admin/logout/", "/admin/no/such/page/"):
        code, page = posted(site, path, cookie, {"username": "sam", "password": "a long demo password"})
        assert code in {403, 404}
        assert "a long demo password" not in page
    code, _ = posted(site, enquiry.get_admin_url(), cookie, fields, Origin=site)
    enquiry.refresh_from_db()
    assert (code, enquiry.status) == (200, "in_progress")
