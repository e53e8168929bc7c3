"""Check whether the teachers and the data sets are there."""

from __future__ import annotations

import importlib
from pathlib import Path

from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM, Check
from ovdistill.commands.doctor.packages import IMPORT_ERRORS
from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.offline import OFFLINE_VARIABLES, is_offline
from ovdistill.core.urls import COCO, COCO_ANNOTATIONS, LVIS

FETCH_TEACHER = "ovdistill prepare vild_r50_lvis --weights-only"  # the backbone's weights too
# name: (what its folder must hold, the command that makes that; {} stands for the folder)
DATASETS: dict[str, tuple[tuple[str, ...], str]] = {
    "ovshapes": (
        tuple(f"annotations/instances_{subset}.json" for subset in ("train", "val", "test")),
        "ovdistill make-ovshapes",
    ),
    "lvis": (
        ("annotations/lvis_v1_train.json", "annotations/lvis_v1_val.json", "train2017", "val2017"),
        f"mkdir -p {{}} && cd {{}} && wget -c {COCO}/zips/train2017.zip {COCO}/zips/val2017.zip "
        f"{LVIS}/lvis_v1_train.json.zip {LVIS}/lvis_v1_val.json.zip "
        "&& unzip -n '*2017.zip' && unzip -n 'lvis*.zip' -d annotations",
    ),
    "coco": (
        (
            "annotations/instances_train2017.json",
            "annotations/instances_val2017.json",
            "train2017",
            "val2017",
        ),
        f"mkdir -p {{}} && cd {{}} && wget -c {COCO}/zips/train2017.zip {COCO}/zips/val2017.zip "
        f"{COCO_ANNOTATIONS} && unzip -n '*2017.zip'",
    ),
}


def check_shipped_teacher(folder: Path = TEACHER_DIR) -> Check:
    """Return whether the small teacher of the embedded benchmark is in the package."""
    name = "teacher, embedded"
    fix = f"ovdistill teacher train --config teacher_shapes -o {folder}"
    if not (folder / "open_clip_config.json").is_file() or not list(folder.glob("*.safetensors")):
        return Check(name, PROBLEM, f"no open_clip_config.json and .safetensors in {folder}", fix)
    return Check(name, OK, str(folder))


def check_cached_teachers(cache: Path | None = None) -> Check:
    """Return which pretrained CLIP weights are in the Hugging Face cache, where open_clip looks.

    Args:
        cache: the folder; None for the one that huggingface_hub uses.
    """
    name = "teacher, pretrained"
    if cache is None:
        try:
            constants = importlib.import_module("huggingface_hub.constants")
        except IMPORT_ERRORS as error:
            return Check(name, PROBLEM, f"{error}", "pip install huggingface_hub")
        cache = Path(constants.HF_HUB_CACHE)
    files = [
        path
        for pattern in ("*.safetensors", "*.bin")
        for path in cache.glob(f"models--*/snapshots/*/open_clip_{pattern}")
        if path.exists()  # an interrupted download leaves a dangling link
    ]
    found = sorted({path.parts[-4].removeprefix("models--").replace("--", "/") for path in files})
    offline = is_offline()
    detail = ", ".join(found) or f"none in {cache}; the full configurations need ViT-B/32"
    detail += f"; {' or '.join(OFFLINE_VARIABLES)} is set: nothing is downloaded" if offline else ""
    if found:
        return Check(name, OK, detail)
    elsewhere = f"  # where there is a network; then copy its Hugging Face cache to {cache}"
    return Check(name, NOTE, detail, FETCH_TEACHER + (elsewhere if offline else ""))


def check_dataset(name: str, root: Path) -> Check:
    """Return whether a data set of ``DATASETS`` is complete.

    Args:
        name: of the data set.
        root: folder with a folder of that name.
    """
    parts, fix = DATASETS[name]
    folder = root / name
    missing = [part for part in parts if not (folder / part).exists()]
    if not missing:
        return Check(f"data, {name}", OK, str(folder))
    detail = f"{folder} has no {', '.join(missing)}" if folder.is_dir() else f"no folder {folder}"
    return Check(f"data, {name}", NOTE, detail, fix.replace("{}", str(folder)))
