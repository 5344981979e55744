"""The self-assessment, in one file for the clinician who reviews it: questions, answers, rules, sheets and words.

It says where to get help and what to read. It makes no diagnosis, gives no score and predicts nothing. Source: the claim
ledger, "Self-assessment", as amended by its second part (29 November 2026), §2. Codes such as W-36 are its rows. The words of
the red flags (RF-…) are the SafetyAdvice records, which staff keep in one place for the whole site.

Change anything here, and VERSION and DATED change too: answers given to an older version are never judged by a newer one. A new
question also needs a field of its name in `Answers` (kinds.py).
"""

from datetime import date

from enquiries.assessment.kinds import ANY, NONE, Duration, Note, Offer, Option, Outcome, Part, Question, Rule

VERSION = "2"
DATED = date(2026, 11, 29)


def of(*values: str) -> frozenset[str]:
    return frozenset(values)


def yes_or_no(told: str) -> tuple[Option, Option]:
    return Option("yes", "Yes", told), Option("no", "No")


SIGNS = {"many": True, "hint": "Tick each one that you have with your back pain."}
SIGNS["missing"] = "Tick each sign that you have, or choose “None of these”"
TICK_ALL = {"many": True, "required": False, "hint": "Tick all that apply. You can leave this empty."}

# --- the twelve questions, one a page ------------------------------------------------------------------------------
# An option's third text is how we play it back after "You told us:", where a rule rests on it.

AGE = (
    Option("under_18", "Under 18", "You are under 18."),
    Option("18_19", "18 or 19", "You are 18 or 19."),
    Option("20_44", "20 to 44"),
    Option("45_54", "45 to 54", "You are 45 to 54."),
    Option("55_59", "55 to 59", "You are 55 to 59."),
    Option("60_plus", "60 or over", "You are 60 or over."),
)
LASTED = (
    Option("under_1", "Less than 1 week"),
    Option("1_to_3", "1 week, but less than 3 weeks"),
    Option("3_to_6", "3 weeks, but less than 6 weeks", "It has lasted 3 weeks, but less than 6."),
    Option("6_to_12", "6 to 12 weeks", "It has lasted 6 to 12 weeks."),
    Option("over_12", "More than 12 weeks", "It has lasted more than 12 weeks."),
)
CHECKED = (
    Option("same", "Yes, and it is about the same", "A clinician has checked it. It is about the same."),
    Option("worse", "Yes, but it has got worse since", "A clinician has checked it. It has got worse since then."),
    Option("no", "No", "No clinician has checked it."),
)
REACH = (
    Option("back", "Back only"),
    Option("thigh", "Buttock or thigh"),
    Option("past_knee", "Past the knee, in one leg", "The pain goes past the knee, in one leg."),
)
LIMITS = (
    Option("little", "A little"),
    Option("some", "Some"),
    Option("stops", "It stops daily activity, work or sleep", "It stops daily activity, work or sleep."),
)
MOOD = (
    Option("not_at_all", "Not at all"),
    Option("some", "Some"),
    Option(
        "a_lot", "A lot", "In the last two weeks you have felt low, very worried or afraid to move. You said: a lot."
    ),
)
TRIGGERS = (
    Option("sitting", "Sitting or desk"),
    Option("lifting", "Lifting or bending"),
    Option("standing", "Standing or walking"),
    Option("stress", "Stress or poor sleep"),
    Option("cold", "Cold or damp"),
    Option("no_pattern", "No pattern", alone=True),
)
TRIED = (
    Option("bed_rest", "Bed rest"),
    Option("active", "Keeping active"),
    Option("painkillers", "Painkillers"),
    Option("heat_cold", "Heat or cold"),
    Option("exercise", "Exercise or physio"),
    Option("massage", "Massage or manipulation"),
    Option("acupuncture", "Acupuncture"),
    Option("herbs", "Herbs"),
    Option("nothing", "Nothing", alone=True),
)
TELL = (
    Option("blood", "Blood thinner or bleeding problem"),
    Option("pregnant", "Pregnant"),
    Option("immune", "Weak immune system"),
    Option("implant", "Pacemaker or implant"),
    Option(
        "bones",
        "Weak bones (osteoporosis), or steroid tablets for 3 months or more",
        "You have weak bones (osteoporosis), or have had steroid tablets for 3 months or more.",
    ),
    Option("medicines", "Other medicines or herbs"),
    Option(NONE, "None of these", alone=True),
)

QUESTIONS = (
    Question(1, (Part("emergency", "Do any of these apply to you now?", flags="emergency", **SIGNS),)),
    Question(2, (Part("urgent", "Do you have any of these other signs?", flags="urgent", **SIGNS),)),
    Question(
        3,
        (
            Part("age", "How old are you?", AGE, missing="Choose how old you are"),
            Part(
                "first",
                "Is this your first ever back pain?",
                yes_or_no("This is your first ever back pain."),
                missing="Choose yes if this is your first ever back pain, or no",
            ),
        ),
        heading="About you",
    ),
    Question(
        4,
        (
            Part("duration", "How long has this spell lasted?", LASTED, missing="Choose how long it has lasted"),
            Part(
                "checked",
                "Has a GP, physio or other registered clinician checked it?",
                CHECKED,
                missing="Choose if a GP, physio or other clinician has checked it",
            ),
        ),
        heading="This spell of back pain",
    ),
    Question(5, (Part("reach", "How far does the pain go?", REACH, missing="Choose how far the pain goes"),)),
    Question(
        6,
        (
            Part(
                "walking",
                "Do your legs ache, feel heavy or go numb when you walk or stand, and ease when you sit or lean forward?",
                yes_or_no(
                    "Your legs ache, feel heavy or go numb when you walk or stand. They ease when you sit or lean."
                ),
                missing="Choose yes if your legs feel like this, or no",
            ),
        ),
    ),
    Question(
        7,
        (
            Part(
                "stiff",
                "Are you stiff for over 30 minutes in the morning and better once you move, or woken late in the night by it?",
                yes_or_no("You are stiff in the morning and better once you move, or it wakes you late in the night."),
                missing="Choose yes if you are stiff or woken like this, or no",
            ),
            Part(
                "before_45",
                "Did it start before you were 45?",
                yes_or_no("It started before you were 45."),
                missing="Choose yes if it started before you were 45, or no",
            ),
            Part(
                "both_sides",
                "Are both shoulders or both hips stiff in the morning too?",
                yes_or_no("Both shoulders or both hips are stiff in the morning."),
                missing="Choose yes if both shoulders or both hips are stiff, or no",
            ),
        ),
        heading="Stiffness",
    ),
    Question(8, (Part("triggers", "What sets it off or makes it worse?", TRIGGERS, **TICK_ALL),)),
    Question(9, (Part("limits", "How much does it stop you doing?", LIMITS, missing="Choose how much it stops you"),)),
    Question(
        10,
        (
            Part(
                "mood",
                "Over the last two weeks, how much have you felt low, very worried, or afraid that moving will cause damage?",
                MOOD,
                missing="Choose how much you have felt like this",
            ),
        ),
    ),
    Question(11, (Part("tried", "What have you tried?", TRIED, **TICK_ALL),)),
    Question(12, (Part("tell", "Is there anything a therapist should know?", TELL, **TICK_ALL),)),
)

# Without each of these records, in its tier, nobody may be asked or judged.
MATERNITY = "RF-P1"  # asked with the emergency signs; its help is the maternity unit, and 999 comes after it
ASKED = {
    "emergency": (*(f"RF-E{number}" for number in range(1, 11)), MATERNITY),
    "urgent": tuple(f"RF-U{number}" for number in range(1, 17)),
}
SHOWN = tuple(f"RF-R{number}" for number in range(1, 11))  # by a rule or a note below

# --- how long it has lasted (as research and NICE count; no gap between the classes) ------------------------------

DURATION = {
    "under_1": Duration.SHORT,
    "1_to_3": Duration.SHORT,
    "3_to_6": Duration.SHORT,
    "6_to_12": Duration.LINGERING,  # exactly 6 and exactly 12 weeks are here
    "over_12": Duration.LONG,
}

# --- the decision table: the first row that is true sets the outcome ----------------------------------------------

FROM_6_WEEKS = of("6_to_12", "over_12")
UNREVIEWED = of("worse", "no")  # not "yes, about the same"
REVIEWED_OR_NOT = of("same", "worse", "no")  # decides nothing; the reason says which it is

RULES = (
    Rule("D1", {"emergency": ANY}, Outcome.EMERGENCY),
    Rule("D2", {"urgent": ANY}, Outcome.URGENT),
    Rule("D3", {"age": of("under_18")}, Outcome.SEE_GP, shows="RF-R10"),
    Rule("D4", {"first": of("yes"), "age": of("18_19", "55_59", "60_plus")}, Outcome.SEE_GP, shows="RF-R7"),
    # One check is not always the right one: NG12 and NG65 ask for more than a look at the back.
    Rule(
        "D5",
        {"age": of("60_plus"), "duration": FROM_6_WEEKS, "checked": REVIEWED_OR_NOT},
        Outcome.SEE_GP,
        shows="RF-R8",
        if_checked="At your next appointment, ask whether blood tests have been done.",
    ),
    Rule(
        "D6",
        {"stiff": of("yes"), "before_45": of("yes"), "duration": of("over_12"), "checked": REVIEWED_OR_NOT},
        Outcome.SEE_GP,
        shows="RF-R5",
        if_checked="At your next appointment, ask whether it could be inflammatory back pain.",
    ),
    # The list says 50. We ask from 45, so that nobody of 50 is missed.
    Rule(
        "D7",
        {"both_sides": of("yes"), "age": of("45_54", "55_59", "60_plus"), "checked": UNREVIEWED},
        Outcome.SEE_GP,
        shows="RF-R9",
    ),
    Rule("D8", {"walking": of("yes"), "checked": UNREVIEWED}, Outcome.SEE_GP, shows="RF-R6"),
    Rule("D15", {"tell": of("bones"), "checked": UNREVIEWED}, Outcome.SEE_GP, shows="RF-U9"),
    Rule("D9", {"limits": of("stops")}, Outcome.SEE_GP, shows="RF-R2"),
    Rule("D10", {"checked": of("worse")}, Outcome.SEE_GP, shows="RF-R3"),
    Rule("D11", {"checked": of("no"), "duration": FROM_6_WEEKS}, Outcome.SEE_GP, shows="RF-R1"),
    Rule(
        "D12",
        {"checked": of("no"), "reach": of("past_knee"), "duration": of("3_to_6")},
        Outcome.SEE_GP,
        shows="RF-R4",
    ),
    Rule("D13", {"mood": of("a_lot")}, Outcome.SEE_GP, shows="RF-R3"),
    Rule("D14", {}, Outcome.SELF_CARE),
)
ADULTS_ONLY = "D3"  # where it matches there is no form and no self-care: our advice is for adults
CRISIS = {"mood": of("a_lot")}  # shown with any outcome

# "I'm not sure" about a red flag is no row of the table: it ends the questions with the advice to call 111 now, and nothing
# is kept of it. The person may go back and answer.

# --- the fact sheets to offer, in this order, at most five --------------------------------------------------------
# Acupuncture comes last on purpose: NICE does not recommend it, and a clinic must not steer people to what it sells.

MAX_SHEETS = 5
ALL_THAT_URGENT_OFFERS = "about-back-pain"
SHEETS = (
    Offer("about-back-pain", always=True),
    Offer("looking-after-your-back", always=True),
    Offer(
        "tests-and-treatments",
        with_see_gp=True,
        when=({"reach": of("past_knee")}, {"walking": of("yes")}, {"stiff": of("yes")}),
    ),
    Offer("long-term-pain", when=({"duration": of("over_12")},)),
    Offer("posture-and-lifting", when=({"triggers": of("sitting", "lifting", "standing")},)),
    Offer("stress-and-back-pain", when=({"triggers": of("stress")}, {"mood": of("some", "a_lot")})),
    Offer("manual-therapy-for-back-pain", when=({"tried": of("massage")},)),
    Offer("traditional-chinese-medicine-view", when=({"tried": of("herbs")}, {"triggers": of("cold")})),
    Offer("acupuncture-for-back-pain", when=({"tried": of("acupuncture")}, {"duration": of("over_12")})),
)

# --- notes, shown when they were ticked: never with EMERGENCY; with URGENT and under 18 only those that say so ---------

NOTES = (
    # Stands directly under the outcome, before any self-care.
    Note(
        "pregnant",
        {"tell": of("pregnant")},
        "You are pregnant",
        ("Ask your midwife about any back pain in pregnancy.",),
        signs=(MATERNITY, "RF-U15"),
        always=True,
    ),
    Note(
        "bed_rest",  # W-36 to W-38
        {"tried": of("bed_rest")},
        "Bed rest",
        (
            "Staying active is better. For recent back pain, people who stay active do slightly better than people who rest.",
            "Short rests are fine. Do not stay in bed for long.",
        ),
        sheet="looking-after-your-back",
    ),
    Note(
        "painkillers",  # W-40, W-41, W-44, N-08
        {"tried": of("painkillers")},
        "Painkillers",
        (
            "Ask a pharmacist which painkiller suits you, if any.",
            "Paracetamol on its own did no better than a dummy pill for recent low back pain.",
            "Anti-inflammatory tablets, such as ibuprofen, may help a little for a short time. They do not suit everyone.",
            "In pregnancy, avoid them from week 20 unless they were prescribed, and do not take them from week 28.",
            "Do not stop a prescribed medicine suddenly. Ask the person who prescribed it.",
        ),
        sheet="tests-and-treatments",
    ),
    Note(
        "herbs",  # N-13
        {"tried": of("herbs")},
        "Herbs can harm, so check first",
        (
            "Natural is not always safe. Some herbs can kill. Some are banned in the UK but are still found.",
            "Tell your GP and pharmacist about any herb. Tell your surgeon before an operation.",
            "Do not take herbs if you are pregnant, breastfeeding, or have liver or kidney disease, unless you are advised to.",
            "Look for the THR mark. It shows that set rules on safety and quality are met. It does not show that a herb helps.",
            "If a herb makes you ill, report it to the Yellow Card scheme.",
        ),
        sheet="traditional-chinese-medicine-view",
    ),
    # N-14. What was ticked follows, such as a blood thinner.
    Note(
        "tell",
        {"tell": ANY},
        "Tell the clinician",
        ("Before any treatment, tell the clinician or therapist about:",),
        always=True,
    ),
)
