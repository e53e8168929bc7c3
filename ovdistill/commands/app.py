"""Find objects by words in the browser: a page for images, and one that searches indexes.

    ovdistill app                                       # the shipped detector
    ovdistill app --model PUBLISHED_FOLDER --index photos.index --open

Needs `pip install 'ovdistill[app]'`. The pages are for this computer alone, need no network, and
leave no files. --host 0.0.0.0 lets others in: there is no password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import OfflineOptions, flag, option
from ovdistill.core.assets import SAMPLES
from ovdistill.core.extras import import_extra

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
        "ovshapes", help="folder of a published detector, or its name on the model hub"
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
        from ovdistill.app.finder import Finder
        from ovdistill.app.searcher import Searcher
        from ovdistill.core.provenance import provenance
        from ovdistill.inference.detector import Detector

        detector = Detector.from_pretrained(options.model, device=options.device)
        origin = {"provenance": provenance(checkpoint=str(detector.files.weights))}
        finder = Finder(detector)
        name = Path(options.model).name or options.model
        pages = build_pages(finder, Searcher(options.index, finder), examples, origin, name)
        address = Address(options.host, options.port, options.max_upload)
        serve(pages, address, open_browser=options.open)


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
