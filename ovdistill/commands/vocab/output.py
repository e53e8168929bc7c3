"""The options and the output of the commands that write a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_free
from ovdistill.commands.options import CommonOptions, flag, option

if TYPE_CHECKING:
    from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class OutputOptions(CommonOptions):
    """Options of all commands that write a vocabulary: the file."""

    out: Path = option(
        flags=["-o"], help="vocabulary file to write (.safetensors)", metavar="FILE", writes="file"
    )
    force: bool = flag(help="replace a file that is there")

    def check_output(self) -> None:
        """Raise UserError if the file is there and is not to be replaced."""
        check_free(self.out, force=self.force)


@dataclass(frozen=True, kw_only=True)
class NamesOptions(OutputOptions):
    """Options of commands that are given the class names of the vocabulary."""

    names: str = option(
        help="class names: 'lvis' (1203), 'coco' (the 65 of OV-COCO), 'coco80', 'voc' (20), "
        "'coco-stuff' (171), 'coco-panoptic' (133), 'ade20k' (150), 'ovshapes' (66), a COCO or "
        'LVIS file, another file of names (JSON, YAML, CSV, text), or "a, b, c"',
    )
    split: str | None = option(
        None,
        help="which classes are novel: 'lvis' (the rare ones), 'coco' (17; of the 80 names 15 are "
        "left out), 'voc-15' (5 of VOC's 20), 'stuff-156' (15 of COCO-Stuff's 171), 'shape' and "
        "'compositional' (15 and 17 of OVShapes), 'none', or their names as for --names (default: "
        "lvis for names with frequencies, coco for 'coco', else none)",
    )


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Save a vocabulary and print what it is."""
    vocabulary.save(path)
    base = int(vocabulary.is_base.sum())
    print(
        f"wrote {path}: {len(vocabulary)} names ({base} base, {len(vocabulary) - base} novel) of "
        f"width {vocabulary.embed_dim}, teacher {vocabulary.teacher}"
    )
