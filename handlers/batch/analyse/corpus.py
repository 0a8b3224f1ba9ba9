"""Results over all documents of a job, as JSON, CSV and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from handlers.batch.analyse.document import SENTIMENTS, Analysis, KeyPhrase
from handlers.batch.analyse.duplicates import find_duplicates
from handlers.batch.analyse.page import make_page
from handlers.batch.analyse.results import CorpusResult, DocumentResult
from handlers.batch.analyse.topics import find_topics
from handlers.batch.outputs import write_bytes
from schema.csv_rows import Cell, write_rows

JSON_FILE = "analysis.json"
CSV_FILE = "documents.csv"
PAGE_FILE = "report.html"
_CORPUS_PHRASES = 20


def write_corpus(folder: Path, analyses: Sequence[Analysis], topics: int | None) -> None:
    """Write the results over all documents.

    Parameters
    ----------
    folder
        Folder for `analysis.json`, `documents.csv` and `report.html`.
    analyses
        Analyses of all documents, in any order.
    topics
        Number of topics, see `find_topics`.
    """
    result = make_result(analyses, topics)
    write_bytes(folder / JSON_FILE, msgspec.json.format(msgspec.json.encode(result)))
    write_bytes(folder / CSV_FILE, _table(result.documents))
    write_bytes(folder / PAGE_FILE, make_page(result).encode())


def make_result(analyses: Sequence[Analysis], topics: int | None) -> CorpusResult:
    """Combine the analyses of all documents; their order does not change the result."""
    ordered = sorted(analyses, key=lambda analysis: analysis.name)
    found = find_topics([analysis.terms for analysis in ordered], topics)
    duplicates = find_duplicates([(analysis.name, analysis.signature) for analysis in ordered])
    same_as = {other.name: group.first for group in duplicates for other in group.others}
    documents = [
        _published(analysis, topic, same_as.get(analysis.name))
        for analysis, topic in zip(ordered, found.of_documents, strict=True)
    ]
    phrases: Counter[str] = Counter()
    for analysis in ordered:
        for phrase in analysis.key_phrases:
            phrases[phrase.text] += round(phrase.score * 1000)
    top = sorted(phrases.items(), key=lambda item: (-item[1], item[0]))[:_CORPUS_PHRASES]
    languages = Counter(document.language for document in documents)
    sentiments = Counter(document.sentiment for document in documents if document.sentiment)
    return CorpusResult(
        documents=documents,
        topics=found.topics,
        near_duplicates=duplicates,
        languages=dict(sorted(languages.items(), key=lambda item: (-item[1], item[0]))),
        sentiments={label: sentiments[label] for label in SENTIMENTS},
        key_phrases=[KeyPhrase(text, score / 1000) for text, score in top],
    )


def _published(analysis: Analysis, topic: tuple[int, float] | None, same_as: str | None) -> DocumentResult:
    scores = analysis.scores
    return DocumentResult(
        name=analysis.name,
        characters=analysis.characters,
        words=analysis.words,
        language=analysis.language,
        language_score=analysis.language_score,
        sentiment=analysis.sentiment,
        scores={label.lower(): score for label, score in zip(SENTIMENTS, scores, strict=True)} if scores else None,
        key_phrases=analysis.key_phrases,
        summary=analysis.summary,
        topic=topic[0] if topic else None,
        topic_share=topic[1] if topic else None,
        nearly_same_as=same_as,
    )


def _table(documents: Sequence[DocumentResult]) -> bytes:
    scores = [label.lower() for label in SENTIMENTS]
    about = ["document", "language", "sentiment", *scores, "characters", "words", "topic", "topic_share"]
    rows: list[list[Cell]] = [[*about, "nearly_same_as", "key_phrases", "summary"]]
    for document in documents:
        row = [
            document.name,
            document.language,
            document.sentiment,
            *(document.scores[name] if document.scores else None for name in scores),
            document.characters,
            document.words,
            document.topic,
            document.topic_share,
            document.nearly_same_as,
            "; ".join(phrase.text for phrase in document.key_phrases),
            " ".join(document.summary),
        ]
        rows.append(row)
    return write_rows(rows)
