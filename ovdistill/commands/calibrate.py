"""Turn a detector's scores into probabilities, on images whose objects are labelled.

    ovdistill calibrate FOLDER --annotations val.json --images IMAGES

FOLDER is what `ovdistill publish` wrote; it gets a calibration.json, after which its scores say how
many of such detections are right. Their order and so the AP stay. Prints the expected calibration
error before and after, the latter on detections that the curve was not fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import OfflineOptions, argument, option
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(OfflineOptions):
    """Options of ``ovdistill calibrate``."""

    model: str = argument("folder of a published detector, or 'ovshapes'")
    annotations: str = option(
        help="COCO file with every object labelled, or LVIS file", metavar="FILE"
    )
    images: Path = option(help="folder of its images", metavar="DIR")
    count: int = option(300, help="images to look at", least=1)
    out: Path | None = option(
        None,
        flags=["-o"],
        help="file to write (default: into the folder)",
        metavar="FILE",
        writes="file",
    )
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def calibrate(options: CalibrateOptions) -> None:
    """Fit the curve and write it.

    Raises:
        UserError: a missing input, or detections that no curve fits.
    """
    check_file(options.annotations, "--annotations")
    out = options.out or Path(options.model) / "calibration.json"
    if not options.out and not out.parent.is_dir():
        raise UserError(f"no folder {out.parent}; expected a published detector, or -o FILE")
    from ovdistill.inference.calibration import fit
    from ovdistill.inference.pretrained import find_detector

    files = find_detector(options.model)
    # heavy imports follow when all input has been checked
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.judged import judge_detections

    detector = Detector(files, device=options.device)
    detector.calibration = None  # fitted to the scores as the detector makes them
    scores, right = judge_detections(
        detector, Path(options.annotations), options.images, options.count
    )
    found = fit(scores, right)
    found.save(out, files.weights)
    print(
        f"{found.detections} detections, {right.mean():.0%} of them right. Expected calibration "
        f"error {found.error_before:.3f} before, {found.error_after:.3f} after"
    )
    print(f"wrote {out}")
