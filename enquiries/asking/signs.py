r"""Which red flags a patient's own words sound like, before they send them and for whoever reads them.

The signs are those of the search (factsheets.search.redflags, reviewed with it). A search is a few words; this is a text, so:

- A sign's words must stand near each other: in one sentence, and in a long one within NEAR words. "I can't sit for long. I pee
  normally" is no trouble with peeing. A sentence that begins with "it" or "they" is read with the one before.
- What somebody says they do not have is taken out first: "no numbness", "not had any loss of bladder control". Only what is
  plainly denied: a word such as "until" keeps the sentence whole, and "no control", "no feeling" and "cannot feel" are signs.

For review by a clinician. The card says "if you have back pain and…", so it is better to show it once too often than once too
rarely: tests/safe/test_red_flag_words.py holds sentences of both sorts.
"""

import re
from dataclasses import dataclass

from factsheets.models import Tier
from factsheets.search import redflags
from factsheets.search.text import plain

NEAR = 24  # words
CODES_LENGTH = 120  # characters that the enquiry keeps of its codes
# No sign of the list is about one's own death; the nearest record asks for help with mood. Ledger, "Outcomes", D13.
CRISIS = "RF-R3"

# A new line is a new sentence where it begins like one; many keyboards break lines anywhere.
SENTENCE_ENDS = re.compile(
    r"[.!?;…]+(?:\s+|$)|\n\s*\n|\n(?=\s*(?:[-–•*]|\d+[.)]|[A-Z]))|,?\s+(?:but|however|although|though)\s+"
)
GOES_ON = re.compile(r"^\s*(?:and |also )?(?:it|its|it’s|it's|this|that|they|these|both|there|same)\b", re.IGNORECASE)

# What follows is compared with words as redflags.read compares them: lower case, no apostrophes.
NOT = r"(?:not|isnt|arent|wasnt|werent|doesnt|dont|hasnt|havent)"
WELL = r"(?:fine|ok|okay|normal(?:ly)?|good|unchanged|unaffected|as usual|as normal)"
ORGANS = r"(?:bladder|bowels?|waterworks|legs?)"
PLACES = r"(?:bladder|bowels?|waterworks|toilet|urinary|urine|pee(?:ing)?|wee(?:ing)?|poo(?:ing)?|walking|balance|legs?|saddle)"
PLACES_LIST = rf"{PLACES}(?: (?:or|and|nor) (?:my )?{PLACES})*"
TROUBLES = (
    r"(?:problems?|troubles?|issues?|symptoms?|changes?|difficult(?:y|ies)|concerns?|weakness|numbness|infections?)"
)
THING = (
    r"(?:(?:new|real|recent|other|obvious|sudden|serious|signs? of|history of|sense of|feeling of) )*(?:"
    rf"(?:loss of|lost|los(?:e|ing)) (?:(?:my|any|the) )?(?:{PLACES_LIST} (?:control|function)|"
    rf"control of (?:my )?{PLACES_LIST}|feeling|sensation|weight|control|power|strength|balance)|"
    rf"{TROUBLES} (?:with |of |in |to |going to |passing )*(?:my |the )*(?:{PLACES_LIST}|water)|{PLACES_LIST} {TROUBLES}|"
    r"numbness|tingling|pins (?:and|n|an) needles|weakness|incontinence|leak(?:s|ing|age)|accidents?|falls?|"
    r"injur(?:y|ies)|trauma|fevers?|(?:high )?temperature|shivering|chills|night sweats?|infections?|weight loss|"
    r"(?:history of )?cancer|tumours?|chest pains?|breathlessness|short(?:ness)? of breath|"
    r"(?:night|leg|groin|jaw|saddle) (?:pains?|symptoms?|numbness)|red flags?|pain at night|lumps?|swelling|bleeding|"
    r"blood|faint(?:ing)?|dizziness|hiv|steroids?|osteoporosis|suicidal (?:thoughts?|feelings?)|"
    r"thoughts? of (?:suicide|self harm)|self harm)"
)
SOMEWHERE = (
    r"(?: (?:in|around|between|down|of|with|at|to) (?:my |the |your |either |both |any )*(?!back )"
    rf"(?:{PLACES}|\w+)(?: or (?:my )?\w+)?)?"
)
# A list is denied to its end only where "or" or "nor" closes it: after "no numbness, tingling in my bum" nobody can tell.
THINGS = rf"{THING}(?:(?: , {THING})* (?:, )?(?:or|nor) (?:any )?{THING})*{SOMEWHERE}"
NEVER_HAD = (
    r"(?:(?:have|has|had|did|do|does|am|is|are) (?:not|no|never)|(?:havent|hasnt|hadnt|didnt|dont|doesnt|not|never)|"
    r"without|no|nor|denies|deny|free of|free from)"
)
HAD = r"(?: (?:really|actually|currently|had|got|have|having|noticed|experienced|felt|feel|any|a|been|get|getting))*"
STATES = r"(?:numb|tingly|weak|incontinent|pregnant|feverish|suicidal|breathless|unsteady)"
DENIED = re.compile(
    rf"\b{NEVER_HAD}{HAD} {THINGS}"
    rf"|\b{NOT} (?:at all )?{STATES}(?: or {STATES})*(?: (?:down there|anywhere|in my \w+))?"
    rf"|\b(?:my )?{ORGANS}(?: (?:and|or) {ORGANS})* "
    rf"(?:(?:is|are|both|all|function|movements?|habits?|seems?|feels?|working|work|still) )*{WELL}\b"
    r"|(?<!not )(?<!never )(?<!hardly )(?<!barely )\b(?:can|able to|still)(?: (?:still|now|both|also))? "
    r"(?:pee|wee|poo|urinate|go to the (?:toilet|loo)|walk)(?: and (?:pee|wee|poo))? "
    rf"(?:{WELL}|without (?:any )?(?:trouble|problems?|difficulty))\b"
)
# With one of these, a denial may be of another time, or no denial at all.
NOT_A_DENIAL = re.compile(
    r"\b(?:until|till|til|before|at first|at the start|used to|previously|no longer|any ?more|normally never)\b"
)
# Said in more words than a search has, put into the words that the signs know.
REWORDED = [
    (
        rf"\b(?:{NOT}|do not|did not|didnt|have not|never|without|hardly|barely)"
        r"(?: (?:really|even|have|got|get|had|feel|any|much|a lot of))* (?:feeling|sensation)\b(?! of)",
        "no feeling",
    ),
    (r"\bcan (?:still|now|just|really|often|sometimes) not\b|\bcan (?:hardly|barely|scarcely)\b", "cannot"),
    (
        rf"\b(bladder|bowels?|waterworks) (?:(?:is|are|was|were|do|does|has|have|just|really|still) )*{NOT}(?: been)?\b"
        r"(?! (?:been )?(?:affected|involved|changed|an? |the (?:issue|problem)|any))",
        r"\1 problems",
    ),
]


@dataclass(frozen=True)
class Signs:
    """Codes of the advice that a text points at, the gravest first, and whether it sounds like a crisis."""

    emergency: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    crisis: bool = False

    def __bool__(self):
        return bool(self.codes)

    @property
    def codes(self) -> tuple[str, ...]:
        return ((CRISIS,) if self.crisis else ()) + self.emergency + self.urgent

    @property
    def kept(self) -> str:
        """As the enquiry keeps them: at most CODES_LENGTH characters, the gravest of them."""
        kept = ""
        for code in self.codes:
            if len(kept) + 1 + len(code) <= CODES_LENGTH:
                kept = f"{kept} {code}".strip()
        return kept

    def cards(self, tiers: list[dict]) -> list[dict]:
        """The gravest tier that the words sound like, with what they sound like first. One: two would push each other away."""
        for tier, codes in ((Tier.EMERGENCY, self.emergency), (Tier.URGENT, self.urgent)):
            if codes:
                [found] = [each for each in tiers if each["tier"] == tier]
                return [{**found, "items": sorted(found["items"], key=lambda item: item["code"] not in codes)}]
        return []


def read(text: str) -> Signs:
    """What a patient's own words sound like. Never raises; looks at the first redflags.LONGEST characters."""
    emergency, urgent, crisis = {}, {}, False
    for said in _said_together(text[: redflags.LONGEST]):
        reading = redflags.read(said)
        emergency |= dict.fromkeys(reading.emergency)
        urgent |= dict.fromkeys(reading.urgent)
        crisis = crisis or reading.crisis
    return Signs(tuple(sorted(emergency)), tuple(sorted(urgent, key=_by_number)), crisis)


def _by_number(code: str) -> tuple[str, int]:
    letters = code.rstrip("0123456789")
    return letters, int(code[len(letters) :] or 0)


def _said_together(text: str) -> list[str]:
    """Sentences without what they deny, and long ones in overlapping pieces."""
    sentences, raw = [], [part for part in SENTENCE_ENDS.split(text) if part and part.strip()]
    for number, part in enumerate(raw):
        sentences.append(part)
        if number and GOES_ON.match(part):
            sentences.append(f"{raw[number - 1]} {part}")
    pieces = []
    for sentence in sentences:
        words = _without_denials(sentence).split()
        step = NEAR // 2
        pieces += [" ".join(words[at : at + NEAR]) for at in range(0, max(1, len(words) - step), step)]
    return pieces


def _without_denials(sentence: str) -> str:
    # Commas stay for now, because they end what is denied.
    said = " ".join(re.findall(r"[^\W_]+|,", plain(sentence)))
    for pattern, words in REWORDED:
        said = re.sub(pattern, words, said)
    return said if NOT_A_DENIAL.search(said) else DENIED.sub(" ", said)
