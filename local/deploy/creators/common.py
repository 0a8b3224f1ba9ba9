"""Functions and types that creators of resources share."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """Clients, and the name of the resource to make.

    Attributes
    ----------
    client
        Returns the boto3 client of a service by its name.
    unique
        Physical name of the resource: its logical name with a random ending, as Pulumi's auto-names.
    """

    client: Callable[[str], Any]
    unique: str


Creator = Callable[[Context, Inputs], Created]


def only(inputs: Inputs, **names: str) -> dict[str, Any]:
    """Select inputs that have a value, renamed to boto3's parameters."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


def spelled(value: Any, **names: str) -> Any:
    """Convert inputs to AWS's spelling: names begin with a capital, whole numbers are integers, None is left out.

    Parameters
    ----------
    value
        Inputs, or a part of them.
    **names
        AWS's spelling of names that differ in more than the first letter.
    """
    if isinstance(value, Mapping):
        return {
            names.get(name, name[0].upper() + name[1:]): spelled(item, **names)
            for name, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [spelled(item, **names) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parts(inputs: Inputs, *names: str, **spellings: str) -> dict[str, Any]:
    """Select inputs that have a value, in AWS's spelling (see `spelled`)."""
    return spelled({name: inputs.get(name) for name in names}, **spellings)


def archive_bytes(archive: pulumi.Archive) -> bytes:
    """Read a zip file, or zip the files of an asset archive in their order."""
    if isinstance(archive, pulumi.FileArchive):
        return Path(archive.path).read_bytes()
    if not isinstance(archive, pulumi.AssetArchive):
        raise TypeError(f"expected a FileArchive or an AssetArchive, got {type(archive).__name__}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, asset in archive.assets.items():
            if not isinstance(asset, pulumi.FileAsset):
                raise TypeError(f"{name}: expected a FileAsset, got {type(asset).__name__}")
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, Path(asset.path).read_bytes())
    return buffer.getvalue()


def asset_bytes(asset: pulumi.Asset | pulumi.Archive) -> bytes:
    """Read the content of an asset or an archive."""
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_bytes()
    if isinstance(asset, pulumi.StringAsset):
        return asset.text.encode()
    if isinstance(asset, pulumi.Archive):
        return archive_bytes(asset)
    raise TypeError(f"expected a FileAsset, a StringAsset or an archive, got {type(asset).__name__}")
