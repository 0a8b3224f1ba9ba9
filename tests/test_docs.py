"""Documents that repeat what the code says say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest

from settings import Settings
from tests.support.pulumi_mocks import ROOT_FOLDER

PAGES = sorted([*ROOT_FOLDER.glob("*.md"), *ROOT_FOLDER.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def described(kind: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, Any, str]]:
    """Every setting's path, default and description."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        group, meta = hints[field.name].__origin__, hints[field.name].__metadata__[0]
        if isinstance(group, type) and issubclass(group, msgspec.Struct):
            yield from described(group, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}", field.default, meta.description


def test_every_setting_is_listed_with_its_default_and_description() -> None:
    rows = []
    for path, default, description in described(Settings):
        shown = str(default).lower() if isinstance(default, bool) else default
        rows.append(f"| `{path}` | {'none' if shown in ('', ()) else shown} | {description} |")
    table = (ROOT_FOLDER / "docs" / "deploying.md").read_text().partition("|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT_FOLDER).as_posix())
def test_links_within_the_project_lead_somewhere(page: Any) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []
