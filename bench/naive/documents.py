"""Naive baseline, batch program: one document after another, and of each one paragraph after another.

Run as a processing job, as the product's program is. It translates paragraph by paragraph, as the program does that it
stands for, and analyses in the same way.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(os.environ["PROCESSING_ROOT"])
region = os.environ["AWS_REGION"]


def translate(service: Any, paragraph: str) -> str:
    """Translate a paragraph."""
    answer = service.translate_text(Text=paragraph, SourceLanguageCode="en", TargetLanguageCode="de")
    return answer["TranslatedText"]


def analyse(service: Any, paragraph: str) -> str:
    """Tell sentiment and key phrases of a paragraph."""
    language = service.detect_dominant_language(Text=paragraph)["Languages"][0]["LanguageCode"]
    sentiment = service.detect_sentiment(Text=paragraph, LanguageCode=language)["Sentiment"]
    phrases = service.detect_key_phrases(Text=paragraph, LanguageCode=language)["KeyPhrases"]
    return ",".join([language, sentiment, *(phrase["Text"] for phrase in phrases)])


def main() -> None:
    """Work on all documents."""
    kind = os.environ["JOB_KIND"]
    service = boto3.client("translate" if kind == "translate" else "comprehend", region_name=region)
    work = translate if kind == "translate" else analyse
    for path in sorted((ROOT / "input" / "documents").rglob("*.txt")):
        paragraphs = path.read_text().split("\n\n")
        (ROOT / "output" / path.name).write_text("\n\n".join(work(service, paragraph) for paragraph in paragraphs))


if __name__ == "__main__":
    main()
