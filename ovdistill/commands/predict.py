"""Find what a text describes in an image, or in all images of a folder.

    ovdistill predict                                  # the shipped student on a shipped sample
    ovdistill predict IMAGE --text "red striped star, outlined heart"
    ovdistill predict FOLDER --text "zebra, tent" --config CONFIG --checkpoint CHECKPOINT

Writes, for every image, an annotated PNG and a JSON file (objects, queries, provenance).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import ConfigOptions, argument, complete_recipe, option
from ovdistill.core.assets import SAMPLE_IMAGE, STUDENT_WEIGHTS
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe, student_config

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections
    from ovdistill.inference.inferencer import OVInferencer
    from ovdistill.vocabulary import Vocabulary

DEFAULT_TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE NAMES HAVE NO MEANING, THE RESULT IS A TEST OF THE CODE"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ConfigOptions):
    """Options of ``ovdistill predict``."""

    image: str | None = argument("image or folder (default: a shipped sample)", default=None)
    text: str | None = option(None, help="what to look for, separated by commas")
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
    out: str = option("outputs", flags=["-o"], help="folder of the results", metavar="DIR")
    score_threshold: float = option(0.3, help="lowest score that is reported", least=0, most=1)
    max_dets: int = option(100, help="most objects in an image", least=1)
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def predict(options: PredictOptions) -> None:
    """Detect, draw and write the results.

    Raises:
        UserError: a missing input, or options that exclude each other.
    """
    from ovdistill.core.images import find_images
    from ovdistill.inference.queries import parse_queries

    check_choices(options)
    text = DEFAULT_TEXT if options.text is None else options.text
    parse_queries(text)
    paths = find_images(options.image or SAMPLE_IMAGE)
    outputs = output_paths(paths, Path(options.out))
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
    for path, output in zip(paths, outputs, strict=True):
        found = _predict_one(inferencer, path, output, options, note, origin)
        print(f"{path.name}: {found}\n    -> {output}, {output.with_suffix('.json').name}")
    if note:
        print(note)


def check_choices(options: PredictOptions) -> None:
    """Raise UserError for options that exclude each other, and for missing files."""
    if options.text is not None and options.vocabulary:
        raise UserError("got --text and --vocabulary: give one of them.")
    if options.background and options.vocabulary:
        raise UserError("--background goes with --text: the vocabulary file holds all its names.")
    if (options.config is None) != (options.checkpoint is None):
        got = "--checkpoint" if options.config is None else "--config"
        raise UserError(f"got {got} alone: give --config and --checkpoint, or neither.")
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
    """Return where the drawing of each image goes: ``folder/STEM.png``.

    The suffix of the image is part of the name where two images share a stem.

    Raises:
        UserError: a result would replace its image.
    """
    stems = [path.stem for path in paths]
    names = [
        path.stem if stems.count(path.stem) == 1 else path.name.replace(".", "_") for path in paths
    ]
    outputs = [folder / f"{name}.png" for name in names]
    for path, output in zip(paths, outputs, strict=True):
        if output.resolve() == path.resolve():
            raise UserError(f"{output} would be written over the image: give another -o")
    return outputs


def _predict_one(
    inferencer: OVInferencer,
    path: Path,
    output: Path,
    options: PredictOptions,
    note: str,
    origin: dict[str, Any],
) -> str:
    """Detect, draw and write one image; return a line about what was found."""
    from ovdistill.core.files import write_json
    from ovdistill.core.images import read_image, write_image
    from ovdistill.core.provenance import provenance
    from ovdistill.visualization.drawing import draw_detections

    image = read_image(path)
    detections = inferencer(image, options.score_threshold, options.max_dets)
    drawn = draw_detections(image, detections, inferencer.queries, note.partition(":")[0])
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
        f"{name} {score:.2f}"
        for name, score in zip(detections.names[:3], detections.scores, strict=False)
    ]
    more = len(detections) - len(best)
    return ", ".join(best) + (f" and {more} more" if more else "") if best else "nothing"
