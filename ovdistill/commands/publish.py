"""Pack a trained detector to hand out: weights as safetensors, and a config of its own.

    ovdistill publish CONFIG CHECKPOINT -o FOLDER [--half]

writes FOLDER/NAME.safetensors (weights only: no optimizer state, no code) and FOLDER/NAME_config.py
(detector, test pipeline, teacher and templates), which is all that `ovdistill predict` needs.
Learned prompts are written to FOLDER/NAME_prompts.safetensors. For a proposal network, which has no
class names, only the weights are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import ConfigOptions, argument, flag, option, recipe_argument
from ovdistill.commands.python_text import docstring
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
    from ovdistill.core.tensor_files import write_tensor_file
    from ovdistill.models.build import build_detector
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    model = build_detector(config, options.checkpoint)
    state = {
        name: (v.half() if options.half and v.is_floating_point() else v).contiguous()
        for name, v in model.state_dict().items()
    }
    weights = options.out / f"{options.name}.safetensors"
    origin = {"config": Path(options.config).name}
    vocabulary = getattr(model, "vocabulary", None)
    if vocabulary is not None:
        origin |= vocabulary.teacher.to_header()
    write_tensor_file(weights, state, origin)
    print(f"wrote {weights} ({weights.stat().st_size / 1e6:.1f} MB)")
    if vocabulary is not None:
        write_config(options.out / f"{options.name}_config.py", config, weights)


def write_config(path: Path, config: Config, weights: Path) -> None:
    """Write the part of a config that `ovdistill predict` needs.

    Args:
        path: the file.
        config: the detector's.
        weights: the published weights, which the docstring names.
    """
    from mmengine.config import Config as MMConfig

    from ovdistill.core.files import write_text

    kept = {k: v for k, v in config.model.items() if k not in ("distillers", "vocabulary")}
    own = MMConfig(
        dict(
            custom_imports=config.custom_imports,
            default_scope=config.default_scope,
            model=kept,
            test_pipeline=config.test_pipeline,
            teacher=config.teacher,
            prepare=dict(vocabulary=dict(templates=_prompts(config, weights))),
        )
    )
    title = docstring(f"The detector in {weights.name}, made by `ovdistill publish`.")
    write_text(path, f"{title}\n\n{own.pretty_text}")
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
        return f"{{{{ fileDirname }}}}/{path.name}"  # mmengine fills in the config's folder
    return next((name for name, own in TEMPLATES.items() if own == prompts), list(prompts))
