"""Check which optional parts are installed."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

from ovdistill.commands.doctor.finding import NOTE, OK, Check

if TYPE_CHECKING:  # a doctor does not rely on what it examines
    from packaging.requirements import Requirement

PACKAGE = "ovdistill"
# extra: what it is for
EXTRAS = {
    "app": "pages in the browser",
    "cvat": "labels proposed in CVAT",
    "export": "detectors as ONNX files",
    "fiftyone": "detections in FiftyOne",
    "onnx": "run exported detectors",
    "siglip": "tokenizers of SigLIP and CLIPA",
    "supervision": "detections in supervision",
    "track": "objects followed through a video",
    "video": "find objects in videos",
    "webdataset": "a teacher's pairs in tar files",
}


def check_extras() -> Check:
    """Return which extras are installed, and what the others are for."""
    try:
        missing = {extra: why for extra in EXTRAS if (why := missing_of(extra))}
    except importlib.metadata.PackageNotFoundError:
        return Check(
            "optional parts", NOTE, f"unknown: {PACKAGE} is not installed", "pip install ."
        )
    except ImportError as error:
        return Check("optional parts", NOTE, f"unknown: {error}", "pip install packaging")
    there = ", ".join(extra for extra in EXTRAS if extra not in missing)
    detail = f"installed: {there or 'none'}"
    if not missing:
        return Check("optional parts", OK, detail)
    others = "; ".join(f"{extra}, {EXTRAS[extra]} ({why})" for extra, why in missing.items())
    fix = f"pip install '{PACKAGE}[{','.join(missing)}]'  # or those that you need"
    return Check("optional parts", NOTE, f"{detail}. Not: {others}", fix)


def missing_of(extra: str) -> str:
    """Return what of an extra is missing or of another version; empty if all of it is there.

    Raises:
        importlib.metadata.PackageNotFoundError: the package runs from its sources and was never
            installed.
        ImportError: ``packaging`` is missing.
    """
    from packaging.requirements import Requirement

    wanted = (Requirement(text) for text in importlib.metadata.requires(PACKAGE) or ())
    problems = [_problem(own) for own in wanted if _belongs_to(own, extra)]
    return ", ".join(filter(None, problems))


def _belongs_to(requirement: Requirement, extra: str) -> bool:
    """Return whether an extra asks for a package that would not be there without it."""
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate()


def _problem(requirement: Requirement) -> str:
    if requirement.name == PACKAGE:  # an extra that brings others
        return ", ".join(filter(None, map(missing_of, sorted(requirement.extras))))
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"no {requirement.name}"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} {found}, wants {requirement.specifier}"
