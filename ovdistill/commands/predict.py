"""Find what a text describes in images.

    ovdistill predict                                  # the shipped detector on a shipped sample
    ovdistill predict IMAGE --text "red striped star, outlined heart"
    ovdistill predict FOLDER "photos/**/*.jpg" --text names.yaml --model PUBLISHED_FOLDER
    cat image.jpg | ovdistill predict - --text "zebra" --config CONFIG --checkpoint CHECKPOINT

Writes, for every image, an annotated PNG and a JSON file (objects, queries, provenance), or what
--save names. Folders are searched with all folders below them. Images that cannot be read are
listed at the end; the exit code is then 1.

--text: names between commas, where quotes protect commas, or a file of names; a .yaml or .json file
can give each name its synonyms, and names that only compete (docs/prompts.md). By default the class
names of the training compete with them, except those that mean the same; --background none or names
of your own change that.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tqdm import tqdm

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

Form = Literal["image", "json", "coco", "yolo", "voc", "label-studio", "crops"]
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
    save: tuple[Form, ...] = option(
        ("image", "json"), help="forms of the results: drawings, data, data sets for other programs"
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
    from ovdistill.inference.result_files import open_result_files
    from ovdistill.inference.selection import Limits, make_limits

    single = make_limits(read_thresholds(options.thresholds), 1, detector.queries).thresholds
    limits = Limits(options.score_threshold, options.max_dets, thresholds=single)
    origin = origin_of(options, detector, vocabulary)
    files = open_result_files(options.save, Path(options.out), origin)
    bad: list[ImageError] = []
    counts = Counter[str]()
    results = detector.stream(sources, limits, options.batch_size)
    several = len(sources) > 1
    # disable=None: on a terminal only
    with tqdm(total=len(sources), unit="image", disable=None if several else True) as bar:
        for (source, found), output in zip(results, outputs, strict=True):
            bar.update()
            if isinstance(found, ImageError):
                bad.append(found)
                continue
            found = replace(found, path=source.name)
            name = output.relative_to(options.out).with_suffix("").as_posix()
            paths = [path for file in files if (path := file.add(found, name))]
            counts.update(found.names)
            bar.write(f"{printable(Path(source.name).name)}: {summary(found)}")
            if paths:
                shown = ", ".join(printable(path.relative_to(options.out)) for path in paths)
                bar.write(f"    -> {printable(options.out)}: {shown}")
    for path in filter(None, (file.close() for file in files)):
        print(f"wrote {printable(path)}")
    if several:
        print_counts(counts, detector.queries, len(sources) - len(bad))
    if note := origin.get("warning"):
        print(note)
    return report_bad(bad, len(sources))


def print_counts(counts: Counter[str], queries: Sequence[str], images: int) -> None:
    """Print how many objects of each name were found."""
    found = [f"{count} {printable(name)}" for name, count in counts.most_common()]
    missing = len(set(queries) - set(counts))
    rest = f"; {missing} names were not found" if missing else ""
    print(f"in {images} images: {', '.join(found) or 'nothing'}{rest}")


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
    """Return what made the results: their provenance, and a warning if names have no meaning."""
    from ovdistill.core.provenance import provenance

    made_by: dict[str, Any] = {
        "config": options.config or str(detector.files.config),
        "checkpoint": options.checkpoint or str(detector.files.weights),
        "vocabulary": options.vocabulary,
        **vocabulary.teacher.to_header(),
        "score_threshold": options.score_threshold,
        "options": options.overrides,
    }
    origin: dict[str, Any] = {"provenance": provenance(**made_by)}
    if vocabulary.teacher.name.endswith(":random"):
        origin |= {"warning": RANDOM_NOTE, "note": RANDOM_NOTE.partition(":")[0]}
    return origin


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
