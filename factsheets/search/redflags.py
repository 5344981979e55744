r"""Which searches sound like a red flag, so that the emergency or urgent card comes before any result.

For review by a clinician. Each sign names the advice that it points at (SafetyAdvice.code); the rules and their sources are in the
claim ledger's “Red flags” (NHS “Back pain”, the GIRFT cauda equina pathway, NICE NG12 and NG234). Tier 3, routine, has none here.

A sign is found when each of its groups is found somewhere in what was typed, in any order. Words are compared in lower case and
without apostrophes and punctuation; `|` is “or”, `?` follows what may be missing, `\w*` is any ending. Misspelt long words were
put right before. The card says “if you have back pain and…”, so it is better to show it once too often than once too rarely. But a
card that comes for a numb toe is a card that nobody reads: tests/safe/test_search_redflags.py holds phrases of both sorts.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from factsheets.search.text import plain

LONGEST = 2_000  # characters that are looked at

# Said of something else. Taken out before anything is looked for.
HARMLESS = [
    r"(a )?wee (bit|while|one|baby|dog|boy|girl|lad|lass|man|walk|rest|pain|ache|niggle|twinge)",  # Scots for small
    r"(bottom|balls?|back|base|sole) of (my |the |your |both |left |right )*"
    r"(foot|feet|back|spine|neck|legs?|page|hand|knees?|heel)",
    r"hard (chairs?|floor|bed|mattress|seat)",
    r"(exercise|massage|tennis|spiky|swiss|gym|golf|lacrosse) balls?",
    r"pelvic floor|dead bug|dead ?lifts?|restless legs?",
]

# --- groups of words ---

CANT = r"cant|cnt|can t|cannot|can not|couldnt|could not|unable|not able|wont|havent|have not"
TROUBLE = (
    rf"{CANT}|struggl\w*|diff?icult\w*|trouble|problems?|issues?|stopped|hard(er)? (time|to)|hardly|lost|los(e|es|ing)|loosing|"
    r"loss|no control|strain|straining|retention|hesitancy|stuck|block|blocked|weak|forgot"
)
PEE = (
    r"pee|peeing|pees|wee|weeing|wees|piss|pissing|urin|urine|urinat\w*|bladder|waterworks|number one|"
    r"pass(ing)? (any )?(water|urine|wee|pee)|go(ing)? (to )?(the )?(toilet|loo|bathroom)|"
    r"(make|making|get|getting) (it )?to the (toilet|loo|bathroom) in time"
)
POO = r"poo|pooing|poos|poop|pooping|bowels?|stools?|faeces|feces|defecat\w*|number two|shit|shitting|crap|motions?"
NUMB = (
    r"numb|numbness|nubm|nunb|numm|numbe?d|numbing|numness|dead|asleep|ana?esth\w*|anaesth\w*|tingl\w*|prickl\w*|"
    r"pins? (and|n|an) needles?|para?esth\w*|parr?asth\w*|no (feeling|sensation)|(not|dont|cant|cannot|couldnt|unable to) feel|"
    r"lost (all |some |the |my )*(feeling|sensation)|los(s|ing) (of )?(all |some |the |my )*(feeling|sensation)|"
    r"(less|strange|odd|weird|funny|different|altered|changed|reduced) (feeling|sensation)|"
    r"feels? (strange|odd|weird|funny|different|dead|numb)"
)
SADDLE = (
    r"genitals?|genitalia|privates|private (parts?|area|bits)|vagina|vaginal|vulva|fanny|penis|willy|dick|cock|testicles?|"
    r"scrotum|balls|bums?|bumhole|bottom|buttocks?|butt|backside|rear|arse|arsehole|ass|asshole|anus|anal|back passage|rectum|"
    r"rectal|saddle|perineum|perinium|crotch|groin|between (\w+ ){0,2}(legs?|thighs?)|inner (\w+ )?thighs?|"
    r"inside (of )?(\w+ )?thighs?|down below|down there|undercarriage|nether regions|(lady|my) (bits|parts)|"
    r"wip(e|es|ing)|toilet paper|loo roll"
)
WEAK = (
    r"weak|weaker|weakness|(giv(e|es|ing)|gave) (way|out)|buckl\w*|collaps\w*|(cant|cannot|wont) (move|lift|stand|work)|"
    r"not working|stopped working|no (strength|power)|lost (\w+ )?(strength|power|use)|los(s|ing) (of )?(strength|power|use)|"
    r"paraly\w*|wobbly|like jelly|unsteady|unstable|drag\w*|flop\w*"
)
PAIN = r"pains?|painful|hurt|hurts|hurting|ache|aches|aching|achy|sore|agony|backache|burning|stabbing"
CANCER = r"cancers?|canser|cancr|cancerous|tumou?rs?|metasta\w*|mets|myeloma|lymphoma|leuka?emia|melanoma|chemo\w*"
BREATHLESS = (
    r"breathless\w*|short(ness)? of breath|out of breath|gasping|fighting for breath|(cant|cannot) breathe?|"
    r"(struggl\w*|trouble|difficult\w*) (to |for |with )?breath(e|ing)?"
)
FAINT = (
    rf"faint|fainted|fainting|pass(ed|ing) out|collapsed|black(ed|ing) out|clammy|sweaty|cold sweats?|{BREATHLESS}|"
    r"racing heart|heart (is )?(racing|pounding)|fast (heart\w*|pulse)|light ?headed|dizzy"
)
FEVER = r"fever|fevers|feverish|high temp|temperature|shiver\w*|chills|rigors?|night sweats?"
TUMMY = r"tummy|stomach|belly|abdom\w*"
LOSING = r"lost|loses?|losing|loss"
BONES = r"osteoporosis|osteoporotic|(weak|thin|brittle) bones|steroids?|prednisolone"


@dataclass(frozen=True)
class Sign:
    code: str
    groups: tuple[str, ...]
    unless: str = ""


EMERGENCY = [
    # Numb or changed feeling around the genitals, back passage, buttocks or inner thighs
    Sign("RF-E1", (NUMB, SADDLE)),
    Sign("RF-E1", (r"cauda ?equina|corda equina",)),
    # New trouble with pee or poo
    Sign("RF-E2", (rf"{TROUBLE}|{NUMB}", PEE)),
    Sign("RF-E2", (rf"{CANT}|trouble|struggl\w*|diff?icult\w*", r"poo|pooing|poop|pooping|a shit|number two")),
    Sign("RF-E2", (r"control|hold|holding|empty|open|move|feel|urge", TROUBLE, rf"{PEE}|{POO}")),
    Sign("RF-E2", (rf"({LOSING}|no) (\w+ ){{0,2}}control of (\w+ )?bowls",)),
    Sign("RF-E2", (r"(no|not|dont|lost|loss of) (\w+ ){0,2}(control|urge|need|feel)", rf"{PEE}|{POO}")),
    Sign("RF-E2", (r"leak\w*|dribbl\w*|drip\w*|incontinen\w*", rf"{PEE}|{POO}|incontinen\w*")),
    Sign(
        "RF-E2",
        (
            r"(pee|peed|peeing|wee|weed|weeing|wet|wetting|piss|pissed|pissing|poo|pood|pooed|pooing|poop|pooped|pooping|shit|"
            r"shat|shitting|soil|soiled|soiling|crap|crapped|messed|leaked|leaking) (on )?"
            r"((my|your|him|her|our|them) ?sel(f|ves)|(my |the )?(pants|trousers|bed))",
        ),
    ),
    Sign("RF-E2", (r"(pee|wee|urine|poo|bowel|bladder|toilet) accidents?",)),
    # Both legs, or legs getting weaker or unsteady
    Sign("RF-E3", (r"both (\w+ )?(legs?|feet|sides|thighs)|(two|2) legs", rf"{NUMB}|{WEAK}|{PAIN}|sciatica")),
    Sign("RF-E3", (r"legs", rf"{NUMB}|{WEAK}")),
    Sign("RF-E3", (r"feet", NUMB)),
    Sign("RF-E3", (r"paraly[sz]\w*|paralis\w*|paraplegi\w*|unsteady|(cant|losing|lost) (my )?balance",)),
    Sign("RF-E3", (r"(sciatica|pain) (in|down|on) both",)),
    # Genital feeling, erection, ejaculation
    Sign("RF-E4", (r"erections?|erectile|impoten\w*|ejaculat\w*|(get|stay|keep) hard|get it up|orgasms?",)),
    Sign("RF-E4", (rf"{NUMB}|(cant|cannot) (cum|come|orgasm)", r"sex|sexual|sexually")),
    # A serious accident
    Sign(
        "RF-E5", (r"(car|road|traffic|serious|bad|motor ?bike|motorcycle|bike|riding|bus) (crash|accident|collision)",)
    ),
    Sign(
        "RF-E5", (r"hit by (a |the )?(car|bus|lorry|van|bike|truck|train)|knocked (over|down|off) by|rta|rtc|run over",)
    ),
    Sign(
        "RF-E5",
        (
            r"fell|fall|fallen|falling|thrown|jumped",
            r"height|ladders?|stairs|downstairs|roof|horse|scaffold\w*|tree|window|balcony|bike|motor ?bike",
        ),
    ),
    Sign("RF-E5", (r"(broken|broke|break|snapped) (my |your |the |his |her |a )?(back|spine|neck)",)),
    # Chest pain
    Sign("RF-E6", (r"chest", rf"{PAIN}|tight\w*|crush\w*|pressure|heavy|squeez\w*"), unless=r"stretch\w*"),
    Sign("RF-E6", (r"heart attack|angina",)),
    # Sudden severe pain and faint, clammy or breathless
    Sign("RF-E7", (rf"back|{TUMMY}", FAINT), unless=r"dis[ck]s?|vertebrae?"),
    Sign("RF-E7", (r"fainted|passed out|blacked out|collapsed",), unless=r"dis[ck]s?|vertebrae?|arch\w*|bones?"),
    Sign("RF-E7", (r"aneurysms?|aneurisms?|anurisms?|aortic|aorta|triple a|dissection",)),
    Sign("RF-E7", (r"ripping|tearing", rf"{PAIN}|back|chest|{TUMMY}"), unless=r"muscles?"),
    Sign("RF-E7", (r"pulsing|pulsating|throbbing", TUMMY)),
    # Fever or infection and confused, drowsy, breathless, blotchy or pale
    Sign(
        "RF-E8",
        (rf"{FEVER}|infection|infected", rf"confus\w*|drows\w*|{BREATHLESS}|blotchy|mottled|blue|pale|delirious"),
    ),
    Sign("RF-E8", (rf"sepsis|septic|septica?emia|blood poisoning|{BREATHLESS}",)),
    # Known cancer and legs, bladder or bowels
    Sign("RF-E9", (CANCER, rf"{WEAK}|{NUMB}|(cant|cannot) walk|bladder|bowels?"), unless=r"(bladder|bowel) cancer"),
    Sign("RF-E9", (r"mscc|cord compression",)),
    # Pregnant, with bleeding, fluid or tightenings
    Sign(
        "RF-P1", (r"pregnan\w*|midwife|trimester", r"bleed\w*|blood|waters|fluid|contractions?|tighten\w*|labour|labor")
    ),
]
URGENT = [
    # Fever, shivering
    Sign("RF-U1", (FEVER,), unless=r"(room|body) temperature"),
    # Losing weight without trying
    Sign(
        "RF-U2",
        (r"(unexplained|sudden|unintentional|unintended|rapid|unplanned) weight loss|weight (dropping|falling) off",),
    ),
    Sign(
        "RF-U2",
        (LOSING, r"weight", r"(not|without|no) (trying|reason|diet\w*)|for no reason|unexplained|dont know why"),
    ),
    # Cancer now or in the past
    Sign("RF-U3", (CANCER,), unless=r"causes? cancer|prevent\w*"),
    # One leg or foot newly weak or numb
    Sign("RF-U4", (r"(numb|numbness|weak|weakness|dead|floppy|dragging|drags|paralysed)( \w+){0,3} (leg|foot|ankle)",)),
    Sign(
        "RF-U4",
        (r"(leg|foot|ankle)( \w+){0,3} (numb|numbness|weak|weaker|weakness|drag\w*|flop\w*|(giv(es|ing)|gave) way)",),
    ),
    Sign("RF-U4", (r"foot ?drop|drop(ped)? foot|foot (drops|slaps|slapping)",)),
    Sign("RF-U4", (rf"{NUMB}|(cant|cannot) (move|lift)|(lost|no) (\w+ )?(power|strength|use)", r"leg|foot|ankle")),
    Sign("RF-U4", (r"(cant|cannot|unable to) (walk|stand up|put weight)",)),
    # Not eased by rest, or worse at night
    Sign(
        "RF-U5",
        (
            PAIN,
            r"(worse|worst|worsens|bad|severe|terrible|unbearable|awful)( \w+){0,2} (night|lying down|in bed)|"
            r"(nights?|lying down)( \w+){0,2} (worse|worst)|night (time )?pains?|pains? at night|w[ao]kes? (me|you)|waking me|"
            r"not (eased|relieved) by rest|never (eases|goes|stops)|(even|also) (at|when|with) (i )?(rest|resting|lie)",
        ),
    ),
    # A lump, or the back changed shape
    Sign("RF-U6", (r"lumps?|swelling|swollen|growth|bulge", r"back|spine|spinal"), unless=r"dis[ck]s?|lump sum"),
    Sign("RF-U6", (r"(spine|back) (has )?(changed|changing) shape|change (of|in) (the )?shape|hunch ?back|hump",)),
    # Between the shoulders
    Sign(
        "RF-U7",
        (r"between (\w+ ){0,2}(shoulders|shoulder ?blades?)|top of (\w+ )?back|inter ?scapular", PAIN),
        unless=r"exercis\w*|stretch\w*",
    ),
    # Worse when sneezing, coughing or pooing
    Sign("RF-U8", (r"sneez\w*|cough\w*|poo|pooing|poop|bowel movements?", rf"{PAIN}|worse")),
    # A small fall, knock or lift with weak bones
    Sign(
        "RF-U9",
        (BONES, r"fell|fall|fallen|falls|trip|tripped|slipped over|knock\w*|sudden\w*|fractur\w*|crack\w*|bump\w*"),
    ),
    # Weak immune system, injected drugs, infection of the spine
    Sign("RF-U10", (r"(weak|weakened|low|poor|suppressed) immun\w*|immun\w* (suppress\w*|deficien\w*|compromis\w*)",)),
    Sign(
        "RF-U10",
        (r"immuno(suppress\w*|deficien\w*|compromis\w*)|hiv|transplant|heroin|inject(ing|ed)? (drugs|iv)|iv drugs?",),
    ),
    Sign(
        "RF-U10",
        (
            r"discitis|osteomyelitis|(spinal|epidural) (infection|abscess)|infect\w* (in |of )?(my |the )?(spine|dis[ck])",
        ),
    ),
    # Blood or burning when peeing, kidney, bad side or groin pain
    Sign("RF-U11", (rf"blood|bleeding|burn|burns|sting|stings|stinging|{PAIN}", PEE)),
    Sign("RF-U11", (r"kidney (infection|stones?|pains?)|pains? (in |over )?(my )?kidneys?|pyelonephritis",)),
    Sign(
        "RF-U11",
        (r"(bad|severe|terrible) (side|groin|flank) pain|(bad|severe|terrible) pain in (my |the )?(side|groin|flank)",),
    ),
    Sign("RF-U11", (r"utis?|(water|urine|urinary|bladder) (tract )?infections?|cystitis",)),
    # Giant cell arteritis
    Sign("RF-U12", (r"jaw", r"chew\w*|eating"), unless=r"stress"),
    Sign("RF-U12", (r"giant cell|temporal arteritis|(new|severe|bad|worst|sudden|terrible) headache",)),
    Sign("RF-U12", (rf"{LOSING}|blurred|blurry|double|sudden\w*|changes?|going", r"sight|vision|eyesight")),
]
# Of one's own death, or of harm to oneself: leads to the ledger's crisis block.
CRISIS = (
    r"suicid\w*|kill(ing)? (my|our|him|her|them) ?sel(f|ves)|end(ing)? (it all|my (own )?life)|tak(e|ing) my (own )?life|"
    r"(want|wanna|wish|ready) (to |i |i was )?(die|be dead|was dead|were dead|dead)|(rather be|better off) dead|"
    r"better off without me|(dont|do not) (want to|wanna) (live|be alive|be here|exist|wake up)|not worth living|"
    r"(no|not any) (point|reason) (in |to )?(living|live|go on)|(cant|cannot) (go on|cope)|"
    r"(cant|cannot) live (like this|with (this|the) pain|any ?more|any longer|this way)|"
    r"(cant|cannot) take (it|this) (any ?more|any longer)|self ?harm\w*|(harm|harming|cut|cutting|hang) my ?self|"
    r"(want|going|urge|urges) to hurt my ?self|unalive|overdos\w*|"
    r"(took|taken|swallowed|take) too many (\w+ )?(pills|tablets|painkillers|paracetamol|codeine|morphine|medicines?|meds)|"
    r"(took|taken|swallowed) all my (pills|tablets|painkillers|paracetamol|codeine|morphine|medicines?|meds)"
)
# Long words that people misspell. Put right when one letter is wrong, missing, too many or swapped (two from eleven letters on).
MENDED = [
    "numbness", "tingling", "bladder", "bowels", "incontinent", "incontinence", "genitals", "buttocks", "vagina", "urinate",
    "urine", "control", "weakness", "paralysed", "crushing", "breathless", "breathe", "accident", "erection", "temperature",
    "shivering", "confused", "drowsy", "aneurysm", "sepsis", "suicide", "suicidal", "between", "osteoporosis", "unsteady",
    "weight", "cancer", "collapsed", "saddle", "struggling", "trouble", "problem",
]  # fmt: skip
# Words of their own that are one letter away from one of those.
OTHER_WORDS = """
    accidents bladders blander bowel bowers bowled bowls breath breathed breathes breathing breaths brushing buttock
    cancel canker canter collapse collapses confuse confuses controlled controls dancer double doubled dowels eight
    ejection election erections freight genital height heights jingling ladder ladders lancer mingling paddle
    paralyzed problems rushing saddled straddle struggle suicides tangling tinkling towels troubled troubles urinal
    urinated urinates vowels waddle weigh weighs weights
"""
OTHER = frozenset(OTHER_WORDS.split())


@dataclass(frozen=True)
class Reading:
    """What a search sounds like: the codes of the advice it points at, the gravest first, and whether of a crisis."""

    emergency: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    crisis: bool = False

    def __bool__(self):
        return bool(self.emergency or self.urgent or self.crisis)


def read(typed: str) -> Reading:
    """What the typed words sound like. Never raises; looks at the first 2,000 characters."""
    said = " ".join(_mend(word) for word in re.findall(r"[^\W_]+", plain(typed[:LONGEST])))
    for phrase in HARMLESS:
        said = _whole(phrase).sub(" ", said)
    emergency, urgent = (
        tuple(dict.fromkeys(sign.code for sign in signs if _shows(sign, said))) for signs in (EMERGENCY, URGENT)
    )
    return Reading(emergency, urgent, bool(_whole(CRISIS).search(said)))


def _shows(sign: Sign, said: str) -> bool:
    if not all(_whole(group).search(said) for group in sign.groups):
        return False
    return not sign.unless or not _whole(sign.unless).search(said)


@lru_cache(maxsize=512)
def _whole(group: str) -> re.Pattern:
    return re.compile(rf"(?<![^ ])(?:{group})(?![^ ])")


def _mend(word: str) -> str:
    if len(word) < 5 or word in OTHER or word in MENDED:
        return word
    near = process.extractOne(word, MENDED, scorer=OSA.distance, score_cutoff=1 if len(word) < 11 else 2)
    return near[0] if near else word
