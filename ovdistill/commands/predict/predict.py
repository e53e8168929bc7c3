"""Find what a text describes in images and videos.

    ovdistill predict                                  # the shipped detector on a shipped sample
    ovdistill predict IMAGE --text "red striped star, outlined heart"
    ovdistill predict FOLDER "photos/**/*.jpg" --text names.yaml --model PUBLISHED_FOLDER
    ovdistill predict VIDEO --text "zebra" --track --every 2
    ovdistill predict --webcam 0 --text "cup"
    cat image.jpg | ovdistill predict - --text "zebra" --config CONFIG --checkpoint CHECKPOINT

Writes, for every image, an annotated PNG and a JSON file (objects, queries, provenance), or what
--save names; for every video an MP4, a JSON line for each frame, and a JSON file that sums it up
(docs/video.md). A segmentor writes a drawing and a label map of every image, and one JSON file
about all (docs/segmentation.md). Folders are searched with all folders below them. Files that
cannot be read, or not to their end, and folders that cannot be listed are named at the end; the
exit code is then 1.

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
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.checks import check_file, check_positive
from ovdistill.commands.options import argument, complete_recipe, flag, option
from ovdistill.commands.text_options import TextOptions
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.name_files import names_a_file
from ovdistill.core.recipes import find_recipe
from ovdistill.core.result_names import ResultNames
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovdistill.inference.detector import Detector
    from ovdistill.inference.segmentor import Segmentor
    from ovdistill.inference.sources import ImageSources

Form = Literal["image", "json", "coco", "yolo", "voc", "label-studio", "crops"]
VIDEO_FORMS = {"image": (".mp4",), "json": (".jsonl", ".json")}  # and their suffixes
LEAST_SCORE, MOST_DETECTIONS = 0.3, 100  # of a detector
DEFAULT_TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE NAMES HAVE NO MEANING, THE RESULT IS A TEST OF THE CODE"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(TextOptions):
    """Options of ``ovdistill predict``."""

    images: tuple[str, ...] = argument(
        "images, videos, folders, patterns, or - for an image on standard input (default: a "
        "shipped sample)",
        default=(),
        metavar="FILE",
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
    score_threshold: float | None = option(
        None,
        help=f"lowest score that is reported (default: {LEAST_SCORE}; of a segmentor 0)",
        least=0,
        most=1,
    )
    thresholds: tuple[str, ...] = option(
        (), help="lowest score of single names", metavar="NAME=SCORE"
    )
    max_dets: int | None = option(
        None, help=f"most objects in an image (default: {MOST_DETECTIONS})", least=1
    )
    batch_size: int = option(1, help="images or frames in a forward pass", least=1)
    every: int = option(1, help="of a video, detect in the first of so many frames", least=1)
    track: bool = flag(help="of a video, number the objects: the same one in all frames")
    masks: bool = flag(help="of a video, write the masks too (of images they always are)")
    webcam: int | None = option(
        None, help="number of a camera, in place of files: until Ctrl-C", least=0
    )
    half: bool = flag(help="run the network in half precision: float16 on a GPU, bfloat16 on a CPU")
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")

    @property
    def least_score(self) -> float:
        """The lowest score of a detection."""
        return LEAST_SCORE if self.score_threshold is None else self.score_threshold

    @property
    def most_detections(self) -> int:
        """The largest number of detections in an image."""
        return MOST_DETECTIONS if self.max_dets is None else self.max_dets

    @property
    def text_files(self) -> list[Path]:
        """The files that say what to look for."""
        texts = [text.strip() for text in (self.text, self.background) if text]
        names = [*filter(names_a_file, texts), *filter(None, [self.vocabulary])]
        return list(map(Path, names))

    @property
    def webcam_name(self) -> str:
        """The name for the results of the camera."""
        return f"webcam_{self.webcam}"


def predict(options: PredictOptions) -> int:
    """Detect, draw and write the results.

    Returns:
        The exit code: 1 if a video is damaged, or if some of several files or folders could not be
        read, else 0.

    Raises:
        UserError: a missing input, a single file that cannot be read, an output folder that
            cannot be written to, or options that exclude each other.
    """
    from ovdistill.inference.pretrained import SHIPPED, find_detector
    from ovdistill.inference.prompts import parse_prompts
    from ovdistill.inference.sources import find_sources

    check_choices(options)
    text = DEFAULT_TEXT if options.text is None else options.text
    parse_prompts(text)
    given = list(options.images) or ([] if options.webcam is not None else str(SAMPLE_IMAGE))
    sources = find_sources(given, videos=True)
    check_video_options(options, sources.videos)
    image_names, video_names = result_names(options, sources)
    if len(sources) + len(sources.videos) == 1:
        check_single(sources)
    found = find_detector(options.model or options.config or SHIPPED, options.checkpoint)
    # heavy imports follow when all input has been checked
    from ovdistill.inference.open_model import open_model
    from ovdistill.inference.segmentor import Segmentor

    model = open_model(found, options.overrides, device=options.device, half=options.half)
    if isinstance(model, Segmentor):
        return segment(model, options, sources, image_names)
    return detect(model, options, text, sources, image_names, video_names)


def segment(
    segmentor: Segmentor,
    options: PredictOptions,
    sources: ImageSources,
    names: Sequence[str],
) -> int:
    """Give the pixels of images their names; return the exit code.

    Without a text or vocabulary they are all class names of the training.
    """
    from ovdistill.commands.predict.label_maps import check_segmentor_options, predict_label_maps

    check_segmentor_options(options, sources)
    if options.text is None and options.vocabulary is None:
        segmentor.set_known_names()
    else:
        options.set_texts(segmentor, options.text or "")
    origin = origin_of(options, segmentor)
    bad = predict_label_maps(segmentor, sources, names, options, origin)
    if note := origin.get("warning"):
        print(note)
    return report_bad(bad, sources)


def detect(
    detector: Detector,
    options: PredictOptions,
    text: str,
    sources: ImageSources,
    image_names: Sequence[str],
    video_names: Sequence[str],
) -> int:
    """Detect what a text describes in images and videos; return the exit code."""
    from ovdistill.commands.predict.images import predict_images
    from ovdistill.commands.predict.videos import predict_videos, predict_webcam
    from ovdistill.inference.limits import Limits, make_limits
    from ovdistill.inference.result_files import open_result_files

    options.set_texts(detector, text)
    single = make_limits(read_thresholds(options.thresholds), 1, detector.queries).thresholds
    limits = Limits(options.least_score, options.most_detections, thresholds=single)
    origin = origin_of(options, detector)
    bad: list[str] = []
    if len(sources):
        files = open_result_files(options.save, Path(options.out), origin)
        bad += predict_images(detector, limits, sources, image_names, files, options.batch_size)
    if options.webcam is not None:
        bad += predict_webcam(detector, limits, options, origin)
    bad += predict_videos(detector, limits, sources.videos, video_names, options, origin)
    if note := origin.get("warning"):
        print(note)
    return report_bad(bad, sources)


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


def report_bad(bad: Sequence[str], sources: ImageSources) -> int:
    """Say on standard error what could not be read; return the exit code, 0 or 1.

    Args:
        bad: what is wrong with each file that could not.
        sources: where the images and videos were looked for.
    """
    images, videos = len(sources), len(sources.videos)
    kind = "files" if images and videos else "videos" if videos else "images"
    unlisted = [str(folder) for folder in sources.unreadable]
    for what, problems in (
        (f"{len(bad)} of {max(1, images + videos)} {kind} could not be read", bad),
        (f"{len(unlisted)} folders could not be listed", unlisted),
    ):
        for line in [f"{what}:", *(f"  {printable(one)}" for one in problems)] if problems else []:
            print(line, file=sys.stderr)
    return int(bool(bad or unlisted))


def check_choices(options: PredictOptions) -> None:
    """Raise UserError for options that exclude each other, bad numbers and missing files."""
    options.check_texts()
    if (options.config is None) != (options.checkpoint is None):
        got = "--checkpoint" if options.config is None else "--config"
        raise UserError(f"got {got} alone: give --config and --checkpoint, or neither.")
    if options.model and options.config:
        raise UserError("got --model and --config: give one of them.")
    if not math.isfinite(options.least_score):
        raise UserError(f"got --score-threshold {options.score_threshold}; expected a number")
    check_positive(options, "max_dets")
    if options.config:
        find_recipe(options.config)
    check_file(options.checkpoint, "--checkpoint")


def origin_of(options: PredictOptions, model: Detector | Segmentor) -> dict[str, Any]:
    """Return what made the results: their provenance, and a warning if names have no meaning."""
    from ovdistill.core.provenance import provenance

    teacher = model.engine.asked.vocabulary.teacher
    least = (options.score_threshold or 0.0) if model.segments else options.least_score
    made_by: dict[str, Any] = {
        "config": options.config or str(model.files.config),
        "checkpoint": options.checkpoint or str(model.files.weights),
        "vocabulary": options.vocabulary,
        **teacher.to_header(),
        "score_threshold": least,
        "half": options.half,
        "options": options.overrides,
    }
    origin: dict[str, Any] = {"provenance": provenance(**made_by)}
    if teacher.name.endswith(":random"):
        origin |= {"warning": RANDOM_NOTE, "note": RANDOM_NOTE.partition(":")[0]}
    return origin


def check_video_options(options: PredictOptions, videos: Sequence[Path]) -> None:
    """Raise UserError for options that do not fit to videos, and for missing packages."""
    from ovdistill.core.extras import import_extra

    if not videos and options.webcam is None:
        chosen = {"--track": options.track, "--masks": options.masks, "--every": options.every > 1}
        if given := [name for name, is_given in chosen.items() if is_given]:
            raise UserError(f"got {', '.join(given)}, which is for videos; expected a video")
        return
    if options.webcam is not None and options.images:
        raise UserError("got --webcam and files: give one of them.")
    if others := [form for form in options.save if form not in VIDEO_FORMS]:
        raise UserError(
            f"got --save {' '.join(others)}; videos are written as {' and '.join(VIDEO_FORMS)}"
        )
    import_extra("av", "video")
    if options.track:
        import_extra("trackers", "track")


def check_single(sources: ImageSources) -> None:
    """Raise UserError if the one image or video cannot be read: that needs no detector."""
    from ovdistill.inference.video.reading import VideoReader

    if sources.videos:
        VideoReader(sources.videos[0]).close()
    else:
        sources[0].load()


def result_names(options: PredictOptions, sources: ImageSources) -> tuple[list[str], list[str]]:
    """Return the names for the results of images and of videos, see ``ResultNames``.

    Raises:
        UserError: a result would replace a file that is read.
    """
    from ovdistill.inference.result_files import check_inputs_stay, outputs_of, reserved_names

    names = ResultNames(reserved_names(options.save))
    of_images = [names.name(source.name) for source in sources]
    of_videos = [names.name(video) for video in sources.videos]
    outputs = list(outputs_of(options.save, of_images)) if of_images else []
    for name in of_videos if options.webcam is None else [options.webcam_name]:
        outputs += [name + suffix for kind in options.save for suffix in VIDEO_FORMS[kind]]
    images = [source.path for source in sources if source.path]
    check_inputs_stay(Path(options.out), outputs, [*images, *sources.videos, *options.text_files])
    return of_images, of_videos
