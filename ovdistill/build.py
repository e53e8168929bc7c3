"""From a config file to a detector: placeholders, weights, vocabulary."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.logging import HistoryBuffer
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ovdistill.errors import UserError
from ovdistill.vocabulary import Vocabulary

LOGGER = logging.getLogger(__name__)
PROJECTION = "bbox_head.fc_cls.project.weight"
MARK = "teacher_mark.text"  # not in every checkpoint, see ``TeacherMark``


def load_config(path: str | Path, options: Mapping | None = None) -> Config:
    """Reads a config and fills its placeholders.

    A string anywhere in a config may hold ``{name}``, the name of a string at the config's top
    level (``data_root``, ``split``, ``vocabulary``, ...). They are filled after ``options`` are
    merged, so that one ``--cfg-options data_root=DIR`` moves all that lies there.

    Args:
        path: the config file.
        options: dotted keys and values, as ``--cfg-options`` gives them.

    Raises:
        UserError: no such file, or options that do not fit it.
    """
    if not Path(path).is_file():
        raise UserError(f"no config file {path}; the shipped ones are in configs/.")
    config = Config.fromfile(str(path))
    for key in options or ():
        if key.split(".")[0] not in config:
            LOGGER.warning("--cfg-options %s: nothing of that name was in %s", key, path)
    try:
        config.merge_from_dict(dict(options or {}))
    except (TypeError, KeyError) as error:
        given = " ".join(f"{key}={value}" for key, value in options.items())
        raise UserError(f"--cfg-options {given} do not fit {path}: {error}") from error
    names = {key: value for key, value in config.items() if isinstance(value, str)}
    pattern = re.compile("{(" + "|".join(map(re.escape, names)) + ")}")

    def fill(value: object) -> object:
        if isinstance(value, str):
            while (filled := pattern.sub(lambda match: names[match[1]], value)) != value:
                value = filled
            return value
        if isinstance(value, Mapping):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(fill(item) for item in value)
        return value

    return Config(fill(config.to_dict()), filename=config.filename)


def placeholders(config: Config) -> dict[str, str]:
    """The values of a config's placeholders, to read another config of the same data with."""
    names = ("data_root", "split", "vocabulary", "cache", "train_ann", "val_ann", "pictures")
    names += ("train_pictures", "val_pictures")
    return {name: config[name] for name in names if name in config}


def last_checkpoint(work_dir: str | Path) -> Path:
    """The newest checkpoint of a run, as mmengine notes it.

    Raises:
        UserError: there is none.
    """
    note = Path(work_dir) / "last_checkpoint"
    if not note.is_file():
        raise UserError(f"no checkpoint in {work_dir}; the run there has not come that far.")
    return Path(work_dir) / Path(note.read_text().strip()).name


def build_detector(
    config: Config,
    checkpoint: str | Path | None = None,
    vocabulary: Vocabulary | None = None,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """Builds the detector of a config, in eval mode.

    Args:
        config: from ``load_config``.
        checkpoint: weights to load, ``.pth`` or ``.safetensors``.
        vocabulary: takes the place of the config's vocabulary file.
        device: where the detector goes.

    Raises:
        UserError: weights missing, damaged, or of another detector or teacher width.
    """
    from mmdet.registry import MODELS

    import ovdistill.register  # noqa: F401

    model_config = config.model.copy()
    if vocabulary is not None:
        model_config["vocabulary"] = vocabulary
    model = MODELS.build(model_config)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    model.cfg = config
    return model.to(device).eval()


def build_picture_pipeline(config: Config) -> Compose:
    """The test pipeline of a config, on a picture in memory instead of a data set's.

    It takes dict(img=(H, W, 3) uint8 BGR, img_id=int).
    """
    from mmdet.registry import TRANSFORMS

    steps = [s for s in config.test_pipeline if not s["type"].split(".")[-1].startswith("Load")]
    steps = [{"type": "mmdet.LoadImageFromNDArray"}, *steps]
    return Compose([TRANSFORMS.build(step) for step in steps])


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Reads the weights of a checkpoint without running any code it may hold.

    Args:
        path: ``.safetensors``, or ``.pth`` as mmengine writes it.

    Raises:
        UserError: missing, damaged, or holding anything but tensors and plain data.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"no checkpoint {path}. Train one with `python tools/train.py CONFIG`, which leaves "
            "it in work_dirs/."
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(_mmengine_globals()):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise UserError(
            f"{path} is not a checkpoint that can be read safely ({str(error).splitlines()[0]})."
        ) from None
    return checkpoint.get("state_dict", checkpoint)


def _mmengine_globals() -> list:
    """What mmengine's own checkpoints hold beside tensors: its log buffers, as numpy arrays."""
    import numpy as np
    from numpy._core.multiarray import _reconstruct, scalar

    dtypes = [type(np.dtype(name)) for name in ("float64", "float32", "int64", "bool")]
    return [HistoryBuffer, _reconstruct, scalar, np.ndarray, np.dtype, *dtypes, getattr]


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Loads a checkpoint into a detector, every key of it.

    Raises:
        UserError: see ``read_weights``; or the checkpoint is of another detector, or was trained
            with another teacher than that of the detector's vocabulary.
    """
    state = read_weights(path)
    own = model.state_dict()
    for name in (key for key in own.keys() & state.keys() if key.endswith(PROJECTION)):
        if len(own[name]) != len(state[name]):
            raise UserError(
                f"{path} was trained in an embedding space of width {len(state[name])}; the "
                f"vocabulary of this config has width {len(own[name])}. Build the vocabulary with "
                "the teacher that the detector was trained with, or name another checkpoint."
            )
    wrong = [
        name
        for name in (own.keys() | state.keys()) - {MARK}
        if name not in own or name not in state or own[name].shape != state[name].shape
    ]
    if wrong:
        raise UserError(
            f"{path} does not fit the detector of this config: {len(wrong)} of {len(own)} entries "
            f"differ (the first: {sorted(wrong)[0]}). Name the config it was trained with."
        )
    model.load_state_dict(state)
