"""The state of a form that is filled in step by step: what has been typed so far.

It travels twice: hidden in each page, so that a page that is sent always carries everything before it, and in an encrypted cookie,
so that each page has an address of its own, which the browser's back button, a reload and a second tab find again. The server keeps
nothing. The cookie is set when somebody sends a step, never by reading a page. It goes only to that form's own addresses, lasts
half an hour from the last step, and holds no more than where the confirmation is once the form was sent.
"""

import base64
import json
import logging
import secrets
import time
import zlib
from dataclasses import dataclass, field

from django.core import signing
from django.forms import Form, MultipleChoiceField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from backcare.core.cookies import EncryptedCookie
from backcare.core.encryption import keyed_hash
from backcare.core.forms import PhoneField, TextField
from enquiries.actions.intake import SEAL_GOOD_FOR
from enquiries.request_forms import own_words
from enquiries.request_forms.consultation import ConsultationForm
from enquiries.request_forms.forms import EnquiryForm, QuestionForm, ReportForm, Step

logger = logging.getLogger(__name__)

MAX_PLAIN = 16_000  # bytes
LIFETIME = 30 * 60  # seconds since the last step
# The hidden fields beside those of the form.
AT, DONE, SEEN, NO_COOKIES = "at", "done", "seen_signs", "no_cookies"

FORMS: dict[str, type[EnquiryForm]] = {form.kind: form for form in (ReportForm, ConsultationForm, QuestionForm)}


@dataclass
class FormState:
    typed: dict[str, list[str]] = field(default_factory=dict)  # as received, by field
    done: set[str] = field(default_factory=set)  # names of the steps that were sent
    seen: list[str] = field(default_factory=list)  # marks of the words for which the card was shown (OwnWords.marks)
    wrong: str = ""  # the step that was sent last, whose mistakes its page shows
    begin_at: str = ""  # the field at which the page opens
    sent: str = ""  # the address of the confirmation; if set, nothing else is kept
    no_cookies: bool = False  # this browser returns no cookies

    def without(self, name: str) -> None:
        self.typed.pop(name, None)

    def data(self, kind: str) -> QueryDict:
        data = QueryDict(mutable=True)
        for name, values in self.typed.items():
            data.setlist(f"{kind}-{name}", values)
        return data

    def initial(self, form_class: type[EnquiryForm]) -> dict[str, str | list[str]]:
        fields = form_class.base_fields
        return {name: values if _many(fields[name]) else values[-1] for name, values in self.typed.items()}

    def hidden(self, kind: str, step: Step | None = None) -> list[tuple[str, str]]:
        """The hidden fields of a page: everything, or on a step's own page everything but that step's fields."""
        own = step.fields if step else ()
        pairs = [(name, each) for name, values in self.typed.items() if name not in own for each in values]
        if step:
            pairs.append((AT, step.name))
        if self.done:
            pairs.append((DONE, " ".join(sorted(self.done))))
        if self.no_cookies:
            pairs.append((NO_COOKIES, "1"))
        return [(f"{kind}-{name}", value) for name, value in pairs]

    def words(self, form_class: type[EnquiryForm]) -> bool:
        """Whether anything was typed, not just chosen."""
        return any(isinstance(form_class.base_fields[name], TextField | PhoneField) for name in self.typed)


def posted(request: HttpRequest, form_class: type[EnquiryForm], *, alone: bool) -> FormState:
    """What a page sent, added to what the browser holds. With `alone`, the page showed everything, so nothing else counts.

    A step's own fields replace the earlier ones, so that a field that was emptied stays empty. Those of other steps only add.
    """
    kind, given = form_class.kind, request.POST
    at = next((step for step in form_class.steps if step.name == given.get(f"{kind}-{AT}")), None)
    pressed = f"{kind}-step" in given
    state = (None if alone or not (at or pressed) else read(request, kind)) or FormState()
    for name, each in form_class.base_fields.items():
        values = [value for value in given.getlist(f"{kind}-{name}") if value]
        if values:
            state.typed[name] = values if _many(each) else values[-1:]
        elif at and name in at.fields:
            state.without(name)
    known = {step.name for step in form_class.steps}
    state.done |= known & set(given.get(f"{kind}-{DONE}", "").split())
    if at:
        state.done.add(at.name)
    else:  # a page of several steps asked each step that has a field in it, because a browser sends even an empty line of text
        state.done |= {step.name for step in form_class.steps if any(f"{kind}-{name}" in given for name in step.fields)}
    state.seen = own_words.latest(state.seen, own_words.seen(given.get(f"{kind}-{SEEN}", "")))
    state.wrong = state.begin_at = state.sent = ""
    state.no_cookies = state.no_cookies or f"{kind}-{NO_COOKIES}" in given
    return state


def read(request: HttpRequest, kind: str) -> FormState | None:
    """What the browser holds. None if there is nothing, or it is too old or not made by us."""
    held = _cookie(kind).opened(_cookie(kind).of(request), kind, now=time.time())
    if held is None:
        return None
    told = json.loads(zlib.decompress(base64.b85decode(held["draft"])))
    return FormState(typed=told["typed"], done=set(told["done"]), **{name: told[name] for name in SIMPLE})


def sealed(state: FormState, kind: str) -> str:
    """The value of the cookie. Empty if it would be too long for one."""
    told = {"typed": state.typed, "done": sorted(state.done), **{name: getattr(state, name) for name in SIMPLE}}
    plain = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(plain) > MAX_PLAIN:  # however well it compresses, each page would be twice as long
        return ""
    cookie, packed = _cookie(kind), zlib.compress(plain, 9)
    text = cookie.sealed({"draft": base64.b85encode(packed).decode()}, kind, at=time.time())
    return text if cookie.fits(text) else ""


def is_held(request: HttpRequest, kind: str) -> bool:
    return bool(_cookie(kind).of(request))


def give(response: HttpResponse, text: str, kind: str) -> HttpResponse:
    return _cookie(kind).give(response, text, at=time.time())


def take_back(response: HttpResponse, request: HttpRequest, kind: str) -> HttpResponse:
    return _cookie(kind).take_back(response, request)


SIMPLE = ("seen", "wrong", "begin_at", "sent")


def _cookie(kind: str) -> EncryptedCookie:
    return EncryptedCookie("draft", prefix="__Secure-", path=f"/{kind}/", lifetime=LIFETIME)


def _many(each) -> bool:
    return isinstance(each, MultipleChoiceField)


# The seal on the check page says for which words that page was made, and when.
#
# A form sent without it has not been through that page, so it gets the page: a person presses once more, and a script that posts
# straight away sends nothing. The seal is valid for those words only, for a day (a page left open overnight may be sent in the
# morning) and once, so that one page cannot send a thousand forms.
#
# A quick answer proves nothing by itself. A second is enough for somebody with a fast keyboard, a screen reader that goes straight
# to the button, or only one word to change. So it counts only if the same sender has sent several forms within the hour
# (`abuse.FEW`), and then the form is set aside for staff, not refused.

NO_TIME = 3  # seconds between loading the page and pressing its button

SEAL_SIGNER = signing.TimestampSigner(salt="enquiries.request_forms.submit_timing", sep=".")


def seal(form) -> str:
    """Makes a seal for a valid form, whose `cleaned_data` the page shows. No two seals are alike."""
    return SEAL_SIGNER.sign(f"{_sealed_words(form)}-{secrets.token_hex(8)}")


def seal_age(given: str, form) -> float | None:
    """Seconds since the page was made. None if it was made for other words, too long ago, or not by us."""
    try:
        made_for, _, _ = SEAL_SIGNER.unsign(given, max_age=SEAL_GOOD_FOR).partition("-")
    except signing.BadSignature:
        return None
    if made_for != _sealed_words(form):
        return None
    _, at, _ = given.rsplit(".", 2)
    return time.time() - signing.b62_decode(at)


def _sealed_words(form) -> str:
    """A keyed hash of every text in the form, including the address. A short one is enough.

    Choices are left out, because the page itself asks for any that are missing.
    """
    texts = [
        f"{name}={form.cleaned_data.get(name) or ''}"
        for name, field in form.fields.items()
        if isinstance(field, TextField) or name == "phone"
    ]
    return keyed_hash(form.kind, *texts, purpose="pace")[:32]


# Gives back what somebody typed into a form that we could not accept, in a form of ours that they can send.
#
# Is it safe to show what another website may have typed? Pressing the button does only what anybody can do from that page anyway,
# because our public forms act for nobody in particular. The exception is the self-assessment in the browser's cookie: the choice to
# include it is never given back, and the report's own page asks again. The words appear only in fields, escaped. The page cannot be
# framed or cached, sends nothing without a press, and says where the words came from. The desk's forms do act with somebody's
# rights, so they are never given back.

# Robots' trap, which people cannot see, and consent, which must be given on the page that explains it.
NOT_GIVEN_BACK = {"website", "include_answers"}


def rebuild_form(request) -> Form | None:
    """The public form with what was typed, neither checked nor saved. None if there is none or it cannot be read.

    Uses no database and never raises, because an error page must not break.
    """
    try:
        return _form_of(request) if request.method == "POST" else None
    except Exception as error:  # noqa: BLE001 - a body that cannot be read, a form that is broken: the plain page says enough
        logger.info("A form cannot be given back: %s", type(error).__name__)
        return None


def _form_of(request) -> Form | None:
    kind = next((kind for kind in FORMS if request.path_info == reverse(f"enquiries:{kind}")), None)
    if kind is None:
        return None
    state = posted(request, FORMS[kind], alone=True)
    for name in NOT_GIVEN_BACK:
        state.without(name)
    if not set(state.typed) - {"sheet"}:
        return None
    form = FORMS[kind](prefix=kind, action=request.path_info, initial=state.initial(FORMS[kind]))
    step = form.step_named(request.POST.get(f"{kind}-{AT}", ""))
    if step:  # its page, with what was typed before, which is shown again before anything is sent
        form.show(step, state.hidden(kind, step))
    return form
