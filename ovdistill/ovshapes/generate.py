"""Writes OVShapes to disk: images, annotations valid as COCO and as LVIS v1, captions.

    {root}/images/{train,val,test}/000000000001.png
    {root}/annotations/instances_{split}.json   visible silhouettes, all 65 categories
    {root}/annotations/captions_{split}.json    COCO captions, one an image
    {root}/shapes.json                          the parameters; written last

Train is long-tailed, as the world is. Val and test draw every category equally often, so that
every category's AP is measured equally well and their mean is not ruled by the noise of rare ones.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.logs import progress
from ovdistill.core.masks import encode_masks, rle_to_json
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.scenes import Object, draw_categories, scene

VERSION = 3  # of the images: raise it when the same parameters draw other ones
SUBSETS = ("train", "val", "test")
FIRST_ID = 1_000_000  # image ids of subset k follow k * FIRST_ID: no id occurs in two subsets
# LVIS's three frequency groups (at most 10, at most 100, more train images): 60 categories fall
# off to an eighth of the commonest, 5 are rare.
TAIL = 8.0
RARE, RARE_WEIGHT = 5, 1 / 80
MIN_TRAIN_IMAGES = 2  # a category
SIZES = (64, 1024)  # pixels
DONE = "shapes.json"
PARTIAL = ".partial"


def train_order(seed: int) -> np.ndarray:
    """The 65 category indices, commonest in train first."""
    return np.random.default_rng((seed, len(SUBSETS))).permutation(len(category_names()))


def train_weights(seed: int) -> np.ndarray:
    """(65,) float64 probabilities of the categories in train: a long tail over a permutation."""
    order = train_order(seed)
    weights = np.full(len(order), RARE_WEIGHT)
    weights[order[:-RARE]] = TAIL ** -np.linspace(0, 1, len(order) - RARE)
    return weights / weights.sum()


def image_plan(
    seed: int, subset: str, index: int
) -> tuple[np.random.Generator, np.ndarray | None, int | None]:
    """The generator, weights and required category with which image ``index`` is drawn.

    They depend on these three arguments alone, and so does the image: neither the number of
    images nor that of workers changes it. Train's first images each hold a category that is
    prescribed, in turn, so that none is missing.
    """
    rng = np.random.default_rng((seed, SUBSETS.index(subset), index))
    if subset != "train":
        return rng, None, None
    order = train_order(seed)
    required = int(order[index % len(order)]) if index < MIN_TRAIN_IMAGES * len(order) else None
    return rng, train_weights(seed), required


def image_categories(seed: int, subset: str, index: int) -> np.ndarray:
    """Category indices of an image, without drawing it."""
    return draw_categories(*image_plan(seed, subset, index))


def image_id(subset: str, index: int) -> int:
    """COCO image id of image ``index`` (from 0) of a subset."""
    return SUBSETS.index(subset) * FIRST_ID + index + 1


def frequency(images: int) -> str:
    """LVIS's frequency group by the number of train images: r(are), c(ommon), f(requent)."""
    return "r" if images <= 10 else "c" if images <= 100 else "f"


def make_ovshapes(
    root: str | os.PathLike,
    seed: int = 0,
    train: int = 2400,
    val: int = 400,
    test: int = 800,
    size: int = 128,
    workers: int = 2,
    force: bool = False,
) -> Path:
    """Draws the data set, unless ``root`` already holds it; an interrupted run starts anew.

    Workers are spawned processes, which import the calling script again: call it under
    ``if __name__ == "__main__"``, or with one worker.

    Args:
        root: folder to write; made if missing.
        seed: decides every image.
        train, val, test: number of images.
        size: side of the images, in pixels.
        workers: processes; the result does not depend on it.
        force: draw again even if ``root`` holds these or other OVShapes.

    Returns:
        ``root``.

    Raises:
        UserError: for a bad value, and for a root with other contents.
    """
    root = Path(root)
    counts = {"train": train, "val": val, "test": test}
    parameters = {"version": VERSION, "seed": seed, "size": size, "counts": counts}
    _check(parameters, workers)
    if _finished(root, parameters, force):
        return root

    partial_root = root / PARTIAL
    shutil.rmtree(partial_root, ignore_errors=True)
    (partial_root / "annotations").mkdir(parents=True)
    categories: list[dict] = []
    with progress(total=sum(counts.values()), title="drawing OVShapes", unit="image") as bar:
        for subset, count in counts.items():
            (partial_root / "images" / subset).mkdir(parents=True)
            job = partial(_make_image, partial_root / "images", seed, subset, size)
            images = []
            with closing(_map(job, count, workers)) as drawn:
                for image in drawn:
                    images.append(image)
                    bar.update()
            if subset == "train":
                categories = _categories(images)
            _write_subset(partial_root / "annotations", subset, images, categories)

    (root / DONE).unlink(missing_ok=True)
    for name in ("images", "annotations"):
        shutil.rmtree(root / name, ignore_errors=True)
        os.replace(partial_root / name, root / name)
    write_json(root / DONE, parameters, indent=None)
    shutil.rmtree(partial_root)
    return root


def _check(parameters: dict, workers: int) -> None:
    limits = {
        "seed": (parameters["seed"], 0, 2**32 - 1),
        "size": (parameters["size"], *SIZES),
        "workers": (workers, 1, 256),
    }
    limits |= {subset: (n, 1, FIRST_ID - 1) for subset, n in parameters["counts"].items()}
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise UserError(f"--{name} is {value}; expected a whole number from {low} to {high}")


def _finished(root: Path, parameters: dict, force: bool) -> bool:
    """Whether ``root`` holds just this data set; raises if it must not be overwritten."""
    command = f"ovdistill make-ovshapes --root {root} --force"
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; expected a folder: choose another --root")
    if (root / DONE).is_file():
        if force:
            return False
        try:
            found = json.loads((root / DONE).read_text())
        except ValueError:
            raise UserError(f"{root / DONE} is no JSON; draw again: {command}") from None
        if found == parameters:
            return True
        raise UserError(
            f"{root} holds OVShapes with {json.dumps(found)}; asked for {json.dumps(parameters)}. "
            f"Choose another --root, or replace them by adding --force: {command}"
        )
    ours = (root / PARTIAL).is_dir()  # an interrupted run
    if not ours and any((root / name).exists() for name in ("images", "annotations")):
        raise UserError(
            f"{root} holds images or annotations that are not OVShapes ({DONE} is missing) and "
            "would be overwritten; choose another --root"
        )
    return False


def _map(job: Callable[[int], dict], count: int, workers: int) -> Iterator[dict]:
    """Results of ``job(0) ... job(count - 1)`` in order; close it to end the workers early.

    Worker k takes every ``workers``-th image and has a pipe of its own. That is all a pool is
    needed for here, and unlike the standard ones it ends at once on Ctrl-C and on a lost worker.
    """
    if workers == 1:
        yield from map(job, range(count))
        return
    # Spawned, not forked: a fork of a process that runs torch's or cv2's threads may hang.
    context = multiprocessing.get_context("spawn")
    readers, processes = [], []
    try:
        for k in range(min(workers, count)):
            reader, writer = context.Pipe(duplex=False)
            indices = range(k, count, workers)
            process = context.Process(target=_work, args=(job, indices, writer), daemon=True)
            process.start()
            writer.close()  # the worker has the only one: its end is the end of the pipe
            readers.append(reader)
            processes.append(process)
        for index in range(count):
            try:
                yield readers[index % workers].recv()
            except EOFError:
                raise RuntimeError(f"a worker ended before it drew image {index}") from None
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _work(job: Callable[[int], dict], indices: range, writer: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    cv2.setNumThreads(1)
    for index in indices:
        writer.send(job(index))


def _make_image(images: Path, seed: int, subset: str, size: int, index: int) -> dict:
    """Draws and writes an image: {"image", "annotations", "caption"}, plain values only."""
    rng, weights, required = image_plan(seed, subset, index)
    drawn = scene(rng, weights, size, required)
    number = image_id(subset, index)
    name = f"{subset}/{number:012d}.png"
    ok, data = cv2.imencode(".png", drawn.image[..., ::-1])
    if not ok:
        raise RuntimeError(f"cannot encode {name}")
    (images / name).write_bytes(data.tobytes())
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


def _annotation(thing: Object, number: int) -> dict:
    """COCO annotation of an object, without its id."""
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


def _categories(train_images: list[dict]) -> list[dict]:
    """LVIS categories; frequencies and counts are those of train, in every file."""
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


def _write_subset(folder: Path, subset: str, images: list[dict], categories: list[dict]) -> None:
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
