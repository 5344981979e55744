"""A citation as an editor pastes it, taken apart into the fields of a source: RIS, BibTeX, a line in Vancouver style, or a bare
DOI, PubMed number or web address. Nothing is asked of the internet, so nothing is known that was not pasted.
"""

import re
import unicodedata
from functools import reduce
from operator import or_

from django.db.models import Q

from factsheets.models import Source

DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>|\\^`{}]+")
PMID = re.compile(
    r"\b(?:PMID|PubMed(?: ID)?)\s*[:#]?\s*(\d{4,9})\b|pubmed\.ncbi\.nlm\.nih\.gov/(\d{4,9})\b", re.IGNORECASE
)
PMCID = re.compile(r"\bPMC\d{4,9}\b", re.IGNORECASE)
ISBN = re.compile(r"\bISBN(?:-1[03])?\s*:?\s*((?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx])\b", re.IGNORECASE)
ADDRESS = re.compile(r"\bhttps?://[^\s<>\"]+")
RIS_LINE = re.compile(r"^([A-Z][A-Z0-9])  ?-\s?(.*)$", re.MULTILINE)
BIBTEX = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,", re.DOTALL)
YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
# Vickers AJ, Cronin AM, et al. Title of the paper. J Pain. 2018;19(5):455-474.
WHERE = re.compile(
    r"^(?P<container>[^;]*?)[.,]?\s+(?P<year>(?:19|20)\d{2})(?:\s+[A-Z][a-z]{2}(?:\s+\d{1,2})?)?\s*;\s*(?P<detail>[^.]+)\.?$"
)
NAME = r"[^\W\d_][\w'’-]*+(?:\s+[\w'’-]++){0,4}?\s+[A-Z]{1,3}"
NAMES = re.compile(rf"({NAME}(?:,\s+{NAME})*+(?:,?\s+et al)?)\.\s+")
# Vickers, A. J., & Cronin, A. M. (2018). Title of the paper. Journal of Pain, 19(5), 455–474.
APA = re.compile(
    r"(?P<authors>[^()]+?)\s\((?P<year>(?:19|20)\d{2})[^()]*\)\.\s+(?P<title>[^.?!]+)[.?!]\s+(?P<container>[^,]+)"
    r",\s*(?P<volume>\d+)(?:\((?P<issue>[^()]+)\))?(?:,\s*(?P<pages>[\w–-]+))?"
)
APA_NAME = re.compile(r"([^\W\d_][\w'’ -]*),\s+((?:[A-Z]\.[ -]?)+)")
AUTHORS_SHOWN = 3  # before “et al”, as printed in our lists
SEARCHED = ("key", "title", "authors", "container", "publisher", "identifier")
RIS_KINDS = {"JOUR": "study", "BOOK": "book", "RPRT": "report", "CHAP": "book", "STAT": "law"}
BIBTEX_KINDS = {"article": "study", "book": "book", "techreport": "report", "incollection": "book"}


def read(text: str) -> dict[str, str]:
    """The fields that could be recognised, each cut to what its column holds. Empty when none was."""
    text = text.strip().replace("\r\n", "\n")
    if re.match(r"TY  ?-", text):
        found = _ris(text)
    elif BIBTEX.match(text):
        found = _bibtex(text)
    else:
        found = _vancouver(text)
    found = _identifiers(text) | {name: value for name, value in found.items() if value}
    if found.get("doi") or found.get("pmid"):
        found.pop("url", None)  # the link is made of these, which publishers keep
    if (found.get("authors") or found.get("title")) and not found.get("key"):
        found["key"] = free_key(found)  # of a bare identifier it is made once somebody has typed these
    sizes = {field.name: field.max_length for field in Source._meta.fields if field.max_length}
    return {name: value[: sizes.get(name)] for name, value in found.items() if value}


def _identifiers(text: str) -> dict[str, str]:
    found = {}
    if match := DOI.search(text):
        found["doi"] = match[0].rstrip(".,;)]")
    if match := PMID.search(text):
        found["pmid"] = match[1] or match[2]
    elif re.fullmatch(r"\d{7,8}", text):
        found["pmid"] = text
    if match := PMCID.search(text):
        found["pmcid"] = match[0].upper()
    if match := ISBN.search(text):
        found["isbn"] = re.sub(r"[- ]", "", match[1]).upper()
    if match := ADDRESS.search(text):
        found["url"] = match[0].rstrip(".,;)]").replace("http://", "https://", 1)
    return found


def _ris(text: str) -> dict[str, str]:
    tags: dict[str, list[str]] = {}
    for tag, value in RIS_LINE.findall(text):
        tags.setdefault(tag, []).append(" ".join(value.split()))

    def first(*names: str) -> str:
        return next((tags[name][0] for name in names if tags.get(name)), "")

    pages = "-".join(filter(None, (first("SP"), first("EP"))))
    return {
        "kind": RIS_KINDS.get(first("TY"), "study"),
        "authors": _authors([_turned(name) for name in tags.get("AU", tags.get("A1", []))]),
        "title": first("TI", "T1").rstrip("."),
        "container": first("JO", "JF", "T2", "JA"),
        "publisher": first("PB"),
        "year": _year(first("PY", "Y1", "DA")),
        "detail": _detail(first("VL"), first("IS"), pages),
        "doi": _bare(first("DO")),
        "url": first("UR"),
    }


def _bibtex(text: str) -> dict[str, str]:
    kind = BIBTEX.match(text)
    fields = {}
    for match in re.finditer(r"(\w+)\s*=\s*", text):
        value = _bibtex_value(text[match.end() :])
        fields.setdefault(match[1].lower(), " ".join(re.sub(r"[{}]|\\[a-z]*", "", value).split()))
    names = [_turned(name) for name in re.split(r"\s+and\s+", fields.get("author", "")) if name]
    return {
        "kind": BIBTEX_KINDS.get(kind[1].lower(), "study") if kind else "",
        "authors": _authors(names),
        "title": fields.get("title", "").rstrip("."),
        "container": fields.get("journal", "") or fields.get("booktitle", ""),
        "publisher": fields.get("publisher", ""),
        "year": _year(fields.get("year", "") or fields.get("date", "")),
        "detail": _detail(
            fields.get("volume", ""), fields.get("number", ""), fields.get("pages", "").replace("--", "-")
        ),
        "doi": _bare(fields.get("doi", "")),
        "pmid": fields.get("pmid", ""),
        "url": fields.get("url", ""),
    }


def _bibtex_value(text: str) -> str:
    """A value in braces, in quotes or bare."""
    if text[:1] == '"':
        return text[1:].partition('"')[0]
    if text[:1] != "{":
        return re.split(r"[,}\n]", text, maxsplit=1)[0]
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return text[1:at]
    return text[1:]


def _vancouver(text: str) -> dict[str, str]:
    line = re.sub(r"^\s*(?:\[?\d{1,3}[\].)])\s+", "", " ".join(text.split()))
    for pattern in (ADDRESS, PMID, PMCID, ISBN):
        line = pattern.sub("", line)
    line = re.sub(r"\b(?:doi|DOI)\s*:?\s*", "", DOI.sub("", line))
    line = re.sub(r"\b(?:Available (?:from|at)|Epub|PMCID)\b.*$", "", line).strip(" .;,")
    if match := APA.fullmatch(line):
        return {
            "kind": "study",
            "authors": _authors([_turned(f"{last}, {given}") for last, given in APA_NAME.findall(match["authors"])]),
            "title": match["title"],
            "container": match["container"],
            "year": match["year"],
            "detail": _detail(match["volume"], match["issue"] or "", (match["pages"] or "").replace("–", "-")),
        }
    found = {"authors": ""}
    if match := NAMES.match(line):
        found, line = {"authors": _authors(re.split(r",\s+", match[1]))}, line[match.end() :]
    parts = [part.strip(" .") for part in re.split(r"(?<=[^A-Z.])\.\s+|(?<=[A-Z]{2})\.\s+|(?<=al)\.\s+|\?\s+", line)]
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return {}
    found["title"] = parts[0]
    rest = ". ".join(parts[1:])
    if match := WHERE.match(rest):
        return found | match.groupdict() | {"kind": "study"}
    year = _year(rest)
    return found | {"container": rest.replace(year, "").strip(" .;,") if year else rest, "year": year}


def _authors(names: list[str]) -> str:
    """Vickers AJ, Cronin AM, Maschino AC et al."""
    names = [name for name in names if name]
    more = any("et al" in name for name in names)
    names = [re.sub(r"\s*\bet al\.?$", "", name) for name in names if name.strip(" .") != "et al"]
    shown = ", ".join(names[:AUTHORS_SHOWN])
    return f"{shown} et al" if shown and (more or len(names) > AUTHORS_SHOWN) else shown


def _turned(name: str) -> str:
    """Vickers AJ, from “Vickers, Andrew J.” or “Andrew J. Vickers”."""
    last, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        *firsts, last = name.split() or [""]
        given = " ".join(firsts)
    initials = "".join(part[0] for part in re.split(r"[\s.-]+", given) if part)
    return f"{last} {initials.upper()}".strip()


def _year(text: str) -> str:
    match = YEAR.search(text)
    return match[0] if match else ""


def _bare(doi: str) -> str:
    match = DOI.search(doi)
    return match[0].rstrip(".,;") if match else ""


def _detail(volume: str, issue: str, pages: str) -> str:
    where = f"{volume}({issue})" if issue else volume
    return ":".join(filter(None, (where, pages)))


def free_key(found: dict[str, str]) -> str:
    """The short name that authors cite: the first author's, or the title's first long word, with the year; else the DOI.

    Letters lose their accents. A name with none of A to Z and 0 to 9, as in another script, is passed over.
    """
    titled = sorted(found.get("title", "").split(), key=lambda word: len(word) < 4)  # not “The”
    named = [*found.get("authors", "").split()[:1], *titled, found.get("doi", "").partition("/")[2], "SOURCE"]
    base = next(filter(None, (_plain(name)[:20] for name in named)))
    base += found.get("year", "")[2:]
    taken = set(Source.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(each for each in (base, *(f"{base}-{number}" for number in range(2, 1000))) if each not in taken)


def _plain(name: str) -> str:
    """What a key can hold of it: NGSTRM would be nobody’s name, ANGSTROM is."""
    return re.sub(r"[^A-Z0-9-]", "", unicodedata.normalize("NFKD", name).upper()).strip("-")


def key_in(text: str) -> str:
    """The short name in “Low back pain (NG59)”, as lists name a source, or in “NG59: Low back pain”; else the text as one."""
    named = re.search(r"\(([A-Z0-9-]+)\)\Z", text.strip())
    return named[1] if named else _before_colon(text)


def _before_colon(text: str) -> str:
    return text.partition(":")[0].strip("[]@ ").upper()


def known(text: str) -> list[Source]:
    """The sources that somebody may mean: by key, DOI, PubMed number, or words of title, authors and series. Twelve at most."""
    text = " ".join(text.split())
    for key in dict.fromkeys((key_in(text), _before_colon(text))):  # a title may end in brackets
        if exact := Source.objects.filter(key=key).first():
            return [exact]
    identifiers = _identifiers(text)
    for name in ("doi", "pmid", "pmcid", "isbn"):
        if name in identifiers and (same := list(Source.objects.filter(**{f"{name}__iexact": identifiers[name]})[:12])):
            return same
    found = Source.objects.all()
    for word in text.split()[:8]:
        found = found.filter(reduce(or_, (Q(**{f"{name}__icontains": word}) for name in SEARCHED)))
    return list(found[:12]) if text else []
