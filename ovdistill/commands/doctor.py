"""Check the installation; every problem comes with the command that fixes it.

It has to work where the installation does not: nothing but the standard library is imported at
the top, and a library that cannot be imported is a finding.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, flag, option
from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.offline import OFFLINE_VARIABLES, is_offline
from ovdistill.core.urls import COCO, COCO_ANNOTATIONS, LVIS

OK, NOTE, PROBLEM = "ok", "note", "problem"

# What the import of a half-broken package raises: a missing module or shared library (ImportError,
# OSError), torchvision built for another torch (RuntimeError), a wheel built for another numpy
# (ValueError, AttributeError), upstream mmdet's check of mmcv's version (AssertionError).
IMPORT_ERRORS = (
    ImportError,
    OSError,
    RuntimeError,
    ValueError,
    AttributeError,
    AssertionError,
    UserError,
)
# module: packages on PyPI that provide it, the recommended one first
PACKAGES: dict[str, tuple[str, ...]] = {
    "numpy": ("numpy",),
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "mmengine": ("onedl-mmengine", "mmengine", "mmengine-lite"),
    "mmcv": ("onedl-mmcv", "mmcv", "mmcv-full", "mmcv-lite"),
    "mmdet": ("onedl-mmdetection", "mmdet"),
    "open_clip": ("open_clip_torch",),
    "pycocotools": ("pycocotools",),
    "hotcoco": ("hotcoco",),
    "ijson": ("ijson",),
    "safetensors": ("safetensors",),
    "tensorboard": ("tensorboard",),
    "rich": ("rich",),
    "tqdm": ("tqdm",),
}
HEADLESS = (
    "pip install --force-reinstall --no-deps 'opencv-python-headless<4.13'  "
    "# or, on Debian: sudo apt-get install libgl1 libglib2.0-0"
)
FETCH_TEACHER = (
    "python -c \"import open_clip; open_clip.create_model('ViT-B-32', pretrained='openai')\""
)
# folder under the data root: (what it must hold, the command that makes it; {} is the folder)
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


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        status: 'ok'; 'note' (something optional is missing); 'problem' (something is broken).
        detail: what was found.
        fix: the command that changes it; empty if there is nothing to do.
    """

    name: str
    status: str
    detail: str
    fix: str = ""


def installed(packages: Sequence[str]) -> list[str]:
    """'name version' of each of these PyPI packages that is installed."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def check_python() -> Check:
    """The interpreter: its version and where it lives."""
    detail = f"{platform.python_version()} on {platform.platform()}, in {sys.prefix}"
    return Check("python", OK, detail)


def check_package(module: str) -> Check:
    """Whether a module of ``PACKAGES`` imports, and which package provides it."""
    packages = PACKAGES[module]
    try:
        if module == "mmdet":  # it imports mmcv's operations
            importlib.import_module("ovdistill.core.mmcv_ops").install()
        imported = importlib.import_module(module)
    except IMPORT_ERRORS as error:
        return Check(module, PROBLEM, f"does not import: {error}", _fix_import(module, error))
    found = installed(packages) or [f"{module} {getattr(imported, '__version__', 'unknown')}"]
    # The two builds of OpenCV may share a folder: the same files, but for windows on the screen.
    if len(found) > 1 and module != "cv2":
        names = " ".join(entry.split()[0] for entry in found)
        return Check(
            module,
            PROBLEM,
            f"installed over one another: {', '.join(found)}",
            f"pip uninstall -y {names} && pip install --no-deps {packages[0]}",
        )
    return Check(module, OK, ", ".join(found))


def _fix_import(module: str, error: BaseException) -> str:
    package = PACKAGES[module][0]
    if "libGL" in str(error) or "libgthread" in str(error):
        return HEADLESS
    if isinstance(error, UserError):
        return "fix mmcv first"
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.split(".")[0]
        return f"pip install {PACKAGES.get(missing, (missing,))[0]}"
    if module == "torchvision":
        return "pip install --force-reinstall torch torchvision  # a pair of matching versions"
    return f"pip install --force-reinstall --no-deps {package}"


def check_operations() -> Check:
    """Which implementation serves mmcv's nms and roi_align, by calling both."""
    name = "nms, roi_align"
    try:
        stand_in = importlib.import_module("ovdistill.core.mmcv_ops").install()
        torch, ops = importlib.import_module("torch"), importlib.import_module("mmcv.ops")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        # IoU 9/11: the second box goes. The mean of a ramp over 2..6 is cell 3.5.
        boxes = torch.tensor([[0.0, 0, 10, 10], [0, 1, 10, 11]], device=device)
        kept = ops.nms(boxes, torch.tensor([0.9, 0.8], device=device), 0.5)[1].tolist()
        ramp = torch.arange(8.0, device=device).expand(1, 1, 8, 8).contiguous()
        box = torch.tensor([[0.0, 2, 2, 6, 6]], device=device)
        value = ops.roi_align(ramp, box, 1, 1.0, 2, "avg", True).item()
    except IMPORT_ERRORS as error:
        fix = "fix the packages above first; if they are fine: pip install --force-reinstall "
        return Check(name, PROBLEM, f"cannot be called: {error}", f"{fix}torch torchvision")
    served = "torchvision (mmcv has no compiled operations)" if stand_in else "compiled mmcv"
    if (kept, value) != ([0], 3.5):
        detail = f"{served} on {device}: got {kept} and {value}, expected [0] and 3.5"
        return Check(name, PROBLEM, detail, "pip install --force-reinstall torch torchvision")
    return Check(name, OK, f"{served}, called on {device}")


def check_devices() -> Check:
    """Processor cores, NVIDIA and Apple GPUs, and whether torch can use them."""
    cores = f"{os.cpu_count()} CPU cores"
    try:
        torch = importlib.import_module("torch")
    except IMPORT_ERRORS:
        return Check("devices", NOTE, f"{cores}; without torch nothing else is known")
    found = [f"{cores} ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(i)
            found.append(f"cuda:{i} {card.name}, {card.total_memory / 2**30:.0f} GiB")
    elif shutil.which("nvidia-smi"):
        found.append(f"an NVIDIA driver that torch {torch.__version__} cannot use")
        fix = "pip install --force-reinstall torch torchvision  # or update the driver"
        return Check("devices", NOTE, "; ".join(found), fix)
    if torch.backends.mps.is_available():
        found.append("mps (Apple)")
    return Check("devices", OK, "; ".join(found))


def check_shipped_teacher(folder: Path = TEACHER_DIR) -> Check:
    """The small teacher of the embedded benchmark, part of the package."""
    name, fix = "teacher, embedded", "ovdistill train-teacher"
    if not (folder / "open_clip_config.json").is_file() or not list(folder.glob("*.safetensors")):
        return Check(name, PROBLEM, f"no open_clip_config.json and .safetensors in {folder}", fix)
    return Check(name, OK, str(folder))


def check_cached_teachers(cache: Path | None = None) -> Check:
    """Pretrained CLIP weights in the cache of the Hugging Face hub, where open_clip looks.

    Args:
        cache: the hub's cache folder; None asks huggingface_hub for it.
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
    """Whether a dataset of ``DATASETS`` is complete in the folder of its name under ``root``."""
    parts, fix = DATASETS[name]
    folder = root / name
    missing = [part for part in parts if not (folder / part).exists()]
    if not missing:
        return Check(f"data, {name}", OK, str(folder))
    detail = f"{folder} has no {', '.join(missing)}" if folder.is_dir() else f"no folder {folder}"
    return Check(f"data, {name}", NOTE, detail, fix.replace("{}", str(folder)))


def examine(data: Path) -> list[Check]:
    """Every check, in the order in which problems are best fixed."""
    return [
        check_python(),
        *(check_package(module) for module in PACKAGES),
        check_operations(),
        check_devices(),
        check_shipped_teacher(),
        check_cached_teachers(),
        *(check_dataset(name, data) for name in DATASETS),
    ]


def print_findings(checks: Sequence[Check]) -> None:
    """Prints a table, and the commands below it, where they can be copied whole."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:  # rich is one of the things that may be missing
        for check in checks:
            print(f"{check.status:8} {check.name}: {check.detail}")
    else:
        table = Table("", "what", "found", title="ovdistill doctor", title_justify="left")
        colours = {OK: "green", NOTE: "yellow", PROBLEM: "bold red"}
        for check in checks:
            status = Text(check.status, style=colours[check.status])
            table.add_row(status, check.name, Text(check.detail, overflow="fold"))
        Console().print(table)
    for status, title in ((PROBLEM, "To fix"), (NOTE, "Optional")):
        todo = [check for check in checks if check.status == status and check.fix]
        if todo:
            print(f"\n{title}:")
            print("\n".join(f"  {check.name}:\n    {check.fix}" for check in todo))
    if all(check.status != PROBLEM for check in checks):
        print("\nNothing is broken.")


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(CommonOptions):
    """Options of ``ovdistill doctor``."""

    data: str | None = option(None, metavar="DIR", help="folder of the datasets (default: data)")
    json: bool = flag(help="print the findings as JSON")


def doctor(options: DoctorOptions) -> int:
    """Check the installation.

    Returns:
        Exit code: 0 when nothing is broken, else 1.

    Raises:
        UserError: the folder given with `--data` does not exist.
    """
    if options.data and not Path(options.data).is_dir():
        raise UserError(f"--data {options.data}: no such folder; make it: mkdir -p {options.data}")
    checks = examine(Path(options.data or "data"))
    healthy = all(check.status != PROBLEM for check in checks)
    if options.json:
        found = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
        print(json.dumps(found, indent=2))
    else:
        print_findings(checks)
    return 0 if healthy else 1
