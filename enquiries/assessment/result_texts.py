"""What the result says beyond the tables of `questions.py`; reviewed with it, under the same version.

Codes are rows of the claim ledger. Nothing here names a cause, promises or predicts.
"""

from enquiries.assessment.kinds import ANY, Ask, Duration, Outcome, Words
from enquiries.assessment.questions import of

OUTCOMES = {
    # Its page is the same for everyone, unless they ticked P1 alone.
    Outcome.EMERGENCY: Words(
        "Call 999 or go to A&E now",
        "You ticked a sign that must not wait. It is right to get help now, even if you are not sure.",
    ),
    Outcome.URGENT: Words(
        "Ask for an urgent GP appointment or call 111 today",
        "You ticked a sign that should be checked today. Many people with such a sign turn out to be well, "
        "but it is right to ask.",
        "ask for an urgent GP appointment or call 111 today.",
    ),
    # What follows depends on the reasons: see below.
    Outcome.SEE_GP: Words(
        "See a GP about your back",
        "Book an appointment with a GP, or with the physio at your GP surgery if it has one.",
        "see a GP.",
    ),
    Outcome.SELF_CARE: Words(
        "You can look after your back at home for now",
        "Here is what may help, and when to get help. If you are worried, you can ask a clinician at any time.",
        "look after your back at home for now.",
    ),
}
UNDER_18 = Words(
    "See a GP about your back",
    "These questions and our pages are for adults. If you are under 18, please see a GP. "
    "You can ask a parent, or another adult you trust, to help you book.",
    "see a GP.",
)
# How soon, by the codes of the reasons to see a GP.
SOON_FOR = of("D9", "D10")
SOON = "Contact your GP practice in the next few days, sooner if it gets worse."
SOON_SUGGESTION = "contact your GP practice in the next few days, sooner if it gets worse."
# Reasons with which nobody is told that today is not needed. D15: its sign asks for help today if the pain is new.
MAY_BE_TODAY = of("D3", "D9", "D10", "D13", "D15")
NOT_TODAY = "You do not need to be seen today, unless you get worse or one of the emergency signs below starts."
ABOUT_MOOD = "Tell them how you have been feeling too, because they can help with that as well."
# Before the words of our list, by the tier they come from.
LISTED = {
    "emergency": "Our list says to call 999 or go to A&E if:",
    "urgent": "Our list says to get help today if:",
    "routine": "Our list says to see a GP if:",
}
# The emergency page where the signs of pregnancy were ticked and no other.
MATERNITY = Words(
    "Call your maternity unit now",
    "You ticked a sign that must not wait. Call 999 if you cannot reach the unit, or if you are bleeding heavily.",
)
OTHER_SIGNS = "Other signs that need 999 or A&E now:"  # after those that were ticked
HURT_SIGN = "RF-E5"  # being attacked is among its accidents: the helplines for that stand on its page
NOT_SURE = Words(
    "Call 111 now",
    "It can be hard to tell if you have one of these signs. The people at 111 can ask you more and tell you what to do.",
)
# D14. The second is added where a clinician has checked it.
NOTHING_FOUND = (
    "You have none of the signs on our emergency and urgent lists. Your other answers give no reason on our list to see a GP now.",
    "A clinician has checked it. It is about the same.",
)

DURATIONS = {
    Duration.SHORT: "Back pain of less than 6 weeks is called short-term.",
    Duration.LINGERING: "Back pain of 6 to 12 weeks is called lingering.",
    Duration.LONG: "Back pain of more than 12 weeks is called long-term.",
}

# RF-R1: shown where the spell is under 6 weeks
BY_SIX_WEEKS = "you are no better by 6 weeks"
GP_IF = ("RF-R2", "RF-R3")

# --- self-care -----------------------------------------------------------------------------------------------------

SELF_CARE = "Your pain is real, and it is safe to move."
TRY = (
    "Stay as active as you can.",  # W-36
    "Take short rests if you need them. Then get going again.",  # W-37
    "Pick exercise you like and will keep doing. Walking and swimming suit most people.",  # E-02, E-07
    "Try heat or cold, and see which helps. Wrap the pack in a tea towel.",  # E-13, E-17
    "Ask a pharmacist before you take a painkiller.",  # W-40
    "Stay in work, or go back to it, if you can. Ask about changes that would help.",  # N-17
)
AVOID = (
    "Do not stay in bed for long.",  # W-38
    "Do not put ice straight on your skin. Take a cold pack off after 20 minutes.",  # E-18, E-20
    "Do not use heat or cold on numb skin.",  # E-14, E-21
    "Do not stop moving because you are a bit sore. Ease back, then build up again.",  # E-09, E-12
    "Do not carry on with an exercise that clearly makes the pain worse, or brings on leg symptoms. Ask for advice.",  # E-12
)

# --- worry and low mood (S-18, S-22; the crisis lines are those of factsheets/safety.py) -----------------------------

TALKING = (
    "You do not have to manage alone. A GP can tell you what help there is.",
    "In England you can contact NHS Talking Therapies yourself. Elsewhere in the UK, ask a GP.",
)

# --- questions to ask a clinician ----------------------------------------------------------------------------------

ASK = (
    Ask("What do you think is going on, and how sure are you?"),
    Ask("What can I do for myself?"),
    Ask("What are my choices, and what if I do nothing? What is good and bad about each?"),
    Ask("Could my leg symptoms change what I should do?", ({"reach": of("past_knee")}, {"walking": of("yes")})),
    Ask("What can I do about pain that has gone on for months?", ({"duration": of("over_12")},)),
    Ask("How can I get back to my daily life, work and sleep?", ({"limits": of("stops")},)),
    Ask("What could I change at work or at home?", ({"triggers": of("sitting", "lifting", "standing")},)),
    Ask(
        "What help is there for worry, low mood or poor sleep?",
        ({"mood": of("some", "a_lot")}, {"triggers": of("stress")}),
    ),
    Ask("Do my painkillers suit me?", ({"tried": of("painkillers")},)),
    Ask(
        "What does NICE say about the treatments that I have tried?",
        ({"tried": of("exercise", "massage", "acupuncture", "herbs")},),
    ),
    Ask("Does anything about my health change what is safe for me?", ({"tell": ANY},)),
    Ask("Which signs mean that I should come back sooner?"),
)
