"""Every command that a page shows runs, or is at least possible; steps.py says which, and why."""

from __future__ import annotations

import importlib.util
import inspect
import re
import shlex
import subprocess
from fnmatch import fnmatchcase

import pytest
from torch.distributed.run import get_args_parser

from ovdistill.commands.main import parse
from ovdistill.core.recipes import find_recipe
from ovdistill.models.config import load_config

from ..running import start
from .documented import ROOT, documented
from .steps import NOT_RUN, STEPS, Step
from .world import fill

COMMANDS = documented()
RUN = {step.text for step in STEPS}
OUTPUT = {command.text: command.output for command in COMMANDS if command.output}


def reason(text: str) -> str | None:
    """Return the pattern of ``NOT_RUN`` that a command fits."""
    return next((pattern for pattern in NOT_RUN if fnmatchcase(text, pattern)), None)


def missing(step: Step) -> list[str]:
    return [package for package in step.needs if not importlib.util.find_spec(package)]


def words_of(step: Step) -> list[str]:
    words = [step.replace.get(word, word) for word in shlex.split(step.text)]
    program = words[1:] if words[0] == "python" else ["-m", *words]
    return [*program, *step.add]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Each step when it is done; all of them in one folder, in their order."""
    folder = tmp_path_factory.mktemp("user")
    fill(folder)
    steps = [step for step in STEPS if not missing(step)]
    return {step.text: start(*words_of(step), folder=folder) for step in steps}


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.text)
def test_a_command_runs(step, results):
    if packages := missing(step):
        pytest.skip(f"needs {', '.join(packages)}")
    done = results[step.text]
    printed = done.stdout + done.stderr
    assert done.returncode == step.code, printed[-3000:]
    for line in OUTPUT.get(step.text, ()):
        assert " ".join(line.split()) in " ".join(printed.split())
    if "--help" in step.add:
        assert {word for word in shlex.split(step.text) if word.startswith("--")} <= {
            *re.findall(r"--[a-z-]+", printed)
        }


def test_every_command_is_run_or_there_is_a_reason():
    unknown = [
        f"{command.page}: {command.text}"
        for command in COMMANDS
        if command.text not in RUN and not reason(command.text)
    ]
    assert not unknown, "add them to tests/docs/steps.py"


def test_every_entry_is_of_a_command_that_a_page_shows():
    shown = {command.text for command in COMMANDS}
    assert {step.text for step in STEPS if not step.own} <= shown
    assert not {step.text for step in STEPS if step.own} & shown
    assert {reason(text) for text in shown - RUN} == {*NOT_RUN}


@pytest.mark.parametrize(
    "command",
    [command for command in COMMANDS if command.text not in RUN],
    ids=lambda command: f"{command.page}: {command.text}",
)
def test_a_command_that_is_not_run_is_possible(command):
    for part in command.text.split(" && "):
        check(shlex.split(re.sub(r"^(?:[A-Z]+=\S+ )+", "", part)))


def check(words: list[str]) -> None:
    """Check what can be without running a command."""
    match words:
        case ["torchrun", *rest]:
            launch = get_args_parser().parse_args(rest)
            assert launch.module and launch.training_script == "ovdistill"
            check_options(launch.training_script_args)
        case ["srun", *rest]:
            check_options(rest[rest.index("ovdistill") + 1 :])
        case ["ovdistill", *rest]:
            check_options(rest)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["pip", *rest]:
            for extras in re.findall(r"\[(.*?)\]", " ".join(rest)):
                assert {*extras.split(",")} <= extras_of_the_package()
        case ["cvat-cli", *rest]:
            check_cvat(rest)


def check_options(words: list[str]) -> None:
    """Check options, the recipe, and that the overrides fit it."""
    _, options = parse(words)
    recipe = getattr(options, "config", None)
    if recipe and not recipe.endswith(".py"):
        overrides = getattr(options, "cfg_options", ())
        load_config(find_recipe(recipe), dict(item.split("=", 1) for item in overrides))


def extras_of_the_package() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text()
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    return {*re.findall(r"^(\w+) = \[", section, re.MULTILINE)}


def check_cvat(words: list[str]) -> None:
    """Check that the parameters are those of the function."""
    from ovdistill.inference import cvat

    assert words[words.index("--function-module") + 1] == cvat.__name__
    pairs = zip(words, words[1:], strict=False)
    names = {word.partition("=")[0] for before, word in pairs if before == "-p"}
    assert names <= {*inspect.signature(cvat.create).parameters}
