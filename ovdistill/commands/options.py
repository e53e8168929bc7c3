"""Options of a command as a dataclass: a field for each argument, with its help and default.

A command is a function that takes one such dataclass; the command line is read from its fields::

    @dataclass(frozen=True, kw_only=True)
    class GreetOptions(CommonOptions):
        name: str = argument("who is greeted")
        times: int = option(1, help="how often")

    def greet(options: GreetOptions) -> None:
        "Greet somebody."

A field's type says how its text is read: ``bool`` is a flag, a tuple takes one value or more, a
``Literal`` allows its values only.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LogLevel = Literal["debug", "info", "warning", "error"]
Completer = Callable[..., Sequence[str]]


def argument(help: str, *, default: Any = dataclasses.MISSING, metavar: str = "") -> Any:
    """Declare a positional argument; it may be left out where it has a default."""
    return dataclasses.field(
        default=default, metadata=dict(help=help, positional=True, metavar=metavar)
    )


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str | None,
    flags: Sequence[str] = (),
    old_flags: Sequence[str] = (),
    metavar: str = "",
    without_value: Any = None,
    choices: Sequence[str] = (),
) -> Any:
    """Declare an option; without a default it is required.

    Args:
        default: its value where it is not given.
        help: one line; '%(default)s' stands for the default. None hides the option.
        flags: further spellings; the first is ``--name`` of the field.
        old_flags: spellings of earlier versions, which the help does not show.
        metavar: how the help calls the value.
        without_value: what the bare flag means, for an option whose value may be left out.
        choices: the values that are allowed, where the type does not say.
    """
    metadata = dict(
        help=help,
        flags=tuple(flags),
        old_flags=tuple(old_flags),
        metavar=metavar,
        without_value=without_value,
        choices=tuple(choices),
    )
    return dataclasses.field(default=default, metadata=metadata)


def flag(*, help: str, flags: Sequence[str] = ()) -> Any:
    """Declare an option without a value: False unless it is given."""
    return option(default=False, help=help, flags=flags)


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """What every command takes.

    Attributes:
        quiet: no progress, no information: results, warnings and errors only.
        log_level: the lowest level of messages that is shown.
    """

    quiet: bool = flag(help="results, warnings and errors only", flags=["-q"])
    log_level: LogLevel = option("info", help="lowest level of messages (default: %(default)s)")

    @property
    def level(self) -> str:
        """Name of the lowest level that the logging library shows."""
        return "WARNING" if self.quiet and self.log_level != "error" else self.log_level.upper()


@dataclass(frozen=True, kw_only=True)
class OfflineOptions(CommonOptions):
    """What commands take that may fetch weights."""

    offline: bool = flag(help="never download; use what is here already")


@dataclass(frozen=True, kw_only=True)
class ConfigOptions(OfflineOptions):
    """What commands take that read a config."""

    cfg_options: tuple[str, ...] = option(
        (), help="overrides of the config, as key=value", metavar="KEY=VALUE"
    )

    @property
    def overrides(self) -> dict[str, Any]:
        """The overrides by dotted key, their values read as mmengine's own tools read them."""
        return parse_overrides(self.cfg_options)


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """Read 'key=value' pairs with mmengine's rules for values.

    Raises:
        UserError: one of them has no '='.
    """
    from ovdistill.core.errors import UserError

    for pair in pairs:
        if "=" not in pair:
            raise UserError(f"got --cfg-options {pair}; expected key=value")
    if not pairs:
        return {}
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", nargs="+", action=DictAction)
    return dict(parser.parse_args(["--pairs", *pairs]).pairs)


def options_class(command: Callable[..., Any]) -> type[CommonOptions]:
    """Return the dataclass that a command takes."""
    (parameter,) = inspect.signature(command).parameters
    return typing.get_type_hints(command)[parameter]


def add_options(parser: argparse.ArgumentParser, options: type[CommonOptions]) -> None:
    """Add an argument to the parser for each field of a dataclass, its own fields first."""
    hints = typing.get_type_hints(options)
    common = {field.name for field in dataclasses.fields(CommonOptions)}
    fields = sorted(dataclasses.fields(options), key=lambda field: field.name in common)
    for field in fields:
        names, arguments = _argument(field, hints[field.name])
        action = parser.add_argument(*names, **arguments)
        if old := field.metadata.get("old_flags"):
            hidden = dict(arguments, help=argparse.SUPPRESS, default=argparse.SUPPRESS)
            parser.add_argument(*old, **hidden)
        if field.name in COMPLETERS:
            action.completer = COMPLETERS[field.name]  # type: ignore[attr-defined]


def read_options(options: type[CommonOptions], found: argparse.Namespace) -> CommonOptions:
    """Make the dataclass from what argparse found."""
    values = {field.name: getattr(found, field.name) for field in dataclasses.fields(options)}
    return options(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _argument(field: dataclasses.Field[Any], hint: Any) -> tuple[list[str], dict[str, Any]]:
    """Return names and keyword arguments of ``add_argument`` for a field."""
    data = field.metadata
    required = field.default is dataclasses.MISSING
    arguments: dict[str, Any] = dict(
        help=argparse.SUPPRESS if data["help"] is None else data["help"]
    )
    if data.get("metavar"):
        arguments["metavar"] = data["metavar"]
    kind, many = _value_type(hint)
    choices = data.get("choices") or (typing.get_args(kind) if _is_literal(kind) else None)
    if choices:
        arguments["choices"] = choices
    elif kind in (int, float, Path):
        arguments["type"] = kind
    if data.get("positional"):
        if not required:
            arguments |= dict(nargs="?", default=field.default)
        if many:
            arguments["nargs"] = "+" if required else "*"
        return [field.name], arguments
    if kind is bool:
        arguments = dict(help=arguments["help"], action="store_true", default=field.default)
    else:
        if many:
            arguments["nargs"] = "+"
        if data["without_value"] is not None:
            arguments |= dict(nargs="?", const=data["without_value"])
        arguments |= dict(required=True) if required else dict(default=field.default)
    return [f"--{field.name.replace('_', '-')}", *data["flags"]], dict(arguments, dest=field.name)


def _value_type(hint: Any) -> tuple[Any, bool]:
    """Return the type of a field's values, and whether it takes several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def _is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is Literal


def _complete_recipe(prefix: str, **_: Any) -> list[str]:
    """List recipe names for the shell."""
    from ovdistill.core.recipes import recipe_names

    return [name for name in recipe_names() if name.startswith(prefix)]


COMPLETERS: dict[str, Completer] = {"config": _complete_recipe, "base_config": _complete_recipe}
