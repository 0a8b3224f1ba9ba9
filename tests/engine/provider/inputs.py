"""Inputs of resources as the AWS provider checks and compares them: names, default tags, replacements."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tests.engine.provider.aws_types import aws_type

# Keys of Pulumi's own in inputs: what a value is, and which inputs the provider has filled in.
SIGNATURE = "4dabf18193072939515e22adb298388d"
DEFAULTS = "__defaults"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_RANDOM_DIGITS = 7


class NameTooLongError(Exception):
    """AWS would not take a name; the message has the name and the limit."""


@dataclass(frozen=True)
class Change:
    """What a change of inputs comes to.

    Attributes
    ----------
    inputs
        Names of those that changed; sorted.
    replacing
        Those of them that make another resource; sorted.
    delete_first
        The new resource would have the old one's name, so that the old one has to go first.
    """

    inputs: list[str]
    replacing: list[str]
    delete_first: bool


def checked(
    kind: str, name: str, news: dict[str, Any], olds: dict[str, Any], seed: bytes, default_tags: dict[str, str]
) -> dict[str, Any]:
    """Complete a resource's inputs.

    Parameters
    ----------
    kind, name
        Type and logical name.
    news
        The program's inputs.
    olds
        Checked inputs of the resource as it is; empty for a new one.
    seed
        What the engine wants random digits to be made of.
    default_tags
        Of the stack.

    Raises
    ------
    NameTooLongError
        The physical name would be longer than AWS takes.
    """
    row = aws_type(kind)
    inputs = dict(news)
    if row.name and not inputs.get(row.name):
        inputs[row.name] = _kept_name(row.name, olds) or _random_name(name, seed)
        inputs[DEFAULTS] = [row.name]
    physical = inputs.get(row.name)
    if row.limit and isinstance(physical, str) and len(physical) > row.limit:
        raise NameTooLongError(f"{row.name} {physical!r} has {len(physical)} characters; AWS takes {row.limit}")
    if row.tagged:
        inputs["tagsAll"] = {**default_tags, **(inputs.get("tags") or {})}
    return inputs


def _kept_name(field: str, olds: dict[str, Any]) -> str:
    return olds.get(field, "") if field in olds.get(DEFAULTS, []) else ""


def _random_name(name: str, seed: bytes) -> str:
    return f"{name}-{hashlib.sha256(seed).hexdigest()[:_RANDOM_DIGITS]}"


def change(kind: str, olds: dict[str, Any], news: dict[str, Any]) -> Change:
    """Compare checked inputs. Files count by their content, wherever they are and whenever they were written."""
    row = aws_type(kind)
    names = {name for name in {*olds, *news} if not name.startswith("__")}
    changed = sorted(name for name in names if _content(olds.get(name)) != _content(news.get(name)))
    replacing = [name for name in changed if name in row.replaced_by]
    given = row.name and row.name not in news.get(DEFAULTS, [])
    return Change(changed, replacing, bool(replacing and given and row.name not in replacing))


def _content(value: Any) -> Any:
    """Reduce assets and archives to their hashes; an input that is empty is as good as none."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) in (_ASSET, _ARCHIVE):
            return value["hash"]
        return {key: _content(inner) for key, inner in value.items()} or None
    if isinstance(value, list):
        return [_content(inner) for inner in value] or None
    return value
