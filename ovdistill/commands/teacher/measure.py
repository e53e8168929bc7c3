"""Measure a teacher: embed boxes, images and captions once, and hand them to the arithmetic."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from ovdistill.commands.teacher.inputs import CeilingInputs, Inputs, LabelledImages
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.evaluation.regions.geometry import EmbeddingSums, gap_norm, measure_geometry
from ovdistill.evaluation.regions.objects import shared_images
from ovdistill.evaluation.teacher.advice import advise, advise_on_images
from ovdistill.evaluation.teacher.ceiling import (
    Judge,
    ceiling_alone,
    ceiling_base_known,
    ceiling_of_regions,
)
from ovdistill.evaluation.teacher.figures import (
    Ceilings,
    CropFigures,
    RegionCeiling,
    TeacherFigures,
)
from ovdistill.evaluation.teacher.linear_probe import Probe, measure_probe
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.retrieval import Retrieval, measure_retrieval
from ovdistill.evaluation.teacher.zero_shot import ZeroShot, ZeroShotCounter
from ovdistill.extraction.encode_objects import EncodedChunk, encode_objects
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Vocabulary

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
        UserError: no image can be read.
    """
    vocabulary = inputs.vocabulary
    texts, is_base = vocabulary.embeddings, vocabulary.is_base
    encoded = encode(inputs, inputs.measured, teacher)
    objects = encoded.objects
    sums = EmbeddingSums(len(vocabulary), teacher.embed_dim)
    sums.add(objects.embeddings, objects.labels)
    geometry = measure_geometry(sums, texts)
    probe = linear_probe(inputs, objects, teacher)
    crops = tuple(
        CropFigures(name, policy.to_dict(), encoded.zero_shot[name])
        for name, policy in inputs.policies.items()
    )
    if inputs.ceilings:
        ceilings = measure_ceilings(inputs, inputs.ceilings, encoded)
        advice = advise(crops, len(vocabulary), geometry, probe)
    else:
        ceilings, advice = None, advise_on_images(crops[0].zero_shot, probe)
    return TeacherFigures(
        images=len(encoded.image_ids),
        objects=len(objects),
        names=len(vocabulary),
        novel_names=int((~is_base).sum()),
        crops=crops,
        geometry=geometry,
        gap=gap_norm(sums, texts),
        ceilings=ceilings,
        probe=probe,
        retrieval=retrieval(inputs, encoded, teacher),
        advice=advice,
    )


def encode(inputs: Inputs, images: LabelledImages, teacher: Teacher) -> Encoded:
    """Embed labelled boxes with every crop policy, and the images that have captions.

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
        images.files,
        images.objects,
        teacher,
        inputs.policies,
        inputs.captions.keys(),
        batch_size=inputs.batch_size,
        workers=inputs.workers,
        title="true boxes" if inputs.ceilings else "whole images",
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
        raise UserError("no image with an object could be read; check the images")
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


def linear_probe(inputs: Inputs, objects: TrueObjects, teacher: Teacher) -> Probe | None:
    """Return the linear probe; None if it is left out, or of too few images.

    Raises:
        UserError: there are images to fit it to, and none of them can be read.
    """
    if inputs.seed is None:
        return None
    to_fit = None
    if inputs.fitted:
        to_fit = encode(inputs, inputs.fitted, teacher).objects
    is_base = inputs.vocabulary.is_base
    return measure_probe(objects, is_base, inputs.seed, teacher.device, to_fit)


def measure_ceilings(inputs: Inputs, needed: CeilingInputs, encoded: Encoded) -> Ceilings:
    """Return the AP that a student can hope for."""
    texts, is_base = inputs.vocabulary.embeddings, inputs.vocabulary.is_base
    judge = Judge(needed.found, needed.cat_ids, is_base, needed.protocol, encoded.image_ids)
    temperature = needed.temperature
    return Ceilings(
        temperature=temperature,
        alone=ceiling_alone(encoded.objects, texts, temperature, judge),
        base_known=ceiling_base_known(encoded.objects, texts, is_base, temperature, judge),
        regions=region_ceiling(inputs.vocabulary, needed, encoded.image_ids),
    )


def region_ceiling(
    vocabulary: Vocabulary, needed: CeilingInputs, image_ids: Sequence[int]
) -> RegionCeiling | None:
    """Return the ceiling with the regions of the store; None without one, or without its images."""
    store = needed.store
    if store is None:
        return None
    read = {*image_ids}
    shared = [image_id for image_id in shared_images(store, needed.found) if image_id in read]
    if not shared:
        LOGGER.warning(
            "no image of store %s could be read: there is no ceiling with its regions", store.folder
        )
        return None
    shown = progress(shared, title="regions", unit="image", leave=False)
    images = ((image_id, store[image_id]) for image_id in shown)
    judge = Judge(needed.found, needed.cat_ids, vocabulary.is_base, needed.protocol, shared)
    found = ceiling_of_regions(images, vocabulary.embeddings, needed.temperature, judge)
    return RegionCeiling(len(shared), found)
