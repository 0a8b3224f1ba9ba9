"""Types of the batch jobs' options, made from the declarations in `schema/jobs.py`.

The API checks requests with them, and the batch program reads its options with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from schema.job_kind import JobKind, Option, OptionError
from schema.jobs import KINDS


def options_type(kind: JobKind) -> type[msgspec.Struct]:
    """Make the type of a kind's options, such as `TranslateOptions`.

    Its fields are the declared options with their choices, bounds and defaults. Unknown fields are refused, and so are
    options that the kind's own check refuses.
    """
    return msgspec.defstruct(
        f"{type_prefix(kind)}Options",
        [_field(option) for option in kind.options],
        namespace={"__doc__": f"Options of a job of kind `{kind.name}`.", "__post_init__": _check(kind)},
        module=__name__,
        frozen=True,
        forbid_unknown_fields=True,
    )


def type_prefix(kind: JobKind) -> str:
    """Turn a kind's name into the beginning of its types' names: `word-count` into `WordCount`."""
    return "".join(word.capitalize() for word in kind.name.split("-"))


def _field(option: Option) -> tuple[str, Any] | tuple[str, Any, Any]:
    described = Annotated[_type(option), msgspec.Meta(description=_description(option))]  # pyright: ignore[reportInvalidTypeForm]
    return (option.name, described) if option.required else (option.name, described, option.default)


def _type(option: Option) -> Any:
    kind: Any
    if option.service:
        # Any text: the check of the whole names the service, and lists the codes in the order of the alphabet.
        schema = {"enum": list(option.choices)}
        kind = Annotated[str, msgspec.Meta(examples=list(option.examples), extra_json_schema=schema)]
    elif option.choices:
        kind = Literal[option.choices]  # pyright: ignore[reportInvalidTypeForm] - known at run time only
    else:
        kind = Annotated[int, msgspec.Meta(ge=option.minimum, le=option.maximum)]
    return kind if option.required or option.default is not None else kind | None


def _description(option: Option) -> str:
    absent = f". Absent: {option.when_absent}" if option.default is None and option.when_absent else ""
    return f"{option.description[:1].upper()}{option.description[1:]}{absent}"


def _check(kind: JobKind) -> Callable[[msgspec.Struct], None]:
    languages = [option for option in kind.options if option.service]

    def check(options: msgspec.Struct) -> None:
        values = msgspec.structs.asdict(options)
        for option in languages:
            value = values[option.name]
            if value is not None and value not in option.choices:
                raise OptionError(option.name, option.expected)
        kind.check(values)

    return check


OPTIONS_OF_KIND: dict[str, type[msgspec.Struct]] = {name: options_type(kind) for name, kind in KINDS.items()}
