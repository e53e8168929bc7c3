"""Find the class names of a file that are nearest to a text, by cosine.

ovdistill vocab nearest FILE --word "striped star"        # one of its names: no teacher
ovdistill vocab nearest FILE --text "a red star" --teacher ovshapes
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovdistill.commands.options import argument, option
from ovdistill.commands.printing import print_lines
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.core.errors import UserError
from ovdistill.core.vocabulary_header import (
    VocabularyHeader,
    open_vocabulary_file,
    parse_header,
)


@dataclass(frozen=True, kw_only=True)
class NearestOptions(TeacherOptions):
    """Options of ``ovdistill vocab nearest``."""

    file: str = argument("vocabulary file")
    text: str | None = option(None, help="any text, put into the file's own prompts")
    word: str | None = option(
        None, metavar="NAME", help="a name of the file, or one of its synonyms"
    )
    limit: int = option(10, help="names shown, 0 for all (default: %(default)s)")


def nearest(options: NearestOptions) -> None:
    """Print names and cosines, the nearest first.

    Raises:
        UserError: a name that the file has not, a teacher other than the file's, or see
            ``open_vocabulary_file`` and ``load_teacher``.
    """
    if (options.text is None) == (options.word is None):
        raise UserError("give one of --text and --word: what the names are to be near to")
    with open_vocabulary_file(options.file, "np") as file:
        header, embeddings = parse_header(file), file.get_tensor("embeddings")
    if options.word is None:
        query = encode_text(options, header)
    else:
        query = embeddings[find(options.word, header)]
    cosine = embeddings @ query
    rows = cosine.argsort()[::-1][: options.limit or None]
    print_lines(f"{cosine[row]:.3f}\t{header.names[row]}" for row in rows)


def find(word: str, header: VocabularyHeader) -> int:
    """Return the row of a name, or of the first name that has it as a synonym.

    Raises:
        UserError: no name and no synonym is this word.
    """
    if word in header.names:
        return header.names.index(word)
    for row, synonyms in enumerate(header.synonyms or ()):
        if word in synonyms:
            return row
    raise UserError(
        f"{word!r} is none of the {len(header)} names; `ovdistill vocab show FILE --grep TEXT` "
        "finds them, --text encodes any text with the teacher"
    )


def encode_text(options: NearestOptions, header: VocabularyHeader) -> np.ndarray:
    """Return the (D,) embedding of the text, by the teacher that made the file.

    Raises:
        UserError: the options name another teacher.
    """
    teacher = load_teacher(options)
    if not header.teacher.is_same(teacher.id):
        raise UserError(
            f"{options.file} was made with teacher {header.teacher}; got teacher {teacher.id}. "
            "Give the file's own with --teacher or --config."
        )
    from ovdistill.vocabulary import TEMPLATES, Vocabulary
    from ovdistill.vocabulary.embed import embed_phrases

    prompts = Vocabulary.load(options.file).prompts or TEMPLATES["single"]
    return embed_phrases([[options.text or ""]], teacher, prompts)[0].numpy()
