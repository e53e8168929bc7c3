"""What the commands share that write a vocabulary: which class names, and the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.options import CommonOptions, flag, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class NamesOptions(CommonOptions):
    """Which class names a vocabulary has, and where it is written."""

    names: str = option(
        help="'lvis' (1203), 'coco' (the 65 of OV-COCO), 'coco80', a COCO or LVIS annotation file, "
        'a JSON list, a text file with one name a line, or "a, b, c"',
    )
    split: str | None = option(
        None,
        help="which are novel: 'lvis' (the rare ones), 'coco' (17, and 15 of the 80 are left out), "
        "'none', or their names as in --names (default: lvis for names with frequencies, coco for "
        "'coco', else none)",
    )
    out: Path = option(flags=["-o"], help="vocabulary file to write (.safetensors)", metavar="FILE")
    force: bool = flag(help="write over a file that is there")

    def check_output(self) -> None:
        """Raise UserError where the file is there; to be called before anything slow."""
        if self.out.exists() and not self.force:
            raise UserError(
                f"{self.out} is there already; give another -o, or --force to replace it"
            )


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Save a vocabulary and say what it is."""
    vocabulary.save(path)
    base = int(vocabulary.is_base.sum())
    print(
        f"wrote {path}: {len(vocabulary)} names ({base} base, {len(vocabulary) - base} novel) of "
        f"width {vocabulary.embed_dim}, teacher {vocabulary.teacher}"
    )
