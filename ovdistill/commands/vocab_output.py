"""What `ovdistill vocab build` and `import` share: which words, and the file that is written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.errors import UserError

if TYPE_CHECKING:
    from ovdistill.vocabulary import Vocabulary


def add_word_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--names``, ``--split``, ``--out`` and ``--force``."""
    add = parser.add_argument
    add(
        "--names",
        required=True,
        help="'lvis' (1203), 'coco' (the 65 of OV-COCO), 'coco80', a COCO or LVIS annotation file, "
        'a JSON list, a text file with one name a line, or "a, b, c"',
    )
    add(
        "--split",
        help="which are novel: 'lvis' (the rare ones), 'coco' (17, and 15 of the 80 are left out), "
        "'none', or their names as in --names (default: lvis for names with frequencies, coco for "
        "'coco', else none)",
    )
    add("-o", "--out", required=True, type=Path, help="vocabulary file to write (.safetensors)")
    add("--force", action="store_true", help="write over a file that is there")


def check_output(args: argparse.Namespace) -> None:
    """Raises UserError where the file is there; to be called before anything slow."""
    if args.out.exists() and not args.force:
        raise UserError(f"{args.out} is there already; give another -o, or --force to replace it")


def write(vocabulary: Vocabulary, path: Path) -> None:
    """Saves a vocabulary and says what it is."""
    vocabulary.save(path)
    base = int(vocabulary.is_base.sum())
    print(
        f"wrote {path}: {len(vocabulary)} words ({base} base, {len(vocabulary) - base} novel) of "
        f"width {vocabulary.dim}, teacher {vocabulary.made_by}"
    )
