"""Where a trained detector is: shipped, in a folder, on the model hub, or a config and weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.core.offline import is_offline
from ovdistill.core.recipes import find_recipe
from ovdistill.inference.calibration import CALIBRATION

SHIPPED = "ovshapes"
CONFIG, WEIGHTS, VOCABULARY = "config.json", "model.safetensors", "vocabulary.safetensors"
PYTHON_CONFIG, METRICS, LICENSE, CARD = "config.py", "metrics.json", "LICENSE", "README.md"
TEACHER = "teacher"  # sub-folder of a teacher's own weights
# files that some published detectors have and others have not
OPTIONAL = (CONFIG, PYTHON_CONFIG, VOCABULARY, CALIBRATION, METRICS, LICENSE)
# of which a published detector consists; the last three are of tokenizers
PATTERNS = ("*.json", "*.safetensors", "*.md", LICENSE, "*.txt", "*.txt.gz", "*.model")
# of files, which a name that is no file may have by a slip; others are part of a hub's name
FILE_SUFFIXES = (".py", ".json", ".yaml", ".yml", ".pth", ".pt", ".safetensors", ".bin", ".onnx")


@dataclass(frozen=True)
class DetectorFiles:
    """The files of a trained detector.

    Attributes:
        config: config file.
        weights: checkpoint.
        vocabulary: the class names it was trained with, or None if there is no such file.
        calibration: of its scores, or None.
    """

    config: Path
    weights: Path
    vocabulary: Path | None = None
    calibration: Path | None = None


def find_detector(
    source: str | Path = SHIPPED,
    checkpoint: str | Path | None = None,
    revision: str | None = None,
    *,
    code: bool = True,
) -> DetectorFiles:
    """Find the files of a trained detector.

    Args:
        source: 'ovshapes', the detector that ships with the package; a folder that `ovdistill
            publish` wrote; the folder of a training (its config and last.pth); the name of a
            repository on the model hub, such as "user/detector", which is downloaded; or, together
            with ``checkpoint``, a config file or the name of a recipe.
        checkpoint: weights for a config.
        revision: branch, tag or commit of the repository on the hub.
        code: take the folder of a training too, whose config is run. False for a name that stands
            in a file, which may be a stranger's.

    Raises:
        UserError: nothing of this name, or files that are missing there.
    """
    if checkpoint is not None:
        if str(source) == SHIPPED:
            raise UserError("got a checkpoint alone: give its config too.")
        if not Path(checkpoint).is_file():
            raise UserError(f"no file {checkpoint}; expected the weights of a detector")
        return DetectorFiles(find_recipe(source), Path(checkpoint))
    if str(source) == SHIPPED:
        return _in_folder(STUDENT, code=False)
    folder = Path(source)
    if folder.is_dir():
        return _in_folder(folder, code=code)
    if folder.is_file():
        raise UserError(f"got the config {source} alone: give its weights too.")
    if len(folder.parts) == 2 and folder.suffix.lower() not in FILE_SUFFIXES:
        return _in_folder(_download(str(source), revision), code=False)
    raise UserError(
        f"no detector {source}; expected {SHIPPED!r}, the folder of a published detector or of a "
        "training, a repository of the model hub (user/name), or a config with its checkpoint"
    )


def _in_folder(folder: Path, *, code: bool) -> DetectorFiles:
    config, weights = folder / CONFIG, folder / WEIGHTS
    if config.is_file() and weights.is_file():
        others = (folder / name for name in (VOCABULARY, CALIBRATION))
        return DetectorFiles(config, weights, *(p if p.is_file() else None for p in others))
    trained, configs = folder / "last.pth", sorted(folder.glob("*.py"))
    if code and trained.is_file() and len(configs) == 1:
        return DetectorFiles(configs[0], trained)
    present = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    or_training = ", or a training's last.pth and its one config" if code else ""
    raise UserError(
        f"{folder} has {present}; expected {CONFIG} and {WEIGHTS}, which `ovdistill publish` "
        f"writes{or_training}"
    )


def _download(name: str, revision: str | None) -> Path:
    """Return the folder of a repository of the model hub, downloaded unless it is there already.

    Only what a published detector consists of is taken, none of which is code.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=[*PATTERNS],
                local_files_only=is_offline(),
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"no folder {name}, and no repository of this name can be had from the model hub "
            f"({reason}). Expected a folder, or a name such as user/detector and a network"
        ) from error
