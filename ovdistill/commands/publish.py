"""Pack a trained detector or segmentor to hand out: one folder, without code.

    ovdistill publish CONFIG CHECKPOINT -o FOLDER [--half] [--metrics out/metrics.json]

writes FOLDER/model.safetensors (weights only: no optimizer state), vocabulary.safetensors (the
class names of the training), README.md (a model card), metrics.json and LICENSE if they are given,
and then config.json, which runs no code. `Detector.from_pretrained("FOLDER")`, of a segmentor
`Segmentor.from_pretrained("FOLDER")`, and `ovdistill predict --model FOLDER` need no more. A model
with parts of your own needs the code of these, so its config is config.py. Of a proposal network,
which has no class names, the weights are written. A detector that is in the folder is replaced:
what it has and the new one has not, such as calibration.json, is removed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import ConfigOptions, argument, flag, option, recipe_argument
from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.core.recipes import find_recipe


@dataclass(frozen=True, kw_only=True)
class PublishOptions(ConfigOptions):
    """Options of ``ovdistill publish``."""

    config: str = recipe_argument()
    checkpoint: str = argument(".pth or .safetensors")
    out: Path = option(flags=["-o"], help="folder to write", metavar="FOLDER", writes="folder")
    half: bool = flag(help="write float16 weights, half the size")
    metrics: str | None = option(
        None, help="metrics.json that `ovdistill test` wrote, for the model card", metavar="FILE"
    )
    license: str = option(
        "",
        help="licence of the weights: a file, or an SPDX identifier such as apache-2.0",
        metavar="LICENSE",
    )


def publish(options: PublishOptions) -> None:
    """Write the files.

    Raises:
        UserError: a checkpoint that is missing or does not fit the config, or a file that cannot be
            read.
    """
    find_recipe(options.config)
    check_file(options.checkpoint, "CHECKPOINT")
    check_file(options.metrics, "--metrics")
    metrics = read_metrics(options.metrics) if options.metrics else {}
    license = read_license(options.license)
    from ovdistill.inference.packing import About, pack_detector
    from ovdistill.models.build import build_detector
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    model = build_detector(config, options.checkpoint)
    about = About(Path(options.config).name, metrics, license)
    for path in pack_detector(config, model, options.out, about, half=options.half):
        print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
        if path.name == "config.py":
            print("config.py is code: the detector has parts that shipped recipes do not have")


def read_metrics(path: str) -> dict[str, float]:
    """Return the figures of a metrics.json, by flat key.

    Raises:
        UserError: the file has no such figures.
    """
    content: Any = read_json(path, "metrics.json", allow_nan=True)
    figures = content if isinstance(content, dict) else {}
    numbers = {
        key: value
        for key, value in figures.items()
        if isinstance(value, (int, float)) and "/" in key
    }
    for key, value in numbers.items():
        if not abs(value) <= sys.float_info.max:  # of NaN this is not true either
            raise UserError(f"{path}: got {key} = {str(value)[:20]}; expected a finite number")
    if not numbers:
        raise UserError(f"{path} has no figures such as bbox/AP; expected what `test` wrote")
    return {key: float(value) for key, value in numbers.items()}


def read_license(license: str) -> str:
    """Return an SPDX identifier as it is, or the text of a file.

    Raises:
        UserError: neither a file nor one word, or a file that is not UTF-8.
    """
    if Path(license).is_file():
        try:
            return Path(license).read_text(encoding="utf-8").rstrip() + "\n"
        except UnicodeDecodeError as error:
            raise UserError(
                f"--license {license} is not UTF-8 ({error.reason} at byte {error.start}); "
                f"expected a text in UTF-8: iconv -f LATIN1 -t UTF-8 {license}"
            ) from None
    if len(license.split()) > 1 or "/" in license:
        raise UserError(f"got --license {license!r}; expected a file, or a name like apache-2.0")
    return license
