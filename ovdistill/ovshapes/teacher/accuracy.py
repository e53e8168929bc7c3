"""Measures the zero-shot accuracy of the small teacher on the objects of a data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.core.logs import progress
from ovdistill.core.markdown import markdown_table
from ovdistill.datasets.annotations import read_annotations
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.clip_geometry import measure
from ovdistill.ovshapes.teacher.data import (
    COLOUR_NAMES,
    NUM_CATEGORIES,
    NUM_KINDS,
    phrase,
)
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.teacher.jitter import jitter_boxes
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.splits import OVSHAPES_NOVEL, OVSHAPES_SPLITS

SUBSET = "val"


def accuracy_table(
    teacher: str | os.PathLike[str],
    root: str | os.PathLike[str],
    embedding_maps: Sequence[str] = (),
) -> str:
    """Measure top-1 accuracy on the objects of the val images.

    Class names are put into the template "single". Crops are the teacher's default (1x and 1.5x).

    Args:
        teacher: directory of the teacher.
        root: root of an OVShapes data set.
        embedding_maps: maps behind the teacher, applied in order, see ``read_embedding_map``.

    Returns:
        A Markdown table, and the mean cosines of objects and class names.

    Raises:
        UserError: no such teacher or data set.
    """
    clip = build_teacher(dict(model=os.fspath(teacher), embedding_map=[*embedding_maps]))
    images, categories, colours, boxes = _read(Path(root))
    names = category_names()
    texts = Vocabulary.encode(names, clip, TEMPLATES["single"]).embeddings
    coloured = [phrase(kind) for kind in range(NUM_KINDS)]
    coloured_texts = Vocabulary.encode(coloured, clip, TEMPLATES["single"]).embeddings
    ensembled = Vocabulary.encode(names, clip, TEMPLATES["vild63"]).embeddings
    exact, jittered = _encode(clip, images, boxes)
    kinds = colours * NUM_CATEGORIES + categories
    rows = [
        ("65 names", (exact @ texts.T).argmax(1) == categories),
        ("65 names, 63 templates", (exact @ ensembled.T).argmax(1) == categories),
        ("65 names, jittered boxes", (jittered @ texts.T).argmax(1) == categories),
        ("520 names with colours", (exact @ coloured_texts.T).argmax(1) == kinds),
    ]
    table = _markdown(rows, categories)
    counted = f"{len(categories)} objects of {len(images)} val images"
    return f"{table}\n\n{counted}.\n{_cosines(exact, categories, texts)}"


def _cosines(objects: Tensor, categories: Tensor, names: Tensor) -> str:
    """Return a line with the mean cosines, see ``clip_geometry.measure``, and sample sizes."""
    found = measure(objects, categories, names)
    number = len(categories)
    among = number**2 - int((categories.bincount() ** 2).sum())
    return (
        f"Mean cosines: own name {found.own:.3f} ({number} pairs), another name "
        f"{found.other:.3f} ({number * (len(names) - 1)}), objects of two classes "
        f"{found.images:.3f} ({among // 2}), two names {found.texts:.3f} "
        f"({len(names) * (len(names) - 1) // 2})."
    )


def _encode(clip: Teacher, images: list[Path], boxes: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return (n, D) embeddings of all objects, by their true and by jittered boxes."""
    exact, jittered = [], []
    generator = torch.Generator().manual_seed(0)
    pairs = zip(images, boxes, strict=True)
    for path, own in progress(pairs, total=len(images), title="encoding", unit="image"):
        image = torch.from_numpy(read_image(path)).permute(2, 0, 1)
        both = torch.cat([own, jitter_boxes(own, generator, exact_share=0.0)])
        exact_embeddings, jittered_embeddings = clip.encode_regions(image, both).chunk(2)
        exact.append(exact_embeddings)
        jittered.append(jittered_embeddings)
    return torch.cat(exact), torch.cat(jittered)


def _markdown(rows: list[tuple[str, Tensor]], categories: Tensor) -> str:
    """Return the table.

    Args:
        rows: title, and (n,) bool, whether the category of each object was found.
        categories: (n,) int64.
    """
    names = category_names()
    groups = [f"{split}: {group}" for split in OVSHAPES_SPLITS for group in ("base", "novel")]
    lines = []
    for title, correct in rows:
        cells = [correct]
        for split in OVSHAPES_SPLITS:
            novel = torch.tensor([name in OVSHAPES_NOVEL[split] for name in names])[categories]
            cells += [correct[~novel], correct[novel]]
        lines.append([title, *(f"{100 * cell.float().mean():.1f}" for cell in cells)])
    return markdown_table(["top-1, %", "all", *groups], lines)


def _read(root: Path) -> tuple[list[Path], Tensor, Tensor, list[Tensor]]:
    """Read image files, categories and colours (n,) of all objects, and boxes of each image."""
    path = root / "annotations" / f"instances_{SUBSET}.json"
    if not path.is_file():
        raise UserError(
            f"no data set at {str(root)!r} ({path} is missing); "
            f"draw it with: ovdistill make-ovshapes --root {root}"
        )
    found = read_annotations(path)
    objects = found.by_image
    images = [image for image in found.images if image["id"] in objects]
    ordered = [o for image in images for o in objects[image["id"]]]
    boxes = []
    for image in images:
        xywh = torch.tensor([o["bbox"] for o in objects[image["id"]]], dtype=torch.float32)
        boxes.append(torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1))
    return (
        [root / "images" / image["file_name"] for image in images],
        torch.tensor([o["category_id"] - 1 for o in ordered]),
        torch.tensor([COLOUR_NAMES.index(o["colour"]) for o in ordered]),
        boxes,
    )
