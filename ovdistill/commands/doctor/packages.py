"""Check whether Python and the libraries are there and can be imported."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Sequence

from ovdistill.commands.doctor.finding import OK, PROBLEM, Check
from ovdistill.core.errors import UserError

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
    "argcomplete": ("argcomplete",),
    "packaging": ("packaging",),
}
HEADLESS = (
    "pip install --force-reinstall --no-deps 'opencv-python-headless<4.13'  "
    "# or, on Debian: sudo apt-get install libgl1 libglib2.0-0"
)


def check_python() -> Check:
    """Return the version and the place of the interpreter."""
    detail = f"{platform.python_version()} on {platform.platform()}, in {sys.prefix}"
    return Check("python", OK, detail)


def check_package(module: str) -> Check:
    """Return whether a module of ``PACKAGES`` imports, and which package provides it."""
    packages = PACKAGES[module]
    try:
        if module == "mmdet":  # it imports mmcv's operations
            importlib.import_module("ovdistill.core.mmcv_ops").install()
        imported = importlib.import_module(module)
    except IMPORT_ERRORS as error:
        return Check(module, PROBLEM, f"does not import: {error}", _fix_import(module, error))
    found = installed(packages) or [f"{module} {getattr(imported, '__version__', 'unknown')}"]
    # The two builds of OpenCV may share a folder: only their windows on the screen differ.
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
    """Return the command that lets a module import."""
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


def installed(packages: Sequence[str]) -> list[str]:
    """Return 'name version' for each of these PyPI packages that is installed."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
