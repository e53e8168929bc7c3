"""`ovdistill vocab import`: takes text embeddings that were published, of any norm.

    ovdistill vocab import lvis_v1_clip_a+cname.npy --names lvis \\
        --teacher ViT-B-32-quickgelu:openai -o lvis.safetensors
    ovdistill vocab import coco_clip_a+cname.npy --names coco80 --split coco \\
        --teacher ViT-B-32-quickgelu:openai -o coco.safetensors
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ovdistill.commands.vocab_output import add_word_arguments, check_output, write


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        "ovdistill vocab import",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("embeddings", help=".npy file, (names, width) or (width, names) of floats")
    add_word_arguments(parser)
    add("--teacher", required=True, metavar="ID", help="the model that made the embeddings")
    add("--templates", help="the prompts that were averaged, where they are known; as for build")
    add("--transposed", action="store_true", help="a square file is (width, names)")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Writes the vocabulary.

    Raises:
        UserError: the file is there, or see ``import_words``.
    """
    args = parse_args(argv)
    check_output(args)
    from ovdistill.vocabulary.make import import_words

    vocabulary = import_words(
        args.embeddings, args.names, args.teacher, args.split, args.templates, args.transposed
    )
    write(vocabulary, args.out)
