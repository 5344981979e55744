"""The claims guard: wording that UK advertising rules or the claim ledger forbid stops publication.

Sources: CAP Code section 12 (12.1 evidence for health claims, 12.2 no discouraging of essential treatment), the ASA's acupuncture
guidance (accepted: short-term relief of chronic low back pain), NICE NG59, and the ledger's wording rules. The guard finds wording,
not truth: a finding may be overridden with a written reason, which is kept.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from factsheets.models import BENEFITS
from factsheets.models.section import Layer
from factsheets.rendering.markdown import plain

SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
ACUPUNCTURE = re.compile(r"\b(?:electro)?acupunctur\w*|\bneedling\b", re.IGNORECASE)
BENEFIT = re.compile(
    r"\b(?:reliev\w+|relief|eas(?:e|es|ed|ing)|help(?:s|ed)?|improv\w+|reduc\w+|better|treats?|benefits?)\b",
    re.IGNORECASE,
)
# A sentence that says no, or says how unsure it is, is not a claim of benefit.
HEDGED = re.compile(
    r"\b(?:not|no|nor|never|cannot|unclear|unsure|without|pretend|sham|whether|if|ask|tell|little|few|small|only|slightly)\b|n[’']t\b",
    re.IGNORECASE,
)
OUTSIDE = re.compile(
    r"\b(?:acute|recent|sciatica|posture|periods?|stones?|infections?|stress|sleep|arthritis|fertility)\b",
    re.IGNORECASE,
)
NICE = re.compile(r"\bNICE\b")
NICE_AGAINST = re.compile(r"\bNICE\b.*\b(?:not recommend|advises against|(?:do not|not to) offer)\b")
TRADITIONAL = re.compile(r"\b(?:qi|meridians?|stagnation|damp[- ]heat|yin|yang)\b", re.IGNORECASE)
WORDS = {
    "cure": (r"\bcur(?:e|es|ed|ing|ative)\b", "Do not promise a cure. Say what changed for how many people."),
    "heal": (r"\bheal(?:s|ing)\b", "“Heals” promises an outcome. Say what may ease, and how sure we are."),
    "proven": (r"\bproven\b", "“Proven” needs evidence that no treatment here has. Give the grade in words."),
    "works": (
        r"\b(?:it|acupuncture|massage|tuina|treatment) works\b",
        "“Works” is a flat claim. Say what it may do, and for whom.",
    ),
    "approved": (r"\bapproved by\b", "Nobody approves a treatment in this sense. Name the guideline and what it says."),
    "guaranteed": (r"\bguarantee[sd]?\b", "No result can be guaranteed."),
    "instant": (r"\binstant(?:ly)?\b", "Instant relief is not supported, and not allowed in UK advertising."),
    "effective": (r"\bhighly effective\b", "Say how large the effect was, and how sure we are."),
    "natural": (r"\bnatural(?:ly)? (?:and )?safe\b|\bsafe and natural\b", "Natural is not always safe."),
    "miracle": (r"\bmiracles?\b", "This wording is never acceptable."),
    "blame": (
        r"\bwear and tear\b|\bcrumbling\b|\bout of place\b|\bslipped out\b",
        "These words frighten and are not accurate.",
    ),
    "delay": (
        r"\b(?:instead of|no need (?:for|to see)) (?:your |a )?(?:GP|doctor|hospital|medicines?)\b|\bstop taking your medicines?\b",
        "Never suggest stopping medicine, delaying a GP visit or skipping a test (CAP Code 12.2).",
    ),
    "doctor": (
        r"\b(?:Chinese (?:medical )?|TCM |acupuncture )doctors?\b",
        "“Doctor” is for people registered with the GMC. Say “practitioner”.",
    ),
    "cancer": (r"\btreat\w* (?:for |of )?cancer\b", "No treatment may be offered for cancer (Cancer Act 1939)."),
}
PLACES = {"title": "title", "summary": "summary", "audience": "who it is for"}
PATTERNS = {code: (re.compile(pattern, re.IGNORECASE), rule) for code, (pattern, rule) in WORDS.items()}


@dataclass(frozen=True)
class Finding:
    code: str
    rule: str
    section: str
    sentence: str

    @property
    def key(self) -> str:
        """Names this wording in this place: an override ends when the sentence changes."""
        return hashlib.sha256(f"{self.code}|{self.section}|{self.sentence}".encode()).hexdigest()[:16]


def findings(document: dict) -> list[Finding]:
    """Wording that must not be published, in reading order. `document` is `FactSheet.document`."""
    found = [
        each for name in ("title", "summary", "audience") for each in wording(PLACES[name], document.get(name, ""))
    ]
    answer = {
        "in short": plain((document.get("in_short") or {}).get("content", [])),
        "key points": " ".join(f"{plain(point['content'])}\n" for point in document.get("key_points", [])),
    }
    nice_is_there = any(NICE.search(text) for text in answer.values())
    for name, text in answer.items():
        found += wording(name, text)
        found += _acupuncture(name, text, nice_is_there)
    for section, name, nice_is_there in _in_chapters(document):
        text = _text(section)
        found += wording(name, text)
        found += _acupuncture(name, text, nice_is_there)
        if (
            TRADITIONAL.search(text)
            and section["view"] != "traditional"
            and section["kind"] not in {"evidence", "table"}
        ):
            found += _traditional(name, text)
        for statement in section.get("evidence", []):
            said = (f"{statement['claim']}.", plain(statement["blocks"]), statement["nice_position"])
            words = "\n".join([*said, statement.get("burden", "")])
            found += wording(f"{name}: {statement['claim']}", words)
            claims = statement["direction"] in BENEFITS and statement["treatment"] == "acupuncture"
            if claims and not statement["nice_position"]:
                found.append(Finding("nice", RULE_NICE, f"{name}: {statement['claim']}", statement["claim"]))
    found += _repeats(document)
    for word in document.get("words", []):
        found += wording(f"words explained: {word['term']}", word["meaning"])
    for reference in document.get("references", []):
        found += wording(f"source {reference['key']}", reference["finding"])
    return found


def _text(section: dict) -> str:
    text = f"{section['heading']}.\n{plain(section['blocks'])}" if section["blocks"] else section["heading"]
    if figure := section.get("figure"):
        text = "\n".join([text, figure["title"], figure["alt"], figure["long_description"]])
    return text


def _chapters(document: dict) -> Iterator[tuple[dict, list[dict]]]:
    """What is under one second-level heading, where NICE's position appears once for all of it."""
    sections = {section["slug"]: section for section in document.get("sections", [])}
    for chapter in document.get("chapters", []):
        yield chapter, [sections[slug] for slug in chapter["sections"]]


def _in_chapters(document: dict) -> Iterator[tuple[dict, str, bool]]:
    """Each section with its name, and whether its chapter has NICE's position, in words or beside a statement."""
    for chapter, inside in _chapters(document):
        said = any(
            NICE.search(_text(section)) or any(each["nice_position"] for each in section.get("evidence", []))
            for section in inside
        )
        for section in inside:
            yield section, section["heading"] or chapter["heading"] or section["slug"], said


def _repeats(document: dict) -> list[Finding]:
    """NICE's position on acupuncture where its chapter has said it already. Not in a sheet from before there were layers.

    Statements and pictures in words say it for themselves: a search quotes each of them alone.
    """
    found = []
    for chapter, inside in _chapters(document):
        if chapter["layer"] == Layer.LEAFLET and not inside[0]["question"]:
            continue
        places = [
            (section["heading"] or chapter["heading"], sentence)
            for section in inside
            for sentence in _sentences(f"{section['heading']}.\n{plain(section['blocks'])}")
            if NICE_AGAINST.search(sentence) and ACUPUNCTURE.search(sentence)
        ]
        found += [Finding("repeat", RULE_REPEAT, *place) for place in places[1:]]
    return found


RULE_REPEAT = (
    "NICE's position on acupuncture is already under this heading. "
    "Say it only once there, so that readers keep noticing it."
)
RULE_NICE = (
    "A benefit of acupuncture needs NICE's position under the same heading: "
    "“NICE does not recommend acupuncture for low back pain or sciatica.”"
)
RULE_OUTSIDE = (
    "The ASA has accepted only short-term relief of chronic low back pain. Do not claim benefit for anything else."
)
RULE_TRADITIONAL = (
    "Traditional ideas belong in a section whose view is “traditional Chinese medicine”, "
    "which carries the label “Traditional explanation. Not a medical diagnosis.”"
)


def _sentences(text: str):
    for match in SENTENCE.finditer(text):
        sentence = " ".join(match[0].split())
        if sentence:
            yield sentence


def wording(section: str, text: str) -> list[Finding]:
    """Forbidden words in any text."""
    return [
        Finding(code, rule, section, sentence)
        for sentence in _sentences(text)
        for code, rule in _forbidden_in(sentence)
    ]


@lru_cache(maxsize=4096)  # the sentences of all sheets: each save reads all of one, nearly all as they were
def _forbidden_in(sentence: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, rule) for code, (pattern, rule) in PATTERNS.items() if pattern.search(sentence))


def free_text(place: str, text: str) -> list[Finding]:
    """What must not be said in a text that is not a sheet, such as a letter. NICE's position must be in the text itself."""
    return [*wording(place, text), *_acupuncture(place, text, bool(NICE.search(text)))]


def _acupuncture(section: str, text: str, nice_is_there) -> list[Finding]:
    found = []
    for sentence in _sentences(text):
        if not ACUPUNCTURE.search(sentence) or not BENEFIT.search(sentence) or HEDGED.search(sentence):
            continue
        if OUTSIDE.search(sentence):
            found.append(Finding("outside", RULE_OUTSIDE, section, sentence))
        if not nice_is_there:
            found.append(Finding("nice", RULE_NICE, section, sentence))
    return found


def _traditional(section: str, text: str) -> list[Finding]:
    sentence = next((each for each in _sentences(text) if TRADITIONAL.search(each)), section)
    return [Finding("traditional", RULE_TRADITIONAL, section, sentence)]
