"""What a first visit costs an old phone on a slow line, measured in a real browser against the real server."""

import pytest

from factsheets.models import FactSheet
from tests.pages import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
KB = 1024
# The words alone of the longest sheet, with its sources, are 14 KB in brotli: README, “Decisions”.
MOST_HTML, MOST_CSS, MOST_ALL, MOST_REQUESTS = 20 * KB, 6 * KB, 30 * KB, 6
SHIFTS = """() => new Promise(done => {
  let sum = 0
  new PerformanceObserver(list => { for (const each of list.getEntries()) sum += each.value })
    .observe({ type: "layout-shift", buffered: true })
  setTimeout(() => done(sum), 300)
})"""


def longest() -> str:
    return max(FactSheet.objects.published(), key=lambda sheet: len(str(sheet.document))).get_absolute_url()


@pytest.fixture
def first_visit(browser, site):
    """Opens a page as a new reader and lists what came: kind, name, bytes on the line with headers."""

    def visit(path: str):
        came: dict[str, dict] = {}
        with visitor(browser, site, viewport={"width": 360, "height": 640}, device_scale_factor=2) as reader:
            line = reader.context.new_cdp_session(reader.page)
            line.send("Network.enable")
            line.on(
                "Network.responseReceived",
                lambda each: came.setdefault(each["requestId"], {"kind": each["type"], "url": each["response"]["url"]}),
            )
            line.on(
                "Network.loadingFinished",
                lambda each: came.get(each["requestId"], {}).update(bytes=each["encodedDataLength"]),
            )
            reader.open(path)
            reader.page.wait_for_load_state("networkidle")
            shifted = reader.page.evaluate(SHIFTS)
            reader.expect_clean()
        return list(came.values()), shifted

    return visit


def weight(came, kind: str) -> float:
    return sum(each.get("bytes", 0) for each in came if each["kind"] == kind)


def test_the_longest_sheet_stays_light(first_visit):
    came, shifted = first_visit(longest())
    said = "\n".join(f"{each.get('bytes', 0):>8.0f} {each['kind']} {each['url']}" for each in came)
    assert 0 < weight(came, "Document") <= MOST_HTML, said
    assert 0 < weight(came, "Stylesheet") <= MOST_CSS, said
    assert not weight(came, "Script"), said
    assert not weight(came, "Font"), said
    assert len(came) <= MOST_REQUESTS, said
    assert sum(each.get("bytes", 0) for each in came) <= MOST_ALL, said
    assert shifted == 0, "Something moved while the page was loading."


@pytest.mark.parametrize("path", ["/", "/fact-sheets/", "/search/?q=sciatica", "/consultation/", "/check/"])
def test_the_pages_around_it_are_lighter_still(first_visit, path):
    came, shifted = first_visit(path)
    said = "\n".join(f"{each.get('bytes', 0):>8.0f} {each['kind']} {each['url']}" for each in came)
    assert 0 < weight(came, "Document") <= 14 * KB, said
    assert not weight(came, "Script"), said
    assert len(came) <= MOST_REQUESTS, said
    assert sum(each.get("bytes", 0) for each in came) <= MOST_ALL, said
    assert shifted == 0
