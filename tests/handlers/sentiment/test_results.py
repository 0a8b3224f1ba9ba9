"""Result objects: names and CSV."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.records import Observation
from handlers.sentiment.results import Summary, new_token, object_key, summary_key, summary_to_csv, to_csv
from handlers.sentiment.sentiments import Scores
from schema.csv_rows import unguard
from tests.handlers.sentiment.pipeline import RUN

# The contract's.
COLUMNS = (
    "run,observed_at,company,label,positive,negative,neutral,mixed,language,revision,unchanged,snippet,text_hash,page,"
    "candidates,reason"
)
# NUL is left out: not every reader of CSV takes it.
FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text('",\r\n; ')
SCORES = st.builds(Scores, *[st.floats(0, 1)] * 4)
OBSERVATIONS = st.builds(
    Observation,
    run=FIELDS,
    observed_at=FIELDS,
    company=FIELDS,
    label=FIELDS,
    scores=st.none() | SCORES,
    language=FIELDS,
    revision=FIELDS,
    unchanged=st.booleans(),
    snippet=FIELDS,
    text_hash=FIELDS,
    page=FIELDS,
    candidates=st.tuples(FIELDS) | st.just(()),
    reason=FIELDS,
)


def _parse_rfc_4180(text: str) -> list[list[str]]:
    """Read records by the RFC's grammar, so that the writer is not checked by its own module alone."""
    field = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
    rows, position = [], 0
    while position < len(text):
        line = re.compile(rf"{field}(?:,{field})*\r\n").match(text, position)
        assert line, f"not RFC 4180 at {text[position : position + 40]!r}"
        cells = re.findall(rf"({field})(?:,|\r\n)", line[0])
        rows.append([cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in cells])
        position = line.end()
    return rows


@given(st.lists(OBSERVATIONS, max_size=5))
def test_every_text_can_be_read_back(observations: list[Observation]) -> None:
    text = to_csv(observations).decode()
    header, *rows = _parse_rfc_4180(text)
    assert ",".join(header) == COLUMNS
    assert [header, *rows] == list(csv.reader(io.StringIO(text, newline=""), strict=True))
    rows = [[unguard(cell) for cell in row] for row in rows]
    for row, observation in zip(rows, observations, strict=True):
        scores = observation.scores
        assert row[:4] == [observation.run, observation.observed_at, observation.company, observation.label]
        assert [float(cell) if cell else None for cell in row[4:8]] == (
            [scores.positive, scores.negative, scores.neutral, scores.mixed] if scores else [None] * 4
        )
        unchanged = "true" if observation.unchanged else "false"
        assert row[8:12] == [observation.language, observation.revision, unchanged, observation.snippet]
        assert row[12:] == [
            observation.text_hash,
            observation.page,
            "".join(observation.candidates),
            observation.reason,
        ]


def test_bytes_are_utf_8_with_crlf_and_header_first() -> None:
    observation = Observation(
        RUN, "2026-11-21T06:52:00Z", 'A "b", c', "MIXED", Scores(0.1, 0.2, 0.3, 0.4), "en", "12", True, "Zürich\nÖl"
    )
    row = f'{RUN},2026-11-21T06:52:00Z,"A ""b"", c",MIXED,0.1,0.2,0.3,0.4,en,12,true,"Zürich\nÖl",,,,'
    assert to_csv([observation]) == f"{COLUMNS}\r\n{row}\r\n".encode()


def test_row_without_a_text_has_empty_figures() -> None:
    observation = Observation(RUN, "2026-11-21T06:52:00Z", "Nobody", "NOT_FOUND", reason="no such page")
    line = to_csv([observation]).decode().splitlines()[1]
    assert line == f"{RUN},2026-11-21T06:52:00Z,Nobody,NOT_FOUND,,,,,,,false,,,,,no such page"


def test_candidates_are_one_cell() -> None:
    observation = Observation(RUN, "", "Mercury", "AMBIGUOUS", candidates=("Mercury (planet)", "Mercury, Inc."))
    assert to_csv([observation]).decode().splitlines()[1].endswith(',"Mercury (planet)|Mercury, Inc.",')


def test_texts_of_others_are_no_formulas() -> None:
    observation = Observation(RUN, "", '=HYPERLINK("http://evil")', "POSITIVE", snippet="@SUM(A1)", page="+1")
    [row] = csv.DictReader(io.StringIO(to_csv([observation]).decode(), newline=""))
    assert (row["company"], row["snippet"], row["page"]) == ('\'=HYPERLINK("http://evil")', "'@SUM(A1)", "'+1")


def test_objects_are_filed_under_the_day_of_the_run() -> None:
    token = new_token()
    assert re.fullmatch("[0-9a-f]{16}", token)
    assert object_key(RUN, token) == f"sentiment/dt=2026-11-21/{RUN}-{token}.csv"
    assert summary_key(RUN, token) == f"sentiment-batches/dt=2026-11-21/{RUN}-{token}.csv"


def test_no_two_objects_have_the_same_name() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000


def test_summary_is_one_row() -> None:
    summary = Summary(
        run=RUN,
        time="2026-11-21T06:52:00Z",
        looked_at=25,
        changed=3,
        unchanged=22,
        not_found=2,
        ambiguous=1,
        failed=4,
        overtaken=5,
        calls_made=6,
        calls_saved=7,
    )
    assert summary_to_csv(summary).decode() == (
        "run,time,looked_at,changed,unchanged,not_found,ambiguous,failed,overtaken,calls_made,calls_saved\r\n"
        f"{RUN},2026-11-21T06:52:00Z,25,3,22,2,1,4,5,6,7\r\n"
    )
