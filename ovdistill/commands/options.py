"""The options of a command as a dataclass: each field is an argument, with its help and default.

A command is a function that takes one such dataclass; its command line is read from the fields::

    @dataclass(frozen=True, kw_only=True)
    class GreetOptions(CommonOptions):
        name: str = argument("who is greeted")
        times: int = option(1, help="how often")

    def greet(options: GreetOptions) -> None:
        "Greet somebody."

The type of a field says how its text is read: ``bool`` is a flag, a tuple takes one value or more
and may be repeated, a ``Literal`` allows only its values. ``None`` may be the default of any type.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ovdistill.commands.config_overrides import read_overrides
from ovdistill.core.errors import UserError

LogLevel = Literal["debug", "info", "warning", "error"]
Completer = Callable[..., Sequence[str]]
AnyOptions = TypeVar("AnyOptions", bound="CommonOptions")
METAVARS = {int: "N", float: "X", Path: "PATH"}  # of a value, where the option names none


def complete_recipe(prefix: str, **_: Any) -> list[str]:
    """Return the names of recipes that begin with a prefix, for the shell's completion."""
    from ovdistill.core.recipes import recipe_names

    return [name for name in recipe_names() if name.startswith(prefix)]


def argument(
    help: str, *, default: Any = MISSING, metavar: str = "", completer: Completer | None = None
) -> Any:
    """Declare a positional argument; it may be left out where it has a default."""
    metadata = dict(help=help, positional=True, metavar=metavar, completer=completer)
    return dataclasses.field(default=default, metadata=metadata)


def recipe_argument(*, default: Any = MISSING) -> Any:
    """Declare the positional argument that names a config; see ``argument``."""
    return argument(
        "config file, or the name of a recipe such as vild_r18_shapes",
        default=default,
        completer=complete_recipe,
    )


def option(
    default: Any = MISSING,
    *,
    help: str | None,
    flags: Sequence[str] = (),
    old_flags: Sequence[str] = (),
    metavar: str = "",
    bare_value: Any = None,
    least: float | None = None,
    most: float | None = None,
    completer: Completer | None = None,
    writes: Literal["", "file", "folder"] = "",
) -> Any:
    """Declare an option; without a default it is required.

    Args:
        default: its value where it is not given; the help says it.
        help: a line for people. None hides the option.
        flags: further spellings, such as "-o", beside ``--name`` of the field.
        old_flags: spellings of earlier versions, which the help does not show. Only for options
            that have a default.
        metavar: what the help calls the value.
        bare_value: the value of the flag alone, for an option whose value may be left out.
        least: the smallest number that is taken.
        most: the largest one.
        completer: returns the values that begin with a prefix, for the shell's completion.
        writes: what the command writes at this path, which is checked before the command starts.
    """
    metadata = dict(
        help=help,
        flags=tuple(flags),
        old_flags=tuple(old_flags),
        metavar=metavar,
        bare_value=bare_value,
        least=least,
        most=most,
        completer=completer,
        writes=writes,
    )
    return dataclasses.field(default=default, metadata=metadata)


def flag(*, help: str, flags: Sequence[str] = ()) -> Any:
    """Declare an option without a value: False unless it is given."""
    return option(default=False, help=help, flags=flags)


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """Options of every command.

    Attributes:
        quiet: show results, warnings and errors only: no progress, no information.
        log_level: the lowest level of messages that is shown.

    Raises:
        UserError: a number that is not finite, or out of its field's bounds.
    """

    quiet: bool = flag(help="show results, warnings and errors only", flags=["-q"])
    log_level: LogLevel = option("info", help="lowest level of messages to show")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, int | float) and not isinstance(one, bool):
                    _check_number(field, one)

    @property
    def level(self) -> str:
        """The lowest level to show, as the logging library names it."""
        return "WARNING" if self.quiet and self.log_level != "error" else self.log_level.upper()


@dataclass(frozen=True, kw_only=True)
class OfflineOptions(CommonOptions):
    """Options of commands that may download weights."""

    offline: bool = flag(help="never download; use what is on this machine")


@dataclass(frozen=True, kw_only=True)
class ConfigOptions(OfflineOptions):
    """Options of commands that read a config.

    Attributes:
        cfg_options: overrides of the config as "key=value".

    Raises:
        UserError: an override that cannot be read, see ``read_overrides``, or see
            ``CommonOptions``.
    """

    cfg_options: tuple[str, ...] = option(
        (),
        help="overrides of the config; data_root, split and other placeholders move with them",
        metavar="KEY=VALUE",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        read_overrides(self.cfg_options)

    @property
    def overrides(self) -> dict[str, Any]:
        """The overrides by dotted key, see ``config_overrides``."""
        return read_overrides(self.cfg_options)


def options_class(command: Callable[..., Any]) -> type[CommonOptions]:
    """Return the dataclass that a command takes."""
    (parameter,) = inspect.signature(command).parameters
    return typing.get_type_hints(command)[parameter]


def add_options(parser: argparse.ArgumentParser, options: type[CommonOptions]) -> None:
    """Add an argument to the parser for each field of a dataclass, those of its bases last."""
    hints = typing.get_type_hints(options)
    declared = [inspect.get_annotations(cls) for cls in options.__mro__]

    def distance(field: dataclasses.Field[Any]) -> int:
        return next(i for i, names in enumerate(declared) if field.name in names)

    for field in sorted(dataclasses.fields(options), key=distance):
        data = field.metadata
        arguments = _value_arguments(field, hints[field.name])
        if data.get("positional"):
            action = parser.add_argument(field.name, **arguments)
        else:
            names = [*data["flags"], f"--{field.name.replace('_', '-')}"]
            arguments |= dict(dest=field.name)
            action = parser.add_argument(*names, required=field.default is MISSING, **arguments)
            if data["old_flags"]:
                hidden = arguments | dict(help=argparse.SUPPRESS)
                parser.add_argument(*data["old_flags"], **hidden)
        if data["completer"]:
            action.completer = data["completer"]  # type: ignore[attr-defined]  # argcomplete's


def read_options(options: type[AnyOptions], found: argparse.Namespace) -> AnyOptions:
    """Make the dataclass from what argparse found; its defaults are those of the fields.

    Raises:
        UserError: see the dataclass.
    """
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(found).items()
    }
    return options(**values)


def _value_arguments(field: dataclasses.Field[Any], hint: Any) -> dict[str, Any]:
    """Return the keyword arguments of ``add_argument`` that say what a field's value is."""
    data = field.metadata
    arguments: dict[str, Any] = dict(help=_help(field), default=argparse.SUPPRESS)
    kind, many = _value_type(hint)
    if kind is bool:
        return arguments | dict(action="store_true")
    metavar = data["metavar"] or METAVARS.get(kind)
    if data.get("positional"):
        metavar = data["metavar"] or field.name.upper()
    if typing.get_origin(kind) is Literal:
        arguments |= dict(choices=typing.get_args(kind))
    elif kind in (int, float):
        arguments |= dict(type=partial(_read_number, kind))
    elif kind is not str:
        arguments |= dict(type=kind)
    if metavar:
        arguments |= dict(metavar=metavar)
    if many:
        optional = data.get("positional") and field.default is not MISSING
        arguments |= dict(action="extend", nargs="*" if optional else "+")
    elif data.get("positional") and field.default is not MISSING:
        arguments |= dict(nargs="?")
    elif data.get("bare_value") is not None:
        arguments |= dict(nargs="?", const=data["bare_value"])
    return arguments


def _read_number(kind: type[int] | type[float], text: str) -> float:
    """Return the number that a text stands for.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text[:100]!r}, expected a number") from None


def _check_number(field: dataclasses.Field[Any], number: float) -> None:
    """Raise UserError for a number that is not finite, or out of the field's bounds."""
    least, most = field.metadata.get("least"), field.metadata.get("most")
    bounds = [] if least is None else [f"{least:.10g} or more"]
    bounds += [] if most is None else [f"{most:.10g} or less"]
    in_bounds = (least is None or number >= least) and (most is None or number <= most)
    if not (in_bounds and -math.inf < number < math.inf):  # which any integer fits, and no nan
        name, expected = field.name.replace("_", "-"), ", ".join(bounds) or "a finite number"
        text = f"{number:.10g}" if isinstance(number, float) else str(number)[:100]
        raise UserError(f"got --{name} {text}; expected {expected}")


def _value_type(hint: Any) -> tuple[Any, bool]:
    """Return the type of one value of a field, and whether the field takes several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def _help(field: dataclasses.Field[Any]) -> str:
    """Return the help of a field, with its default unless that is empty."""
    text, default = field.metadata["help"], field.default
    if text is None:
        return argparse.SUPPRESS
    shown = "" if any(default is empty for empty in (MISSING, None, False)) else str(default)
    if isinstance(default, tuple):
        shown = " ".join(map(str, default))
    return f"{text} (default: {shown})".replace("%", "%%") if shown else text.replace("%", "%%")
