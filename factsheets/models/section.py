import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.text import Truncator

from factsheets.models.natural import NaturalKeyModel

GAP = 10  # between the numbers of two places in an order, as staff and the content's files leave it


class SectionKind(models.TextChoices):
    """What a section is, and so how each output sets it."""

    TEXT = "text", "text"
    TRY = "try", "things to try"
    AVOID = "avoid", "things to avoid"
    STEPS = "steps", "steps"
    TABLE = "table", "table"
    CALLOUT = "callout", "important note"
    DETAILS = "details", "details to open"
    FIGURE = "figure", "figure"
    NUMBERS = "numbers", "numbers as people"
    EVIDENCE = "evidence", "what the evidence says"


class Tradition(models.TextChoices):
    """Whose explanation a section gives. A traditional one carries its label wherever it is shown."""

    NEITHER = "neither", "neither"
    WESTERN = "western", "Western medicine"
    TRADITIONAL = "traditional", "traditional Chinese medicine"


class Aspect(models.TextChoices):
    """What a section is about, in the terms of schema.org's HealthAspectEnumeration."""

    OVERVIEW = "overview", "overview"
    CAUSES = "causes", "causes"
    SYMPTOMS = "symptoms", "symptoms"
    SELF_CARE = "self_care", "self-care"
    TREATMENTS = "treatments", "treatments"
    EFFECTIVENESS = "effectiveness", "how well it works"
    SAFETY = "safety", "risks"
    SEE_DOCTOR = "see_doctor", "when to see a doctor"


class Layer(models.TextChoices):
    """How deep into the page a section is: the leaflet is open, and the rest is folded below it."""

    LEAFLET = "leaflet", "leaflet, open on the page"
    MORE = "more", "for those who want more, folded"


class Question(models.TextChoices):
    """What patients ask, in their words: the headings of the leaflet. The code is the heading's address on the page."""

    WHAT_IS_IT = "what-is-it", "What is it?"
    WILL_IT_HELP = "will-it-help", "Will it help me?"
    WHAT_WILL_HAPPEN = "what-will-happen", "What will happen?"
    WHAT_CAN_GO_WRONG = "what-can-go-wrong", "What can go wrong?"
    WHAT_ELSE = "what-else", "What else can I do?"
    WHO_GIVES_IT = "who-gives-it", "Who gives it, and what does it cost?"
    WHAT_NEXT = "what-next", "What should I do next?"
    SHOULD_I_WORRY = "should-i-worry", "Should I worry?"
    WHAT_CAN_I_DO = "what-can-i-do", "What can I do today?"
    HOW_LONG = "how-long", "How long will it last?"
    WHAT_MAY_HELP = "what-may-help", "What may help?"
    WHEN_TO_SEE = "when-to-see", "When should I see someone?"
    WHAT_HELPS = "what-helps", "What helps?"
    HOW_TO = "how-to", "How do I do it?"
    WHAT_TO_AVOID = "what-to-avoid", "What should I avoid?"
    WHAT_IF_WORSE = "what-if-worse", "What if it gets worse?"
    DO_I_NEED_A_TEST = "do-i-need-a-test", "Do I need a test?"
    WHAT_IS_NOT_ADVISED = "what-is-not-advised", "What is not advised?"


# These start a chapter: a heading of the second level and a line in the contents list.
CHAPTER_KINDS = {SectionKind.TEXT, SectionKind.EVIDENCE}
# Addresses of the page's own parts. A section with the same address would catch the links meant for them.
TAKEN_SLUGS = re.compile(
    r"(main|find|in-short|audience|key-points|contents|prices|our-interest|more|words|explained|sources|changes|review|keep|useful"
    r"|related|ask|report|consultation)\Z"
    r"|(source|cite|term|word|care|useful|report|consultation|id_report|id_consultation)-"
)
# The sheet's other outputs are at these addresses below its own (factsheets/urls.py). A section that was once a page of its own
# is still found at its former address, so its name can be none of these.
TAKEN_PAGES = {"pdf", "text", "json", "useful", "whole"}
# Without a heading a reader could not tell what these are about.
HEADED_KINDS = ["evidence", "callout", "details", "table", "steps", "numbers"]
SLUG = re.compile(r"[-a-z0-9_]{1,80}\Z", re.IGNORECASE)
MAX_CALLOUTS = 2  # NHS service manual: too many warning callouts lose their force


def section_name(*, heading: str, question: str, body: str, drawn: str, slug: str) -> str:
    """As readers would point to it: by its heading, or by its question and how it begins. `drawn` is its drawing's title."""
    if heading:
        return heading
    links_as_words = re.sub(r"\[([^]@]+)\]\([^)]*\)", r"\1", body)
    words = re.sub(r"\[@[^]]*\]|[*#|]|^- |-{3,}", "", links_as_words, flags=re.MULTILINE)
    begins = Truncator(drawn or " ".join(words.split())).chars(50) or slug
    asked = f"{Question(question).label} " if question in Question.values else ""
    return f"{asked}{begins}"


class Section(NaturalKeyModel):
    """A part of a sheet, in its order: of one kind, in one layer of the page, under an address of its own there."""

    natural_key_fields = ("sheet", "slug")
    plain_texts = ("heading",)

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="sections")
    slug = models.SlugField(max_length=80, help_text="The section's address on the page: #slug")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order. Leave gaps of ten.")
    layer = models.CharField(
        max_length=8,
        choices=Layer,
        default=Layer.LEAFLET,
        help_text="The leaflet is what every reader sees, and what is printed. The rest is folded below it.",
    )
    question = models.CharField(
        max_length=24,
        choices=Question,
        blank=True,
        help_text="In the leaflet: the question that this section answers. It becomes the heading.",
    )
    former_slugs = models.JSONField(
        "former addresses on the page",
        default=list,
        blank=True,
        help_text="Addresses of sections that are now part of this one. Links to them go on working.",
    )
    kind = models.CharField(max_length=10, choices=SectionKind, default=SectionKind.TEXT)
    view = models.CharField(
        max_length=12,
        choices=Tradition,
        default=Tradition.NEITHER,
        help_text="A traditional section always carries its label: “Traditional explanation. Not a medical diagnosis.”",
    )
    aspect = models.CharField(max_length=14, choices=Aspect, blank=True)
    heading = models.CharField(max_length=160, blank=True)
    body = models.TextField(blank=True, help_text="Cite a source with [@KEY] after the full stop.")
    figure = models.ForeignKey(
        "factsheets.Figure", on_delete=models.PROTECT, null=True, blank=True, related_name="sections"
    )
    claim_refs = models.JSONField("claims it rests on", default=list, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "slug"], name="section_slug_once_in_a_sheet"),
            models.CheckConstraint(condition=Q(kind__in=SectionKind.values), name="section_known_kind"),
            models.CheckConstraint(condition=Q(view__in=Tradition.values), name="section_known_view"),
            models.CheckConstraint(
                condition=Q(kind="figure", figure__isnull=False) | (~Q(kind="figure") & Q(figure__isnull=True)),
                name="section_figure_when_kind_is_figure",
            ),
            models.CheckConstraint(condition=Q(kind__in=["figure", "evidence"]) | ~Q(body=""), name="section_has_body"),
            models.CheckConstraint(
                condition=~Q(kind__in=HEADED_KINDS) | ~Q(heading=""),
                name="section_has_heading_where_needed",
            ),
            models.CheckConstraint(condition=Q(layer__in=Layer.values), name="section_known_layer"),
            models.CheckConstraint(condition=Q(question__in=["", *Question.values]), name="section_known_question"),
            models.CheckConstraint(
                condition=Q(question="") | Q(layer=Layer.LEAFLET), name="section_question_only_in_the_leaflet"
            ),
        ]

    @property
    def evidence(self) -> list:
        """The statements it shows, in order. For many sections, prefetch `statement_uses__statement__sources`."""
        return [use.statement for use in self.statement_uses.all()]

    def __str__(self):
        return self._called(self.question)

    @property
    def below_question(self) -> str:
        """Its name where the question stands above it already."""
        return self._called("")

    def _called(self, question: str) -> str:
        drawn = self.figure.title if self.figure_id else ""
        return section_name(heading=self.heading, question=question, body=self.body, drawn=drawn, slug=self.slug)

    def clean(self):
        """Rejects, with a reason, what the outputs cannot render."""
        from factsheets.rendering.markdown import BodyError, parse_body

        if self.kind == SectionKind.FIGURE and self.figure_id is None:
            raise ValidationError({"figure": "Choose the drawing for this figure section."})
        if self.kind != SectionKind.FIGURE and self.figure_id is not None:
            raise ValidationError(
                {"figure": "Only a figure section has a drawing. Change the kind, or clear the drawing."}
            )
        if self.kind in HEADED_KINDS and not self.heading:
            raise ValidationError({"heading": f"Write a heading: a section of kind {self.kind} needs one."})
        if self.kind not in {SectionKind.FIGURE, SectionKind.EVIDENCE} and not self.body.strip():
            raise ValidationError({"body": "Write the words of this section."})
        if self.question and self.layer != Layer.LEAFLET:
            raise ValidationError({"question": "Only the leaflet has questions. Clear it, or move the section there."})
        self._check_addresses()
        try:
            parse_body(self.kind, self.body)
        except BodyError as error:
            raise ValidationError({"body": str(error)}) from error

    def _check_addresses(self):
        """Its address and its former ones, none of which may be in use elsewhere on the page."""
        if not isinstance(self.former_slugs, list) or not all(
            isinstance(each, str) and SLUG.match(each) for each in self.former_slugs
        ):
            raise ValidationError(
                {"former_slugs": "Write each address in small letters, numbers and hyphens, with commas between them."}
            )
        for name, slugs in (("slug", [self.slug]), ("former_slugs", self.former_slugs)):
            for slug in slugs:
                if TAKEN_SLUGS.match(slug) or slug in TAKEN_PAGES or slug in Question.values:
                    raise ValidationError({name: f"The page itself uses #{slug}. Choose another address."})
