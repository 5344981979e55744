"""What is sent: hypothesis strategies over the real fields with hostile values, raw bytes, and hostile addresses."""

from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from django.urls import URLResolver, get_resolver
from hypothesis import strategies as st

from loadtests.fuzz.forms import Target

MARK = "zqfuzz"  # in every value that is worth looking for afterwards
BREAKS = f'"\'>{MARK}<zq\'" onzq="x'  # shows as a tag or an attribute wherever it is not escaped

HOSTILE = [
    BREAKS,
    f"<script>{MARK}</script>",
    f"<zq'\"{MARK}",
    f"</textarea></title></style><zq'\"{MARK}>",
    f"<!--{MARK}--><zq'\">",
    f"javascript:{MARK}",
    f"{MARK}\r\nBcc: victim@example.com",
    f"{MARK}@example.com\r\n.\r\nMAIL FROM:<x>",
    f"a@example.com,{MARK}@example.com",
    f"{MARK}@例え.example",
    f'"{MARK} <zq\'"@example.com',
    "{{ 7|add:42 }}zq{{ 7|add:42 }}",
    "{% debug %}{% include 'base.html' %}",
    "${7*7} #{7*7} %(x)s %s %n {0.__class__} {x!r}",
    f"\u202e{MARK}\u202d\u2066\u200b\ufeff",
    f"\x00{MARK}",
    "\x00",
    f"\x01\x02\x07\x1b[31m{MARK}\x7f\x85\u2028",
    f"{MARK}\ud800",
    "\udfff",
    f"=cmd|'/c calc'!A0{MARK}",
    f"'; DROP TABLE enquiries_enquiry; --{MARK}",
    "%' OR 1=1 --",
    "\\' OR \\",
    "../../../../etc/passwd",
    "//evil.example",
    "9" * 400,
    "-1",
    "0",
    "1e999",
    "NaN",
    "9223372036854775808",
    "-9223372036854775809",
    "٣",
    "2026-02-30",
    "9999-12-31",
    "0001-01-01",
    "24:61",
    "00000000-0000-0000-0000-000000000000",
    "send",
    "change",
    "change-description",
    f"change-{MARK}",
    "None",
    "null",
    "[]",
    "{}",
    '["a", {"b": null}]',
    "on",
    "",
    " ",
    "\t\n",
    "Z\u0351\u036f" * 300,
    "\ufdfa" * 80,
    "👩\u200d👩\u200d👧" * 50,
    f"{MARK} " * 2_000,
    "RF-E1 " * 200,
    "ada@example.com",
    "own@example.com",
    "020 7946 0018",
    "+442079460018",
    "about-back-pain",
]
LETTERS = st.characters(codec=None) | st.sampled_from("<>&\"'{}%\\/\x00\r\n\u202e=@.-:;,|`$#")
VALUE = (
    st.sampled_from(HOSTILE) | st.text(LETTERS, max_size=40).map(lambda text: f"{MARK}{text}") | st.text(max_size=20)
)

SET, DROP, TWICE, MANY, RENAME, EXTRA, OTHERS, EMPTY = range(8)
CHANGE = st.tuples(
    st.sampled_from([SET] * 6 + [DROP, TWICE, MANY, RENAME, EXTRA, OTHERS, EMPTY]), st.integers(0, 200), VALUE
)


@dataclass(frozen=True)
class Sent:
    """A request as `tests.support.wsgi.ask` takes it, and what it was made of."""

    target: str
    request: dict


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a lone surrogate becomes bytes that are no UTF-8


def changed(target: Target, changes: list[tuple[int, int, str]]) -> list[tuple[str, str]]:
    pairs, names = list(target.pairs), target.names or ("q",)
    for what, where, value in changes:
        name = names[where % len(names)]
        others = [pair for pair in pairs if pair[0] != name]
        if what == SET:
            pairs = [*others, (name, value)]
        elif what in {DROP, EMPTY}:
            pairs = others if what == DROP else []
        elif what == TWICE:
            pairs = [*pairs, (name, value)]
        elif what == MANY:
            pairs = [*others, *((name, f"{value}{n}") for n in range(4))]
        elif what == RENAME:
            pairs = [(f"{name}[]" if key == name else key, kept) for key, kept in pairs]
        elif what == EXTRA:
            pairs = [*pairs, (value, value), (f"{name}-0", value), (f"{name}__in", value)]
        elif what == OTHERS:
            pairs = [(key, value) for key, _ in pairs]
    return pairs


def urlencoded(pairs) -> bytes:
    return b"&".join(
        quote_from_bytes(encoded(name)).encode() + b"=" + quote_from_bytes(encoded(value)).encode()
        for name, value in pairs
    )


def multipart(pairs) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    parts = [head % (encoded(n).replace(b'"', b"%22").replace(b"\r\n", b" "), encoded(v)) for n, v in pairs]
    return b"".join(parts) + b"--b--\r\n"


def _request(target: Target, changes, kind: str) -> Sent:
    pairs = changed(target, changes)
    given = {"method": target.method, "path": encoded(target.path).decode("latin-1"), "HTTP_COOKIE": target.cookies}
    if target.method == "GET":
        given |= {"path": target.path.partition("?")[0], "QUERY_STRING": urlencoded(pairs).decode()}
    elif kind == "multipart":
        given |= {"CONTENT_TYPE": "multipart/form-data; boundary=b", "body": multipart(pairs)}
    else:
        given |= {"body": urlencoded(pairs)}
    return Sent(target.label, given)


def structured(targets: list[Target]):
    """Each form with up to four of its fields changed, sent as a browser would.

    A third of them are any form, a third public ones, and a third those by which something is accepted.
    """
    public = [each for each in targets if not each.path.startswith("/admin/")]
    last = [each for each in public if each.path == "/report/" or any(name.endswith("-seal") for name in each.names)]
    return st.builds(
        _request,
        st.sampled_from(targets) | st.sampled_from(public) | st.sampled_from(last),
        st.lists(CHANGE, min_size=1, max_size=4),
        st.sampled_from(["urlencoded"] * 5 + ["multipart"]),
    )


TYPES = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=b; charset=latin-1",
    "multipart/form-data",
    "application/json",
    "text/plain; x*=bogus''y",
    "",
]


def _damaged(target: Target, kind: str, cuts: list[tuple[int, int, bytes]], noise: bytes | None) -> Sent:
    body = bytearray(multipart(target.pairs) if kind.startswith("multipart") else urlencoded(target.pairs))
    for at, length, new in cuts:
        at %= len(body) + 1
        body[at : at + length] = new
    given = {
        "method": "POST",
        "path": target.path.partition("?")[0],
        "HTTP_COOKIE": target.cookies,
        "CONTENT_TYPE": kind,
    }
    return Sent(f"bytes {target.label}", given | {"body": bytes(body) if noise is None else noise})


def raw(targets: list[Target]):
    """Bodies that are damaged, or nothing but noise."""
    piece = st.binary(max_size=6) | st.sampled_from(
        [b"%", b"%zz", b"%00", b"%ff", b"&", b"=", b"\r\n", b"--b", b"\xed\xa0\x80"]
    )
    cuts = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 4), piece), min_size=1, max_size=8)
    noise = st.none() | st.none() | st.binary(max_size=300)
    return st.builds(_damaged, st.sampled_from(targets), st.sampled_from(TYPES), cuts, noise)


def routes() -> list[str]:
    """Every pattern of the URLconf, the admin's too."""
    return sorted(set(_walk(get_resolver().url_patterns, "/")))


def _walk(patterns, before: str):
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route


SEGMENT = st.sampled_from(
    [
        "about-back-pain",
        "1",
        "0",
        "-1",
        "9" * 40,
        "x",
        "a" * 300,
        "..",
        ".",
        "%2e%2e",
        "\x00",
        "\xff",
        "é",
        ";",
        "?",
        "#",
        " ",
        "\\",
        "_5F",
        "__",
        "<zq'\"",
        "{{7}}",
        "00000000-0000-0000-0000-000000000000",
        "add",
        "change",
        "delete",
        "history",
    ]
) | st.text(LETTERS, min_size=1, max_size=12)
QUERIES = [
    "q",
    "p",
    "o",
    "e",
    "sheet",
    "next",
    "queue",
    "why",
    "recovery",
    "_popup",
    "_to_field",
    "status__exact",
    "id__in",
    "all",
]
QUERY = st.lists(st.tuples(st.sampled_from(QUERIES) | VALUE, VALUE), max_size=3)


def _address(route: str, fill: list[str], behind: list[str], query, method: str, cookies: str) -> Sent:
    parts, number = [], 0
    for part in route.split("/"):
        if "<" in part or "(" in part:
            part = fill[number % len(fill)]
            number += 1
        parts.append(part)
    path = "/" + "/".join(parts).lstrip("/") + "/".join(behind)
    given = {"method": method, "path": encoded(path).decode("latin-1"), "HTTP_COOKIE": cookies}
    return Sent(f"address {route}", given | {"QUERY_STRING": urlencoded(query).decode()})


def addresses(cookies: list[str]):
    """Every route with hostile parts, things behind it and a query, as somebody signed in and as nobody."""
    return st.builds(
        _address,
        st.sampled_from(routes()),
        st.lists(SEGMENT, min_size=1, max_size=3),
        st.just([]) | st.lists(SEGMENT, max_size=2),
        QUERY,
        st.sampled_from(["GET"] * 8 + ["HEAD", "POST", "OPTIONS"]),
        st.sampled_from(["", *cookies]),
    )
