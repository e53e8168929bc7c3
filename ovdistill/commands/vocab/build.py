r"""Encode class names with a teacher.

    ovdistill vocab build --names lvis --templates vild63 --teacher ViT-B-32-quickgelu:openai \
        -o lvis.safetensors
    ovdistill vocab build --names "red star, blue ring" --teacher ovshapes -o names.safetensors

The file is what detectors take as --vocabulary (docs/vocabulary.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.commands.vocab.output import NamesOptions, write_vocabulary


@dataclass(frozen=True, kw_only=True)
class BuildOptions(TeacherOptions, NamesOptions):
    """Options of ``ovdistill vocab build``."""

    templates: str = option(
        "single",
        help="prompts: 'single', 'vild63', 'detpro74', a text file with one in a line, where {} is "
        "the name, {raw} the name as its source spells it and {article} its 'a' or 'an', or a "
        ".safetensors file of `ovdistill vocab learn`",
    )
    synonyms: bool = flag(help="average the embeddings of a name's synonyms (LVIS)")
    tokens: bool = flag(help="encode the tokens of the names too, for RegionTokenHead")


def build(options: BuildOptions) -> None:
    """Encode the names and write the vocabulary.

    Raises:
        UserError: the file is there already, no teacher, or see ``encode_names``.
    """
    options.check_output()
    options.check_teacher()
    from ovdistill.datasets.build_vocabulary import encode_names

    vocabulary = encode_names(
        options.names,
        lambda: load_teacher(options),
        options.templates,
        options.split,
        synonyms=options.synonyms,
        tokens=options.tokens,
    )
    write_vocabulary(vocabulary, options.out)
