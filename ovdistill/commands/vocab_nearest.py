"""`ovdistill vocab nearest`: the words of a file that are nearest to a text, by cosine.

ovdistill vocab nearest FILE --word "striped star"        # one of its words: no teacher
ovdistill vocab nearest FILE --text "a red star" --teacher ovshapes
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from ovdistill.arguments import add_teacher_arguments, teacher_of
from ovdistill.commands.lines import print_lines
from ovdistill.errors import UserError
from ovdistill.headers import VocabularyHeader, header_of, open_vocabulary

SHOWN = 10


def main(argv: Sequence[str]) -> None:
    """Prints words and cosines, the nearest first.

    Raises:
        UserError: a word that the file has not, a teacher other than the file's, or see
            ``open_vocabulary`` and ``teacher_of``.
    """
    parser = argparse.ArgumentParser(
        "ovdistill vocab nearest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", help="vocabulary file")
    query = parser.add_mutually_exclusive_group(required=True)
    query.add_argument("--text", help="any text, put into the file's own prompts")
    query.add_argument("--word", metavar="NAME", help="a word of the file, or one of its synonyms")
    parser.add_argument(
        "--limit", type=int, default=SHOWN, help=f"words shown, 0 for all (default: {SHOWN})"
    )
    add_teacher_arguments(parser)
    args = parser.parse_args(argv)
    with open_vocabulary(args.file, "np") as file:
        header, embeddings = header_of(file), file.get_tensor("embeddings")
    if args.word is None:
        query = encode(args, header)
    else:
        query = embeddings[find(args.word, header)]
    cosine = embeddings @ query
    nearest = cosine.argsort()[::-1][: args.limit or None]
    print_lines(f"{cosine[row]:.3f}\t{header.names[row]}" for row in nearest)


def find(word: str, header: VocabularyHeader) -> int:
    """The row of a name, or of the first name that has it as a synonym."""
    if word in header.names:
        return header.names.index(word)
    for row, synonyms in enumerate(header.synonyms or ()):
        if word in synonyms:
            return row
    raise UserError(
        f"{word!r} is none of the {len(header)} words; `ovdistill vocab show FILE --grep TEXT` "
        "finds them, --text encodes any text with the teacher"
    )


def encode(args: argparse.Namespace, header: VocabularyHeader) -> np.ndarray:
    """(D,) the text's embedding, of the teacher that made the file."""
    teacher = teacher_of(args)
    if not header.teacher.is_same(teacher.identity):
        raise UserError(
            f"{args.file} was made with teacher {header.teacher}; got teacher {teacher.identity}. "
            "Give the file's own with --teacher or --config."
        )
    from ovdistill.vocabulary import TEMPLATES, Vocabulary
    from ovdistill.vocabulary.embed import embed

    prompts = Vocabulary.load(args.file).prompts or TEMPLATES["single"]
    return embed([[args.text]], teacher, prompts)[0].numpy()
