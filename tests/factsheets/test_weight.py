"""What a first visit costs an old phone on a slow line: for every page of every sheet, and in a real browser for the heaviest."""

import time
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import brotli
import pytest
from django.test import Client

from factsheets.sheet_views import FOLDED, HEADERS, MAX_LEAFLET_BYTES, MAX_PAGE_BYTES
from tests.support.reading import SHEET_PAGES
from tests.support.visitor import visitor

pytestmark = pytest.mark.once

KB = 1024
MAX_LEAFLET, MAX_HTML, MAX_CSS, MAX_ALL, MAX_REQUESTS = 14 * KB, 26 * KB, 6.5 * KB, 42 * KB, 6
STILL = 0.001  # layout shift: a hundredth of what Core Web Vitals call good, so that a rounding of pixels is none
LATE = 0.3  # seconds
SHIFTS = """() => new Promise(done => {
  let sum = 0, moved = []
  new PerformanceObserver(list => {
    for (const each of list.getEntries()) {
      sum += each.value
      moved.push(...each.sources.map(of => of.node?.outerHTML?.slice(0, 120) ?? of.node?.textContent?.slice(0, 120)))
    }
  }).observe({ type: "layout-shift", buffered: true })
  setTimeout(() => done([sum, moved]), 300)
})"""


def loaded(path: str, *, open_only: bool = False) -> int:
    """The bytes of the page as it goes over the line, its headers with it; or of its beginning, which is open to read."""
    response = Client().get(path, headers={"Accept-Encoding": "br"})
    assert response["Content-Encoding"] == "br"
    written = brotli.decompress(response.content)
    assert len(written) > 10 * KB
    leaflet, folded, _ = written.partition(FOLDED)
    assert folded
    # The first reader after an edit gets it a sixth larger, made at once.
    return len(brotli.compress(leaflet if open_only else written)) + HEADERS


@pytest.mark.django_db
@pytest.mark.long
def test_every_sheet_is_light_and_its_leaflet_comes_first():
    heavy = {path: size for path in SHEET_PAGES if (size := loaded(path)) > MAX_HTML - KB // 4}
    heavy |= {path: size for path in SHEET_PAGES if (size := loaded(path, open_only=True)) > MAX_LEAFLET}
    assert not heavy
    assert (MAX_LEAFLET_BYTES, MAX_PAGE_BYTES) == (MAX_LEAFLET, MAX_HTML), (
        "Editors are told other limits than are kept."
    )


def ready(address: str) -> bool:
    """Whether a kept page goes out in its smallest form, and no longer in the one that was made for its first reader."""
    with urlopen(Request(address, headers={"Accept-Encoding": "br"}), timeout=10) as response:
        kept = "s-maxage" in response.headers["Cache-Control"]
        body = response.read()
    return not kept or len(body) <= len(brotli.compress(brotli.decompress(body), mode=brotli.MODE_TEXT))


@pytest.fixture
def first_visit(browser, site):
    """Opens a page as a new reader and lists what came: kind, name, bytes on the line with headers."""

    def visit(path: str):
        until = time.monotonic() + 10
        while not ready(f"{site}{path}") and time.monotonic() < until:
            time.sleep(0.05)
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
            # Drawings come late, as on a slow line: the page has left room for them.
            reader.page.route("**/figures/*", lambda route: (time.sleep(LATE), route.continue_()))
            reader.open(path)
            reader.page.wait_for_load_state("networkidle")
            shifted = reader.page.evaluate(SHIFTS)
            reader.expect_clean()
        return list(came.values()), shifted

    return visit


def weight(came, kind: str) -> float:
    return sum(each.get("bytes", 0) for each in came if each["kind"] == kind)


@pytest.mark.browser
def test_the_heaviest_page_stays_light_in_a_browser(first_visit):
    came, shifted = first_visit(max(SHEET_PAGES, key=loaded))
    said = "\n".join(f"{each.get('bytes', 0):>8.0f} {each['kind']} {each['url']}" for each in came)
    assert 0 < weight(came, "Document") <= MAX_HTML, said
    [document] = [each for each in came if each["kind"] == "Document"]
    # Where the other process answered, the page may still be as it is compressed at once: a seventh more.
    expected = loaded(urlsplit(document["url"]).path)
    assert document["bytes"] <= expected * 1.15 + 200, "The headers weigh more than we think."
    assert 0 < weight(came, "Stylesheet") <= MAX_CSS + HEADERS, said
    assert not weight(came, "Script"), said
    assert not weight(came, "Font"), said
    assert len(came) <= MAX_REQUESTS, said
    assert sum(each.get("bytes", 0) for each in came) <= MAX_ALL, said
    assert shifted[0] < STILL, f"Something moved while the page was loading: {shifted}"


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/fact-sheets/", "/search/?q=sciatica", "/consultation/", "/check/"])
def test_the_pages_around_it_are_lighter_still(first_visit, path):
    came, shifted = first_visit(path)
    said = "\n".join(f"{each.get('bytes', 0):>8.0f} {each['kind']} {each['url']}" for each in came)
    assert 0 < weight(came, "Document") <= 14 * KB, said
    assert not weight(came, "Script"), said
    assert len(came) <= MAX_REQUESTS, said
    assert sum(each.get("bytes", 0) for each in came) <= MAX_ALL, said
    assert shifted[0] < STILL, shifted
