"""Find what a text describes in an image, or in all images of a folder.

    ovdistill predict                                  # the shipped student on a shipped sample
    ovdistill predict IMAGE --text "red striped star, outlined heart"
    ovdistill predict FOLDER --text "zebra, tent" --config CONFIG --checkpoint CHECKPOINT

Writes, for every image, an annotated PNG and a JSON file (objects, queries, provenance). Images of
a folder that cannot be read are listed at the end; the exit code is then 1.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file, check_positive
from ovdistill.commands.options import ConfigOptions, argument, complete_recipe, option
from ovdistill.core.assets import SAMPLE_IMAGE, STUDENT_WEIGHTS
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe, student_config
from ovdistill.core.result_names import ResultNames
from ovdistill.core.text import printable

if TYPE_CHECKING:
    import numpy as np

    from ovdistill.core.images import ImageError
    from ovdistill.inference.detections import Detections
    from ovdistill.inference.inferencer import OVInferencer
    from ovdistill.vocabulary import Vocabulary

DEFAULT_TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE NAMES HAVE NO MEANING, THE RESULT IS A TEST OF THE CODE"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ConfigOptions):
    """Options of ``ovdistill predict``."""

    image: str | None = argument("image or folder (default: a shipped sample)", default=None)
    text: str | None = option(
        None, help="what to look for, separated by commas, or a file of names"
    )
    background: str = option(
        "", help="names that compete with the text but are not reported", metavar="TEXT"
    )
    vocabulary: str | None = option(
        None, help="vocabulary file to use instead of --text", metavar="FILE"
    )
    config: str | None = option(
        None,
        help="config of the detector (default: the shipped student's)",
        completer=complete_recipe,
    )
    checkpoint: str | None = option(None, help="weights of the detector", metavar="FILE")
    out: str = option(
        "outputs", flags=["-o"], help="folder of the results", metavar="DIR", writes="folder"
    )
    score_threshold: float = option(0.3, help="lowest score that is reported", least=0, most=1)
    max_dets: int = option(100, help="most objects in an image", least=1)
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def predict(options: PredictOptions) -> int:
    """Detect, draw and write the results.

    Returns:
        The exit code: 1 if images of a folder could not be read, else 0.

    Raises:
        UserError: a missing input, a single image that cannot be read, an output folder that
            cannot be written to, or options that exclude each other.
    """
    from ovdistill.core.images import ImageError, find_images, read_image
    from ovdistill.inference.queries import parse_queries

    check_choices(options)
    text = DEFAULT_TEXT if options.text is None else options.text
    parse_queries(text)
    source = Path(options.image or SAMPLE_IMAGE)
    paths = find_images(source)
    outputs = output_paths(paths, Path(options.out))
    # the error of a single image needs no detector
    known = {source: read_image(source)} if paths == [source] else {}
    # heavy imports follow when all input has been checked
    from ovdistill.inference.inferencer import OVInferencer
    from ovdistill.vocabulary import Vocabulary

    inferencer = OVInferencer(
        options.config, options.checkpoint, options.device, overrides=options.overrides
    )
    if options.vocabulary:
        vocabulary = Vocabulary.load(options.vocabulary)
        inferencer.set_vocabulary(vocabulary)
    else:
        vocabulary = inferencer.set_text(text, options.background)
    note = RANDOM_NOTE if vocabulary.teacher.name.endswith(":random") else ""
    origin = origin_of(options, vocabulary)
    bad: list[ImageError] = []
    for path, output in zip(paths, outputs, strict=True):
        try:
            image = known[path] if path in known else read_image(path)
        except ImageError as error:
            bad.append(error)
            continue
        found = _predict_one(inferencer, path, image, output, options, note, origin)
        print(f"{printable(path.name)}: {found}")
        print(f"    -> {printable(output)}, {output.with_suffix('.json').name}")
    if note:
        print(note)
    return report_bad(bad, len(paths))


def report_bad(bad: list[ImageError], total: int) -> int:
    """Say on standard error which images could not be read; return the exit code, 0 or 1."""
    if not bad:
        return 0
    print(f"{len(bad)} of {total} images could not be read:", file=sys.stderr)
    for error in bad:
        print(f"  {printable(str(error))}", file=sys.stderr)
    return 1


def check_choices(options: PredictOptions) -> None:
    """Raise UserError for options that exclude each other, bad numbers and missing files."""
    if options.text is not None and options.vocabulary:
        raise UserError("got --text and --vocabulary: give one of them.")
    if options.background and options.vocabulary:
        raise UserError("--background goes with --text: the vocabulary file holds all its names.")
    if (options.config is None) != (options.checkpoint is None):
        got = "--checkpoint" if options.config is None else "--config"
        raise UserError(f"got {got} alone: give --config and --checkpoint, or neither.")
    if not math.isfinite(options.score_threshold):
        raise UserError(f"got --score-threshold {options.score_threshold}; expected a number")
    check_positive(options, "max_dets")
    if options.config:
        find_recipe(options.config)
    check_file(options.checkpoint, "--checkpoint")
    check_file(options.vocabulary, "--vocabulary")


def origin_of(options: PredictOptions, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the inputs of this command for the provenance of its results."""
    return {
        "config": options.config or str(student_config()),
        "checkpoint": options.checkpoint or str(STUDENT_WEIGHTS),
        "vocabulary": options.vocabulary,
        **vocabulary.teacher.to_header(),
        "score_threshold": options.score_threshold,
        "options": options.overrides,
    }


def output_paths(paths: list[Path], folder: Path) -> list[Path]:
    """Return where the drawing of each image goes: ``folder/STEM.png``, see ``ResultNames``.

    Raises:
        UserError: a result would replace an image.
    """
    names = ResultNames()
    outputs = [folder / f"{names.name(path)}.png" for path in paths]
    sources = {path.resolve() for path in paths}
    for output in outputs:
        if output.resolve() in sources:
            raise UserError(f"{output} would be written over the image: give another -o")
    return outputs


def _predict_one(
    inferencer: OVInferencer,
    path: Path,
    image: np.ndarray,
    output: Path,
    options: PredictOptions,
    note: str,
    origin: dict[str, Any],
) -> str:
    """Detect, draw and write one image; return a line about what was found."""
    from ovdistill.core.files import write_json
    from ovdistill.core.images import write_image
    from ovdistill.core.provenance import provenance
    from ovdistill.inference.large_images import reduce_image
    from ovdistill.visualization.drawing import draw_detections

    detections = inferencer(image, options.score_threshold, options.max_dets)
    small = reduce_image(image)
    shown = detections.moved(image.shape[:2], small.shape[:2])
    drawn = draw_detections(small, shown, inferencer.queries, note.partition(":")[0])
    write_image(output, drawn)
    report = {
        "image": str(path),
        "height": image.shape[0],
        "width": image.shape[1],
        "queries": list(inferencer.queries),
        "objects": detections.records(),
        "provenance": provenance(**origin),
    }
    if note:
        report["warning"] = note
    write_json(output.with_suffix(".json"), report)
    return summary(detections)


def summary(detections: Detections) -> str:
    """Return the first three names with their scores, and how many more there are."""
    best = [
        f"{printable(name)} {score:.2f}"
        for name, score in zip(detections.names[:3], detections.scores, strict=False)
    ]
    more = len(detections) - len(best)
    return ", ".join(best) + (f" and {more} more" if more else "") if best else "nothing"
