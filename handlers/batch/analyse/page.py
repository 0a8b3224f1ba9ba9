"""`report.html`: the results of an `analyse` job on one page without links to other files."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from handlers.batch.analyse.charts import bar_chart, share_bar
from handlers.batch.analyse.results import CorpusResult, DocumentResult

# More rows make the page slow to open; the CSV file has them all.
_MAX_ROWS = 500
_PHRASES_SHOWN = 5
_STYLE = """
:root{color-scheme:light dark;--text:#1f2328;--soft:#59636e;--line:#d1d9e0;--page:#fff;--card:#f6f8fa;--bar:#4269d0;
--positive:#2f9e6e;--negative:#d1495b;--neutral:#8a94a0;--mixed:#c9902f}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9da7b1;--line:#3d444d;--page:#0d1117;--card:#151b23;
--bar:#7a9cff;--positive:#4cc38a;--negative:#f0717f;--neutral:#8b949e;--mixed:#e0b050}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1100px;padding:2rem 1rem;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}
.figures{display:flex;flex-wrap:wrap;gap:1rem;padding:0;list-style:none}.figures li{background:var(--card);
border:1px solid var(--line);border-radius:6px;padding:.6rem 1rem}.figures b{display:block;font-size:1.4rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:1.5rem}
svg{width:100%;height:auto;font-size:13px}svg text{fill:var(--text)}
.bar{fill:var(--bar)}.shares{height:10px;min-width:90px}
.positive{fill:var(--positive)}.negative{fill:var(--negative)}.neutral{fill:var(--neutral)}.mixed{fill:var(--mixed)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;
padding:.4rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:6rem}
th{color:var(--soft);white-space:nowrap}small{display:block;font-size:.7rem;color:var(--soft)}
p.soft,li.soft{color:var(--soft)}summary{cursor:pointer}
"""


def make_page(result: CorpusResult) -> str:
    """Make the page; every text that comes from a document is escaped."""
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>Analysis of {len(result.documents)} documents</title><style>{_STYLE}</style></head><body>",
            f"<h1>Analysis of {len(result.documents)} documents</h1>",
            _figures(result),
            _charts(result),
            _topics(result),
            _duplicates(result),
            _documents(result),
            "</body></html>\n",
        )
    )


def _figures(result: CorpusResult) -> str:
    figures = {
        "document": len(result.documents),
        "character": sum(document.characters for document in result.documents),
        "word": sum(document.words for document in result.documents),
        "language": len(result.languages),
        "topic": len(result.topics),
        "near-duplicate": sum(len(group.others) for group in result.near_duplicates),
    }
    items = (f"<li><b>{value:,}</b>{noun}{'' if value == 1 else 's'}</li>" for noun, value in figures.items())
    return f'<ul class="figures">{"".join(items)}</ul>'


def _charts(result: CorpusResult) -> str:
    sentiments = [(label.capitalize(), float(count)) for label, count in result.sentiments.items()]
    classes = {label: label.lower() for label, _ in sentiments}
    languages = [(code, float(count)) for code, count in result.languages.items()]
    phrases = [(phrase.text, phrase.score) for phrase in result.key_phrases]
    charts = (
        ("Sentiment", "Documents by their strongest sentiment.", bar_chart("Sentiment", sentiments, classes)),
        ("Languages", "Documents by language.", bar_chart("Languages", languages)),
        ("Key phrases", "Sum of the scores over all documents.", bar_chart("Key phrases", phrases)),
    )
    return (
        '<div class="charts">'
        + "".join(
            f'<section><h2>{title}</h2><p class="soft">{note}</p>{chart}</section>' for title, note, chart in charts
        )
        + "</div>"
    )


def _topics(result: CorpusResult) -> str:
    if not result.topics:
        return ""
    rows = ((str(topic.number), escape(", ".join(topic.terms)), str(topic.documents)) for topic in result.topics)
    return f"<h2>Topics</h2>{_table(('Topic', 'Words', 'Documents'), rows)}"


def _duplicates(result: CorpusResult) -> str:
    if not result.near_duplicates:
        return ""
    groups = result.near_duplicates[:_MAX_ROWS]
    rows = (
        (
            _name(group.first),
            "".join(f"<div>{other.similarity:.0%} {_name(other.name)}</div>" for other in group.others[:_MAX_ROWS]),
        )
        for group in groups
    )
    return f"<h2>Near-duplicates</h2>{_table(('Document', 'Nearly the same'), rows)}"


def _documents(result: CorpusResult) -> str:
    shown = result.documents[:_MAX_ROWS]
    header = ("Document", "Language", "Sentiment", "Topic", "Key phrases", "Summary")
    more = len(result.documents) - len(shown)
    note = f'<p class="soft">{more:,} more documents are in documents.csv.</p>' if more else ""
    return f"<h2>Documents</h2>{_table(header, map(_row, shown))}{note}"


def _row(document: DocumentResult) -> tuple[str, ...]:
    sentiment = "\u2013"
    if document.sentiment and document.scores:
        label = document.sentiment.capitalize()
        sentiment = f"{label}{share_bar(f'Sentiment of {document.name}', list(document.scores.items()))}"
    return (
        _name(document.name),
        escape(document.language),
        sentiment,
        str(document.topic or "\u2013"),
        escape(", ".join(phrase.text for phrase in document.key_phrases[:_PHRASES_SHOWN])),
        f"<details><summary>{document.words:,} words</summary>{escape(' '.join(document.summary))}</details>",
    )


def _name(path: str) -> str:
    """Show a document's name, and below it its folder, because names need not be unique."""
    folder, _, name = path.rpartition("/")
    return f"{escape(name)}<small>{escape(folder)}</small>"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Make a table of cells that are HTML."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
