"""Documents that repeat what the code says say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from components.batch_job_workflow import BatchJobWorkflowArgs
from components.blocks.compute.function_defaults import FunctionDefaults
from components.nlp_api import NlpApiArgs
from components.sentiment_pipeline import SentimentPipelineArgs
from settings import Settings
from settings_reader import Group
from tests.support.pulumi_mocks import ROOT_FOLDER

PAGES = sorted([*ROOT_FOLDER.glob("*.md"), *ROOT_FOLDER.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def described(kind: type[Group], path: str = "") -> Iterator[tuple[str, Any, str | None]]:
    """Every setting's path, default and description."""
    for name, field in kind.model_fields.items():
        if isinstance(field.default, Group):
            yield from described(type(field.default), f"{path}{name}.")
        else:
            yield f"{path}{name}", field.default, field.description


def defaults_of_components() -> dict[str, Any]:
    """Defaults of the settings that are passed on to components only where a stack sets them."""
    return {
        f"{group}.{field.name}": field.default
        for group, args in [
            ("functions", FunctionDefaults),
            ("sentiment", SentimentPipelineArgs),
            ("api", NlpApiArgs),
            ("jobs", BatchJobWorkflowArgs),
        ]
        for field in fields(args)
        if field.default is not MISSING
    }


def test_every_setting_is_listed_with_its_default_and_description() -> None:
    of_components, rows = defaults_of_components(), []
    for path, own_default, description in described(Settings):
        default = of_components.get(path, "") if own_default is None else own_default
        shown = str(default).lower() if isinstance(default, bool) else default
        rows.append(f"| `{path}` | {'none' if shown in (None, '', (), {}) else shown} | {description} |")
    table = (ROOT_FOLDER / "docs" / "deploying.md").read_text().partition("|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT_FOLDER).as_posix())
def test_links_within_the_project_lead_somewhere(page: Any) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []
