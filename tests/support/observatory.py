"""The scoring rules of MDN's HTTP Observatory, version 6 of its algorithm, for one answer of ours.

Read from mdn/mdn-http-observatory 94042bb: src/grader/charts.js for the points, src/analyzer/tests/*.js for when they are given.
A response starts with 100 points. Faults take points away, and merits add some only if at least 90 are left. 100 is an A+. Without
being on the browsers' preload list the most is 150, with 5 more if a cookie is set and 5 more if every script has an `integrity` (a
page without cookies or scripts gets neither).
"""

import re
from dataclasses import dataclass

SIX_MONTHS = 15_552_000  # seconds, as the Observatory counts them
BONUS_FROM = 90
BROAD = {"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"}
INLINE = {"'unsafe-inline'", "data:"}
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
UNSAFE = {"origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade"}
HTML = {"text/html", "application/xhtml+xml"}


@dataclass(frozen=True)
class Verdict:
    points: int
    parts: dict[str, int]  # points given or taken, by test


def score(headers, *, cookies: list[str] = (), scripts: list[dict] = ()) -> Verdict:
    """`headers` is a mapping, `cookies` are the lines of Set-Cookie, `scripts` the attributes of each script element."""
    policy = _policy(headers.get("Content-Security-Policy"))
    parts = {
        "content policy": _content(policy),
        "cookies": _cookies(cookies, headers),
        "other origins": -50 if headers.get("Access-Control-Allow-Credentials") == "true" else 0,
        "referrer": _referrer(headers.get("Referrer-Policy")),
        "transport": _transport(headers.get("Strict-Transport-Security")),
        "scripts": _scripts(headers.get("Content-Type", ""), scripts),
        "type": 0 if headers.get("X-Content-Type-Options", "").strip().lower() == "nosniff" else -5,
        "frames": _frames(policy, headers.get("X-Frame-Options")),
        "resource": _one_of(
            headers.get("Cross-Origin-Resource-Policy"), {"same-origin", "same-site"}, {"cross-origin"}
        ),
        "embedder": _one_of(
            headers.get("Cross-Origin-Embedder-Policy"), {"require-corp", "credentialless"}, {"unsafe-none"}
        ),
        "opener": _one_of(
            headers.get("Cross-Origin-Opener-Policy"),
            {"same-origin", "same-origin-allow-popups", "noopener-allow-popups"},
            {"unsafe-none"},
        ),
    }
    without = 100 + sum(points for points in parts.values() if points < 0)
    bonus = sum(points for points in parts.values() if points > 0)
    return Verdict(max(0, without + (bonus if without >= BONUS_FROM else 0)), parts)


def redirection(status: int, location: str, host: str) -> int:
    """The points for the response to plain http, whose first step must lead to https on the same host."""
    if status not in {301, 302, 303, 307, 308}:
        return -20
    scheme, _, rest = location.partition("://")
    if scheme == "http":
        return -10
    if scheme != "https":
        return -20
    return 0 if rest.partition("/")[0].partition(":")[0] == host else -5


def _policy(header: str | None) -> dict[str, set[str]] | None:
    """None without a policy. If a directive is given twice, the first counts, as in a browser."""
    found: dict[str, set[str]] = {}
    for directive in (header or "").split(";"):
        name, *sources = directive.split() or [""]
        if name:
            found.setdefault(name.lower(), {source.lower() for source in sources})
    return found or None


def _content(policy: dict[str, set[str]] | None) -> int:
    if policy is None:
        return -25
    otherwise = policy.get("default-src", {"*"})
    script, style, things = (policy.get(name, otherwise) for name in ("script-src", "style-src", "object-src"))
    if any(source.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-")) for source in script):
        script = script - {"'unsafe-inline'"}
    active = set().union(*(sources for name, sources in policy.items() if name not in {"img-src", "media-src"}))
    passive = policy.get("img-src", otherwise) | policy.get("media-src", otherwise)
    if script & (BROAD | INLINE) or things & BROAD or any(source.startswith(("http:", "ftp:")) for source in active):
        return -20
    if "'unsafe-eval'" in script | style or any(source.startswith(("http:", "ftp:")) for source in passive):
        return -10
    if style & (BROAD | INLINE):
        return 0
    return 10 if policy.get("default-src") == {"'none'"} else 5


def _cookies(lines: list[str], headers) -> int:
    worst = 5 if lines else 0
    protected = _transport(headers.get("Strict-Transport-Security")) >= 0
    for line in lines:
        name, _, rest = line.partition("=")
        attributes = {
            part.strip().partition("=")[0].lower(): part.strip().partition("=")[2] for part in rest.split(";")[1:]
        }
        same_site = attributes.get("samesite", "").lower()
        session = any(word in name.lower() for word in ("login", "sess"))
        if "samesite" in attributes and same_site not in {"lax", "strict", "none"}:
            worst = min(worst, -20)
        if "secure" not in attributes:
            worst = min(worst, (-10 if session else -5) if protected else (-40 if session else -20))
            worst = min(worst, -20 if same_site == "none" else 0)
        if session and "httponly" not in attributes:
            worst = min(worst, -30)
        if not same_site:
            worst = min(worst, -20 if "csrf" in name.lower() else 0)
    return worst


def _referrer(header: str | None) -> int:
    if header is None:
        return 0
    known = [each.strip().lower() for each in header.split(",") if each.strip().lower() in PRIVATE | UNSAFE]
    return 5 if known and known[-1] in PRIVATE else -5


def _transport(header: str | None) -> int:
    age = re.search(r"(?:^|;)\s*max-age=(\d+)", header or "", re.IGNORECASE)
    if age is None or "," in header:
        return -20
    return 0 if int(age[1]) >= SIX_MONTHS else -10


def _scripts(kind: str, scripts: list[dict]) -> int:
    """Stricter than the Observatory, which needs only one: here every script needs its own."""
    loaded = [script for script in scripts if script.get("src")]
    if kind.partition(";")[0] not in HTML or not loaded:
        return 0
    if any(re.match(r"(?:[a-z]+:)?//", script["src"], re.IGNORECASE) for script in loaded):
        return -50
    return 5 if all(script.get("integrity") for script in loaded) else 0


def _frames(policy: dict[str, set[str]] | None, header: str | None) -> int:
    if policy and policy.get("frame-ancestors"):
        return 5
    return 5 if (header or "").strip().lower() in {"deny", "sameorigin"} else -20


def _one_of(header: str | None, good: set[str], neutral: set[str]) -> int:
    if header is None or header.strip() in neutral:
        return 0
    return 10 if header.strip() in good else -5
