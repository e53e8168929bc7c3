"""Detect once, and keep the regions of every image for any later search.

    ovdistill index photos -o photos.index
    ovdistill index photos "more/**/*.jpg" -o photos.index --model PUBLISHED_FOLDER
    ovdistill search photos.index "striped star"

Of each image the regions that show an object most probably are kept, of whatever class. Run the
command again after an interruption: it goes on where it stopped. Run it again when images were
added: only those that are new or have changed are looked at. Images that cannot be read, and
folders that cannot be listed, are named at the end, and tried again by the next run; the exit code
is then 1.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.options import OfflineOptions, argument, option
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from ovdistill.inference.search.write_index import IndexReport


@dataclass(frozen=True, kw_only=True)
class IndexOptions(OfflineOptions):
    """Options of ``ovdistill index``."""

    images: tuple[str, ...] = argument("images, folders or patterns", metavar="IMAGES")
    out: Path = option(
        flags=["-o"], help="the index, which is made or added to", metavar="INDEX", writes="folder"
    )
    model: str = option(
        "ovshapes", help="folder of a published detector, or its name on the model hub"
    )
    regions: int = option(20, help="most regions of an image", least=1, most=300)
    batch_size: int = option(1, help="images in a forward pass", least=1)
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def index(options: IndexOptions) -> int:
    """Write the index.

    Returns:
        The exit code: 1 if some images or folders could not be read, else 0.

    Raises:
        UserError: see ``write_index``.
    """
    from ovdistill.inference.pretrained import find_detector
    from ovdistill.inference.sources import find_sources

    find_sources(list(options.images))
    found = find_detector(options.model)
    # heavy imports follow when all input has been checked
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.search.write_index import write_index

    detector = Detector(found, device=options.device)
    model = str(Path(options.model).absolute()) if Path(options.model).is_dir() else options.model
    report = write_index(
        list(options.images), options.out, detector, model, options.regions, options.batch_size
    )
    return say(report, options.out)


def say(report: IndexReport, folder: Path) -> int:
    """Print what was done, and on standard error what could not be read; return the exit code."""
    new = report.images - report.known - report.changed
    parts = [f"{new} new images", f"{report.changed} changed", f"{report.known} known before"]
    if report.resumed:
        parts.append(f"{report.resumed} images of an earlier run finished")
    print(f"{printable(folder)}: {', '.join(parts)}; {report.regions} regions added")
    if report.gone:
        print(f"{report.gone} images of the index are not there any more: a search leaves them out")
    if report.skipped:
        print(f"{len(report.skipped)} images or folders could not be read:", file=sys.stderr)
        for file, reason in report.skipped:
            print(f"  {printable(file)}: {printable(reason)}", file=sys.stderr)
    return int(bool(report.skipped))
