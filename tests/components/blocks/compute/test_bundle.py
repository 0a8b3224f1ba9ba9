"""Code bundles: exactly the modules that a handler imports, the same every time."""

from __future__ import annotations

import hashlib
import py_compile
import shutil
import sys
from pathlib import Path

import pulumi
import pytest

from components.blocks.compute.bundle import ROOT, DynamicImportError, code_bundle, imported_files
from local.deploy.creators.common import archive_bytes
from schema.endpoints import ENDPOINTS
from tests.support.import_checks import import_alone, missing_modules
from tests.support.pulumi_mocks import evaluate_program

# So small that they load at once; a package that slipped in would be larger.
MAX_BYTES = 180_000
ANALYSE = "handlers/sentiment/analyse.py"
FUNCTION = "aws:lambda/function:Function"
# Files that endpoints read, by the file of their handler.
FURTHER_FILES = {f"handlers/api/{endpoint.script}.py": endpoint.files for endpoint in ENDPOINTS}


def project_copy(folder: Path) -> Path:
    """The handlers and the schema, with what Python, tests and editors leave beside them."""
    handlers = folder / "handlers"
    for package in ("handlers", "schema"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    compiled = handlers / "sentiment" / "__pycache__" / "analyse.cpython-311.pyc"
    py_compile.compile(str(handlers / "sentiment" / "analyse.py"), cfile=str(compiled))
    (handlers / "sentiment" / "analyse.cpython-311.pyc").write_bytes(b"\0")
    (handlers / "sentiment" / "notes.txt").write_text("not code")
    (handlers / "common" / "logs.py~").write_text("an editor's copy")
    assert compiled.is_file()
    return folder


def written(folder: Path, files: dict[str, str]) -> Path:
    """A project of these files, and an empty `__init__.py` in each folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for package in path.relative_to(folder).parents[:-1]:
            (folder / package / "__init__.py").touch()
    return folder


def names_and_paths(archive: pulumi.AssetArchive) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, asset in archive.assets.items():
        assert isinstance(asset, pulumi.FileAsset)
        named[name] = str(asset.path)
    return named


def all_handlers() -> list[str]:
    """Files of all functions that the program declares."""
    handlers = [one.inputs["handler"] for one in evaluate_program("dev").of(FUNCTION)]
    return sorted({f"{handler.rpartition('.')[0].replace('.', '/')}.py" for handler in handlers})


def hashes(root: Path) -> dict[str, str]:
    """Content hashes of the bundles of all functions."""
    return {one: hashlib.sha256(archive_bytes(code_bundle(one, root))).hexdigest() for one in all_handlers()}


def changed_by_a_comment(root: Path, file: str) -> set[str]:
    """Functions that change when a file gets a comment."""
    before = hashes(root)
    with (root / file).open("a") as opened:
        opened.write("# A comment.\n")
    after = hashes(root)
    return {one for one in before if before[one] != after[one]}


def test_bundle_holds_what_the_handler_imports_and_nothing_else(tmp_path: Path) -> None:
    project = written(
        tmp_path,
        {
            "handlers/api/get.py": "import handlers.things.first\nfrom handlers.common import clients\n",
            "handlers/api/put.py": "from handlers.things import third",
            "handlers/things/first.py": "def f():\n    from handlers.things.second import name",
            "handlers/things/second.py": "from schema import keys\nname = 1",
            "handlers/things/third.py": "",
            "handlers/things/types.py": "",
            "handlers/common/__init__.py": "from handlers.common.defaults import x",
            "handlers/common/clients.py": (
                "import json\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import handlers.things.types"
            ),
            "handlers/common/defaults.py": "x = 1",
            "schema/keys.py": "",
            "schema/others.py": "",
        },
    )
    bundle = names_and_paths(code_bundle("handlers/api/get.py", project))
    assert list(bundle) == [
        "handlers/__init__.py",
        "handlers/api/__init__.py",
        "handlers/api/get.py",
        "handlers/common/__init__.py",
        "handlers/common/clients.py",
        "handlers/common/defaults.py",
        "handlers/things/__init__.py",
        "handlers/things/first.py",
        "handlers/things/second.py",
        "schema/__init__.py",
        "schema/keys.py",
    ]
    assert bundle == {name: str(project / name) for name in bundle}


def test_handlers_of_another_package_are_bundled_too(tmp_path: Path) -> None:
    project = written(tmp_path, {"functions/get.py": "from schema import keys", "schema/keys.py": ""})
    assert list(imported_files("functions/get.py", project)) == [
        "functions/__init__.py",
        "functions/get.py",
        "schema/__init__.py",
        "schema/keys.py",
    ]


def test_finding_imports_leaves_the_interpreter_as_it_was(tmp_path: Path) -> None:
    modules, path = dict(sys.modules), list(sys.path)
    imported_files("handlers/api/get.py", written(tmp_path, {"handlers/api/get.py": ""}))
    assert sys.path == path
    assert {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "handlers"} == {
        name: module for name, module in modules.items() if name.partition(".")[0] == "handlers"
    }


def test_functions_have_all_that_they_import() -> None:
    missing = {file: missing_modules(imported_files(file)) for file in all_handlers()}
    assert missing == {file: set() for file in all_handlers()}


@pytest.mark.parametrize("name", ["sentiment-analyse", "product-api-jobs-create", "product-withdraw"])
def test_function_can_be_imported_from_its_bundle_alone(name: str, tmp_path: Path) -> None:
    function = evaluate_program("dev").one(FUNCTION, name)
    files = {one: Path(path) for one, path in names_and_paths(function.inputs["code"]).items()}
    assert import_alone(files, tmp_path, function.inputs["environment"]["variables"]) == ""
    files.pop("handlers/common/logs.py")
    shutil.rmtree(tmp_path / "handlers")
    assert "No module named 'handlers.common.logs'" in import_alone(files, tmp_path)
    assert "handlers.common.logs" in missing_modules(files)


def test_comment_in_an_endpoint_changes_one_function(tmp_path: Path) -> None:
    project = project_copy(tmp_path)
    assert changed_by_a_comment(project, "handlers/api/project_get.py") == {"handlers/api/project_get.py"}


@pytest.mark.parametrize("file", ["handlers/common/times.py", "handlers/common/table.py"])
def test_comment_in_a_shared_module_changes_its_importers(file: str, tmp_path: Path) -> None:
    importers = {one for one in all_handlers() if file in imported_files(one)}
    assert changed_by_a_comment(project_copy(tmp_path), file) == importers
    assert 1 < len(importers) < len(all_handlers())


def test_comment_in_the_batch_program_changes_no_function(tmp_path: Path) -> None:
    assert changed_by_a_comment(project_copy(tmp_path), "handlers/batch/main.py") == set()


def test_program_bundles_each_function_by_its_imports() -> None:
    for function in evaluate_program("dev").of(FUNCTION):
        file = f"{function.inputs['handler'].rpartition('.')[0].replace('.', '/')}.py"
        further = {name: str(ROOT / path) for name, path in FURTHER_FILES.get(file, {}).items()}
        assert names_and_paths(function.inputs["code"]) == names_and_paths(code_bundle(file)) | further


def test_bundle_is_sorted_and_the_same_every_time(tmp_path: Path) -> None:
    project = project_copy(tmp_path)
    first = code_bundle(ANALYSE, project)
    (project / ANALYSE).touch()
    shutil.rmtree(project / "handlers" / "sentiment" / "__pycache__")
    second = code_bundle(ANALYSE, project)
    assert list(first.assets) == sorted(first.assets)
    assert names_and_paths(first) == names_and_paths(second)
    assert archive_bytes(first) == archive_bytes(second)
    assert archive_bytes(first) == archive_bytes(code_bundle(ANALYSE))


def test_bundles_of_all_handlers_are_small() -> None:
    assert ANALYSE in all_handlers()
    for file in all_handlers():
        assert sum(path.stat().st_size for path in imported_files(file).values()) < MAX_BYTES


@pytest.mark.parametrize(
    "file", ["handlers/nowhere.py", "handlers/sentiment", "handlers/sentiment/analyse", "docs/index.py", "other.py"]
)
def test_what_is_no_module_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"No module {file}: name it as '<package>/<folder>/<file>.py'"):
        code_bundle(file, project_copy(tmp_path))


@pytest.mark.parametrize("statement", ["importlib.import_module(name)", "__import__(name)", "runpy.run_module(name)"])
def test_imports_by_name_are_refused(statement: str, tmp_path: Path) -> None:
    files = {"handlers/a.py": "from handlers import b", "handlers/b.py": statement, "handlers/c.py": ""}
    project = written(tmp_path, files)
    with pytest.raises(DynamicImportError, match=r"handlers/b\.py has '.*': a bundle holds only"):
        code_bundle("handlers/a.py", project)
    assert list(imported_files("handlers/c.py", project)) == ["handlers/__init__.py", "handlers/c.py"]


def test_declared_imports_by_name_are_bundled(tmp_path: Path) -> None:
    files = {
        "handlers/a.py": "import importlib\nimportlib.import_module(name)",
        "handlers/b.py": "from handlers import c",
        "handlers/c.py": "",
    }
    project = written(tmp_path, files)
    found = imported_files("handlers/a.py", project, {"handlers.a": ["handlers.b"]})
    assert list(found) == ["handlers/__init__.py", *files]
    with pytest.raises(DynamicImportError):
        imported_files("handlers/a.py", project, {"handlers.c": ["handlers.b"]})
    with pytest.raises(FileNotFoundError, match=r"No module handlers\.d, which handlers\.a imports by name"):
        imported_files("handlers/a.py", project, {"handlers.a": ["handlers.d"]})
