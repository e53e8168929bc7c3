"""Find the regions of an index that a text describes best, or that are like an example.

    ovdistill search photos.index "striped star" -k 50
    ovdistill search photos.index --region photo.jpg:10,20,110,120
    ovdistill search photos.index --like photo.jpg

Prints the regions, best first, and writes search.json and search.png, a sheet of them (of the first
300). A text may have several names and phrases, as for `ovdistill predict` (docs/prompts.md): the
one that fits a region best counts. --like takes the region of the image that is an object most
probably. Images that are not there any more are left out, and of regions that overlap in an image
(by an IoU above 0.5) all but the best.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import OfflineOptions, argument, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from ovdistill.inference.search.index import Hit, Index
    from ovdistill.inference.search.queries import Query

BOX = "expected IMAGE:left,top,right,bottom in pixels, such as photo.jpg:10,20,110,120"


@dataclass(frozen=True, kw_only=True)
class SearchOptions(OfflineOptions):
    """Options of ``ovdistill search``."""

    index: Path = argument("what `ovdistill index` has written")
    text: str | None = argument(
        "what to look for, separated by commas, or a file of names", default=None
    )
    k: int = option(50, flags=["-k"], help="how many regions", least=1)
    region: str | None = option(
        None, help="look for what is like this box of an image", metavar="IMAGE:X1,Y1,X2,Y2"
    )
    like: str | None = option(
        None, help="look for what is like the object in this image", metavar="IMAGE"
    )
    out: Path = option(
        Path("outputs"), flags=["-o"], help="folder of the results", metavar="DIR", writes="folder"
    )
    root: str | None = option(
        None, help="folder of the images, if they were moved since", metavar="DIR"
    )
    missing: bool = flag(help="list images that are not there any more too")
    overlapping: bool = flag(help="list every region of an object, not the best alone")
    model: str | None = option(
        None,
        help="the detector, if it is not where it was when the index was made, or is the folder of "
        "a training, whose config is code",
    )
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def search(options: SearchOptions) -> None:
    """Search, print and write.

    Raises:
        UserError: see ``Index``; or none or several of text, --region and --like.
    """
    check_folder(options.index, "INDEX")
    given = [value for value in (options.text, options.region, options.like) if value is not None]
    if len(given) != 1:
        raise UserError(f"got {len(given)} of TEXT, --region and --like; expected one of them")
    image, box = (options.like, None) if options.region is None else read_region(options.region)
    check_file(image, "--like" if box is None else "--region")
    from ovdistill.core.provenance import provenance
    from ovdistill.inference.search.hit_files import ON_SHEET, write_hits, write_sheet
    from ovdistill.inference.search.index import Index

    index = Index.open(options.index, options.root)
    query, title = make_query(options, index, image, box)
    for note in query.notes:
        print(printable(note))
    hits = index.find(query, options.k, missing=options.missing, overlapping=options.overlapping)
    if not hits:
        raise UserError(
            f"none of the images of {options.index} is in {index.root} any more; expected "
            "--root with the folder that they were moved to, or --missing"
        )
    if len(hits) < options.k:
        print(f"there are {len(hits)} regions, fewer than -k {options.k}: all are listed")
    print_hits(hits)
    origin: dict[str, Any] = {
        "query": title,
        "index": str(options.index),
        "provenance": provenance(**index.header.teacher_id.to_header(), model=index.header.model),
    }
    write_hits(options.out / "search.json", hits, origin)
    lost = write_sheet(options.out / "search.png", hits, title)
    print(f"wrote {printable(options.out)}: search.json, search.png")
    if len(hits) > ON_SHEET:
        print(f"search.png shows the first {ON_SHEET} of {len(hits)} regions")
    say_changes(index, hits, lost)


def read_region(text: str) -> tuple[str, tuple[float, float, float, float]]:
    """Return the image and the box of a text such as "photo.jpg:10,20,110,120".

    Raises:
        UserError: another form.
    """
    image, _, numbers = text.rpartition(":")
    try:
        left, top, right, bottom = map(float, numbers.split(","))
    except ValueError:
        raise UserError(f"got --region {text!r}; {BOX}") from None
    if not image:
        raise UserError(f"got --region {text!r} without an image; {BOX}")
    return image, (left, top, right, bottom)


def make_query(
    options: SearchOptions,
    index: Index,
    image: str | None,
    box: tuple[float, float, float, float] | None,
) -> tuple[Query, str]:
    """Return the query of the options, and a line that says what is looked for."""
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.search.index import open_detector
    from ovdistill.inference.search.queries import query_of_example, query_of_text

    if options.model:
        detector = Detector.from_pretrained(options.model, device=options.device)
    else:
        detector = open_detector(index.header, options.device)
    if image is None:
        query = query_of_text(options.text or "", detector, index.header)
        return query, ", ".join(query.names)
    query, found = query_of_example(image, box, detector, index.header)
    return query, f"like {image}:{','.join(f'{value:.0f}' for value in found)}"


def print_hits(hits: Sequence[Hit]) -> None:
    """Print a line for each hit: rank, score, box, image."""
    boxes = [",".join(f"{value:.0f}" for value in hit.box) for hit in hits]
    wide = max(map(len, boxes))
    print(f"{'rank':>4}  {'score':>6}  {'box':<{wide}}  image")
    for hit, box in zip(hits, boxes, strict=True):
        print(f"{hit.rank:>4}  {hit.score:>6.3f}  {box:<{wide}}  {printable(hit.image)}")


def say_changes(index: Index, hits: Sequence[Hit], lost: int) -> None:
    """Say on standard error how many images are not as they were when they were indexed."""
    moved = "Were they moved? --root names their folder"
    if index.gone:
        print(
            f"{index.gone} images of the index are not there any more: left out. {moved}; "
            "--missing lists them",
            file=sys.stderr,
        )
    if lost:
        print(
            f"{lost} images cannot be read any more: grey in search.png. {moved}", file=sys.stderr
        )
    changed = len({hit.image for hit in hits if hit.state == "changed"})
    if changed:
        print(
            f"{changed} images have changed since they were indexed: run `ovdistill index` again",
            file=sys.stderr,
        )
