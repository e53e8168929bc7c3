"""Take text embeddings that were published, of any norm.

    ovdistill vocab import lvis_v1_clip_a+cname.npy --names lvis \\
        --teacher ViT-B-32-quickgelu:openai -o lvis.safetensors
    ovdistill vocab import coco_clip_a+cname.npy --names coco80 --split coco \\
        --teacher ViT-B-32-quickgelu:openai -o coco.safetensors
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import argument, flag, option
from ovdistill.commands.vocab.output import NamesOptions, write_vocabulary


@dataclass(frozen=True, kw_only=True)
class ImportOptions(NamesOptions):
    """Options of ``ovdistill vocab import``."""

    embeddings: str = argument(".npy file, (names, width) or (width, names) of floats")
    teacher: str = option(metavar="ID", help="the model that made the embeddings")
    templates: str | None = option(
        None, help="the prompts that were averaged, where they are known; as for build"
    )
    transposed: bool = flag(help="a square file is (width, names)")


def import_embeddings(options: ImportOptions) -> None:
    """Write the vocabulary.

    Raises:
        UserError: the file is there, or see ``build_vocabulary.import_embeddings``.
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
