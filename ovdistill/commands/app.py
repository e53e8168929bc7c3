"""Find objects by words in the browser: a page for images, and one that searches indexes.

    ovdistill app                                       # the shipped detector
    ovdistill app --model PUBLISHED_FOLDER --index photos.index --open

A published segmentor has a page that gives every pixel a name. Needs
`pip install 'ovdistill[app]'`. The pages are for this computer alone, need no network, and leave no
files. --host 0.0.0.0 lets others in: there is no password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import OfflineOptions, flag, option
from ovdistill.core.assets import SAMPLES
from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra

if TYPE_CHECKING:
    from ovdistill.app.searcher import Searcher
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.segmentor import Segmentor

SAMPLE_NAMES = {
    "ovshapes.png": "red striped heart, green star, outlined cross",
    "hexagon.png": "red star, striped heart, solid hexagon",
    "checkered.png": "checkered heart, outlined square, checkered circle",
}
MOST_EXAMPLES = 12


@dataclass(frozen=True, kw_only=True)
class AppOptions(OfflineOptions):
    """Options of ``ovdistill app``."""

    model: str = option(
        "ovshapes",
        help="folder of a published detector or segmentor, or its name on the model hub",
    )
    index: tuple[Path, ...] = option(
        (), help="what `ovdistill index` has written, to be searched", metavar="INDEX"
    )
    examples: Path | None = option(
        None, help="folder of images that the page offers as examples", metavar="DIR"
    )
    host: str = option("127.0.0.1", help="who may use it: 0.0.0.0 for all of the network")
    port: int | None = option(
        None, help="port (default: the first free one from 7860 on)", least=1, most=65535
    )
    max_upload: int = option(20, help="largest image that is accepted, in megabytes", least=1)
    open: bool = flag(help="open the browser")
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def app(options: AppOptions) -> None:
    """Serve the pages until Ctrl-C.

    Raises:
        UserError: a missing input or package, or a port that is taken.
    """
    for folder in options.index:
        check_folder(folder, "--index")
    examples = find_examples(options)
    from ovdistill.app.server import Address, build_pages, serve, temporary_files

    with temporary_files():
        import_extra("gradio", "app")
        from ovdistill.core.provenance import provenance
        from ovdistill.inference.open_model import open_model
        from ovdistill.inference.pretrained import find_detector
        from ovdistill.inference.segmentor import Segmentor

        model = open_model(find_detector(options.model), device=options.device)
        origin = {"provenance": provenance(checkpoint=str(model.files.weights))}
        searcher = None
        if isinstance(model, Segmentor):
            first = segmentor_page(model, options, examples, origin)
        else:
            first, searcher = detector_pages(model, options, examples, origin)
        title = f"ovdistill: {Path(options.model).name or options.model}"
        pages = build_pages(title, first, searcher)
        address = Address(options.host, options.port, options.max_upload)
        serve(pages, address, open_browser=options.open)


def detector_pages(
    detector: Detector,
    options: AppOptions,
    examples: Sequence[tuple[Path, str]],
    origin: Mapping[str, Any],
) -> tuple[Callable[[str], None], Searcher]:
    """Return what lays out the page of a detector, and the indexes of the one that searches."""
    from ovdistill.app.detect_page import detect_page
    from ovdistill.app.finder import Finder
    from ovdistill.app.searcher import Searcher

    finder = Finder(detector)
    return partial(detect_page, finder, examples, origin), Searcher(options.index, finder)


def segmentor_page(
    segmentor: Segmentor,
    options: AppOptions,
    examples: Sequence[tuple[Path, str]],
    origin: Mapping[str, Any],
) -> Callable[[str], None]:
    """Return what lays out the page of a segmentor.

    Raises:
        UserError: there are indexes, which hold regions of a detector.
    """
    from ovdistill.app.segment_page import segment_page
    from ovdistill.app.segmenter import Segmenter

    if options.index:
        raise UserError(
            f"got --index {options.index[0]} with the segmentor {options.model}; an index is "
            "searched with a detector: give its --model, or no --index"
        )
    return partial(segment_page, Segmenter(segmentor), [path for path, _ in examples], origin)


def find_examples(options: AppOptions) -> Sequence[tuple[Path, str]]:
    """Return images with names to look for: those of --examples, or the shipped ones.

    Raises:
        UserError: there is no such folder, or no image in it.
    """
    if options.examples is None:
        if options.model != "ovshapes":
            return []
        return [(SAMPLES / file, names) for file, names in SAMPLE_NAMES.items()]
    check_folder(options.examples, "--examples")
    from ovdistill.inference.sources import find_sources

    paths = [source.path for source in find_sources(options.examples) if source.path]
    return [(path, "") for path in paths[:MOST_EXAMPLES]]
