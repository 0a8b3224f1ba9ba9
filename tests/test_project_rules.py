"""Rules of the project's code that no linter knows: packages that Lambda has, uses of outputs, lengths of files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pulumi_mocks import ROOT_FOLDER as ROOT

FOLDERS = ("schema", "components", "handlers", "cli", "local", "tests", "bench")
MAX_LINES = 350
# Distribution of requirements/layer.in -> the package that functions import.
LAYER_PACKAGES = {"msgspec": "msgspec", "python-json-logger": "pythonjsonlogger", "urllib3": "urllib3"}
# Distribution of requirements/batch.in -> the packages that the batch program imports of it and of its dependencies.
BATCH_PACKAGES = {
    "boto3": {"boto3", "botocore"},
    "ctranslate2": {"ctranslate2"},
    "lxml": {"lxml"},
    "msgspec": {"msgspec"},
    "python-json-logger": {"pythonjsonlogger"},
    "scikit-learn": {"sklearn", "numpy", "scipy"},
    "sentencepiece": {"sentencepiece"},
    "sentencex": {"sentencex"},
}
# Attributes that are outputs wherever components meet them: of resources, and of components.
OUTPUTS = {"arn", "name", "id", "urn", "url", "key_id", "bucket", "dead_letter_url", "dead_letter_arn", "failures_url"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> set[str]:
    """Top-level packages that code imports, anywhere in it."""
    packages: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add("." if node.level else (node.module or "").partition(".")[0])
    return packages


def known_classes(tree: ast.AST) -> set[str]:
    """Classes that code takes from the components or makes: what may be a component."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("components"):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
    return {name for name in names if name[0].isupper() and not name.endswith("Args")}


def creates_resource(call: ast.AST, classes: set[str]) -> bool:
    """Tell whether a call makes a resource: of the provider, with options, or a component."""
    if not isinstance(call, ast.Call):
        return False
    if any(keyword.arg == "opts" for keyword in call.keywords):
        return True
    called = ast.unparse(call.func)
    last = called.rpartition(".")[2]
    return called in classes or (called.startswith("aws.") and last[:1].isupper() and not last.endswith("Args"))


def resources_in_apply(tree: ast.AST) -> Iterator[int]:
    """Lines of `.apply(...)` whose callback makes a resource."""
    classes = known_classes(tree)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "apply"):
            continue
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            callback = functions.get(ast.unparse(argument).removeprefix("self."), argument)
            if any(creates_resource(inner, classes) for inner in ast.walk(callback)):
                yield node.lineno


def formatted(node: ast.AST) -> list[ast.expr]:
    """What an expression turns into a text, if it does."""
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
        texts = [side for side in (node.left, node.right) if isinstance(side, (ast.Constant, ast.JoinedStr))]
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.left, node.right]
        return values if texts else []
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        is_format = isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")
        if called in ("str", "repr", "json.dumps", "dumps") or (is_format and not called.startswith("pulumi.Output.")):
            return [*node.args, *(keyword.value for keyword in node.keywords)]
    return []


def outputs_made_text(tree: ast.AST) -> Iterator[int]:
    """Lines where an attribute that looks like an output becomes a text before AWS has told its value."""
    paths = {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for argument in [*node.args.args, *node.args.kwonlyargs]
        if argument.annotation and ast.unparse(argument.annotation) == "Path"
    }
    for node in ast.walk(tree):
        for value in formatted(node):
            for inner in ast.walk(value):
                if not isinstance(inner, ast.Attribute) or inner.attr not in OUTPUTS:
                    continue
                if ast.unparse(inner.value) not in paths:
                    yield inner.lineno


def positional_parameters() -> dict[str, int]:
    """How many positional arguments each component and block takes: its name, and a component its args."""
    found: dict[str, int] = {}
    for path in python_files("components"):
        for node in parse(path).body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                continue
            functions = [node] if isinstance(node, ast.FunctionDef) else node.body
            for function in functions:
                if isinstance(function, ast.FunctionDef) and function.name in (node.name, "__init__"):
                    count = _positional(function)
                    found |= {} if count is None else {node.name: count}
    return found


def _positional(function: ast.FunctionDef) -> int | None:
    """How many positional parameters a function takes that makes resources: its options are called `opts`."""
    parameters = [one.arg for one in function.args.args if one.arg != "self"]
    if parameters[:1] != ["name"] or "opts" not in [*parameters, *(one.arg for one in function.args.kwonlyargs)]:
        return None
    return 2 if parameters == ["name", "args", "opts"] else 1


def calls_with_positional_arguments(tree: ast.AST, allowed: dict[str, int]) -> Iterator[int]:
    """Lines where a component or block gets arguments without their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            limit = allowed.get(node.func.id)
            if limit is not None and (len(node.args) > limit or any(isinstance(one, ast.Starred) for one in node.args)):
                yield node.lineno


def test_components_and_blocks_get_arguments_by_name() -> None:
    allowed = positional_parameters()
    assert {"SentimentPipeline", "NlpApi", "Table", "LambdaApi", "Role", "Schedule", "alarm_above"} <= allowed.keys()
    files = [*python_files("components", "tests/components", "tests/support"), ROOT / "__main__.py"]
    found = {short(path): list(calls_with_positional_arguments(parse(path), allowed)) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    ["Table('t', 'key')", "Table(*arguments)", "NlpApi('nlp', args, opts)", "x = [Role(name, 'lambda', opts=o)]"],
)
def test_positional_arguments_are_found(code: str) -> None:
    assert list(calls_with_positional_arguments(ast.parse(code), {"Table": 1, "NlpApi": 2, "Role": 1}))


def test_named_arguments_are_left_alone() -> None:
    tree = ast.parse("NlpApi('nlp', NlpApiArgs(version='1'), opts=o)\nTable('t', hash_key='key')\nother(1, 2)")
    assert list(calls_with_positional_arguments(tree, {"Table": 1, "NlpApi": 2})) == []


def test_no_resource_is_made_inside_apply() -> None:
    files = [*python_files("components"), ROOT / "__main__.py"]
    assert {short(path): lines for path in files if (lines := list(resources_in_apply(parse(path))))} == {}


def test_no_output_is_made_a_text() -> None:
    files = [*python_files("components"), ROOT / "__main__.py"]
    assert {short(path): lines for path in files if (lines := list(outputs_made_text(parse(path))))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "queue.arn.apply(lambda arn: aws.sqs.QueuePolicy('q', policy=arn))",
        "pulumi.Output.all(a, b).apply(lambda both: make(both, opts=child_of(self)))",
        "from components.blocks.storage.table import Table\nqueue.arn.apply(lambda arn: Table(arn, hash_key='key'))",
        "def make(arn):\n    aws.sns.Topic(arn)\nqueue.arn.apply(make)",
        "class C:\n  def _make(self, arn):\n    aws.sns.Topic(arn)\n  def f(self):\n    x.apply(func=self._make)",
    ],
)
def test_resources_inside_apply_are_found(code: str) -> None:
    assert list(resources_in_apply(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "f'{bucket.arn}/*'",
        "str(self.companies.name)",
        "'arn:aws:sqs:%s' % queue.name",
        "'%s/%s' % (prefix, queue.url)",
        "'{}/*'.format(bucket.arn)",
        "bucket.arn + '/*'",
        "json.dumps({'Resource': [queue.arn]})",
        "','.join([queue.arn])",
    ],
)
def test_outputs_made_texts_are_found(code: str) -> None:
    assert list(outputs_made_text(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "pulumi.Output.concat(bucket.arn, '/*')",
        "pulumi.Output.json_dumps({'Resource': [queue.arn]})",
        "pulumi.Output.format('{0}/*', bucket.arn)",
        "account = arn.apply(lambda value: value.split(':')[4])",
        "aws.sqs.Queue(f'{name}-dead', opts=child_of(self))",
        "def build(file: Path) -> str:\n    return f'{file.name} is missing'",
    ],
)
def test_right_uses_of_outputs_are_left_alone(code: str) -> None:
    tree = ast.parse(code)
    assert [*resources_in_apply(tree), *outputs_made_text(tree)] == []


def test_settings_import_nothing_of_the_project_but_facts() -> None:
    """Import-linter does not look into modules that belong to no package."""
    for module in ("settings", "settings_reader", "settings_sign_in"):
        assert imported(parse(ROOT / f"{module}.py")) & {*FOLDERS, "client"} <= {"schema"}, module


def test_facts_need_the_standard_library_only() -> None:
    allowed = {"schema", *sys.stdlib_module_names}
    assert {short(path): wrong for path in python_files("schema") if (wrong := imported(parse(path)) - allowed)} == {}


def test_handlers_import_only_what_is_there_in_lambda() -> None:
    """The standard library, the layer, AWS's library; nothing heavy such as Pulumi, not even inside a function."""
    lines = (ROOT / "requirements" / "layer.in").read_text().splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == LAYER_PACKAGES.keys()
    allowed = {"handlers", "schema", "boto3", "botocore", *LAYER_PACKAGES.values(), *sys.stdlib_module_names}
    files = [path for path in python_files("handlers") if "batch" not in path.parts]
    assert {short(path): wrong for path in files if (wrong := imported(parse(path)) - allowed)} == {}


def test_batch_program_imports_only_what_its_wheels_bring() -> None:
    lines = (ROOT / "requirements" / "batch.in").read_text().splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == BATCH_PACKAGES.keys()
    brought = {package for packages in BATCH_PACKAGES.values() for package in packages}
    allowed = {"handlers", "schema", "boto3", "botocore", *brought, *sys.stdlib_module_names}
    files = python_files("handlers/batch")
    assert {short(path): wrong for path in files if (wrong := imported(parse(path)) - allowed)} == {}


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("import handlers.sentiment.messages", "handlers"),
        ("def f():\n    from local import deployer", "local"),
        ("from pulumi import Output", "pulumi"),
        ("from .. import other", "."),
    ],
)
def test_imports_are_found_wherever_they_are(code: str, package: str) -> None:
    assert package in imported(ast.parse(code))


def test_files_are_short() -> None:
    lengths = {
        short(path): len(path.read_text().splitlines()) for path in [*python_files(*FOLDERS), *ROOT.glob("*.py")]
    }
    assert len(lengths) > len(FOLDERS)
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_command_line_decodes_json_in_one_place() -> None:
    """Deeply nested JSON ends msgspec with a RecursionError, which callers do not expect."""
    decoding = [short(path) for path in python_files("cli") if "msgspec.json.decode" in path.read_text()]
    assert decoding == ["cli/ui/json_input.py"]
