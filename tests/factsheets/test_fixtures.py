"""The words of the published sheets keep the house rules. docs/content-format.md says them to authors."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError

from factsheets.fixtures import StrictLoader
from factsheets.models import SafetyAdvice, Source
from factsheets.models.safety import check_joined, check_short
from factsheets.models.section import MAX_CALLOUTS
from factsheets.rendering.markdown import key_points, parse, plain
from factsheets.safety import CRISIS, HEADINGS

pytestmark = pytest.mark.once

FOLDER = Path(__file__).resolve().parents[2] / "fixtures"
SHEETS, SHARED = (
    {path.stem: yaml.load(path.read_text(), Loader=StrictLoader) for path in sorted(folder.glob("*.yaml"))}  # noqa: S506 - safe
    for folder in (FOLDER / "sheets", FOLDER)
)
# What readers see, and what of it is Markdown. Sources are quoted as they are; the claim ledger and `why` are for staff.
MARKDOWN = {"key_points", "body", "detail"}
LINES = {
    "title",
    "summary",
    "audience",
    "heading",
    "claim",
    "finding",
    "nice_position",
    "reason",
    "meaning",
    "question",
    "text",
} | {
    "short_text",
    "action",
    "alt",
    "long_description",
    "term",
}
MAX_WORDS = 28  # in a sentence; authors are asked for 12 to 16 on average
NEVER = (
    "cure|cures|cured|curing|heal|heals|healed|healing|fix|fixes|fixed|fixing|proven|works|guarantee|guarantees|guaranteed|"
    "instant|instantly|highly effective|wear and tear|crumbling|out of place|slipped out|damaged"
)
OWNED = (("section", "sheet"), ("statementuse", "section"), ("sourceuse", "sheet"), ("relatedsheet", "sheet"))
every_sheet = pytest.mark.parametrize("slug", SHEETS)


def entries(slug: str, model: str) -> list[dict]:
    return [entry["fields"] for entry in SHEETS[slug] if entry["model"] == f"factsheets.{model}"]


def shared(model: str) -> list[dict]:
    return [entry["fields"] for file in SHARED.values() for entry in file if entry["model"] == f"factsheets.{model}"]


def readable(fields: dict) -> list[tuple[str, str]]:
    """Each text of an entry that readers see, as plain words: one for each paragraph, item or cell."""
    found = []
    for name, value in fields.items():
        if name in MARKDOWN and value:
            found += [(name, words) for words in pieces(parse(value))]
        elif name in LINES and value:
            found.append((name, value))
    return found


def pieces(blocks: list[dict]):
    for block in blocks:
        if block["type"] == "list":
            for item in block["items"]:
                yield from pieces(item)
        elif block["type"] == "table":
            yield from (plain(cell) for row in [block["header"], *block["rows"]] for cell in row)
        else:
            yield plain(block["content"])


def sentences(words: str) -> list[str]:
    return [each for each in re.split(r"(?<=[.!?])[”\")]*\s+", " ".join(words.split())) if each]


def published() -> list[tuple[str, dict]]:
    """Every entry whose words readers see, with the name of its file."""
    found = [(slug, entry["fields"]) for slug, sheet in SHEETS.items() for entry in sheet]
    quoted = {"sources", "claims"}
    found += [(name, entry["fields"]) for name, file in SHARED.items() if name not in quoted for entry in file]
    return found


def test_there_are_nine_sheets_one_file_each_and_each_file_holds_its_own_sheet_only():
    assert len(SHEETS) == 9
    for slug in SHEETS:
        assert [sheet["slug"] for sheet in entries(slug, "factsheet")] == [slug]
        for model, owner in OWNED:
            assert {part[owner][0] for part in entries(slug, model)} == {slug}


def test_no_published_text_holds_a_word_that_promises_or_frightens():
    read = 0
    for where, fields in published():
        for name, words in readable(fields):
            read += 1
            found = re.search(rf"\b({NEVER})\b", words, re.IGNORECASE)
            assert not found, f"{where}, {fields.get('slug')}, {name}: {found[0]}"
    assert read > 1000, "This test must read the sheets to prove anything."


# What sheets said before their facts were checked again (claim ledger, P-08, P-12, N-11, W-35, B-01).
WITHDRAWN = re.compile(
    r"every 30 minutes|15 to 20 degrees|was not (?:one of them|among them|on that list)|NICE.s order|NICE puts .* first|"
    r"[Ee]xercise come(?:s)? first(?! for long-term)",
)


def test_withdrawn_facts_do_not_come_back():
    for where, fields in published():
        for name, words in readable(fields):
            for sentence in sentences(words):
                found = WITHDRAWN.search(sentence)
                long_term = "long-term" in sentence
                assert not found or long_term, f"{where}, {fields.get('slug')}, {name}: {sentence}"


def test_an_advertising_rule_is_cited_for_advertising_only():
    """The CAP code and the ASA's rulings say what a clinic may claim; they are no evidence about health."""
    rules = {source["key"] for source in shared("source") if re.match(r"CAP|ASA|ATCM", source["key"])}
    for where, fields in published():
        for name, body in fields.items():
            for sentence in re.findall(r"[^.]*\.\s*\[@[^]]*\]", body) if isinstance(body, str) else []:
                cites = set(re.findall(r"@([A-Z0-9-]+)", sentence))
                assert not cites & rules or "advertising" in sentence, (
                    f"{where}, {fields.get('slug')}, {name}: {sentence}"
                )


def test_sentences_are_short():
    for where, fields in published():
        for name, words in readable(fields):
            limit = 32 if name == "alt" else MAX_WORDS  # a text alternative is one sentence by rule
            # The words of a drawing list its labels, with “;” between them.
            for sentence in sentences(re.sub(r"[;:]", ".", words) if name == "long_description" else words):
                count = len(sentence.split())
                assert count <= limit, f"{where}, {fields.get('slug')}, {name}: {count} words: {sentence}"


def test_plain_words_are_used_for_the_toilet_and_none_for_doctors_only():
    for advice in shared("safetyadvice"):
        for name in ("text", "short_text", "action"):
            assert not re.search(r"urinat|urine|defecat|faec|bowel movement|saddle", advice[name] or "", re.IGNORECASE)


@every_sheet
def test_a_sheet_has_three_key_points_and_at_most_two_callouts(slug):
    [sheet] = entries(slug, "factsheet")
    assert key_points(sheet["key_points"])
    callouts = [section["heading"] for section in entries(slug, "section") if section["kind"] == "callout"]
    assert len(callouts) <= MAX_CALLOUTS
    assert all(heading.startswith("Important:") for heading in callouts)


@every_sheet
def test_related_sheets_are_others_and_have_a_reason(slug):
    related = entries(slug, "relatedsheet")
    assert len(related) >= 2
    for link in related:
        assert link["to"][0] in set(SHEETS) - {slug}
        assert len(sentences(link["reason"])) == 1
        assert link["reason"].endswith(".")


@every_sheet
def test_no_fixture_says_that_a_clinician_reviewed_it(slug):
    """Only a person who signs in can say that."""
    [sheet] = entries(slug, "factsheet")
    assert not {"reviewed_on", "reviewed_by", "review_due_on", "document", "updated_at"} & set(sheet)
    assert sheet["state"] in {"draft", "in_review", "published"}
    assert sheet["evidence_checked_on"] <= sheet["written_on"] <= date.today()


@pytest.mark.parametrize("slug", ["about-back-pain", "acupuncture-for-back-pain"])
def test_the_two_sheets_that_came_first_are_complete(slug):
    sections = entries(slug, "section")
    kinds = {section["kind"] for section in sections}
    assert {"text", "try", "avoid", "table", "callout", "figure", "numbers", "evidence"} <= kinds
    assert len(entries(slug, "statementuse")) >= 3
    assert len({section["aspect"] for section in sections}) >= 4
    assert entries(slug, "factsheet")[0]["state"] == "published"


BENEFIT = re.compile(
    r"relief|less pain|may help|helps|\beased?\b|better than|slightly better|did better|gain", re.IGNORECASE
)


def blocks() -> dict[str, str]:
    """All words below the heading of a section, with NICE's position beside its statements, by sheet and section."""
    found: dict[str, str] = {}
    positions = {each["key"]: each["nice_position"] for each in shared("statement")}
    for slug in SHEETS:
        below: dict[str, list[str]] = {}
        chapter = ""
        for section in entries(slug, "section"):
            if section["layer"] == "leaflet":
                chapter = section["question"]
            elif section["kind"] in {"text", "evidence"} and section["heading"]:
                chapter = section["slug"]
            below.setdefault(chapter, []).append(section["slug"])
        words = {each["slug"]: " ".join(said for _, said in readable(each)) for each in entries(slug, "section")}
        for use in entries(slug, "statementuse"):
            words[use["section"][1]] += f" {positions[use['statement'][0]]}"
        for inside in below.values():
            found |= {f"{slug}#{section}": " ".join(words[each] for each in inside) for section in inside}
    return found


def test_wherever_acupuncture_may_help_nice_stands_below_the_same_heading():
    benefits, below = 0, blocks()
    for where, fields in published():
        if "finding" in fields:
            assert any("@NG59" in str(each) for each in SHEETS[where]), f"{where}: its list of sources lacks NICE"
            continue
        texts = [words for _, words in readable(fields)]
        for words in texts:
            for sentence in sentences(words):
                said = re.search(r"acupuncture|needl", sentence, re.IGNORECASE) and BENEFIT.search(sentence)
                if said and not re.search(r"\bnot?\b|n’t|n't", sentence):
                    benefits += 1
                    around = below.get(f"{where}#{fields.get('slug')}", " ".join(texts))
                    assert "NICE" in around, f"{where}, {fields.get('slug')}: {sentence}"
    assert benefits >= 10


def test_no_two_statements_answer_the_same_question_and_every_one_is_shown():
    """One claim, one verdict: sheets refer to statements, and none owns one."""
    statements = shared("statement")
    questions = [(each["treatment"], each["condition"], each["comparison"]) for each in statements]
    assert len(questions) == len(set(questions)) >= 35
    assert len({each["claim"] for each in statements}) == len(statements)
    shown = {key for slug in SHEETS for use in entries(slug, "statementuse") for key in use["statement"]}
    assert shown == {each["key"] for each in statements}
    verdicts = {each["key"]: (each["direction"], each["grade"]) for each in statements}
    # As the claim ledger settled what sheets had said differently.
    assert verdicts["cbt-for-long-term-pain"] == ("helps_a_little", "G2")
    assert verdicts["staying-active-for-recent-pain"] == ("helps_a_little", "G2")
    assert verdicts["exercise-with-education-to-prevent-pain"] == ("helps", "G2")
    assert verdicts["cognitive-functional-therapy"] == ("helps", "G2")


def test_a_statement_about_acupuncture_gives_nice_whatever_it_says():
    for statement in shared("statement"):
        if "acupuncture" in f"{statement['treatment']} {statement['claim']}".lower():
            assert statement["treatment"] == "acupuncture", statement["key"]
            # Never beside a harm, where it says nothing.
            harm, position = statement["condition"] == "serious-harm", statement["nice_position"]
            assert harm or "NICE does not recommend acupuncture for low back pain or sciatica." in position
        assert statement["grade"] in {"G1", "G2", "G3", "G4", ""}
        assert statement["sources"]
        assert statement["claim_refs"], "A statement is traced to a row of the ledger."


def test_every_row_of_the_ledger_that_is_named_is_there_and_may_be_published():
    rows = {claim["ref"]: claim["status"] for claim in shared("claim")}
    advice = {each["code"] for each in shared("safetyadvice")}
    assert len(rows) > 200
    named = 0
    for where, fields in published():
        for ref in fields.get("claim_refs") or []:
            named += 1
            assert re.fullmatch(r"[A-Z]-\d{2}|RF-[EURP]\d{1,2}", ref), f"{where}: {ref}"
            assert ref in rows or ref in advice, f"{where}: {ref}"
            assert rows.get(ref) != "drop", f"{where}, {fields.get('slug')}: the ledger says not to publish {ref}"
    assert named > 300


def test_the_system_writes_the_label_and_the_emergency_list_not_the_author():
    emergencies = [each["text"].rstrip(".").lower() for each in shared("safetyadvice") if each["tier"] == "emergency"]
    for slug in SHEETS:
        for section in entries(slug, "section"):
            words = plain(parse(section["body"]))
            assert "Not a medical diagnosis" not in words, f"{slug}, {section['slug']}"
            repeated = [each for each in emergencies if len(each) > 20 and each in words.lower()]
            assert not repeated, f"{slug}, {section['slug']}: {repeated}"
            assert section["kind"] != "details" or "999" not in words, "Safety advice is never folded away."
            # The emergency card is above the body, the urgent card below it.
            assert not re.search(r"urgent signs above", words), f"{slug}, {section['slug']}"


@every_sheet
def test_every_picture_and_every_source_that_a_sheet_names_is_there(slug):
    figures = {figure["slug"] for figure in shared("figure")}
    sources = {source["key"] for source in shared("source")}
    for section in entries(slug, "section"):
        assert (section["figure"] is None) == (section["kind"] != "figure")
        assert not section["figure"] or section["figure"][0] in figures
    for statement in shared("statement"):
        assert {key for [key] in statement["sources"]} <= sources


def cited_sources() -> set[str]:
    """The keys that the sheets cite, in their words and under their statements of evidence."""
    found = set()
    for fields in (entry["fields"] for sheet in SHEETS.values() for entry in sheet):
        for value in fields.values():
            if isinstance(value, str):
                found |= {
                    key for group in re.findall(r"\[(@[^\]]+)\]", value) for key in re.findall(r"@([A-Z0-9-]+)", group)
                }
        found |= {key for [key] in fields.get("sources") or []}
    return found


def test_every_source_that_a_sheet_cites_can_be_found_and_dated_by_a_reader():
    sources = {source["key"]: Source(**source) for source in shared("source")}
    cited = cited_sources()
    assert len(cited) > 90
    assert {key: sources[key].lacks for key in cited if sources[key].lacks} == {}
    for source in sources.values():
        source.full_clean(validate_unique=False)


def test_no_two_sources_are_the_same_paper_or_page():
    for name in ("isbn", "doi", "pmid", "pmcid", "url"):
        given = [source[name].lower().rstrip("/") for source in shared("source") if source.get(name)]
        assert sorted({each for each in given if given.count(each) > 1}) == [], name


def test_the_advertising_code_is_cited_for_what_clinics_may_claim_and_nothing_else():
    for where, fields in published():
        for words in filter(lambda value: isinstance(value, str), fields.values()):
            for line in re.findall(r"(?m)^.*@(?:CAP12|ASA-|ATCM13).*$", words):
                assert "advertis" in line, f"{where}: {line}"
        assert not {"CAP12", "ASA-ACU", "ATCM13"} & {key for [key] in fields.get("sources") or []}, where


def test_sources_give_identifiers_that_have_the_right_shape():
    for source in shared("source"):
        assert not source["doi"] or re.fullmatch(r"10\.\d{4,9}/\S+", source["doi"]), source["key"]
        assert not source["pmid"] or re.fullmatch(r"\d{5,8}", str(source["pmid"])), source["key"]
        assert not source["pmcid"] or re.fullmatch(r"PMC\d+", source["pmcid"]), source["key"]
        assert not source["url"] or source["url"].startswith("https://"), source["key"]
        assert source["year"] is None or 1900 <= source["year"] <= 2026, source["key"]
        assert source["verification"] == "verified" or source["to_check"], source["key"]


def test_emergency_advice_has_three_tiers_and_a_short_form_for_the_first_page():
    tiers = [each["tier"] for each in shared("safetyadvice")]
    assert set(tiers) == {"emergency", "urgent", "routine"}
    assert tiers.count("emergency") >= 6
    compact = [each for each in shared("safetyadvice") if each["on_compact_card"]]
    assert {each["tier"] for each in compact} == {"emergency"}
    assert {"RF-E1", "RF-E2", "RF-E3"} <= {each["code"] for each in compact}, "Cauda equina is on every page."
    words = sum(len(each["short_text"].split()) for each in compact)
    assert words + len(HEADINGS["emergency"].split()) <= 75, "docs/decisions/0004"


def test_no_number_is_drawn_a_second_time_by_those_it_leaves_out():
    """Nine of a hundred filled dots, and below them 91: the second drawing says the opposite of the first at a glance."""
    for slug in SHEETS:
        for section in entries(slug, "section"):
            if section["kind"] == "numbers":
                drawn = [(int(a), int(b)) for a, b in re.findall(r"^- (\d+) in (\d+):", section["body"], re.M)]
                assert drawn
                assert not [(a, b) for a, b in drawn if (b - a, b) in drawn], f"{slug}: {section['slug']}"


@pytest.mark.django_db
def test_safety_texts_are_joined_and_their_short_forms_complete_the_stem():
    """Ledger, part 2, §1. The records themselves refuse what breaks it."""
    for advice in shared("safetyadvice"):
        check_short(advice["short_text"])
        for name in ("text", "short_text", "action"):
            check_joined(advice[name])
    for check, wrong in (
        (check_short, "one two three four five six seven eight nine ten eleven twelve thirteen"),
        (check_short, "chest pain. Or sweating"),
        (check_joined, "chest pain. Or sweating."),
        (check_joined, "And then it spreads"),
    ):
        with pytest.raises(ValidationError):
            check(wrong)
    with pytest.raises(ValidationError) as refused:
        SafetyAdvice(code="RF-X1", tier="urgent", text="a sign", short_text="").full_clean()
    assert "short_text" in refused.value.message_dict


def test_the_stress_sheet_gives_the_crisis_lines_of_the_system():
    [body] = [each["body"] for each in entries("stress-and-back-pain", "section") if each["slug"] == "crisis-help"]
    for line in CRISIS:
        assert line["what"].lower().replace(",", "").rstrip(".") in body.lower().replace(",", "")


def test_glossary_terms_are_there_once_and_explained_in_a_sentence_or_two():
    terms = [term["term"].lower() for term in shared("glossaryterm")]
    assert len(terms) == len(set(terms)) >= 40
    for term in shared("glossaryterm"):
        assert 1 <= len(sentences(term["meaning"])) <= 3, term["term"]
