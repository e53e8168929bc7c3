"""Write the map that takes away what all of a teacher's embeddings share.

    ovdistill store centre STORE --vocabulary FILE --variance 0.99 -o map.safetensors
    ovdistill store centre STORE --vocabulary FILE -o centred.safetensors

Where regions have a cosine above 0.5 to their mean (`ovdistill store info STORE --annotations`),
most of the distance to the teacher is an offset. With --variance only the directions in which
regions differ are kept; without it the means are subtracted (docs/geometry.md compares them). The
map is used by `--cfg-options teacher.embedding_map=map.safetensors`, with a vocabulary and a store
of its own (`ovdistill store map` makes the store without the teacher).
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
        0.01,
        help="the teacher's divisor that turns cosines into logits; 0.01 is CLIP's",
        least=1e-6,
    )
    variance: float | None = option(
        None,
        help="subtract no mean, and keep only the directions that hold this share of the regions' "
        "variance, as 0.99: what of the texts no image can show is left out",
    )
    out: Path = option(flags=["-o"], help="the map to write", metavar="FILE", writes="file")


def centre(options: CentreOptions) -> None:
    """Write the map.

    Raises:
        UserError: no such store or vocabulary, two teachers, a store without regions, fewer than
            two base class names, or a share that is none.
    """
    check_folder(options.store, "STORE")
    check_file(options.vocabulary, "--vocabulary")
    if options.variance is not None and not 0 < options.variance <= 1:
        raise UserError(f"got --variance {options.variance}; expected more than 0 and at most 1")
    import torch
    from torch.nn.functional import normalize

    from ovdistill.core.centring import centring_map, directions_map
    from ovdistill.core.embedding_map import embed_dim_after
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
    if not len(regions) or len(texts) < 2:  # the temperature is of what tells names apart
        raise UserError(
            f"got {len(regions)} regions and {len(texts)} base class names; expected at least one "
            "region and two names"
        )
    if options.variance is None:
        found = centring_map(regions, texts, store.teacher, options.temperature)
    else:
        found = directions_map(regions, texts, store.teacher, options.temperature, options.variance)
    found.save(options.out)
    means = [float(normalize(rows, dim=1).mean(dim=0).norm()) for rows in (regions, texts)]
    width = embed_dim_after(found, regions.shape[1])
    print(
        f"wrote {options.out}: length of the mean {means[0]:.2f} of {len(regions)} regions, "
        f"{means[1]:.2f} of {len(texts)} class names; {width} of {regions.shape[1]} dimensions; "
        f"temperature {found.temperature:.3g}"
    )
