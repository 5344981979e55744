"""Hard words: marks where a sheet first uses a glossary term, and explains it.

The first use is marked in the text and leads to the list “Words explained” at the end of the sheet. A term that the author explains
on the spot is left alone: nobody needs the same explanation twice.
"""

import re
from functools import lru_cache, partial

from factsheets.models import GlossaryTerm
from factsheets.rendering.markdown import plain
from factsheets.search.text import stems

SENTENCE_END = re.compile(r"(?<=[.!?])[”\"’)]*\s+")
# What comes before a word that is explained on the spot: “This is called X”, or “weak bones (X)”.
CALLED = re.compile(r"\b(?:called|known as|name is|call (?:it|this|these))\s+(?:an?\s+|the\s+)?[\"“]?\Z")
IN_BRACKETS = re.compile(r"\((?:an?\s+)?\Z")
# What comes after one: “X means …”, “X: pain down one leg”, “X (weak pulses)”, “X, which advises …”.
GIVEN_AFTER = re.compile(r"[\"”]?(?:\smeans?\b|\sis short for\b|:\s|\s\([^)]+\s|,\swhich\b)")
# A sentence also explains a term if it has this many of the glossary's words, and this share of them.
SHARED_WORDS, SHARED_PART = 2, 0.35
SAYS_NOTHING = frozenset(
    stems("In traditional Chinese medicine, a word for a kind of medical thing, as it is said to mean.")
)


class Glossary:
    """One pattern for every spelling of some terms: longest first, whole words only, with or without a plural s.

    With `hard_only`, a spelling that the term's own meaning uses counts as plain: “low back” needs no explaining as “lumbar”.
    """

    def __init__(self, terms, *, hard_only: bool = False):
        self.spellings: dict[str, tuple[str, GlossaryTerm]] = {}
        for term in terms:
            for spelling in [term.term, *term.also]:
                if spelling == term.term or not (hard_only and _uses(term.meaning, spelling)):
                    self.spellings.setdefault(key(spelling), (spelling, term))
        # Grouped by first letter, because trying each spelling at each word took a quarter of the time to make a document.
        alike: dict[str, list[str]] = {}
        for spelling in sorted(self.spellings, key=len, reverse=True):
            alike.setdefault(spelling[:1].casefold(), []).append(_pattern(spelling))
        groups = [f"(?={re.escape(first)})(?:{'|'.join(those)})" for first, those in alike.items()]
        self.pattern = _whole("|".join(groups) or "(?!)")

    def find(self, words: str):
        """Each match in the words, with the glossary's spelling and the term."""
        for match in self.pattern.finditer(words):
            written = [match[0], match[0].casefold(), match[0][:-1], match[0][:-1].casefold()]
            # None for “who”, which the pattern takes for “WHO”, although only capitals mean that.
            if known := next((self.spellings[name] for name in map(key, written) if name in self.spellings), None):
                yield match, *known


def taken(names: list[str], *, but: int | None) -> list[str]:
    """A sentence for each of these names that another term already has, because a name must lead to one meaning."""
    spellings = Glossary(GlossaryTerm.objects.exclude(pk=but)).spellings
    return [
        f"“{name}” already belongs to the term “{spellings[key(name)][1]}”." for name in names if key(name) in spellings
    ]


class Words:
    """One sheet's hard words: marks the first use of each and remembers it for the list."""

    def __init__(self):
        self.glossary = Glossary(GlossaryTerm.objects.filter(explain_in_text=True), hard_only=True)
        self.met: set[str] = set()
        self.marked: dict[str, dict] = {}

    def mark(self, blocks: list[dict]) -> None:
        """Marks first uses in paragraphs, list items and table cells, in place, but not in headings and header cells."""
        for block in blocks:
            match block["type"]:
                case "paragraph":
                    self.mark_inline(block["content"])
                case "list":
                    for item in block["items"]:
                        self.mark(item)
                case "table":
                    for row in block["rows"]:
                        for cell in row[1:]:
                            self.mark_inline(cell, said=" ".join(map(plain, row)))

    def mark_inline(self, content: list[dict], *, said: str = "") -> None:
        """The same for the words of one paragraph, item or cell. `said` is a wider text that may hold the explanation."""
        content[:] = self._marked(content, partial(self._is_explained, said or plain(content)))

    def listed(self) -> list[dict]:
        """The marked words in alphabetical order, each with its meaning."""
        return sorted(self.marked.values(), key=lambda word: word["word"].lower())

    def _marked(self, content: list[dict], is_explained) -> list[dict]:
        made: list[dict] = []
        for node in content:
            if node["type"] == "text":
                made += self._split(node["text"], is_explained)
            elif node["type"] in {"strong", "emphasis"}:
                made.append({**node, "content": self._marked(node["content"], is_explained)})
            else:
                made.append(node)
        return made

    def _split(self, text: str, is_explained):
        at = 0
        for match, spelling, term in self.glossary.find(text):
            if term.slug in self.met:
                continue
            self.met.add(term.slug)
            if is_explained(term):
                continue
            if match.start() > at:
                yield {"type": "text", "text": text[at : match.start()]}
            node = {"type": "term", "slug": term.slug, "content": [{"type": "text", "text": match[0]}]}
            at = match.end()
            self.marked[term.slug] = {
                "slug": term.slug,
                "word": spelling[:1].upper() + spelling[1:],
                "term": term.term,
                "meaning": term.meaning,
                "place": f"term-{term.slug}",
            }
            yield node
        if at < len(text):
            yield {"type": "text", "text": text[at:]}

    def _is_explained(self, said: str, term: GlossaryTerm) -> bool:
        """Whether the words explain the term themselves. A guess: at worst, a reader gets one explanation too many or too few."""
        uses = [match for match, _, found in self.glossary.find(said) if found == term]
        if not uses:
            return True  # part of a longer word that is half in bold, so not a use of the term
        first = uses[0].start()
        # “Anti-inflammatory tablets (NSAIDs)” gives one hard word for another and explains neither.
        if IN_BRACKETS.search(said[:first]):
            return True
        twins = {use.start() - len(" (") for use in uses}
        for use in uses:
            if CALLED.search(said[: use.start()]) or (GIVEN_AFTER.match(said, use.end()) and use.end() not in twins):
                return True
        meaning = set(stems(SENTENCE_END.split(term.meaning)[0])) - SAYS_NOTHING.union(stems(_names(term)))
        near = SENTENCE_END.split(said[:first])[-1] + " ".join(SENTENCE_END.split(said[first:])[:2])
        shared = meaning.intersection(stems(near))
        return len(shared) >= SHARED_WORDS and len(shared) >= SHARED_PART * len(meaning)


def is_acronym(spelling: str) -> bool:
    """Whether it counts only in capitals, as “WHO” is the organisation and “who” is not."""
    return spelling.isupper() and len(spelling) > 1


def key(spelling: str) -> str:
    """A form that two spellings of the same word share."""
    same = " ".join(spelling.replace("’", "'").split())
    return same if is_acronym(same) else same.casefold()


def _whole(words: str) -> re.Pattern:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


def _pattern(spelling: str) -> str:
    # With or without a final s, because a plural is the same word.
    return re.escape(key(spelling)).replace(r"\ ", r"\s+").replace("'", "['’]") + "s?"


@lru_cache(maxsize=1024)  # cached, because every document needs it for the whole glossary
def _uses(meaning: str, spelling: str) -> bool:
    return bool(_whole(_pattern(spelling)).search(meaning))


def _names(term: GlossaryTerm) -> str:
    return " ".join([term.term, *term.also])
