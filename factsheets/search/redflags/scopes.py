"""Signs that do not count, because people do not have them, had them long ago, were cleared of them, or tell of somebody else's.

Each `Scope` silences the words from `start` to `end`. A denial opens with its own words (`by`), and where those belong to the sign
itself, as in “no feeling” and “not able to pee”, it silences nothing.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from factsheets.search.redflags.wording import Text

PAST, CLEARED_BY_A_DOCTOR, OTHER = "past", "cleared", "other"
MAX_DENIAL_WORDS = 14  # words
MIN_LIST_PIECE = 6  # words between the commas of a list that is denied in one go
BACK_FROM_WELL = 7  # words before “fine” to which it can refer


@dataclass(frozen=True)
class Scope:
    start: int
    end: int  # the last word
    kind: str = "denied"
    by: tuple[int, int] | None = None  # first and last word of the denial

    @cached_property
    def bits(self) -> int:
        return _bits(self.start, self.end)

    @cached_property
    def by_bits(self) -> int:
        return _bits(*self.by) if self.by else 0


def _bits(first: int, last: int) -> int:
    return ((1 << (last - first + 1)) - 1) << first


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NOUN_DENIALS = _set("no without nor neither deny denies denied zero nil nowt")
STATE_DENIALS = _set(
    "not never isnt arent aint wasnt werent doesnt dont didnt havent hasnt hadnt havnt haven hasn amnt wont wouldnt"
)
# Before one of these, “no” and the like deny nothing that matters here, or even say that something is wrong.
AFTER_NO = _set(
    "better relief improvement idea reason warning choice matter longer doubt use help sleep rest one point way let "
    "appetite let-up good easier joke"
)
AFTER_WITHOUT = _set(
    "warning trying realising realizing knowing noticing feeling reason meaning wanting thinking help stopping"
)
AFTER_NOT = _set(
    "hungry sure only just even because sleeping slept getting better best going long working right normal normally well know "
    "want think understand wish care bear stand improving coping managed managing stopping stopped eased"
)
DENIAL_STARTS = [
    tuple(words.split())
    for words in [
        "cant say", "couldnt say", "free of", "free from", "none of", "nothing like", "not got", "cannot say", "no sign",
        "no signs", "no history", "no evidence", "instead of", "rather than", "rather", "nothing",
    ]
]  # fmt: skip
# A denial ends before one of these.
TURNS = _set(
    "but however although though because cos coz since if whether why when while until till now then except instead only "
    "just yet apart today yesterday suddenly although bar nor"
)
SUBJECTS = _set(
    "i im ive id my he hes she shes it its they theyre we the there theres his her now then since today also"
)
# With one of these, a denial is about another time.
NO_DENIAL = re.compile(
    r"\b(?:until|till|til|before (?:this|last|now|yesterday|the|today|that)|any more|used to|at first|so much as)\b"
)
WELL = _set("fine ok okay normal normally alright unaffected unchanged usual perfect perfectly grand")
# These deny only at the end: “bowels regular”, but not “regular tightenings”.
WELL_AT_THE_END = _set("regular good strong working healthy")
NOT_WELL_BEFORE = _set(
    "otherwise else not isnt arent never cant cannot doesnt dont wasnt werent longer couldnt hardly barely usually "
    "normally were was havent hasnt didnt wont no without than used previously apparently nearly almost been stopped stop "
    "says feel felt where before look bit right all"
)
SIGN_BETWEEN = _set(
    "numb numbness tingling tingly weak weakness cant cannot couldnt lost losing loss no not dont doesnt isnt wont havent hasnt "
    "struggling struggle trouble leaking leak leaked dead hardly barely never pain hurts burning blood wet but and though "
    "stopped dribbling accident accidents unable"
)

YEARS_AGO = re.compile(
    r"\b(?:years? (?:ago|back|since)|yrs? ago|decades? ago|ages ago|long (?:ago|since)|as a (?:child|kid|student|"
    r"teenager|boy|girl|lad|"
    r"baby|youth|young \w+)|(?:in|during|after|since) the war|in my (?:teens|twenties|thirties|youth|childhood)|"
    r"from school|used to (?:have|get|be|"
    r"suffer)|"
    r"(?:back )?when i was (?:a |young|\d+|little|at school|pregnant with|carrying|expecting)|in the past|long healed|"
    r"last (?:year|winter|summer|autumn|spring)|at (?:school|university|uni)|previously|historical|"
    r"in the (?:sixties|seventies|eighties|nineties|noughties|[5-9]0s)|years since)\b"
)
OVER = re.compile(
    r"\b(?:(?:cleared|clears) up|all better|fully recovered|full recovery|recovered fully|completely (?:fine|"
    r"better|gone)|"
    r"(?:has|have|had|is|its|all) (?:now |since |long )?healed|soon came right|came right|passed off|wore off|"
    r"settled (?:down|since)|"
    r"went away|went completely|better now|nae bother|no bother now|in remission for|sorted (?:now|out)|"
    r"fine since|woke up as soon)\b"
)
PRESENT_SAID = re.compile(
    r"\b(?:now|today|tonight|yesterday|again|returned|worse|newly|new|recently|lately|currently|suddenly|"
    r"this (?:morning|week|weekend|afternoon|evening|month)|(?:is|came|come|coming|are|has) back(?! (?:clear|"
    r"normal|fine|ok|negative|"
    r"good))|last night|since (?:last|this|the weekend|yesterday|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)|"
    r"past (?:few|couple))\b"
)
# After “the nurse says it isn't”, one of these is the sign itself.
FAILS = (
    r"(?:empty\w*|work\w*|right|normal|getting|passing|going|coming|moving|respond\w*|lift\w*|enough|sensation|feeling|"
    r"reflex\w*)"
)
CLEARED = re.compile(
    r"\b(?:rule[ds]? (?:\w+ ){0,3}out|ruling out|rules out|excluded?|no (?:signs?|evidence) of|all clear(?! since|"
    r" for| (?:in )?(?:19|20)\d\d| from (?:\w+ ){0,2}(?:cancer|lymphoma|leukaemia|melanoma|myeloma))|(?:scans?|"
    r"tests?|results?|mri|ct|"
    r"x ?rays?|bloods|ecg|dexa|ultrasound|everything|tracing|swab|urine) (?:\w+ ){0,4}(?:clear|normal|fine|"
    r"negative|ok|okay)|"
    r"nothing (?:wrong|serious|sinister|to worry|abnormal)|(?:isnt|is not|not|wasnt|was not) (?:\w+ ){0,4}"
    r"(?:or )?(?:says|said) (?:the |my )?(?:doctor|gp|consultant|hospital|nurse|physio)|"
    r"(?:doctor|gp|consultant|hospital|nurse|physio|specialist|surgeon|paramedics?|midwife|they) (?:\w+ ){0,5}"
    r"(?:happy|said|says|confirmed|sure|certain|reassured|told me|satisfied) (?:\w+ ){0,4}(?:isnt|not|wasnt|no|"
    rf"nothing|none)(?! {FAILS})|"
    r"found (?:none|nothing|no)|checked (?:me |her |him )?(?:over|out) and|discharged|came back (?:clear|normal|"
    r"fine|negative|ok)|"
    r"turned out to be|turned out it was|been cleared|cleared of|false alarm|tested negative|negative for|"
    r"no red flags|(?:checked|tested) for)\b"
)
ALL_CLEAR_AFTER = re.compile(
    r"\b(?:(?:everything|all|tests?|results?|it|they|scans?) (?:\w+ ){0,4}(?:came back|was|were|is) (?:\w+ ){0,2}"
    r"(?:clear|normal|fine|negative|ok)|turned out to be|put (?:it )?down to|ruled (?:it )?out|false alarm|"
    r"right as rain|(?:fine|well|ok|no problems?) since)\b"
)
NEVER_CLEARED = re.compile(
    r"\b(?:(?:not|havent|hasnt|never|cant|need|want|waiting|could|can you|how) (?:\w+ ){0,3}(?:rule|ruled|exclude|"
    r"test))\b"
)
FAMILY = (
    r"(?:mum|mums|mam|mother|mothers|mom|dad|dads|da|father|fathers|wife|wifes|husband|husbands|hubby|partner|son|"
    r"sons|daughter|"
    r"daughters|sister|sisters|brother|brothers|nan|nans|nana|gran|grans|granny|grandma|grandad|granda|grandpa|"
    r"grandmother|"
    r"grandfather|aunt|auntie|aunty|uncle|cousin|niece|nephew|boyfriend|girlfriend|mother in law|father in law|"
    r"family|parents?)"
)
STRANGER = (
    r"(?:friend|friends|mate|mates|colleague|colleagues|boss|neighbour|neighbours|neighbor|coach|teacher|workmate|"
    r"flatmate|"
    r"(?:lad|man|woman|guy|girl|bloke|someone|somebody) (?:at|from|in|on|i) (?:my )?(?:work|church|the \w+|gym|tv|"
    r"telly|know|knew)|"
    r"(?:lad|man|woman|guy|girl|bloke|chap|lady|fella|person) (?:who|that|next|down|over|(?:at|from|in|on|of) (?:my|"
    r"our|the) \w+)|"
    r"celebrity|footballer|actor)"
)
SOMEBODY = re.compile(rf"\b(?:{FAMILY}|{STRANGER})\b")
DEAD = re.compile(
    rf"\blate {FAMILY}\b|\blost my (?:\w+ )?{FAMILY}\b|\blost (?:him|her|them) to\b|\b{FAMILY} (?:died|passed away|"
    rf"is dead)|\bdied (?:of|from)\b|\bran in the family\b"
)
OF_THEIRS = re.compile(
    rf"\b(?:{FAMILY}|{STRANGER})s? (?:\w+ )?(?:cancer|stroke|heart attack|fall|accident|cauda|shingles)\b"
)
HAD = re.compile(
    rf"\b(?:{FAMILY}|{STRANGER})(?: \w+){{0,4}}? (?:had|was|were|got|broke|fractured|fell|suffered|developed|lost|"
    rf"died|survived|used|couldnt)\b"
)
THEIR_BACK = re.compile(
    r"\b(?:his|her|their|hes|shes|he|she)(?: \w+){0,3} (?:back|spine|pain|hurts?|sore|ache)\b|\b(?:he|she|hes|"
    r"shes|her|his|they)\b.*\b(?:now|today|"
    r"tonight|this morning|this week)\b|\b(?:now|today|tonight|this morning|this week|yesterday)\b.*\b(?:he|"
    r"she|his|her|hes|shes)\b"
)
OWN = re.compile(
    r"\b(?:my (?:own |lower |upper |low |bad )?back|mine|ive (?:just |only )?(?:got )?an? |i (?:just |"
    r"only )?have (?:just )?an? (?!friend|son|"
    r"daughter|husband|wife)|i just|i only|i have none|will i|do i|am i|should i worry|could i get|i suppose|"
    r"makes me|its my back|"
    r"so far only|can i (?:catch|get)|run in|runs in|hereditary|genetic|i get it|does (?:physio|acupuncture|"
    r"it) help|how (?:rare|"
    r"common)|chances?)\b"
)


def scopes(text: Text) -> list[Scope]:
    """Every stretch of the text that is not said of the person now."""
    return [*_denials(text), *_wells(text), *_of_sentences(text)]


def _denials(text: Text) -> list[Scope]:
    found, words = [], text.words
    for at, word in enumerate(words):
        last = _denial_at(words, at)
        if last is None:
            continue
        following = words[last + 1] if last + 1 < len(words) else ""
        if word == "without" and following in AFTER_WITHOUT:
            continue
        if word == "no" and following in AFTER_NO:
            continue
        if word in STATE_DENIALS and (following in AFTER_NOT or following in {"i", "im", "ive", "ill", "id"}):
            continue  # “if it doesn't I …”
        end = _end_of_denial(text, last)
        if end > last and not NO_DENIAL.search(" ".join(words[last + 1 : end + 4])):
            found.append(Scope(last + 1, end, by=(at, last)))
    return found


def _denial_at(words: list[str], at: int) -> int | None:
    """The last word of a denial that begins here."""
    for start in DENIAL_STARTS:
        if tuple(words[at : at + len(start)]) == start:
            return at + len(start) - 1
    return at if words[at] in NOUN_DENIALS or words[at] in STATE_DENIALS else None


def _end_of_denial(text: Text, last: int) -> int:
    words, end = text.words, last
    for at in range(last + 1, min(len(words), last + 1 + MAX_DENIAL_WORDS)):
        if text.sentence[at] != text.sentence[last] or words[at] in TURNS:
            break
        if words[at] == "and" and at + 1 < len(words) and words[at + 1] in SUBJECTS:
            break
        if at > last + 1 and text.piece[at] != text.piece[at - 1] and not _goes_on_as_list(text, at):
            break
        end = at
    return end


def _goes_on_as_list(text: Text, at: int) -> bool:
    """Whether the piece that begins here is one more of a list that “or” closes.

    After “no numbness, tingling in my bum” nobody can tell, so that is a sign.
    """
    words = text.words
    if words[at] in {"or", "nor", "neither"}:
        return True
    length = 0
    for place in range(at, min(len(words), at + 3 * MIN_LIST_PIECE)):
        if text.sentence[place] != text.sentence[at]:
            return False
        if place > at and text.piece[place] != text.piece[place - 1]:
            length = 0
        length += 1
        if words[place] in {"or", "nor"}:
            return True
        if words[place] in TURNS or words[place] in SUBJECTS or words[place] in NOUN_DENIALS or length > MIN_LIST_PIECE:
            return False
    return False


def _wells(text: Text) -> list[Scope]:
    """“Waterworks fine”, “can wee normally”: from the word back to where something else is said."""
    found, words = [], text.words
    for at, word in enumerate(words):
        ends = at + 1 == len(words) or text.piece[at + 1] != text.piece[at] or words[at + 1] in TURNS | {"and", "or"}
        if word not in WELL and not (word in WELL_AT_THE_END and ends):
            continue
        if at == 0 or (words[at - 1] in NOT_WELL_BEFORE - {"all"} and not _feels_well(words, at)):
            continue
        start = at
        while (
            start > 0
            and at - start < BACK_FROM_WELL
            and text.piece[start - 1] == text.piece[at]
            and words[start - 1] not in (SIGN_BETWEEN - {"and"})
            and words[start - 1] not in WELL
        ):
            start -= 1
        before = words[start - 1] if start else ""
        goes_before = before in SIGN_BETWEEN - {"pain", "and", "but"} and text.piece[start - 1] == text.piece[at]
        of_another_time = {"until", "till", "before", "usually"} & set(words[max(0, start - 2) : at + 3])
        if start < at and not goes_before and not of_another_time:
            found.append(Scope(start, at))
    return found


def _feels_well(words: list[str], at: int) -> bool:
    """“Both legs feel fine”, but not “I feel fine”, which is of the whole person, nor “they don't feel normal”."""
    return at > 1 and words[at - 1] == "feel" and words[at - 2] not in NOT_WELL_BEFORE | SUBJECTS


def _of_sentences(text: Text) -> list[Scope]:
    found = []
    bounds = text.bounds()
    said = [" ".join(text.words[start : end + 1]) for start, end in bounds]
    own = any(OWN.search(sentence) for sentence in said)
    theirs = any(THEIR_BACK.search(sentence) for sentence in said)
    for number, ((start, end), sentence) in enumerate(zip(bounds, said, strict=True)):
        if _is_past(sentence):
            found.append(Scope(start, _turn(text, start, end), PAST))
        if CLEARED.search(sentence) and not NEVER_CLEARED.search(sentence):
            found.append(Scope(start, _turn(text, start, end), CLEARED_BY_A_DOCTOR))
        if number and ALL_CLEAR_AFTER.search(sentence) and not PRESENT_SAID.search(said[number - 1]):
            found.append(Scope(*bounds[number - 1], CLEARED_BY_A_DOCTOR))
        if caring := CARING.search(sentence):
            first = start + sentence[: caring.start()].count(" ")
            found.append(Scope(first, first + caring[0].count(" "), OTHER))
        if _is_of_another(sentence, own, theirs):
            found.append(Scope(start, end, OTHER))
    return found


def _is_past(sentence: str) -> bool:
    if YEARS_AGO.search(sentence) or OVER.search(sentence):
        return True
    last_year = date.today().year - 1
    return any(int(year) < last_year for year in re.findall(r"\b(?:19|20)\d\d\b", sentence))


def _turn(text: Text, start: int, end: int) -> int:
    """Where a sentence about the past comes to the present: the last word before it."""
    sentence = text.words[start : end + 1]
    for at, word in enumerate(sentence):
        rest = " ".join(sentence[at:])
        if at and (word in {"but", "though", "however"} or PRESENT_SAID.match(rest)) and PRESENT_SAID.search(rest):
            return start + at - 1
    return end


# “my boyfriend shoved me”, “my daughter noticed a lump on my back”
ON_ME = re.compile(
    r"\b(?:shoved|pushed|kicked|hit|hits|threw|beat|beats|punched|attacked|knocked|hurt|hurts|strangled|slammed) me\b|"
    r"\b(?:noticed|found|saw|says|said|spotted|told|thinks|reckons|felt)\b.*\bm[ey]\b|\b(?:on|of|"
    r"in) my (?:\w+ )?(?:back|spine)\b"
)


# A person who is looked after is seldom the one whom the message is about.
CARING = re.compile(
    r"\b(?:(?:look|looking|looked) after|(?:care|caring|cared|carer) for|nursing my)\b(?:(?! (?:and|but|now|so|"
    r"its) ).)*"
)


def _is_of_another(sentence: str, own: bool, theirs: bool) -> bool:
    if DEAD.search(sentence) or (OF_THEIRS.search(sentence) and not theirs):
        return True
    if not SOMEBODY.search(sentence) or ON_ME.search(sentence):
        return False
    if theirs and not re.search(rf"\b{STRANGER}\b", sentence):
        return False
    if re.search(rf"\b{STRANGER}\b", sentence):
        return (
            own or bool(HAD.search(sentence)) or not re.search(r"\b(?:cant|now|just|today|hes|shes|keeps)\b", sentence)
        )
    if re.search(r"\bhad an? (?:\w+ )?(?:fall|accident|crash|tumble|bump)\b", sentence) and not own:
        return False
    if re.search(r"\b(?:had|died|broke|survived|was)\b", sentence) and HAD.search(sentence):
        return not re.search(r"\b(?:fell|cant|cannot|keeps?|now|hit|knocked)\b", sentence) or own
    # “I can't feel much when my husband and I are together” is about the writer.
    return own and not re.search(rf"\b(?:i|ive|im)\b.*\b{FAMILY}\b", sentence)
