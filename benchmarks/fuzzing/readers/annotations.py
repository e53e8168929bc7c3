"""Annotation files, from reading them to training and evaluation with what was accepted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from pycocotools import mask as coco_mask

import ovdistill.models.register  # noqa: F401  # the transforms by their names
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.captions import read_captions
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.evaluation.evaluate import EvaluatedClass, Protocol, evaluate
from ovdistill.evaluation.ov_metric import OVMetric
from ovdistill.evaluation.results import read_results
from ovdistill.vocabulary import Vocabulary

from ..mutate_bytes import mutate_bytes
from ..mutate_json import dump, mutate_json
from ..reader import Files, Reader

NAME = "input.json"
SIZE = (48, 64)  # height and width of the images
ORACLE_AP = 99.9  # percent; a detector whose boxes are the annotated ones has at least this
SQUARE = [4, 4, 20, 4, 20, 20, 4, 20]
PIPELINE = (
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="RandomResize", scale=(64, 64), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="RandomCrop", crop_size=(48, 48), recompute_bbox=True, allow_negative_crop=True),
    dict(type="FilterAnnotations", min_gt_bbox_wh=(1e-2, 1e-2), keep_empty=False),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
)


def _rle(*, text: bool) -> dict[str, Any]:
    mask = np.zeros(SIZE, dtype=np.uint8, order="F")
    mask[4:20, 4:20] = 1
    rle = coco_mask.encode(mask)
    if text:
        return {"size": list(SIZE), "counts": rle["counts"].decode()}
    ends = np.flatnonzero(np.diff(np.concatenate([[0], mask.ravel(order="F"), [0]])))
    return {"size": list(SIZE), "counts": np.diff([0, *ends.tolist(), mask.size]).tolist()}


def _seed(masks: Sequence[Any], **category: Any) -> dict[str, Any]:
    """Return an annotation file with an object for each mask, in two images."""
    height, width = SIZE
    images = [{"id": i, "file_name": f"{i}.png", "height": height, "width": width} for i in (1, 2)]
    annotations = [
        {
            "id": row + 1,
            "image_id": 1 + row % 2,
            "category_id": 1 + row % 3,
            "bbox": [4, 4, 16, 16],
            "area": 256,
            "iscrowd": 0,
            "segmentation": mask,
        }
        for row, mask in enumerate(masks)
    ]
    names = ("cup", "red_star", "hot dog")
    categories = [{"id": i + 1, "name": name, **category} for i, name in enumerate(names)]
    return {"images": images, "annotations": annotations, "categories": categories, "info": {}}


class AnnotationsReader(Reader):
    """``read_annotations``, and the records of ``OVDataset``."""

    name = "annotations"

    def seeds(self) -> Sequence[Files]:
        """Return files with polygons, with RLEs, and of LVIS's form."""
        polygons, rles = [[SQUARE]] * 4, [_rle(text=True), _rle(text=False)]
        lvis = _seed(polygons, frequency="f", synonyms=["a"], image_count=2)
        for image in lvis["images"]:
            image |= {"neg_category_ids": [2], "not_exhaustive_category_ids": [3]}
            image["coco_url"] = f"http://images/val/{image.pop('file_name')}"
        return [{NAME: dump(seed)} for seed in (_seed(polygons), _seed([*rles, [SQUARE]]), lvis)]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values and records; every tenth time bytes."""
        if rng.random() < 0.1:
            return {NAME: mutate_bytes(files[NAME], rng)}
        return {NAME: dump(mutate_json(json.loads(files[NAME]), rng))}

    def read(self, folder: Path) -> None:
        """Read the file and every record of the data set."""
        dataset = self.dataset(read_annotations(folder / NAME), folder, [])
        for row in range(len(dataset)):
            dataset.get_data_info(row)

    def dataset(
        self, found: Annotations, folder: Path, pipeline: Sequence[dict[str, Any]]
    ) -> OVDataset:
        """Return the data set of a file, with a vocabulary of its own names."""
        names = tuple(found.categories)
        if not names:
            raise UserError("no categories")
        embeddings = torch.eye(len(names), max(4, len(names)))
        is_base = torch.ones(len(names), dtype=torch.bool)
        vocabulary = Vocabulary(names, embeddings, is_base, "fuzz")  # type: ignore[arg-type]
        return OVDataset(
            vocabulary=vocabulary,
            ann_file=str(folder / NAME),
            data_prefix=dict(img=str(folder)),
            pipeline=list(pipeline),
            serialize_data=False,
        )


class TrainingReader(AnnotationsReader):
    """The training pipeline with boxes and masks, on images that are there."""

    name = "training"

    @cached_property
    def _image(self) -> bytes:
        import io

        file = io.BytesIO()
        Image.new("RGB", SIZE[::-1]).save(file, "png")
        return file.getvalue()

    def seeds(self) -> Sequence[Files]:
        """Return the annotation files in COCO's form; a file name leads to the image itself."""
        return super().seeds()[:2]

    def read(self, folder: Path) -> None:
        """Load, augment and pack every image."""
        for name in ("1.png", "2.png"):
            (folder / name).write_bytes(self._image)
        dataset = self.dataset(read_annotations(folder / NAME), folder, PIPELINE)
        for row in range(min(len(dataset), 4)):
            dataset[row]["data_samples"].gt_instances.bboxes.tensor.sum().item()


class EvaluationReader(AnnotationsReader):
    """Both evaluators, with a detector that finds exactly what was accepted."""

    name = "evaluation"

    def read(self, folder: Path) -> None:
        """Evaluate the annotated boxes as detections."""
        found = read_annotations(folder / NAME)
        dataset = self.dataset(found, folder, [])
        for backend in ("hotcoco", "reference"):
            metric = OVMetric(
                str(folder / NAME), metrics="bbox", protocol="coco", backend=backend, max_dets=1000
            )
            metric.dataset_meta = dataset.metainfo
            metric.process(None, [*oracle(found, dataset.metainfo["cat_ids"])])
            ap = metric.compute_metrics(metric.results)["bbox/AP"]
            if 0 <= ap < ORACLE_AP:  # -1 without a single box that counts
                raise AssertionError(f"{backend} gives an oracle AP {ap:.1f}")


def oracle(found: Annotations, cat_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the accepted boxes as a detector's output, image by image."""
    samples = []
    for image in found.images:
        own = found.by_image.get(image["id"], [])
        boxes = torch.tensor([record["bbox"] for record in own], dtype=torch.float64)
        boxes = boxes.reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        labels = torch.tensor([cat_ids.index(r["category_id"]) for r in own], dtype=torch.int64)
        instances = dict(bboxes=boxes, labels=labels, scores=torch.ones(len(own)))
        samples.append(dict(img_id=image["id"], pred_instances=instances))
    return samples


class DetectionsReader(AnnotationsReader):
    """``read_results``: files of detections of any system, and their evaluation."""

    name = "detections"

    @cached_property
    def _truth(self) -> bytes:
        return dump(_seed([_rle(text=True)] * 4))

    def seeds(self) -> Sequence[Files]:
        """Return files with boxes, with masks and with both."""
        own = [
            {"image_id": 1 + i % 2, "category_id": 1 + i % 3, "score": i / 4, **shape}
            for shape in (
                {"bbox": [4, 4, 16, 16]},
                {"segmentation": _rle(text=True)},
                {"bbox": [5.5, 4, 16, 16], "segmentation": _rle(text=False)},
            )
            for i in range(4)
        ]
        return [{NAME: dump(own[start : start + 4])} for start in range(0, len(own), 4)]

    def read(self, folder: Path) -> None:
        """Evaluate what was read, in the COCO protocol."""
        (folder / "truth.json").write_bytes(self._truth)
        truth = read_annotations(folder / "truth.json")
        classes = [
            EvaluatedClass(c["id"], name, is_base=True) for name, c in truth.categories.items()
        ]
        found = read_results([folder / NAME], truth)
        evaluate(truth, found, classes, [1, 2], Protocol("coco"))


class CaptionTextsReader(Reader):
    """``read_captions``: captions as COCO publishes them."""

    name = "caption-texts"

    def seeds(self) -> Sequence[Files]:
        """Return a file of three captions."""
        captions = [
            {"id": i, "image_id": 1 + i % 2, "caption": f"A cup and {i} red stars on a table."}
            for i in range(3)
        ]
        return [{NAME: dump({"images": [], "annotations": captions})}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values and records; every tenth time bytes."""
        if rng.random() < 0.1:
            return {NAME: mutate_bytes(files[NAME], rng)}
        return {NAME: dump(mutate_json(json.loads(files[NAME]), rng))}

    def read(self, folder: Path) -> None:
        """Read the file, and find the noun phrases of its captions."""
        from ovdistill.extraction.noun_phrases import noun_phrases

        for texts in read_captions(folder / NAME).values():
            for text in texts:
                noun_phrases(text)
