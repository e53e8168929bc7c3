"""Describe a store of region embeddings, and measure it against labelled objects.

    ovdistill store info STORE
    ovdistill store info STORE --annotations train.json --vocabulary vocabulary.safetensors

With --annotations it prints, over a sample of the images, how many objects the regions hold, how
often the teacher names them as labelled, what their objectness tells, how the embeddings lie, and
advice on weights and thresholds before anything is trained. Without --vocabulary there is nothing
of class names in it. Novel boxes are only counted here; training does not see them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import CommonOptions, argument, flag, option
from ovdistill.commands.printing import print_lines
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from ovdistill.commands.store.measure import Measured


@dataclass(frozen=True, kw_only=True)
class InfoOptions(CommonOptions):
    """Options of ``ovdistill store info``."""

    store: Path = argument("folder of the store")
    annotations: Path | None = option(
        None,
        metavar="FILE",
        help="annotation file of the images, of all classes or of base classes alone: measure the "
        "regions against its objects",
    )
    vocabulary: Path | None = option(
        None, metavar="FILE", help="class names, their split and their text embeddings"
    )
    split: str | None = option(
        None,
        help="without a vocabulary: lvis, coco, none, a split of OVShapes, or the novel names "
        "(default: lvis where the file has frequencies, else none)",
    )
    sample: int = option(2000, help="images to measure, drawn always alike", least=1)
    json: bool = flag(help="print JSON, for programs")


def info(options: InfoOptions) -> None:
    """Print what the store holds, a line for each fact, and what was measured.

    Raises:
        UserError: no store, a damaged one, or one of another teacher than the vocabulary; an
            annotation file that cannot be read or is of other images or classes.
    """
    check_folder(options.store, "STORE")
    check_file(options.annotations, "--annotations")
    check_file(options.vocabulary, "--vocabulary")
    _check_choices(options)
    from ovdistill.store.maintenance import describe

    found = describe(options.store)
    measured = None
    if options.annotations:
        from ovdistill.commands.store.measure import measure_store

        measured = measure_store(
            options.store,
            options.annotations,
            options.vocabulary,
            options.split,
            sample=options.sample,
        )
    if options.json:
        print(json.dumps(found | (_as_json(measured) if measured else {}), indent=2))
        return
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:{width}}  {printable(str(value))}")
    if measured:
        from ovdistill.evaluation.regions.lines import full_lines

        figures = measured.figures
        sample = f"{figures.images} of {measured.shared} images, {figures.regions} regions"
        print_lines(["", f"against {options.annotations}: {sample}", *full_lines(figures)])


def _check_choices(options: InfoOptions) -> None:
    """Raise UserError for options that do not go together."""
    if (options.vocabulary or options.split) and not options.annotations:
        raise UserError("got --vocabulary or --split; they need --annotations FILE")
    if options.vocabulary and options.split:
        raise UserError("got --vocabulary and --split; expected one: a vocabulary has its split")


def _as_json(measured: Measured) -> dict[str, Any]:
    from ovdistill.evaluation.regions.advice import advise

    return {
        "shared_images": measured.shared,
        "measured": asdict(measured.figures),
        "advice": advise(measured.figures),
    }
