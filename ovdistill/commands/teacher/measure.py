"""Measure a teacher: embed boxes, images and captions once, and hand them to the arithmetic."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from ovdistill.commands.teacher.inputs import Inputs
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.evaluation.regions.geometry import EmbeddingSums, gap_norm, measure_geometry
from ovdistill.evaluation.regions.objects import shared_images
from ovdistill.evaluation.teacher.advice import advise
from ovdistill.evaluation.teacher.ceiling import (
    Judge,
    ceiling_alone,
    ceiling_base_known,
    ceiling_of_regions,
)
from ovdistill.evaluation.teacher.figures import CropFigures, RegionCeiling, TeacherFigures
from ovdistill.evaluation.teacher.linear_probe import measure_probe
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.retrieval import Retrieval, measure_retrieval
from ovdistill.evaluation.teacher.zero_shot import ZeroShot, ZeroShotCounter
from ovdistill.extraction.encode_objects import EncodedChunk, encode_objects
from ovdistill.teacher import Teacher

LOGGER = logging.getLogger(__name__)
TEXTS_PER_BATCH = 256


@dataclass(frozen=True, eq=False)
class Encoded:
    """What one pass over the images gives.

    Attributes:
        image_ids: the images that were read.
        objects: their objects, embedded with the first crop policy.
        zero_shot: accuracy, by the name of the policy.
        whole: (N, D) embeddings of the images with captions, on the teacher's device.
        whole_ids: their N ids.
    """

    image_ids: Sequence[int]
    objects: TrueObjects
    zero_shot: Mapping[str, ZeroShot]
    whole: Tensor
    whole_ids: Sequence[int]


def measure_teacher(inputs: Inputs, teacher: Teacher) -> TeacherFigures:
    """Measure a teacher.

    Args:
        inputs: what is measured, and how.
        teacher: the teacher.

    Raises:
        UserError: no image can be read, or a store of other images.
    """
    vocabulary = inputs.vocabulary
    texts, is_base = vocabulary.embeddings, vocabulary.is_base
    encoded = encode(inputs, teacher)
    objects = encoded.objects
    sums = EmbeddingSums(len(vocabulary), teacher.embed_dim)
    sums.add(objects.embeddings, objects.labels)
    geometry = measure_geometry(sums, texts)
    probe = None
    if inputs.seed is not None:
        probe = measure_probe(objects, is_base, inputs.seed, teacher.device)
    crops = tuple(
        CropFigures(name, policy.to_dict(), encoded.zero_shot[name])
        for name, policy in inputs.policies.items()
    )
    judge = Judge(inputs.found, inputs.cat_ids, is_base, inputs.protocol, encoded.image_ids)
    return TeacherFigures(
        images=len(encoded.image_ids),
        objects=len(objects),
        names=len(vocabulary),
        novel_names=int((~is_base).sum()),
        crops=crops,
        geometry=geometry,
        gap=gap_norm(sums, texts),
        temperature=inputs.temperature,
        alone=ceiling_alone(objects, texts, inputs.temperature, judge),
        base_known=ceiling_base_known(objects, texts, is_base, inputs.temperature, judge),
        regions=region_ceiling(inputs, encoded.image_ids),
        probe=probe,
        retrieval=retrieval(inputs, encoded, teacher),
        advice=advise(crops, len(vocabulary), geometry, probe),
    )


def encode(inputs: Inputs, teacher: Teacher) -> Encoded:
    """Embed the true boxes with every crop policy, and the images that have captions.

    Raises:
        UserError: see ``encode_objects``; or no image with an object could be read.
    """
    texts = inputs.vocabulary.embeddings.to(teacher.device)
    counters = {name: ZeroShotCounter(texts, inputs.vocabulary.is_base) for name in inputs.policies}
    first = next(iter(inputs.policies))
    chunks: list[EncodedChunk] = []
    embeddings: list[Tensor] = []
    start = perf_counter()
    for chunk in encode_objects(
        inputs.files,
        inputs.objects,
        teacher,
        inputs.policies,
        inputs.captions.keys(),
        batch_size=inputs.batch_size,
        workers=inputs.workers,
    ):
        for name, counter in counters.items():
            counter.add(chunk.embeddings[name], chunk.objects.labels)
        embeddings.append(chunk.embeddings[first].cpu())
        chunks.append(replace(chunk, embeddings={}))  # of all policies they would be too many
    objects = TrueObjects(
        image_ids=torch.cat([chunk.image_ids for chunk in chunks]),
        boxes=torch.cat([chunk.objects.boxes for chunk in chunks]),
        labels=torch.cat([chunk.objects.labels for chunk in chunks]),
        embeddings=torch.cat(embeddings),
    )
    if not len(objects):
        raise UserError("no image with an object could be read; check --images")
    LOGGER.info(
        "encoded %d objects in %s in %.1f s",
        *(len(objects), " and ".join(inputs.policies), perf_counter() - start),
    )
    return Encoded(
        image_ids=[image_id for chunk in chunks for image_id in chunk.read],
        objects=objects,
        zero_shot={name: own.result(inputs.vocabulary.names) for name, own in counters.items()},
        whole=torch.cat([chunk.whole for chunk in chunks]),
        whole_ids=[image_id for chunk in chunks for image_id in chunk.whole_ids],
    )


def retrieval(inputs: Inputs, encoded: Encoded, teacher: Teacher) -> Retrieval | None:
    """Return recall between images and captions; None without captions."""
    if not encoded.whole_ids:
        return None
    captions = [inputs.captions[image_id] for image_id in encoded.whole_ids]
    texts = [text for own in captions for text in own]
    counts = torch.tensor([len(own) for own in captions])
    starts = range(0, len(texts), TEXTS_PER_BATCH)
    embedded = [
        teacher.encode_text(texts[start : start + TEXTS_PER_BATCH])
        for start in progress(starts, title="captions", unit=f"{TEXTS_PER_BATCH} texts")
    ]
    image_of = torch.arange(len(captions)).repeat_interleave(counts)
    return measure_retrieval(encoded.whole, torch.cat(embedded), image_of)


def region_ceiling(inputs: Inputs, image_ids: Sequence[int]) -> RegionCeiling | None:
    """Return the ceiling with the regions of the store; None without one.

    Raises:
        UserError: the store has none of the images.
    """
    store, vocabulary = inputs.store, inputs.vocabulary
    if store is None:
        return None
    read = {*image_ids}
    shared = [image_id for image_id in shared_images(store, inputs.found) if image_id in read]
    if not shared:
        raise UserError(
            f"store {store.folder} has none of the {len(read)} images that were drawn; expected "
            "regions of these (with a config, the regions of a training are of --subset train)"
        )
    shown = progress(shared, title="regions", unit="image", leave=False)
    images = ((image_id, store[image_id]) for image_id in shown)
    judge = Judge(inputs.found, inputs.cat_ids, vocabulary.is_base, inputs.protocol, shared)
    found = ceiling_of_regions(images, vocabulary.embeddings, inputs.temperature, judge)
    return RegionCeiling(len(shared), found)
