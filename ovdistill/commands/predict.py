"""Find what a text describes in images.

    ovdistill predict                                  # the shipped detector on a shipped sample
    ovdistill predict IMAGE --text "red striped star, outlined heart"
    ovdistill predict FOLDER "photos/**/*.jpg" --text names.yaml --model PUBLISHED_FOLDER
    cat image.jpg | ovdistill predict - --text "zebra" --config CONFIG --checkpoint CHECKPOINT

Writes, for every image, an annotated PNG and a JSON file (objects, queries, provenance). Folders
are searched with all folders below them. Images that cannot be read are listed at the end; the exit
code is then 1.

--text: names between commas, where quotes protect commas, or a file of names; a .yaml or .json file
can give each name its synonyms, and names that only compete (docs/prompts.md). By default the class
names of the training compete with them, except those that mean the same; --background none or names
of your own change that.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file, check_positive
from ovdistill.commands.options import ConfigOptions, argument, complete_recipe, option
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.core.result_names import ResultNames
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovdistill.core.images import ImageError
    from ovdistill.inference.detections import Detections
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.sources import ImageSource
    from ovdistill.vocabulary import Vocabulary

DEFAULT_TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE NAMES HAVE NO MEANING, THE RESULT IS A TEST OF THE CODE"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ConfigOptions):
    """Options of ``ovdistill predict``."""

    images: tuple[str, ...] = argument(
        "images, folders, patterns, or - for standard input (default: a shipped sample)",
        default=(),
        metavar="IMAGE",
    )
    text: str | None = option(
        None, help="what to look for, separated by commas, or a file of names"
    )
    background: str = option(
        "auto",
        help="names that compete with the text but are not reported: auto (those of the training), "
        "none, or names of your own",
        metavar="TEXT",
    )
    vocabulary: str | None = option(
        None, help="vocabulary file to use instead of --text", metavar="FILE"
    )
    model: str | None = option(
        None,
        help="folder of a published detector, or its name on the model hub (default: the shipped "
        "detector)",
    )
    config: str | None = option(
        None, help="config of the detector, with --checkpoint", completer=complete_recipe
    )
    checkpoint: str | None = option(None, help="weights of the detector", metavar="FILE")
    out: str = option(
        "outputs", flags=["-o"], help="folder of the results", metavar="DIR", writes="folder"
    )
    score_threshold: float = option(0.3, help="lowest score that is reported", least=0, most=1)
    thresholds: tuple[str, ...] = option(
        (), help="lowest score of single names", metavar="NAME=SCORE"
    )
    max_dets: int = option(100, help="most objects in an image", least=1)
    batch_size: int = option(1, help="images in a forward pass", least=1)
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def predict(options: PredictOptions) -> int:
    """Detect, draw and write the results.

    Returns:
        The exit code: 1 if some of several images could not be read, else 0.

    Raises:
        UserError: a missing input, a single image that cannot be read, an output folder that
            cannot be written to, or options that exclude each other.
    """
    from ovdistill.core.images import ImageError
    from ovdistill.inference.prompts import parse_prompts
    from ovdistill.inference.sources import find_sources

    check_choices(options)
    text = DEFAULT_TEXT if options.text is None else options.text
    parse_prompts(text)
    sources = find_sources(list(options.images) or str(SAMPLE_IMAGE))
    outputs = output_paths(sources, Path(options.out))
    if len(sources) == 1:
        sources[0].load()  # the error of a single image needs no detector
    # heavy imports follow when all input has been checked
    detector, vocabulary = load_detector(options, text)
    note = RANDOM_NOTE if vocabulary.teacher.name.endswith(":random") else ""
    origin = origin_of(options, detector, vocabulary)
    bad: list[ImageError] = []
    from ovdistill.inference.selection import Limits, make_limits

    single = make_limits(read_thresholds(options.thresholds), 1, detector.queries).thresholds
    limits = Limits(options.score_threshold, options.max_dets, thresholds=single)
    results = detector.stream(sources, limits, options.batch_size)
    for (source, found), output in zip(results, outputs, strict=True):
        if isinstance(found, ImageError):
            bad.append(found)
            continue
        _write_one(detector, source, found, output, note, origin)
        print(f"{printable(Path(source.name).name)}: {summary(found)}")
        print(f"    -> {printable(output)}, {output.with_suffix('.json').name}")
    if note:
        print(note)
    return report_bad(bad, len(sources))


def read_thresholds(texts: Sequence[str]) -> dict[str, float]:
    """Return the scores of texts such as "red star=0.5", by name.

    Raises:
        UserError: another form.
    """
    scores = {}
    for text in texts:
        name, _, score = text.rpartition("=")
        try:
            scores[name] = float(score)
        except ValueError:
            raise UserError(f"got --thresholds {text!r}; expected e.g. 'red star=0.5'") from None
    return scores


def load_detector(options: PredictOptions, text: str) -> tuple[Detector, Vocabulary]:
    """Return the detector that the options name, and the vocabulary that it looks for."""
    from ovdistill.inference.detector import Detector
    from ovdistill.vocabulary import Vocabulary

    detector = Detector.from_pretrained(
        options.model or options.config or "ovshapes",
        options.checkpoint,
        device=options.device,
        overrides=options.overrides,
    )
    if options.vocabulary:
        return detector, detector.set_vocabulary(Vocabulary.load(options.vocabulary))
    background = None if options.background.strip() in ("none", "") else options.background
    return detector, detector.set_vocabulary(text, background)


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
    if options.background != "auto" and options.vocabulary:
        raise UserError("--background goes with --text: the vocabulary file holds all its names.")
    if (options.config is None) != (options.checkpoint is None):
        got = "--checkpoint" if options.config is None else "--config"
        raise UserError(f"got {got} alone: give --config and --checkpoint, or neither.")
    if options.model and options.config:
        raise UserError("got --model and --config: give one of them.")
    if not math.isfinite(options.score_threshold):
        raise UserError(f"got --score-threshold {options.score_threshold}; expected a number")
    check_positive(options, "max_dets")
    if options.config:
        find_recipe(options.config)
    check_file(options.checkpoint, "--checkpoint")
    check_file(options.vocabulary, "--vocabulary")


def origin_of(
    options: PredictOptions, detector: Detector, vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return the inputs of this command for the provenance of its results."""
    return {
        "config": options.config or str(detector.files.config),
        "checkpoint": options.checkpoint or str(detector.files.weights),
        "vocabulary": options.vocabulary,
        **vocabulary.teacher.to_header(),
        "score_threshold": options.score_threshold,
        "options": options.overrides,
    }


def output_paths(sources: Sequence[ImageSource], folder: Path) -> list[Path]:
    """Return where the drawing of each image goes: ``folder/STEM.png``, see ``ResultNames``.

    Raises:
        UserError: a result would replace an image.
    """
    names = ResultNames()
    outputs = [folder / f"{names.name(source.name)}.png" for source in sources]
    files = {source.path.resolve() for source in sources if source.path}
    for output in outputs:
        if output.resolve() in files:
            raise UserError(f"{output} would be written over the image: give another -o")
    return outputs


def _write_one(
    detector: Detector,
    source: ImageSource,
    found: Detections,
    output: Path,
    note: str,
    origin: dict[str, Any],
) -> None:
    """Draw and write what was found in one image."""
    from ovdistill.core.files import write_json
    from ovdistill.core.images import write_image
    from ovdistill.core.provenance import provenance
    from ovdistill.inference.large_images import reduce_image
    from ovdistill.visualization.drawing import draw_detections

    image = found.image
    assert image is not None
    small = reduce_image(image)
    shown = found.moved(image.shape[:2], small.shape[:2])
    write_image(output, draw_detections(small, shown, detector.queries, note.partition(":")[0]))
    report = {
        "image": source.name,
        "height": image.shape[0],
        "width": image.shape[1],
        "queries": list(detector.queries),
        "objects": found.records(),
        "provenance": provenance(**origin),
    }
    if note:
        report["warning"] = note
    write_json(output.with_suffix(".json"), report)


def summary(detections: Detections) -> str:
    """Return the first three names with their scores, and how many more there are."""
    best = [
        f"{printable(name)} {score:.2f}"
        for name, score in zip(detections.names[:3], detections.scores, strict=False)
    ]
    more = len(detections) - len(best)
    if best:
        return ", ".join(best) + (f" and {more} more" if more else "")
    if detections.nearest is None:
        return "nothing"
    name, score = detections.nearest
    return f"nothing; nearest: {printable(name)} ({score:.2g})"
