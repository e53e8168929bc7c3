"""Paths of the files that ship with the package."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
TEACHER_DIR = ASSETS / "teacher"  # the small CLIP teacher of OVShapes, the embedded benchmark
# maps of its embeddings, by the names by which configs know them
EMBEDDING_MAPS = {
    "ovshapes-clip": ASSETS / "clip_geometry.safetensors",
    "ovshapes-weak": ASSETS / "weak_geometry.safetensors",
    # to follow ovshapes-clip: without the means, and with the directions of the regions only
    "ovshapes-clip-centred-shape": ASSETS / "clip_centred_shape.safetensors",
    "ovshapes-clip-centred-compositional": ASSETS / "clip_centred_compositional.safetensors",
}
STUDENT_WEIGHTS = ASSETS / "student.safetensors"
SAMPLE_IMAGE = ASSETS / "samples" / "ovshapes.png"
LVIS_CATEGORIES = ASSETS / "lvis_v1_categories.tsv"


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
