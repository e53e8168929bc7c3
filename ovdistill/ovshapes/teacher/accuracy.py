"""How well the small teacher tells the objects of a data set apart, zero-shot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.data import (
    COLOUR_NAMES,
    NUM_CATEGORIES,
    NUM_KINDS,
    jitter,
    phrase,
)
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.splits import OVSHAPES_NOVEL, OVSHAPES_SPLITS

SUBSET = "val"


def accuracy_table(teacher: str | os.PathLike[str], root: str | os.PathLike[str]) -> str:
    """Top-1 accuracy on the objects of the val split, as a Markdown table.

    Names are prompted with the "single" template; crops are the teacher's default (1x and 1.5x).

    Args:
        teacher: directory of the teacher.
        root: root of an OVShapes data set.

    Raises:
        UserError: no such teacher or data set.
    """
    clip = OpenCLIPTeacher(os.fspath(teacher))
    images, categories, colours, boxes = _read(Path(root))
    names = category_names()
    words = Vocabulary.encode(names, clip, TEMPLATES["single"]).embeddings
    coloured = [phrase(kind) for kind in range(NUM_KINDS)]
    kind_words = Vocabulary.encode(coloured, clip, TEMPLATES["single"]).embeddings
    ensembled = Vocabulary.encode(names, clip, TEMPLATES["vild63"]).embeddings
    regions, jittered = [], []
    generator = torch.Generator().manual_seed(0)
    for path, own in progress(
        zip(images, boxes, strict=True), total=len(images), title="encoding", unit="image"
    ):
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if pixels is None:
            raise UserError(f"cannot read image {path}; draw again: python tools/make_shapes.py")
        image = torch.from_numpy(pixels[..., ::-1].copy()).permute(2, 0, 1)
        both = torch.cat([own, jitter(own, generator, exact_share=0.0)])
        exact_embeddings, jittered_embeddings = clip.encode_regions(image, both).chunk(2)
        regions.append(exact_embeddings)
        jittered.append(jittered_embeddings)
    exact, moved = torch.cat(regions), torch.cat(jittered)
    kinds = colours * NUM_CATEGORIES + categories
    rows = [
        ("65 names", (exact @ words.T).argmax(1) == categories),
        ("65 names, 63 templates", (exact @ ensembled.T).argmax(1) == categories),
        ("65 names, jittered boxes", (moved @ words.T).argmax(1) == categories),
        ("520 names with colours", (exact @ kind_words.T).argmax(1) == kinds),
    ]
    header = "| top-1, % | all |" + "".join(f" {s}: base | {s}: novel |" for s in OVSHAPES_SPLITS)
    lines = [header, "|---" * (2 + 2 * len(OVSHAPES_SPLITS)) + "|"]
    for title, correct in rows:
        cells = [correct]
        for split in OVSHAPES_SPLITS:
            novel = torch.tensor([name in OVSHAPES_NOVEL[split] for name in names])[categories]
            cells += [correct[~novel], correct[novel]]
        values = " | ".join(f"{100 * cell.float().mean():.1f}" for cell in cells)
        lines.append(f"| {title} | {values} |")
    return "\n".join([*lines, f"\n{len(categories)} objects of {len(images)} val images."])


def _read(root: Path) -> tuple[list[Path], Tensor, Tensor, list[Tensor]]:
    """Image files, categories and colours (n,) of all objects, boxes (P, 4) of each image."""
    path = root / "annotations" / f"instances_{SUBSET}.json"
    if not path.is_file():
        raise UserError(
            f"no data set at {str(root)!r} ({path} is missing); "
            f"draw it with: python tools/make_shapes.py --root {root}"
        )
    data = json.loads(path.read_text(encoding="utf-8"))
    objects: dict[int, list[dict]] = {image["id"]: [] for image in data["images"]}
    for annotation in data["annotations"]:
        objects[annotation["image_id"]].append(annotation)
    images = [image for image in data["images"] if objects[image["id"]]]
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
