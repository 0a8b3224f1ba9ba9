"""Topics, near-duplicates, summaries and what is published of them."""

from __future__ import annotations

import csv
import io
import random
import re
import time
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.batch.analyse.charts import bar_chart, share_bar
from handlers.batch.analyse.corpus import make_result, write_corpus
from handlers.batch.analyse.counting import FrequentCounter
from handlers.batch.analyse.document import Analysis, KeyPhrase
from handlers.batch.analyse.duplicates import Signature, find_duplicates
from handlers.batch.analyse.page import make_page
from handlers.batch.analyse.summary import SentenceSample, summarise
from handlers.batch.analyse.topics import find_topics
from handlers.batch.analyse.words import terms, words

SUBJECTS = {
    "football": "football team players season goal match coach stadium league fans".split(),  # noqa: SIM905
    "energy": "energy solar wind power grid electricity turbines panels plants carbon".split(),  # noqa: SIM905
    "cooking": "recipe onions garlic butter oven dish flavour sauce kitchen bread".split(),  # noqa: SIM905
}


def text_about(subject: str, seed: int, length: int = 80) -> list[str]:
    choose = random.Random(seed)  # noqa: S311 - not a secret
    return choose.choices(SUBJECTS[subject], k=length)


def signature(found: list[str], step: int = 10_000) -> list[int]:
    made = Signature()
    for start in range(0, len(found), step):
        made.add(found[start : start + step])
    return made.values()


def analysis(name: str, found: list[str], **changes: object) -> Analysis:
    made = Analysis(
        name=name,
        characters=100,
        words=len(found),
        language="en",
        language_score=0.9,
        sentiment="POSITIVE",
        scores=(0.7, 0.1, 0.1, 0.1),
        key_phrases=[KeyPhrase(found[0], 0.9)] if found else [],
        summary=["A sentence."],
        terms=dict(Counter(found)),
        signature=signature(found),
    )
    return msgspec.structs.replace(made, **changes)


def test_topics_are_what_the_documents_are_about() -> None:
    subjects = [subject for subject in SUBJECTS for _ in range(6)]
    found = find_topics([Counter(text_about(subject, seed)) for seed, subject in enumerate(subjects)], 3)
    assert len(found.topics) == 3
    by_topic: dict[int, set[str]] = {}
    for subject, topic in zip(subjects, found.of_documents, strict=True):
        assert topic is not None
        by_topic.setdefault(topic[0], set()).add(subject)
    assert sorted(by_topic.values(), key=min) == [{"cooking"}, {"energy"}, {"football"}]
    for topic in found.topics:
        [subject] = by_topic[topic.number]
        assert set(topic.terms) <= set(SUBJECTS[subject])
        assert topic.documents == 6


@pytest.mark.parametrize("number", [None, 1, 20])
@pytest.mark.parametrize(
    "documents",
    [
        [],
        [{}],
        [{"a": 1}],
        [{"a": 1, "b": 2}],
        [{"a": 1}, {}],
        [{"a": 1}, {"a": 1}],
        [{"a": 3}] * 30,
        [{str(n): 1} for n in range(12)],
    ],
)
def test_topics_of_a_small_corpus(documents: list[dict[str, int]], number: int | None) -> None:
    found = find_topics(documents, number)
    assert len(found.of_documents) == len(documents)
    assert len(found.topics) <= min(number or 10, max(len(documents), 1))
    numbers = {topic.number for topic in found.topics}
    assert numbers == set(range(1, len(numbers) + 1))
    assert all(topic is None or topic[0] in numbers for topic in found.of_documents)
    assert sum(topic.documents for topic in found.topics) == sum(bool(document) for document in documents)
    assert found == find_topics(documents, number)


def test_near_duplicates_are_found_and_others_are_not() -> None:
    texts = {f"{number:03}": text_about("football", number, 300) for number in range(40)}
    texts["copy"] = [*texts["007"]]
    texts["nearly"] = [*texts["007"][:290], "other", "words", *texts["007"][292:]]
    texts["half"] = [*texts["007"][:150], *text_about("energy", 1, 150)]
    groups = find_duplicates([(name, signature(text)) for name, text in texts.items()])
    assert [(group.first, sorted(other.name for other in group.others)) for group in groups] == [
        ("007", ["copy", "nearly"])
    ]
    assert {other.name: other.similarity > 0.85 for other in groups[0].others} == {"copy": True, "nearly": True}
    assert groups[0].others[0].similarity == 1


def test_short_and_empty_documents_have_signatures_of_their_own() -> None:
    named = [("a", signature(["one"])), ("b", signature(["two"])), ("c", signature(["one"])), ("d", signature([]))]
    assert [group.first for group in find_duplicates(named)] == ["a"]
    assert signature([]) == []


@given(st.integers(1, 50), st.integers(0, 3))
def test_a_signature_does_not_depend_on_how_a_document_is_read(step: int, seed: int) -> None:
    text = text_about("energy", seed, 120)
    assert signature(text, step) == signature(text)


def test_many_copies_are_not_compared_with_each_other() -> None:
    same = signature(text_about("cooking", 1))
    start = time.perf_counter()
    [group] = find_duplicates([(f"{number:05}", same) for number in range(5000)])
    assert len(group.others) == 4999
    assert time.perf_counter() - start < 5


def test_a_summary_is_what_the_rest_is_like() -> None:
    sentences = [
        "Introduction",
        "Solar energy and wind energy are growing faster than any other energy source today.",
        "The weather was fine on the day of the visit to the small museum.",
        "Wind energy needs a better grid, because the wind blows where few people live.",
        "Solar energy needs batteries, because the sun shines when few people need energy.",
        "Solar energy and wind energy are growing faster than every other energy source today.",
        "My aunt likes tea with milk in the late afternoon.",
    ]
    chosen = summarise(sentences, 2, "en")
    assert chosen == [sentences[place] for place in sorted(map(sentences.index, chosen))]
    assert not {sentences[0], sentences[2], sentences[6]} & set(chosen)
    assert not {sentences[1], sentences[5]} <= set(summarise(sentences, 4, "en"))


@pytest.mark.parametrize(
    "sentences", [[], ["One."], ["the of and to in"] * 9, ["a b c d e f", "g h i j k l", "m n o p q r"]]
)
def test_a_summary_of_little(sentences: list[str]) -> None:
    assert len(summarise(sentences, 2, "en")) == min(2, len(set(sentences)))


@given(st.integers(0, 5000), st.integers(1, 40))
def test_a_sample_is_bounded_and_evenly_spread(count: int, capacity: int) -> None:
    sample = SentenceSample(capacity)
    sample.add(str(number) for number in range(count))
    places = [int(sentence) for sentence in sample.sentences]
    assert len(places) < 2 * capacity
    assert len({right - left for left, right in pairwise(places)}) <= 1
    assert places[:1] == [0][:count]
    assert len(places) >= min(count, capacity)


def test_counting_is_bounded_and_keeps_what_is_frequent() -> None:
    counter = FrequentCounter(10)
    for number in range(1000):
        counter.add(["often", f"once {number}"])
        assert len(counter) <= 20
    assert counter.top(1) == [("often", 1000)]


def test_words() -> None:
    assert words("Don't STOP the Straße 3.5 x2 über-gut!") == ["don't", "stop", "the", "strasse", "x", "über", "gut"]
    assert words("緑茶が好き") == ["緑茶", "茶が", "が好", "好き"]
    assert terms(words("Don't stop the football at 5 緑茶"), "en") == ["stop", "football", "緑茶"]


def test_results_do_not_depend_on_the_order_of_the_documents() -> None:
    analyses = [
        analysis(f"{number}.txt", text_about(subject, number)) for number, subject in enumerate([*SUBJECTS] * 3)
    ]
    assert make_result(analyses, None) == make_result(analyses[::-1], None)


def test_a_table_for_spreadsheets(tmp_path: Path) -> None:
    evil = analysis(
        "=cmd()|' /C calc'!A0", ["@sum"], summary=['-1+2, "quoted"\r\nnew line'], sentiment=None, scores=None
    )
    write_corpus(tmp_path, [evil, analysis("b.txt", ["good", "one"])], None)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "documents.csv").read_text(), newline="")))
    assert rows[0]["document"] == "'=cmd()|' /C calc'!A0"
    assert rows[0]["key_phrases"] == "'@sum"
    assert rows[0]["summary"].startswith('\'-1+2, "quoted"')
    assert (rows[0]["sentiment"], rows[0]["positive"]) == ("", "")
    assert (rows[1]["sentiment"], rows[1]["positive"]) == ("POSITIVE", "0.7")


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == "rect" or self.open.pop() == tag


EVIL = "<script src='//x'>alert(\"1\")</script><img src=x onerror=alert(1)>&amp;"


def test_the_page_escapes_everything_and_needs_nothing_else() -> None:
    names = [f"{EVIL}{number}" for number in range(3)]
    analyses = [analysis(name, [EVIL] * 30, language=EVIL, summary=[EVIL]) for name in names]
    page = make_page(make_result(analyses, None))
    seen = _Page(page)
    assert seen.open == []
    assert not {"script", "img", "link", "iframe", "a"} & seen.tags.keys()
    assert not {"src", "href", "onerror"} & seen.attributes
    assert not re.search(r"url\(|@import|https?:", page)
    assert "prefers-color-scheme:dark" in page
    assert seen.tags["svg"] == 3 + 3
    assert page.count("&lt;script") > 10


def test_the_page_of_nothing_and_of_many() -> None:
    assert _Page(make_page(make_result([], None))).open == []
    many = [analysis(f"{number:04}", [f"word{number}"]) for number in range(600)]
    page = make_page(make_result(many, 1))
    assert "100 more documents are in documents.csv." in page


def test_charts() -> None:
    chart = bar_chart("Title", [("a" * 100, 3.0), ("zero", 0.0)], {"zero": "negative"})
    assert chart.count("<rect") == 2
    assert 'class="negative"' in chart
    assert "a" * 33 + "…" in chart
    assert _Page(bar_chart("Nothing", [])).tags["rect"] == 0
    assert share_bar("x", [("positive", 0.5), ("negative", 0.5)]).count('width="50.0"') == 2
