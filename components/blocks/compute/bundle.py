"""Code bundles: the modules that a handler imports, and nothing else."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import grimp
import pulumi

ROOT = Path(__file__).resolve().parents[3]
# Top-level packages that a handler may import besides its own.
SHARED_PACKAGES = ("handlers", "schema")
_DYNAMIC_IMPORTS = ("__import__", "import_module", "runpy")


class DynamicImportError(Exception):
    """A bundled module imports by name at run time, so the files it needs cannot be found."""


def code_bundle(handler: str, root: Path = ROOT) -> pulumi.AssetArchive:
    """Bundle a handler with the modules it imports.

    The list of files is explicit and sorted, so an unchanged project makes an unchanged archive.

    Parameters
    ----------
    handler
        Path of the handler's file below `root`, such as `handlers/sentiment/analyse.py`.
    root
        Folder that holds the top-level packages.

    Raises
    ------
    FileNotFoundError
        There is no such module.
    DynamicImportError
        One of the modules imports by name at run time.
    """
    files = imported_files(handler, root)
    return pulumi.AssetArchive({name: pulumi.FileAsset(str(path)) for name, path in files.items()})


def imported_files(
    entry: str, root: Path = ROOT, imported_by_name: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Path]:
    """Find the files of a module and of everything it imports from the project, directly or indirectly.

    Imports inside functions count, imports under `if TYPE_CHECKING` do not. The `__init__.py` of each package comes
    along, with what it imports.

    Parameters
    ----------
    entry
        Path of the module's file below `root`, such as `handlers/batch/run.py`.
    root
        Folder that holds the top-level packages.
    imported_by_name
        Modules that are imported by name at run time, by the module that imports them.

    Returns
    -------
    Files by their POSIX paths below `root`, sorted.

    Raises
    ------
    FileNotFoundError
        There is no such module.
    DynamicImportError
        A module that is not in `imported_by_name` imports by name at run time.
    """
    by_name = imported_by_name or {}
    packages = sorted({entry.partition("/")[0], *SHARED_PACKAGES})
    graph = _import_graph(root, tuple(name for name in packages if (root / name / "__init__.py").is_file()))
    start = entry.removesuffix(".py").replace("/", ".")
    if not entry.endswith(".py") or start not in graph.modules:
        raise FileNotFoundError(
            f"No module {entry}: name it as '<package>/<folder>/<file>.py', each folder with an __init__.py"
        )
    if missing := sorted({name for names in by_name.values() for name in names} - graph.modules):
        raise FileNotFoundError(f"No module {', '.join(missing)}, which {', '.join(by_name)} imports by name")
    files = {module: _file(root, module) for module in _reachable(graph, start, by_name)}
    _refuse_dynamic_imports([path for module, path in files.items() if module not in by_name])
    return {path.relative_to(root).as_posix(): path for path in sorted(files.values())}


def _reachable(graph: grimp.ImportGraph, start: str, by_name: Mapping[str, Sequence[str]]) -> set[str]:
    """List a module, its packages, and what they import."""
    found: set[str] = set()
    waiting = {start}
    while waiting:
        module = waiting.pop()
        found.add(module)
        package = module.rpartition(".")[0]
        waiting |= ({package} if package else set()) | graph.find_modules_directly_imported_by(module)
        waiting |= set(by_name.get(module, ()))
        waiting -= found
    return found


@functools.cache
def _import_graph(root: Path, packages: tuple[str, ...]) -> grimp.ImportGraph:
    if not packages:
        return grimp.ImportGraph()
    with _importable(root, packages):
        return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)


@contextmanager
def _importable(root: Path, packages: Sequence[str]) -> Iterator[None]:
    """Let grimp find packages in a folder: it asks the interpreter, which prefers modules that are loaded."""
    loaded = {name: sys.modules.pop(name) for name in packages if name in sys.modules}
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(root))
        sys.modules.update(loaded)


def _file(root: Path, module: str) -> Path:
    path = root / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _refuse_dynamic_imports(files: Sequence[Path]) -> None:
    for path in files:
        text = path.read_text(encoding="utf-8")
        for word in _DYNAMIC_IMPORTS:
            if word in text:
                raise DynamicImportError(f"{path} has '{word}': a bundle holds only what import statements name")
