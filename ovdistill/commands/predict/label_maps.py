"""What ``ovdistill predict`` does with a segmentor: it gives the pixels of images their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.predict.stream import write_stream
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable
from ovdistill.inference.label_map_files import LabelMapFiles, label_map_outputs
from ovdistill.inference.result_files import check_inputs_stay
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.inference.segmentor import Segmentor
from ovdistill.inference.sources import ImageSource, ImageSources

if TYPE_CHECKING:
    from ovdistill.commands.predict.predict import PredictOptions

FORMS = ("image", "json")
SHOWN = 4  # names of an image that are printed


def check_segmentor_options(options: PredictOptions, sources: ImageSources) -> None:
    """Raise UserError for what a detector can do, and a segmentor cannot."""
    found = {
        "--webcam": options.webcam is not None,
        f"the video {sources.videos[0] if sources.videos else ''}": bool(sources.videos),
        "--thresholds": bool(options.thresholds),
        "--max-dets": options.max_dets is not None,
        **{f"--save {form}": form not in FORMS for form in options.save},
    }
    if given := [what for what, is_given in found.items() if is_given]:
        raise UserError(
            f"got {given[0]}, which is for detectors; a segmentor gives the pixels of images their "
            f"names. Expected images, and of --save {' and '.join(FORMS)}"
        )


def predict_label_maps(
    segmentor: Segmentor,
    sources: Sequence[ImageSource],
    names: Sequence[str],
    options: PredictOptions,
    origin: dict[str, Any],
) -> list[str]:
    """Segment images, write the results, and print which names cover most of them.

    Args:
        segmentor: whose texts are set.
        sources: the images.
        names: of the results of each image, without a suffix.
        options: of the command.
        origin: what made the results.

    Returns:
        What is wrong with each image that could not be read.

    Raises:
        UserError: a result would replace a file that is read.
    """
    folder = Path(options.out)
    images = [source.path for source in sources if source.path]
    outputs = label_map_outputs(options.save, names)
    check_inputs_stay(folder, outputs, [*images, *options.text_files])
    files = LabelMapFiles(folder, segmentor.queries, options.save, origin)
    return write_stream(
        segmentor.stream(sources, options.score_threshold or 0.0, options.batch_size),
        names,
        folder,
        ahead=options.batch_size,
        write=files.add,
        close=lambda: filter(None, [files.close()]),
        describe=summary,
    )


def summary(result: SegmentationResult) -> str:
    """Return the names of the largest shares, and how many more there are."""
    shares = result.shares
    shown = [f"{printable(name)} {100 * shares[name]:.0f} %" for name in result.found[:SHOWN]]
    more = len(result.found) - len(shown)
    return (", ".join(shown) or "no name") + (f" and {more} more" if more else "")
