"""The user that the program runs as, in an image that has one for it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from handlers.batch.run import give_up_root

ACCOUNT = pwd.struct_passwd(("batch", "x", 10001, 10002, "", "/", "/usr/sbin/nologin"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What the process would have done as root."""
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda _: ACCOUNT)
    for name in ("chown", "setgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *arguments, name=name: made.append((name, *arguments)))
    return made


def test_root_gives_the_results_to_the_user_and_becomes_it(tmp_path: Path, calls: list[tuple[object, ...]]) -> None:
    root = tmp_path / "processing"
    assert give_up_root(root)
    assert calls == [
        ("chown", root / "output", 10001, 10002),
        ("chown", tmp_path / "output", 10001, 10002),
        ("setgroups", []),
        ("setgid", 10002),
        ("setuid", 10001),
    ]


def test_whoever_is_not_root_stays_who_it_is(
    tmp_path: Path, calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not give_up_root(tmp_path)
    assert calls == []


def test_image_without_the_user_is_left_as_it_is(tmp_path: Path) -> None:
    assert not give_up_root(tmp_path, "no-such-user")
