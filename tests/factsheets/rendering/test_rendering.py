"""Authors' Markdown: what they may write, what becomes of it, and that nothing hostile passes."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factsheets.models import SectionKind
from factsheets.rendering import html, markdown
from factsheets.rendering.citations import Citations
from factsheets.rendering.markdown import BodyError, cited, key_points, parse, parse_body, plain
from tests.support.html import text as words
from tests.support.reading import elements, fragment, links

PIECES = r"""
<b> </b> <script>alert(1)</script> <img/src=x/onerror=alert(1)> <!-- --> <?php ?> <![CDATA[ &lt; &#60; &#x3c;script&#x3e;
&amp; & < > " ' \ # ### - 1. > ``` --- ** * _ ` [ ]( ) ![ [@NG59] [@NG59;@MU20] [@ng59] [@ @MU20] [x](https://example.com)
[x](javascript:alert(1)) [x](/glossary/'onclick=') <https://example.com> |a|b| |---|---| do not 6 in 10: 11
"""
MARKUP = PIECES.split()
MARKUP += [" ", "\n", "\n\n", "\n- ", "\n1. ", "\n  - ", "\n### ", "\n    ", "\n|a|b|\n|---|---|\n"]
MARKUP += ["\x00", "\x07", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud800"]
hostile = st.lists(st.sampled_from(MARKUP) | st.text(max_size=12), max_size=24).map("".join)
patient = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rendered(body: str) -> str:
    blocks = parse(body)
    number(blocks)
    return html.render(blocks)


def number(node) -> None:
    """Numbers each citation, as building a sheet does, with every key known."""
    citations = Citations.__new__(Citations)
    citations.known, citations.first = cited_in(node), {}
    citations.apply(node)


def cited_in(node) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(cited_in, node))
    if node.get("type") == "cite":
        return {node["key"]}
    return set().union(*(cited_in(value) for value in node.values() if isinstance(value, list)))


def expect_only_what_we_allow(made: str) -> None:
    """A strict parser sees our few elements, each with its few harmless attributes, and nothing is left open."""
    for node in elements(fragment(made))[1:]:
        assert node.tag in html.TAGS, made
        assert set(node.attrib) <= html.ATTRIBUTES.get(node.tag, set()), made
    for link in links(fragment(made)):
        assert re.match(r"https://|/(?![/\\])|#|mailto:|tel:", link), made


def test_a_text_is_parsed_once_and_whoever_asks_gets_blocks_of_their_own(monkeypatch):
    parsed, parser = [], markdown.parser.parse
    monkeypatch.setattr(markdown.parser, "parse", lambda text: parsed.append(text) or parser(text))
    body = "A save checks this, builds the sheet from it and looks at it again before publication [@NG59]."
    checked, built = parse_body("text", body), parse(body)
    number(built)
    assert checked == parse(body) != built
    assert parsed == [body]


@patient
@given(hostile)
@example("- \n- a\n- b")
@example("- - a\n- b\n- c")
@example("| a |\n|---|")
@example("[words [@NG59]](https://example.com)")
@example("[@NG59;\n@MU20]")
@pytest.mark.long
def test_nothing_that_is_typed_becomes_markup_or_an_exception(body):
    try:
        made = rendered(body)
    except BodyError as error:
        assert str(error).endswith((".", "”."))
    else:
        expect_only_what_we_allow(made)


@patient
@given(hostile, st.sampled_from(SectionKind.values))
@pytest.mark.long
def test_every_kind_takes_or_refuses_any_text_with_a_sentence(body, kind):
    try:
        blocks = parse_body(kind, body)
    except BodyError as error:
        assert re.match(r"[A-Z].*[.”]\Z", str(error), re.DOTALL)
    else:
        assert plain(blocks) is not None


@patient
@given(st.lists(hostile, min_size=2, max_size=6).map(lambda lines: "\n".join(f"- {line}" for line in lines)))
@example("- \n- a\n- b")
@example("- - a\n- b\n- c")
@example("- a\n\n  more\n- b\n- c")
@pytest.mark.long
def test_key_points_are_three_sentences_or_are_refused(text):
    try:
        assert key_points(" ") == []
        points = key_points(text)
    except BodyError:
        return
    assert len(points) == 3
    number(points)
    for point in points:
        expect_only_what_we_allow(html.render_inline(point))


@pytest.mark.parametrize(
    "typed",
    ["<b>bold</b>", "<script>alert(1)</script>", "a < b & c > d", "<!-- note -->", "&lt;b&gt; stays", '" onclick="x'],
)
def test_html_is_shown_as_the_words_it_is(typed):
    tree = fragment(rendered(f"Before {typed} after"))
    assert words(tree) == f"Before {typed.replace('&lt;', '<').replace('&gt;', '>')} after"
    assert [node.tag for node in elements(tree)][1:] == ["p"]


LED_ASTRAY = r"""
javascript:alert(1) JaVaScRiPt:alert(1) java&#115;cript:alert(1) %6aavascript:x data:text/html,x vbscript:x file:///etc
//evil.example.com ///evil.example.com /\evil.example.com \evil.example.com &#x2f;/evil.example.com https:evil.example.com
http://example.com ftp://example.com evil.example.com ./x
"""


def test_a_hostile_address_never_becomes_a_link_to_elsewhere(subtests):
    for address in [*LED_ASTRAY.split(), "\x01javascript:x", "java\tscript:x", "/\t/evil.example.com"]:
        with subtests.test(address=address):
            for typed in (
                f"[words]({address})",
                f"[words](<{address}>)",
                f"<{address}>",
                f"[words][1]\n\n[1]: {address}",
            ):
                try:
                    made = rendered(typed)
                except BodyError as error:
                    assert "must start with https:// or /." in str(error)
                else:
                    expect_only_what_we_allow(made)


def test_what_came_past_the_parser_is_stopped_at_the_second_door():
    """The cleaner works alone: here the blocks are not the parser's."""
    link = {"type": "link", "href": "javascript:alert(1)", "content": [{"type": "text", "text": "words"}]}
    made = html.render([{"type": "paragraph", "content": [link]}])
    assert links(fragment(made)) == []
    assert html.clean("<p onclick=x style=x>a<script>b</script><img src=x><iframe></iframe>") == "<p>a</p>"
    assert html.render_inline([link]) == "<a>words</a>"


def test_honest_links_lead_where_they_say():
    body = "[a](/glossary/) [b](https://example.com/?x=1&y=2) [c](mailto:hello@example.com) [d](tel:999) [e](#review)"
    found = links(fragment(rendered(body)))
    assert found == ["/glossary/", "https://example.com/?x=1&y=2", "mailto:hello@example.com", "tel:999", "#review"]


def test_every_shape_of_markdown_becomes_its_element():
    made = fragment(
        rendered(
            "## Words\n\nA **strong** and an *important*  \nword.\n\n- one\n- two\n  1. deep\n\n"
            "| Name | What |\n|---|---|\n| Heat | May help |\n"
        )
    )
    tags = [node.tag for node in elements(made)][1:]
    for tag in ("h3", "p", "strong", "em", "br", "ul", "li", "ol", "table", "thead", "tbody"):
        assert tag in tags
    [header, *_] = [node for node in elements(made) if node.tag == "th" and node.get("scope") == "row"]
    assert words(header) == "Heat", "The first column names the row, for somebody who hears the table."
    said = fragment(rendered("The feeling is called de qi, and Tuina is a massage. Qi is English too."))
    assert [(node.get("lang"), words(node)) for node in elements(said) if node.get("lang")] == [
        ("zh-Latn", "de qi"),
        ("zh-Latn", "Tuina"),
    ]


def test_a_citation_stands_after_its_words_also_when_an_author_wraps_the_line():
    blocks = parse("Movement is safe. [@NG59;\n@MU20] Yes.")
    assert [part["type"] for part in blocks[0]["content"]] == ["text", "cite", "cite", "text"]
    [twice] = parse("a [@NG59; @MU20; @NG59] [@MU20], b [@NG59]")
    assert [part["key"] for part in twice["content"] if part["type"] == "cite"] == ["NG59", "MU20", "NG59"]
    assert cited("- a [@NG59]\n- **b [@MU20]**\n\n| x |\n|---|\n| [@WHO23] |") == {"NG59", "MU20", "WHO23"}


@pytest.mark.parametrize("typed", ["[@ng59]", "[@NG59, @MU20]", "[@ NG59]", "[@]", "[@NG59 and more]", "[@NG59"])
def test_a_citation_that_would_not_be_found_is_refused_and_never_printed(typed):
    with pytest.raises(BodyError, match="A source is cited with signs"):
        parse(f"Movement is safe. {typed}")


def test_a_citation_inside_the_words_of_a_link_is_refused():
    with pytest.raises(BodyError, match="after the link"):
        parse("[words *and [@NG59]*](/glossary/)")


@pytest.mark.parametrize(
    "typed", ["\x00", "\x07", "\x1b[31m", "\x7f", "\x9f", "\ufffe", "\uffff", "\U0001ffff", "\ufdd0", "\ud83d"]
)
def test_codes_that_are_no_characters_are_left_out(typed):
    assert words(fragment(rendered(f"Before{typed} after"))) == f"Before{typed[1:]} after"


def test_lists_are_three_deep_at_most_and_nothing_is_dropped_without_a_word():
    nested = [f"{'  ' * depth}- item {depth}\n" for depth in range(12)]
    made = words(fragment(rendered("".join(nested[:3]))))
    assert made == "item 0item 1item 2"
    for depth in (4, 8, 12):
        with pytest.raises(BodyError, match="at most 3 deep"):
            parse("".join(nested[:depth]))


@pytest.mark.parametrize(
    "body", ["x" * 50_000, "[" * 2000, "a" + "*" * 3000, "a" + "`" * 2001, "**a" * 500, "[x](" * 500, "|a" * 500]
)
def test_a_very_long_or_very_tangled_text_is_shown(body):
    made = rendered(body)
    expect_only_what_we_allow(made)
    assert len(words(fragment(made))) > 100
