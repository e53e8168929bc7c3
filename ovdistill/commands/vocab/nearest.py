"""Find the class names of a file that are nearest to a text, by cosine similarity.

    ovdistill vocab nearest FILE --name "striped star"        # one of the file's: needs no teacher
    ovdistill vocab nearest FILE --text "a red star" --teacher ovshapes

The teacher must be the one that made the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovdistill.commands.options import argument, option
from ovdistill.commands.printing import print_lines
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable
from ovdistill.core.vocabulary_header import (
    VocabularyHeader,
    open_vocabulary_file,
    parse_header,
)

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NearestOptions(TeacherOptions):
    """Options of ``ovdistill vocab nearest``."""

    file: str = argument("vocabulary file")
    text: str | None = option(None, help="any text; it is put into the prompts of the file")
    name: str | None = option(
        None, old_flags=["--word"], help="a class name of the file, or one of its synonyms"
    )
    limit: int = option(10, help="number of names to show, 0 for all", least=0)


def nearest(options: NearestOptions) -> None:
    """Print cosine similarities and names, the nearest first.

    Raises:
        UserError: a name that is not in the file, a teacher other than the file's, or see
            ``open_vocabulary_file`` and ``load_teacher``.
    """
    if (options.text is None) == (options.name is None):
        raise UserError("give one of --text and --name: what the names are to be near to")
    if options.text is not None:
        options.check_teacher()
    with open_vocabulary_file(options.file, "np") as file:
        header, embeddings = parse_header(file), file.get_tensor("embeddings")
    if options.name is None:
        query = encode_text(options, header)
    else:
        query = embeddings[find(options.name, header)]
    cosine = embeddings @ query
    rows = cosine.argsort()[::-1][: options.limit or None]
    print_lines(f"{cosine[row]:.3f}\t{printable(header.names[row])}" for row in rows)


def find(name: str, header: VocabularyHeader) -> int:
    """Return the row of a name, or of the first name that has it as a synonym.

    Raises:
        UserError: it is neither a name nor a synonym.
    """
    if name in header.names:
        return header.names.index(name)
    for row, synonyms in enumerate(header.synonyms or ()):
        if name in synonyms:
            return row
    raise UserError(
        f"{name!r} is none of the {len(header)} names; `ovdistill vocab show FILE --grep TEXT` "
        "lists them, --text encodes any text with the teacher"
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
    from ovdistill.vocabulary.text_embeddings import encode_phrases

    prompts = Vocabulary.load(options.file).prompts or TEMPLATES["single"]
    return encode_phrases([[options.text or ""]], teacher, prompts)[0].numpy()
