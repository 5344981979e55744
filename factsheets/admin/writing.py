"""The page on which a sheet is written: its parts in their order, the one that is open, and beside it how readers will see it.

Every button works without script, and each keeps what was typed: a press is a post, kept and answered with the same page. With
script (static/js/writing.js) the same posts are sent while somebody types.
"""

import re
from itertools import groupby

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseRedirect, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from backcare.core.forms import as_number
from factsheets import actions, autosave, live_preview, pasted_citation, section_order
from factsheets.admin import picking, sheet_drafts
from factsheets.admin.editing import Stopped
from factsheets.admin.fields import MAX_PLACE, SIGNS
from factsheets.admin.overview import may_move, may_write, signed, you_wrote
from factsheets.admin.unsaved import NOT_SAVED, GivesBack, as_posted, sign_of_life
from factsheets.models import (
    FactSheet,
    Figure,
    GlossaryTerm,
    Layer,
    Question,
    Section,
    SectionKind,
    Source,
    State,
    Statement,
    UnsavedEdit,
)
from factsheets.models.section import GAP
from factsheets.publishing_rules import Obstacle
from factsheets.rendering.document import in_reading_order
from factsheets.rendering.markdown import CITATION
from factsheets.rendering.sheet import TRADITIONAL_LABEL

# The buttons beside Save. Each keeps the form first.
PRESSES = (
    "_preview",
    "_open",
    "_shift",
    "_put",
    "_cite",
    "_link",
    "_explain",
    "_show",
    "_draw",
    "_sign",
    "_row",
    "_keep",
)
# Those that a reviewer may press too, who cannot write in the form.
SAYING = ("_comment", "_resolve")
# And those that keep nothing.
OTHERS = ("_discard", "_swap", "_pulse", "_left")
# Search boxes: the button beside each, and its name in the address of the page after it.
# Without script, Enter in one of them presses the first button of the form, Preview.
ASKING = {
    "_source": ("_cite", "source"),
    "_page": ("_link", "page"),
    "_word": ("_explain", "word"),
    "_statement": ("_show", "statement"),
    "_figure": ("_draw", "drawing"),
}
SHEET_PART = "Title, key points and related pages"
MAX_ASKED = 4_000  # characters: a citation with its abstract
ROWS = "statement_uses"  # what Django calls the statements that a section shows
MAX_ROWS = 60
ROW_NAMES = {ROWS: "statement", "related": "to"}  # the field of a row that says what it is about
PLACES_OF_ROWS = {ROWS: "statements", "related": "related", "source_uses": "findings"}
BODY = "body"  # the text of a section
CITED_LAST = re.compile(rf"(?:{CITATION.pattern})+\Z")  # the citations at the end of a text
COMMENT = "comment"  # not fields of the form, but kept with them


class OnOnePage(GivesBack):
    """For the admin of a sheet and of a section. Each has a `proof_of`: how its part reads with what is typed."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        sheet = _sheet_of(obj) or self.sheet_named(request)
        if sheet is None or (object_id and obj is None):
            return super().changeform_view(request, object_id, form_url, extra_context)
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        here = {"sheet": sheet, "part": autosave.part_of(obj), "by": request.user}
        if press := next((each for each in (*PRESSES, *OTHERS, *SAYING) if each in request.POST), ""):
            if not (may_write or (press in SAYING and obj and may_move(request.user))):
                raise PermissionDenied
            if press in SAYING:
                self._said(request, press, here, obj, may_write=may_write)
                return HttpResponseRedirect(_with(request, to="#said"))
            if press == "_preview":
                press = _asked_for(request) or press
            return self._pressed(request, press, here, obj)
        if request.method == "POST":
            request.POST = _with_rows(request.POST)
        row = autosave.look(**here) if may_write else None
        if row and request.method == "POST":
            row = self._keep(request, here, obj)
        if row and row.typed and request.method == "GET":
            # Saves and undoes it, so that the form has everything typed, and every field says what is wrong with it.
            request.stopped = [Obstacle(NOT_SAVED)]
            show = self._changeform_view  # past the check of where a post comes from, because nobody sent one
            response = _as_posted(request, row.typed, lambda: show(request, object_id, form_url, extra_context))
        else:
            response = super().changeform_view(request, object_id, form_url, extra_context)
        if request.method == "POST" and response.status_code == 302:
            autosave.forget(**here, posted=request.POST)
            _say(request, sheet, here["part"], request.POST.get(COMMENT, ""))
            all_saved = self._save_the_rest(request, sheet)
            if "_correct" in request.POST:
                return sheet_drafts.correct_written(request, sheet.pk, all_saved=all_saved)
        if isinstance(response, TemplateResponse) and "adminform" in (response.context_data or {}):
            response.context_data |= self._around(request, sheet, obj, row, response.context_data["adminform"].form)
        return response

    def has_change_permission(self, request, obj=None):
        """Words that are signed off are shown and not edited. A form that was opened before is still heard, and says why not."""
        may = super().has_change_permission(request, obj)
        return may and not (request.method == "GET" and obj is not None and _is_signed(_sheet_of(obj)))

    def _save_the_rest(self, request, sheet) -> bool:
        """Save saves the page: also what they typed into its other parts, unless something there needs correcting first.

        Whether nothing was left.
        """
        request.stopped = []
        kept = UnsavedEdit.objects.filter(sheet=sheet, by=request.user).exclude(typed="")
        gone = [row.pk for row in autosave.of_gone_sections(sheet=sheet, by=request.user)]
        for row in kept.exclude(part__endswith=autosave.ASIDE).exclude(pk__in=gone):
            model, number = _place_of(row)
            save = self.admin_site.get_model_admin(model)._changeform_view
            try:
                with transaction.atomic():
                    # mypy and ruff cannot see that it is called at once.
                    done = _as_posted(request, row.typed, lambda save=save, at=number: save(request, at, "", None))
            except Stopped:
                continue
            if done.status_code == 302:
                autosave.forget_read(row)
                _say(request, sheet, row.part, QueryDict(row.typed).get(COMMENT, ""))
        if left := _names_of(sheet, autosave.parts_with_text(sheet=sheet, by=request.user)):
            messages.warning(request, f"Not saved yet, because something there needs correcting first: {left}.")
        return not left

    # --- what is typed ---

    def _keep(self, request, here: dict, obj):
        """Keeps the form, unless it says only what is already stored."""
        row = autosave.keep(**here, posted=request.POST)
        if not self._differs(request, obj, QueryDict(row.typed)):
            autosave.forget_read(row)
            row.typed, row.typed_at = "", None
        return row

    def _differs(self, request, obj, typed: QueryDict) -> bool:
        if obj is None:
            rows = typed.get("statement_uses-TOTAL_FORMS", "0") != "0"
            return rows or any(typed.get(name, "").strip() for name in ("heading", "body", "asked", "figure"))
        if typed.get(COMMENT, "").strip():
            return True
        form = self.get_form(request, obj, change=True)(typed, instance=obj)
        formsets, _ = _as_posted(request, typed.urlencode(), lambda: self._create_formsets(request, obj, change=True))
        rows = [form, *(row for formset in formsets for row in formset.forms)]
        own = {"opened", "after"}
        return "after" in form.changed_data or any(
            _says_more(row[name]) for row in rows for name in row.fields if name not in own
        )

    # --- buttons ---

    def _pressed(self, request, press: str, here: dict, obj):
        if (answer := sign_of_life(request, here)) is not None:
            return answer
        said, again = request.POST.get(press, ""), _with(request, to="#proof")
        match press:
            case "_discard" if said.isdecimal():
                for row in autosave.of_gone_sections(sheet=here["sheet"], by=request.user):
                    if str(row.pk) == said:
                        row.delete()
            case "_discard":
                autosave.forget(**here | {"part": here["part"] + (autosave.ASIDE if said == "aside" else "")})
            case "_swap":
                autosave.swap(**here)
            case "_cite":
                again = self._cite(request, here, said)
            case "_show":
                again = self._show(request, here, obj, said)
            case "_draw":
                again = self._draw(request, here, obj, said)
            case "_sign":
                field, _, name = said.rpartition(":")
                self._add(request, here, SIGNS.get(name, ""), field if field in self.form.texts else BODY)
                again = _with(request, to=f"#id_{field or BODY}")
            case "_row":
                _move_row(autosave.keep(**here, posted=request.POST), said)
                again = _with(request, to=f"#{PLACES_OF_ROWS.get(said.partition('-')[0].partition(':')[0], '')}")
            case "_link":
                again = self._link(request, here, said)
            case "_explain":
                word = " ".join(request.POST.get("_word", "").split())[:80]
                if term := GlossaryTerm.objects.filter(term__iexact=word).first():
                    self._add(request, here, f" {term.term}")
                else:
                    autosave.keep(**here, posted=request.POST)
                    again = _with(request, word=word, to="#tools")
            case _:
                row = self._keep(request, here, obj)
                if press == "_keep":
                    return JsonResponse(self._kept(request, here, obj, row))
                if press == "_open":
                    again = _address_of(here["sheet"], said) or again
                elif press != "_preview":
                    try:
                        _move(here["sheet"], said, request.user)
                    except actions.MoveRefused as refusal:
                        messages.error(request, str(refusal))
                    again = _with(request, to="#parts")
        return HttpResponseRedirect(again)

    def _said(self, request, press: str, here: dict, obj, *, may_write: bool) -> None:
        """Comments on the part, or resolves a comment on it. The form is kept as it is."""
        sheet = here["sheet"]
        if press == "_resolve":
            if said := sheet.comments.filter(pk=as_number(request.POST["_resolve"])).first():
                actions.resolve(comment=said, by=request.user)
        elif _say(request, sheet, here["part"], request.POST.get(COMMENT, ""), must=True):
            request.POST = request.POST.copy()
            request.POST[COMMENT] = ""
        if may_write:
            self._keep(request, here, obj)

    def _kept(self, request, here: dict, obj, row) -> dict:
        return {
            "kept": f"Kept for you at {autosave.clock(row.typed_at)}. Not saved yet." if row.typed_at else "",
            "proof": self._proof_page(request, here["sheet"], obj, request.POST),
            "others": autosave.others(**here),
        }

    def _cite(self, request, here: dict, chosen: str) -> str:
        """Adds a citation at the end of the text; or offers several sources, or a new one made of what was pasted."""
        asked = request.POST.get("_source", "")[:MAX_ASKED]
        found = list(Source.objects.filter(key=chosen)) or pasted_citation.known(asked)
        if len(found) == 1:
            beside = CITED_LAST.search(request.POST.get(BODY, "").rstrip())
            if beside and f"@{found[0].key}" in re.findall(r"@[A-Z0-9-]+", beside[0]):
                autosave.keep(**here, posted=request.POST)
                messages.info(request, f"“{found[0].title}” is cited there already, so it was not added again.")
            else:
                self._add(request, here, f" [@{found[0].key}]")
            return _with(request, to="#proof")
        autosave.keep(**here, posted=request.POST)
        return _with(request, source=asked, to="#tools")

    def _show(self, request, here: dict, obj, chosen: str) -> str:
        """Adds a statement of evidence, or offers several. A section without words becomes one that shows evidence."""
        asked = request.POST.get("_statement", "")[:MAX_ASKED]
        picked = Statement.objects.filter(pk=chosen) if chosen.isdecimal() else picking.found(Statement, asked)
        if len(picked) != 1:
            self._keep(request, here, obj)
            return _with(request, statement=asked, to="#statement-asked")
        row = autosave.keep(**here, posted=request.POST)
        typed = _with_rows(QueryDict(row.typed))
        count = typed.get(f"{ROWS}-TOTAL_FORMS", "")
        rows = range(min(as_number(count) or 0, MAX_ROWS))
        if str(picked[0].pk) in {typed.get(f"{ROWS}-{each}-statement") for each in rows}:
            messages.info(request, f"“{picked[0]}” is in this section already.")
            return _with(request, to="#statements")
        last = max(
            (as_number(typed.get(f"{ROWS}-{each}-position", "")) or 0 for each in rows),
            default=0,
        )
        at = f"{ROWS}-{len(rows)}"
        added = {f"{at}-statement": str(picked[0].pk), f"{at}-position": str(last + GAP), f"{at}-id": ""}
        owner = here["part"].removeprefix("section-")
        added |= {f"{at}-section": owner if owner.isdecimal() else "", f"{ROWS}-TOTAL_FORMS": str(len(rows) + 1)}
        added |= {f"{ROWS}-INITIAL_FORMS": typed.get(f"{ROWS}-INITIAL_FORMS", "0"), "kind": SectionKind.EVIDENCE}
        autosave.set_fields(row, **added)
        return _with(request, to="#statements")

    def _draw(self, request, here: dict, obj, chosen: str) -> str:
        """Puts a figure of the library in, or offers several, or takes it out. A section without words becomes a figure."""
        asked = request.POST.get("_figure", "")[:MAX_ASKED]
        field = "figure" if self.model is Section else "lead_figure"
        if chosen == "none":
            autosave.set_fields(autosave.keep(**here, posted=request.POST), **{field: ""})
            return _with(request, to=f"#id_{field}-asked")
        picked = (
            Figure.objects.filter(pk=chosen) if chosen.isdecimal() else picking.found(Figure, asked) if asked else []
        )
        if len(picked) != 1:
            self._keep(request, here, obj)
            return _with(request, drawing=asked, to=f"#id_{field}-asked")
        row = autosave.keep(**here, posted=request.POST)
        is_empty = self.model is Section and not QueryDict(row.typed).get("body", "").strip()
        autosave.set_fields(row, **{field: str(picked[0].pk)}, **({"kind": SectionKind.FIGURE} if is_empty else {}))
        return _with(request, to="#proof")

    def _link(self, request, here: dict, chosen: str) -> str:
        """Adds a link to a page of ours at the end of the text, or offers several, or links to the address that was typed."""
        asked = " ".join(request.POST.get("_page", "").split())[:MAX_ASKED]
        found = [(title, to) for title, to in picking.pages() if to == chosen] or picking.found_pages(asked)
        if len(found) != 1:
            autosave.keep(**here, posted=request.POST)
            return _with(request, page=asked, to="#tools")
        self._add(request, here, " [{}]({})".format(*found[0]))
        return _with(request, to="#proof")

    def _add(self, request, here: dict, words: str, field: str = BODY) -> None:
        """Adds it at the end of the text. With script it goes in at the cursor."""
        row = autosave.keep(**here, posted=request.POST)
        if words == SIGNS["Table"]:
            autosave.set_fields(row, kind=SectionKind.TABLE)
        autosave.add_words(row, field, words)

    # --- the page around the form ---

    def _around(self, request, sheet, obj, row, form) -> dict:
        is_kept = bool(row and row.typed and request.method == "GET")
        aside = autosave.aside(sheet=sheet, part=row.part, by=request.user) if row else None
        typed = request.POST if request.method == "POST" else QueryDict(row.typed) if is_kept else None
        context = {
            "title": sheet.title,
            "subtitle": str(obj)
            if self.model is Section and obj
            else "A new section"
            if self.model is Section
            else SHEET_PART,
            "writing": sheet,
            "groups": _outline(sheet, obj, request.user),
            "others": autosave.others(sheet=sheet, part="", by=request.user),
            "may_write": row is not None,
            "is_section": self.model is Section,
            "correction": request.POST.get("_reason", "")[:300],
            "signed": signed(sheet, request.user),
            "is_editor": may_write(request.user),
            "section_slug": obj.slug if isinstance(obj, Section) else "",
            "waiting_at": _typed_at(sheet, obj, request.user) if _is_signed(sheet) else "",
            "said": _comments_on(sheet, obj),
            "may_say": obj is not None and may_move(request.user),
            "comment": (typed or {}).get(COMMENT, ""),
            "edition": request.POST.get("_edition") or _newest_edition(sheet),
            "kept_at": autosave.clock(row.typed_at) if is_kept else "",
            "of_gone_sections": [
                {"pk": each.pk, "at": autosave.clock(each.typed_at), "typed": QueryDict(each.typed)}
                for each in (autosave.of_gone_sections(sheet=sheet, by=request.user) if row else ())
            ],
            "aside_at": autosave.clock(aside.typed_at) if aside else "",
            "tab": request.POST.get(autosave.TAB) or autosave.new_tab(row if is_kept else None),
            "sources": Source.objects.only("key", "title", "authors", "year"),
            "pages": picking.pages() if self.model is Section else [],
            "terms": GlossaryTerm.objects.values_list("term", flat=True).order_by("term"),
            "proof_page": self._proof_page(request, sheet, obj, typed),
        }
        if is_kept:
            context |= {"errors": None, "problems": [each for each in form.non_field_errors() if each != NOT_SAVED]}
        if asked := request.GET.get("source", "")[:MAX_ASKED]:
            context |= {"asked": asked, "offered": pasted_citation.known(asked), "new_source": _new_source(asked, obj)}
        if (page := request.GET.get("page")) is not None:
            context |= {"page_asked": page[:MAX_ASKED], "pages_offered": picking.found_pages(page[:MAX_ASKED])}
        context["unknown_word"] = request.GET.get("word", "")[:80]
        if "drawing" in request.GET and isinstance(shown := _figure_field(form), picking.PickedFigure):
            shown.asked = request.GET["drawing"][:MAX_ASKED]
        if self.model is Section:
            context |= self._statements(request, obj, typed)
        return context

    def _statements(self, request, section, typed: QueryDict | None) -> dict:
        """The shared list, for a section that shows evidence, and for one that has no words yet and could."""
        stored = {name: getattr(section, name, "") for name in ("kind", "body")}
        now = typed if typed is not None else stored
        if now.get("kind") != SectionKind.EVIDENCE and now.get("body", "").strip():
            return {}
        asked = request.GET["statement"][:MAX_ASKED] if "statement" in request.GET else None
        return {
            "statements": Statement.objects.order_by("claim").values_list("claim", flat=True),
            "shows_evidence": now.get("kind") == SectionKind.EVIDENCE,
            "statement_asked": asked,
            "statements_offered": picking.found(Statement, asked) if asked is not None else [],
        }

    def _proof_page(self, request, sheet, obj, typed: QueryDict | None) -> str:
        shown = self.proof_of(request, sheet, obj, typed)
        layer = shown.section["layer"] if shown.section else ""
        context = {
            "proof": shown,
            "section": shown.section,
            "traditional_label": TRADITIONAL_LABEL,
            "goal": live_preview.goal(layer, (getattr(sheet, "draft_of", None) or sheet).slug),
        }
        return render_to_string("admin/factsheets/writing/_proof.html", context, request)


def _asked_for(request) -> str:
    """The button beside a box whose contents are new."""
    for box, (button, name) in ASKING.items():
        if (said := request.POST.get(box, "").strip()) and said != request.GET.get(name, "").strip():
            return button
    return ""


def _is_signed(sheet) -> bool:
    return sheet.state == State.SCHEDULED


def _typed_at(sheet, obj, user) -> str:
    row = UnsavedEdit.objects.filter(sheet=sheet, part=autosave.part_of(obj), by=user).exclude(typed="").first()
    return autosave.clock(row.typed_at) if row else ""


def _newest_edition(sheet) -> int | str:
    return sheet.editions.values_list("number", flat=True).first() or ""


def _sheet_of(obj):
    return getattr(obj, "sheet", obj)


def _place_of(row: UnsavedEdit) -> tuple[type, str | None]:
    """Which form a part of a sheet is written in, and of what: None of a new section."""
    if row.part == autosave.SHEET:
        return FactSheet, str(row.sheet_id)
    return Section, None if row.part == autosave.NEW else row.part.removeprefix("section-")


def _with_rows(posted: QueryDict) -> QueryDict:
    """A form that has just become one of evidence has no rows yet, and says so."""
    if posted.get("kind") != SectionKind.EVIDENCE or f"{ROWS}-TOTAL_FORMS" in posted:
        return posted
    posted = posted.copy()
    posted.update({f"{ROWS}-TOTAL_FORMS": "0", f"{ROWS}-INITIAL_FORMS": "0"})
    return posted


def _say(request, sheet, part: str, text: str, *, must: bool = False) -> bool:
    """Comments on a part of the sheet. Where there are no words it does nothing, or says so if it `must`. Whether it did."""
    if not (text.strip() or must):
        return False
    number = part.removeprefix("section-")
    section = sheet.sections.filter(pk=number).first() if number.isdecimal() else None
    try:
        actions.comment(sheet=sheet, section=section.slug if section else "", text=text, by=request.user)
    except actions.MoveRefused as refusal:
        messages.error(request, f"{refusal}{you_wrote(text)}")
        return False
    messages.success(request, "Comment added.")
    return True


def _comments_on(sheet, obj) -> list:
    """Those to resolve: on the section, or on the sheet as a whole, and on sections that are gone."""
    if obj is None:
        return []
    to_resolve = sheet.comments.filter(resolved_at=None)
    if isinstance(obj, Section):
        return list(to_resolve.filter(section=obj.slug))
    return list(to_resolve.exclude(section__in=sheet.sections.values("slug")))


def _move_row(row: UnsavedEdit, said: str) -> None:
    """Moves one of several rows, such as “related-2:up”, or puts an empty one below them: “related:more”."""
    named, _, way = said.partition(":")
    rows, _, number = (named, "", "") if way == "more" else named.rpartition("-")
    typed = QueryDict(row.typed)
    count = min(as_number(typed.get(f"{rows}-TOTAL_FORMS", "")) or 0, MAX_ROWS)
    if way == "more":
        if 0 < count < MAX_ROWS:
            autosave.set_fields(row, **{f"{rows}-TOTAL_FORMS": str(count + 1)})
        return
    places = {
        each: as_number(typed.get(f"{rows}-{each}-position", "")) or MAX_PLACE
        for each in range(count)
        if typed.get(f"{rows}-{each}-{ROW_NAMES.get(rows, '')}")
    }
    order = sorted(places, key=lambda each: places[each])
    if as_number(number) not in order:
        return
    at = order.index(as_number(number))
    to = at - 1 if way == "up" else at + 1
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    placed = {f"{rows}-{each}-position": str(place * GAP) for place, each in enumerate(order, start=1)}
    autosave.set_fields(row, **placed)


def _figure_field(form):
    name = next((each for each in ("figure", "lead_figure") if each in form.fields), "")
    return form.fields[name].widget if name else None


def _as_posted(request, typed: str, act):
    return as_posted(request, _with_rows(QueryDict(typed)), act)


def _says_more(bound) -> bool:
    """Whether a field's words have changed. Line endings and trailing space do not count."""
    given, shown = bound.data, bound.field.prepare_value(bound.initial)
    if isinstance(given, bool):
        return given != bool(shown)
    shown = bound.field.widget.format_value(shown)
    if isinstance(shown, list):
        shown = shown[0] if shown else ""
    return _plain(given) != _plain(shown)


def _plain(value) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _outline(sheet, obj, user) -> list[dict]:
    """The parts as readers find them: each question of the leaflet, answered yet or not, and what is folded below."""
    touched = autosave.parts_with_text(sheet=sheet, by=user)
    ordered = in_reading_order(sheet, sheet.sections.select_related("figure"))
    groups = {(Layer.LEAFLET.value, question.value): [] for question in sheet.questions}
    groups |= {key: [] for key in map(section_order.stands_below, ordered) if key not in groups}
    groups |= {(Layer.MORE.value, ""): groups.pop((Layer.MORE.value, ""), [])}
    for key, sections in groupby(ordered, key=section_order.stands_below):
        groups[key] = list(sections)
    for section in ordered:
        section.is_open = isinstance(obj, Section) and section.pk == obj.pk
        section.is_touched = autosave.part_of(section) in touched
    last = None
    listed = []
    for (layer, question), sections in groups.items():
        last = sections[-1] if sections else last
        listed.append(
            {
                "name": Question(question).label if question else Layer(layer).label.capitalize(),
                "sections": sections,
                "new": f"new:{layer}:{question}:{last.pk if last else ''}",
            }
        )
    return listed


def _names_of(sheet, parts: set[str]) -> str:
    names = {autosave.SHEET: "title, “In short” and key points", autosave.NEW: "a new section"}
    numbers = [part.removeprefix("section-") for part in parts if part not in names]
    sections = map(str, sheet.sections.filter(pk__in=numbers).select_related("figure"))
    return "; ".join([*(name for part, name in names.items() if part in parts), *sections])


def _move(sheet, said: str, by) -> None:
    """“141:up”, or “141:139” for after that one, or “141:0” for the first place below its question."""
    number, _, where = said.partition(":")
    section = sheet.sections.filter(pk=number).first() if number.isdecimal() else None
    if section is None:
        return
    if where in {"up", "down"}:
        section_order.shift(section=section, up=where == "up", by=by)
    elif where.isdecimal():
        after = sheet.sections.filter(pk=where).first()
        if after is not None or where == "0":
            section_order.put(section=section, after=after, by=by)


def _address_of(sheet, part: str) -> str:
    """Of the sheet's own facts, of a section, or of a new one below a question."""
    if part == autosave.SHEET:
        return reverse("admin:factsheets_factsheet_change", args=[sheet.pk])
    if part.isdecimal() and sheet.sections.filter(pk=part).exists():
        return reverse("admin:factsheets_section_change", args=[part])
    if part.startswith("new:") and part.count(":") == 3:
        _, layer, question, after = part.split(":")
        asked = {"sheet": sheet.pk, "layer": layer, "question": question, "after": after}
        asked = {name: value for name, value in asked.items() if value}
        return f"{reverse('admin:factsheets_section_add')}?{urlencode(asked)}"
    return ""


def _with(request, *, to: str, **asked: str) -> str:
    """Shows this page again, with what was looked for and not found."""
    query = request.GET.copy()
    for name in ("source", "word", "statement", "drawing", "page"):
        query.pop(name, None)
    query.update(asked)
    return f"{request.path}{f'?{query.urlencode()}' if query else ''}{to}"


def cite_new(request, source: Source):
    """After a source was added for a section: cites it in what its editor typed there, and leads back. None for other sources."""
    named = request.GET.get("for", "")
    section = Section.objects.filter(pk=as_number(named)).first()
    if section is None or not request.user.has_perm("factsheets.change_section"):
        return None
    row = autosave.look(sheet=section.sheet, part=autosave.part_of(section), by=request.user)
    if row.typed:
        autosave.add_words(row, BODY, f" [@{source.key}]")
        messages.info(request, f"“{source}” is cited at the end of the text, which is not saved yet.")
    else:
        messages.info(request, f"Find “{source}” with “Cite a source” to cite it.")
    return HttpResponseRedirect(reverse("admin:factsheets_section_change", args=[section.pk]))


def _new_source(pasted: str, section) -> str:
    """The form of a new source, filled in from what was pasted. Saving it cites it in the section."""
    fields = pasted_citation.read(pasted) or {"title": pasted[:400]}
    if isinstance(section, Section):
        fields |= {"for": str(section.pk)}
    return f"{reverse('admin:factsheets_source_add')}?{urlencode(fields)}"
