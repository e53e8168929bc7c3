"""Measure the means of a teacher's image and text embeddings, and write the map that removes them.

    ovdistill store centre STORE --vocabulary FILE -o centred.safetensors

Where regions have a cosine above 0.5 to their mean (`ovdistill store info STORE --annotations`),
most of the distance to the teacher is an offset. The map is used by
`--cfg-options teacher.embedding_map=centred.safetensors`, with a vocabulary and a store of its own
(`ovdistill store map` makes the store without the teacher).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CentreOptions(CommonOptions):
    """Options of ``ovdistill store centre``."""

    store: Path = argument("folder of the store")
    vocabulary: Path = option(
        help="vocabulary of the same teacher, whose base class names are taken", metavar="FILE"
    )
    images: int = option(2000, help="images of the store to measure on, spread evenly", least=1)
    temperature: float = option(
        0.01, help="the teacher's divisor that turns cosines into logits; 0.01 is CLIP's"
    )
    out: Path = option(flags=["-o"], help="the map to write", metavar="FILE", writes="file")


def centre(options: CentreOptions) -> None:
    """Write the map.

    Raises:
        UserError: no such store or vocabulary, two teachers, or a store without regions.
    """
    check_folder(options.store, "STORE")
    check_file(options.vocabulary, "--vocabulary")
    import torch

    from ovdistill.core.centring import centring_map
    from ovdistill.store import TeacherStore
    from ovdistill.vocabulary import Vocabulary

    store, vocabulary = TeacherStore(options.store), Vocabulary.load(options.vocabulary)
    if not vocabulary.teacher.is_same(store.teacher):
        raise UserError(
            f"store {options.store} is of teacher {store.teacher}, vocabulary "
            f"{options.vocabulary} of {vocabulary.teacher}; expected one teacher"
        )
    step = max(1, len(store) // options.images)
    regions = torch.cat([store[i].embeddings.float() for i in store.image_ids[::step]])
    texts = vocabulary.embeddings[vocabulary.is_base]
    if not len(regions) or not len(texts):
        raise UserError(
            f"got {len(regions)} regions and {len(texts)} base class names; expected some of each"
        )
    found = centring_map(regions, texts, store.teacher, options.temperature)
    found.save(options.out)
    means = [float(found.tensors[part].norm()) for part in ("image_bias", "text_bias")]
    print(
        f"wrote {options.out}: length of the mean {means[0]:.2f} of {len(regions)} regions, "
        f"{means[1]:.2f} of {len(texts)} class names; temperature {found.temperature:.3g}"
    )
