"""Wheels of a batch program: pinned, for the container's platform, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.blocks.compute import wheels
from components.blocks.compute.packages import Target
from components.blocks.compute.wheels import download_wheels
from tests.support.small_wheels import index, lock_file

__all__ = ["index", "lock_file"]


def test_wheels_are_those_of_the_container(lock_file: Path, tmp_path: Path) -> None:
    folder = download_wheels(lock_file, "3.12", folder=tmp_path / "wheels")
    assert sorted(path.name for path in folder.iterdir()) == [
        "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "pure-1.0-py3-none-any.whl",
        "split-1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize(
    ("arguments", "target"),
    [(("3.12",), Target("3.12", "x86_64", 34)), (("3.11", "aarch64"), Target("3.11", "aarch64", 34))],
)
def test_container_is_amazon_linux_on_the_instances_processor(
    arguments: tuple[str, ...], target: Target, lock_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wheels, "fetch_wheels", lambda *given: given)
    assert download_wheels(lock_file, *arguments, folder=tmp_path) == (lock_file, target, tmp_path)
