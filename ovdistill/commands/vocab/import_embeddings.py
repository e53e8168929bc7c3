r"""Make a vocabulary of text embeddings that were published.

    ovdistill vocab import lvis_v1_clip_a+cname.npy --names lvis \
        --teacher ViT-B-32-quickgelu:openai -o lvis.safetensors
    ovdistill vocab import coco_clip_a+cname.npy --names coco80 --split coco \
        --teacher ViT-B-32-quickgelu:openai -o coco.safetensors

The embeddings may have any norm; those of a vocabulary have norm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import argument, flag, option
from ovdistill.commands.vocab.output import NamesOptions, write_vocabulary


@dataclass(frozen=True, kw_only=True)
class ImportOptions(NamesOptions):
    """Options of ``ovdistill vocab import``."""

    embeddings: str = argument(".npy file of floats, (names, width) or (width, names)")
    teacher: str = option(metavar="ID", help="model that made the embeddings, as for build")
    templates: str | None = option(
        None, help="prompts that were averaged, if they are known; as for build"
    )
    transposed: bool = flag(help="read a square file as (width, names)")


def import_embeddings(options: ImportOptions) -> None:
    """Read the embeddings and write the vocabulary.

    Raises:
        UserError: the file is there already, or see ``build_vocabulary.import_embeddings``.
    """
    options.check_output()
    from ovdistill.datasets import build_vocabulary

    vocabulary = build_vocabulary.import_embeddings(
        options.embeddings,
        options.names,
        options.teacher,
        options.split,
        options.templates,
        transposed=options.transposed,
    )
    write_vocabulary(vocabulary, options.out)
