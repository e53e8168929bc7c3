"""`ovdistill vocab build`: encodes names with a teacher.

    ovdistill vocab build --names lvis --templates vild63 --teacher ViT-B-32-quickgelu:openai \\
        -o lvis.safetensors
    ovdistill vocab build --names "red star, blue ring" --teacher ovshapes -o words.safetensors
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ovdistill.arguments import add_teacher_arguments, teacher_of
from ovdistill.commands.vocab_output import add_word_arguments, check_output, write


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        "ovdistill vocab build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_word_arguments(parser)
    add = parser.add_argument
    add(
        "--templates",
        default="single",
        help="prompts: 'single' (default), 'vild63', a text file with one a line, where {} is the "
        "name and {article} its 'a' or 'an', or a .safetensors file of `ovdistill vocab learn`",
    )
    add("--synonyms", action="store_true", help="average over the synonyms of each name (LVIS)")
    add("--tokens", action="store_true", help="embed the names' tokens too, for RegionTokenHead")
    add_teacher_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Writes the vocabulary.

    Raises:
        UserError: the file is there, see ``encode_words``, or no such teacher.
    """
    args = parse_args(argv)
    check_output(args)
    from ovdistill.vocabulary.make import encode_words

    vocabulary = encode_words(
        args.names,
        lambda: teacher_of(args),
        args.templates,
        args.split,
        args.synonyms,
        args.tokens,
    )
    write(vocabulary, args.out)
