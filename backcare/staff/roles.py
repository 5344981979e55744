"""What the clinic's roles may do on the staff desk. Installed by `prepare`; an owner gives them to accounts in the admin."""

from django.contrib.auth.models import Group, Permission

EDITED = [
    "factsheet",
    "section",
    "statement",
    "statementuse",
    "source",
    "sourceuse",
    "figure",
    "glossaryterm",
    "relatedsheet",
    "topic",
    "synonym",
    "searchquestions",
]
TAKEN_AWAY = [
    "section",
    "statement",
    "statementuse",
    "sourceuse",
    "relatedsheet",
    "glossaryterm",
    "synonym",
    "searchquestions",
]
READ = [
    ("factsheets", model, ["view"])
    for model in [*EDITED, "safetyadvice", "wordlist", "claim", "searchmiss", "approval", "safetydraft"]
]
INBOX = [
    ("enquiries", "enquiry", ["view", "change"]),
    ("enquiries", "outgoingmessage", ["view"]),
    ("enquiries", "enquiryevent", ["view"]),
    ("enquiries", "replytemplate", ["view", "add", "change"]),
    ("enquiries", "replytemplateedition", ["view"]),
]
# What patients wrote and answered, at once. Reception opens the words one by one, which is recorded, and never sees the answers.
HEALTH = [("enquiries", "enquiry", ["read_words", "read_answers"])]
# Opening hours, closures, and the pause of replies: what is promised to patients.
HOURS = [
    ("enquiries", "clinichours", ["view", "change"]),
    *(("enquiries", model, ["view", "add", "change", "delete"]) for model in ("openinghours", "closure")),
]
ROLES = {
    "reception": [*INBOX, *HOURS],
    "editor": [
        *READ,
        *(("factsheets", model, ["change", "add"]) for model in EDITED),
        *(("factsheets", model, ["delete"]) for model in TAKEN_AWAY),
        # Red flags are edited in a draft. Nobody may change the live ones.
        ("factsheets", "safetydraft", ["change"]),
        # A notice is edited in a draft, which somebody else publishes.
        ("factsheets", "sitenotice", ["view", "add", "change"]),
    ],
    # Reads every sheet, signs off what others wrote, and answers enquiries.
    # Approves the questions and the red flags, too: the form asks for their register and number.
    "clinician": [
        *READ,
        ("factsheets", "factsheet", ["sign_off"]),
        ("factsheets", "approval", ["add"]),
        *INBOX,
        *HEALTH,
    ],
}


def install() -> None:
    """Makes the groups, and adds what a role lacks. What an owner gave a group beyond that stays."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    known = {(app, codename): pk for app, codename, pk in rows}
    for name, grants in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        wanted = [(app, f"{verb}_{model}") for app, model, verbs in grants for verb in verbs]
        group.permissions.add(*(known[each] for each in wanted if each in known))
