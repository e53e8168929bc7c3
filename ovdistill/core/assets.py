"""Paths of the files that ship with the package."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
TEACHER_DIR = ASSETS / "teacher"  # the small CLIP teacher of OVShapes, the embedded benchmark
# maps of its embeddings, by the names by which configs know them
EMBEDDING_MAPS = {
    "ovshapes-clip": ASSETS / "clip_geometry.safetensors",
    "ovshapes-weak": ASSETS / "weak_geometry.safetensors",
    # to follow ovshapes-clip: only the directions in which regions differ
    "ovshapes-clip-directions-shape": ASSETS / "clip_directions_shape.safetensors",
    "ovshapes-clip-directions-compositional": ASSETS / "clip_directions_compositional.safetensors",
}
STUDENT = ASSETS / "student"  # the detector that ships, as `ovdistill publish` writes one
STUDENT_CONFIG = STUDENT / "config.json"
SAMPLES = ASSETS / "samples"  # val images of OVShapes
SAMPLE_IMAGE = SAMPLES / "ovshapes.png"
REPORT_STYLE = ASSETS / "report/style.css"  # of the page of `ovdistill report`
REPORT_SCRIPT = ASSETS / "report/script.js"
LVIS_CATEGORIES = ASSETS / "lvis_v1_categories.tsv"
LABEL_TABLES = ASSETS / "label_tables"  # what the values of label maps of data sets mean


def shipped_embedding_map(source: str) -> Path:
    """Return the path of a shipped embedding map's file, or of a file as it is given.

    Args:
        source: a name of ``EMBEDDING_MAPS``, or a path.
    """
    return EMBEDDING_MAPS.get(source, Path(source))


def shipped_proposals(name: str) -> Path:
    """Return the path of a shipped proposal network's weights; there may be no such file.

    Args:
        name: name of the network, such as ``proposals_shape``.
    """
    return ASSETS / f"{name}.safetensors"
