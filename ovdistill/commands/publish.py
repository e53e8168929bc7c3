"""Pack a trained detector to hand out: weights as safetensors, and a config of its own.

    ovdistill publish CONFIG CHECKPOINT -o FOLDER [--half]

writes FOLDER/NAME.safetensors (weights only: no optimizer state, no code) and then
FOLDER/NAME_config.json (detector, test pipeline, teacher and templates), which is all that
`ovdistill predict` needs, and which runs no code. A detector with parts of your own needs the code
of these, so its config is FOLDER/NAME_config.py. Learned prompts are written to
FOLDER/NAME_prompts.safetensors. For a proposal network, which has no class names, only the weights
are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import ConfigOptions, argument, flag, option, recipe_argument
from ovdistill.commands.python_text import docstring, literal
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True, kw_only=True)
class PublishOptions(ConfigOptions):
    """Options of ``ovdistill publish``."""

    config: str = recipe_argument()
    checkpoint: str = argument(".pth or .safetensors")
    out: Path = option(flags=["-o"], help="folder to write", metavar="FOLDER", writes="folder")
    name: str = option("student", help="name of the files")
    half: bool = flag(help="write float16 weights, half the size")


def publish(options: PublishOptions) -> None:
    """Write the files.

    Raises:
        UserError: a checkpoint that is missing or does not fit the config.
    """
    find_recipe(options.config)
    check_file(options.checkpoint, "CHECKPOINT")
    from ovdistill.core.checkpoints import check_finite
    from ovdistill.core.tensor_files import write_tensor_file
    from ovdistill.models.build import build_detector
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    model = build_detector(config, options.checkpoint)
    state = {
        name: (v.half() if options.half and v.is_floating_point() else v).contiguous()
        for name, v in model.state_dict().items()
        if "distillers" not in name.split(".")  # what terms learned serves training alone
    }
    weights = options.out / f"{options.name}.safetensors"
    origin = {"config": Path(options.config).name}
    vocabulary = getattr(model, "vocabulary", None)
    if vocabulary is not None:
        origin |= vocabulary.teacher.to_header()
    content = published_part(config, weights) if vocabulary is not None else None
    check_finite(state, options.checkpoint)  # in half precision too
    # first, so that no config names weights in vain
    write_tensor_file(weights, state, origin)
    print(f"wrote {weights} ({weights.stat().st_size / 1e6:.1f} MB)")
    if content is not None:
        write_config(options.out, options.name, content, config.to_dict().get("custom_imports"))


def published_part(config: Config, weights: Path) -> dict[str, Any]:
    """Return the part of a config that `ovdistill predict` needs.

    Learned prompts are written beside the weights, since a config can only name their file.

    Args:
        config: the detector's.
        weights: the published weights.
    """
    whole = config.to_dict()
    step = whole.get("prepare", {}).get("vocabulary") or {}
    tokens = {"tokens": True} if step.get("tokens") else {}
    return {
        "about": f"The detector in {weights.name}, made by `ovdistill publish`.",
        "default_scope": whole.get("default_scope", "mmdet"),
        "model": {k: v for k, v in whole["model"].items() if k not in ("distillers", "vocabulary")},
        "test_pipeline": whole["test_pipeline"],
        "teacher": whole["teacher"],
        "prepare": {"vocabulary": {"templates": _prompts(config, weights), **tokens}},
    }


def write_config(folder: Path, name: str, content: dict[str, Any], imports: Any = None) -> None:
    """Write the config of a published detector, as JSON if JSON can hold it.

    Args:
        folder: where it goes.
        name: of the detector.
        content: see ``published_part``.
        imports: ``custom_imports`` of a config that is Python.

    Raises:
        UserError: a value that is no plain one, such as a class.
    """
    from ovdistill.core.files import write_json, write_text
    from ovdistill.models.published_config import encoded, reason_against

    data = encoded(content)
    if (reason := reason_against(data)) is None:
        path = folder / f"{name}_config.json"
        write_json(path, data)
    else:
        path = folder / f"{name}_config.py"
        title = docstring(content.pop("about"))
        values = {"custom_imports": imports, **content}
        lines = [f"{key} = {literal(value)}\n" for key, value in values.items()]
        write_text(path, "".join([f"{title}\n\n", *lines]))
        print(f"as Python, which is code: {reason}")
    print(f"wrote {path}")


def _prompts(config: Config, weights: Path) -> str | list[str]:
    """Return the prompts of the vocabulary as a config names them.

    That is the name of shipped templates, a list of templates, or, for learned prompts, a file that
    is written beside the weights.
    """
    from ovdistill.datasets.build_vocabulary import prompts_of_config
    from ovdistill.vocabulary import TEMPLATES, Vocabulary
    from ovdistill.vocabulary.learned_prompts import LearnedPrompts

    prompts = prompts_of_config(config)
    if isinstance(prompts, LearnedPrompts):
        path = weights.with_name(f"{weights.stem}_prompts.safetensors")
        Vocabulary.load(config.vocabulary).save(path)
        print(f"wrote {path}")
        return f"{{config_folder}}/{path.name}"
    return next((name for name, own in TEMPLATES.items() if own == prompts), list(prompts))
