"""`nlp results` and `nlp results download`: the former names work, and tell the new ones on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_app import complete, invoke
from tests.support.cli_api import PROJECT, answer, running_api
from tests.support.cli_aws import Product

OBSERVATIONS_HINT = "`nlp results` is now `nlp observations`.\n"
DOWNLOAD_HINT = "`nlp results download` is now `nlp jobs download`.\n"
JOB = "01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"


@pytest.mark.parametrize(
    "options", [(), ("--company", "Nike"), ("--since", "1d"), ("--limit", "1"), ("--csv",), ("--json",)]
)
def test_observations(product: Product, options: tuple[str, ...]) -> None:
    product.add("Apple", "Nike")
    product.observe("Apple", "latest", at="2026-11-21T07:00:00Z")
    product.observe("Nike", "20261121T070000Z-00000000", at="2026-11-21T07:00:00Z")
    former, now = product.invoke("results", *options), product.invoke("observations", *options)
    assert former.stdout == now.stdout
    assert former.stderr == OBSERVATIONS_HINT + now.stderr


def test_mistakes_in_options_of_observations(product: Product) -> None:
    assert "Give --csv or --json, not both." in product.invoke("results", "--csv", "--json", code=2).stderr
    assert "is not a time" in product.invoke("results", "--since", "soon", code=2).stderr


def test_download(tmp_path: Path) -> None:
    job = {"project": PROJECT, "job": JOB, "kind": "translate", "status": "completed"}
    place = f"/projects/{PROJECT}/jobs/{JOB}"
    with running_api(tmp_path) as api:
        api.on("GET", place, answer(job))
        no_files = {"job": JOB, "results": [], "expires_at": "2036-11-21T07:00:00Z", "next": None}
        api.on("GET", f"{place}/results", answer(no_files))
        arguments = ("-p", PROJECT, JOB, "-o", str(tmp_path / "out"))
        former, now = (api.invoke(*name, "download", *arguments) for name in (("results",), ("jobs",)))
        assert former.stdout.startswith("Downloaded 0 files into ")
        assert now.stdout.startswith("Downloaded 0 files into ")
        assert former.stderr == DOWNLOAD_HINT + now.stderr
        done = api.invoke("results", "download", *arguments, "--json")
        assert json.loads(done.stdout)["job"] == JOB
        assert done.stderr == former.stderr


def test_options_of_observations_are_not_for_the_download() -> None:
    error = invoke("results", "--company", "Nike", "download", "-p", PROJECT, code=2).stderr
    assert "Options of observations are not for download." in error


def test_lists_and_completion_leave_the_former_names_out() -> None:
    shown = invoke("--help").stdout
    assert "\n  observations " in shown
    assert "\n  results " not in shown
    assert "plain,observations" in complete("nlp o")
    assert "results" not in complete("nlp res")
