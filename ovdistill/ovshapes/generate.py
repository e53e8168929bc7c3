"""Writes OVShapes to disk: images, annotations valid as COCO and as LVIS v1, captions.

    {root}/images/{train,val,test}/000000000001.png
    {root}/annotations/instances_{subset}.json   visible silhouettes, all 65 categories
    {root}/annotations/captions_{subset}.json    COCO captions, one for each image
    {root}/shapes.json                           the parameters; written last

The categories of train have a long tail, as in real data sets. In val and test all categories are
equally likely, so that the AP of each is measured equally well, and rare categories do not add
noise to the mean.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.files import clear_errors, write_json
from ovdistill.core.locks import folder_lock
from ovdistill.core.logs import progress
from ovdistill.core.masks import encode_masks, rle_to_json
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.domains import PAINTED, check_domain
from ovdistill.ovshapes.scenes import Object, scene
from ovdistill.ovshapes.worker_map import map_in_order

VERSION = 3  # of the images: to be raised when the same parameters draw other images
SUBSETS = ("train", "val", "test")
FIRST_ID = 1_000_000  # ids of subset k start after k * FIRST_ID: no id occurs in two subsets
# All three frequency groups of LVIS (at most 10, at most 100, more train images): the probability
# of 60 categories falls to an eighth of the most common one, 5 are rare.
TAIL = 8.0
RARE, RARE_WEIGHT = 5, 1 / 80
MIN_TRAIN_IMAGES = 2  # of each category
SIZES = (64, 1024)  # pixels
DONE = "shapes.json"
PARTIAL = ".partial"  # folder of a run that is not finished
Record = dict[str, Any]


def train_order(seed: int) -> np.ndarray:
    """Return the 65 category indices, the most common in train first."""
    return np.random.default_rng((seed, len(SUBSETS))).permutation(len(category_names()))


def train_weights(seed: int) -> np.ndarray:
    """Return (65,) float64 probabilities of the categories in train, with a long tail."""
    order = train_order(seed)
    weights = np.full(len(order), RARE_WEIGHT)
    weights[order[:-RARE]] = TAIL ** -np.linspace(0, 1, len(order) - RARE)
    return weights / weights.sum()


def image_plan(
    seed: int, subset: str, index: int
) -> tuple[np.random.Generator, np.ndarray | None, int | None]:
    """Return the random generator, weights and required category of an image.

    They depend on the arguments alone, and so does the image: neither the number of images nor of
    workers changes it. The first images of train each contain a required category in turn, so that
    no category is missing.

    Args:
        seed: seed of the data set.
        subset: 'train', 'val' or 'test'.
        index: number of the image in its subset, from 0.
    """
    rng = np.random.default_rng((seed, SUBSETS.index(subset), index))
    if subset != "train":
        return rng, None, None
    order = train_order(seed)
    required = int(order[index % len(order)]) if index < MIN_TRAIN_IMAGES * len(order) else None
    return rng, train_weights(seed), required


def image_id(subset: str, index: int) -> int:
    """Return the COCO image id of image ``index`` (from 0) of a subset."""
    return SUBSETS.index(subset) * FIRST_ID + index + 1


def frequency(images: int) -> str:
    """Return LVIS's frequency group for a number of train images: r(are), c(ommon), f(requent)."""
    return "r" if images <= 10 else "c" if images <= 100 else "f"


def make_ovshapes(
    root: str | os.PathLike[str],
    seed: int = 0,
    train: int = 2400,
    val: int = 400,
    test: int = 800,
    size: int = 128,
    workers: int = 2,
    *,
    domain: str = PAINTED,
    force: bool = False,
) -> Path:
    """Draw the data set, unless it is there already. An interrupted run starts from the beginning.

    A second process that is to draw it waits for the first, and takes what that has drawn.

    Workers are spawned processes, which import the calling script again: call this function under
    ``if __name__ == "__main__"``, or with one worker.

    Args:
        root: the folder to write, which is made if it is missing.
        seed: random seed of all images.
        train: number of train images.
        val: number of val images.
        test: number of test images.
        size: side of the images, in pixels.
        workers: number of processes, on which the result does not depend.
        domain: how the images are drawn, a key of ``DOMAINS``; annotations and captions are the
            same in all of them.
        force: draw again even if there is an OVShapes data set in ``root``.

    Returns:
        ``root``.

    Raises:
        UserError: a value out of its range, a folder with other contents, or one that cannot be
            written to.
    """
    root = Path(root)
    counts = {"train": train, "val": val, "test": test}
    parameters = {"version": VERSION, "seed": seed, "size": size, "counts": counts}
    if check_domain(domain) != PAINTED:  # which has no entry, as before there were others
        parameters["domain"] = domain
    _check(seed, size, workers, counts)
    _check_contents(root)
    if not force and _is_finished(root, parameters):
        return root
    with folder_lock(root, "drawing", wait=True):
        if not force and _is_finished(root, parameters):  # another process has drawn it meanwhile
            return root
        _draw(root / PARTIAL, seed, size, domain, workers, counts)
        (root / DONE).unlink(missing_ok=True)
        for name in ("images", "annotations"):
            shutil.rmtree(root / name, ignore_errors=True)
            os.replace(root / PARTIAL / name, root / name)
        write_json(root / DONE, parameters, indent=None)
        shutil.rmtree(root / PARTIAL)
    return root


def _draw(
    folder: Path, seed: int, size: int, domain: str, workers: int, counts: dict[str, int]
) -> None:
    """Draw all subsets into a folder, whose earlier contents are deleted."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "annotations").mkdir(parents=True)
    categories: list[Record] = []
    with progress(total=sum(counts.values()), title="drawing OVShapes", unit="image") as bar:
        for subset, count in counts.items():
            (folder / "images" / subset).mkdir(parents=True)
            job = partial(_make_image, folder / "images", seed, subset, size, domain)
            images = []
            with closing(map_in_order(job, count, workers)) as drawn:
                for image in drawn:
                    images.append(image)
                    bar.update()
            if subset == "train":
                categories = _categories(images)
            _write_subset(folder / "annotations", subset, images, categories)


def _check(seed: int, size: int, workers: int, counts: dict[str, int]) -> None:
    """Raise UserError for a value out of its range."""
    limits = {
        "seed": (seed, 0, 2**32 - 1),
        "size": (size, *SIZES),
        "workers": (workers, 1, 256),
    }
    limits |= {subset: (count, 1, FIRST_ID - 1) for subset, count in counts.items()}
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise UserError(f"--{name} is {value}; expected a whole number from {low} to {high}")


def _is_finished(root: Path, parameters: Record) -> bool:
    """Return True if the folder has this data set, complete.

    Raises:
        UserError: it has another OVShapes data set.
    """
    if not (root / DONE).is_file():
        return False
    command = f"ovdistill make-ovshapes --root {root} --force"
    try:
        found = json.loads((root / DONE).read_text())
    except ValueError:
        raise UserError(f"{root / DONE} is not JSON; draw again: {command}") from None
    if found != parameters:
        raise UserError(
            f"{root} has OVShapes with {json.dumps(found)}; asked for {json.dumps(parameters)}. "
            f"Choose another --root, or replace the data set with --force: {command}"
        )
    return True


def _check_contents(root: Path) -> None:
    """Raise UserError if drawing would overwrite anything but OVShapes."""
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; expected a folder: choose another --root")
    # an interrupted run has left PARTIAL
    ours = (root / DONE).is_file() or (root / PARTIAL).is_dir()
    if not ours and any((root / name).exists() for name in ("images", "annotations")):
        raise UserError(
            f"{root} has images or annotations that are not OVShapes ({DONE} is missing) and "
            "would be overwritten; choose another --root"
        )


def _make_image(folder: Path, seed: int, subset: str, size: int, domain: str, index: int) -> Record:
    """Draw and write an image; return its records under 'image', 'annotations' and 'caption'."""
    rng, weights, required = image_plan(seed, subset, index)
    drawn = scene(rng, weights, size, required, domain)
    number = image_id(subset, index)
    name = f"{subset}/{number:012d}.png"
    ok, data = cv2.imencode(".png", drawn.image[..., ::-1])
    if not ok:
        raise RuntimeError(f"cannot encode {name}")
    with clear_errors(folder / name):
        (folder / name).write_bytes(data.tobytes())
    annotations = [_annotation(thing, number) for thing in drawn.objects]
    present = {annotation["category_id"] for annotation in annotations}
    absent = [k for k in range(1, len(category_names()) + 1) if k not in present]
    image = {
        "id": number,
        "file_name": name,
        "coco_url": name,
        "height": size,
        "width": size,
        "license": 1,
        "neg_category_ids": absent,
        "not_exhaustive_category_ids": [],
    }
    return {"image": image, "annotations": annotations, "caption": drawn.caption}


def _annotation(thing: Object, number: int) -> Record:
    """Return the COCO annotation of an object, without its id, in the image of this id."""
    left, top, right, bottom = (int(edge) for edge in thing.box)
    (mask,) = encode_masks(thing.mask[None])
    return {
        "image_id": number,
        "category_id": category_names().index(thing.name) + 1,
        "bbox": [left, top, right - left, bottom - top],
        "area": int(thing.mask.sum()),
        "iscrowd": 0,
        "segmentation": rle_to_json(mask),
        "colour": thing.colour,
    }


def _categories(train_images: list[Record]) -> list[Record]:
    """Return LVIS's category records, whose frequencies and counts are of train in every file."""
    instances = np.zeros(len(category_names()) + 1, int)
    images = np.zeros_like(instances)
    for image in train_images:
        ids = [annotation["category_id"] for annotation in image["annotations"]]
        np.add.at(instances, ids, 1)
        images[list(set(ids))] += 1
    return [
        {
            "id": k,
            "name": name,
            "synonyms": [name],
            "synset": f"{name.replace(' ', '_')}.n.01",
            "def": f"a {name.split()[1]} with the pattern: {name.split()[0]}",
            "frequency": frequency(int(images[k])),
            "image_count": int(images[k]),
            "instance_count": int(instances[k]),
        }
        for k, name in enumerate(category_names(), 1)
    ]


def _write_subset(
    folder: Path, subset: str, images: list[Record], categories: list[Record]
) -> None:
    """Write the annotation and the caption file of a subset."""
    head = {
        "info": {"description": f"OVShapes {subset}", "version": str(VERSION)},
        "licenses": [{"id": 1, "name": "that of ovdistill", "url": ""}],
        "images": [image["image"] for image in images],
    }
    objects = [annotation for image in images for annotation in image["annotations"]]
    objects = [{"id": k, **annotation} for k, annotation in enumerate(objects, 1)]
    captions = [
        {"id": k, "image_id": image["image"]["id"], "caption": image["caption"]}
        for k, image in enumerate(images, 1)
    ]
    write_json(
        folder / f"instances_{subset}.json",
        {**head, "annotations": objects, "categories": categories},
        indent=None,
    )
    write_json(folder / f"captions_{subset}.json", {**head, "annotations": captions}, indent=None)
