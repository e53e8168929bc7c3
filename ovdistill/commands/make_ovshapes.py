"""Draw OVShapes, the embedded benchmark, on disk (about half a minute on two cores).

ovdistill make-ovshapes --root data/ovshapes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, flag, option


@dataclass(frozen=True, kw_only=True)
class MakeOvshapesOptions(CommonOptions):
    """Options of ``ovdistill make-ovshapes``."""

    root: str = option("data/ovshapes", help="folder to write (default: %(default)s)")
    seed: int = option(0, help="decides every image (default: %(default)s)")
    train: int = option(2400, help="train images (default: %(default)s)")
    val: int = option(400, help="val images (default: %(default)s)")
    test: int = option(800, help="test images (default: %(default)s)")
    size: int = option(128, help="side of the images in pixels (default: %(default)s)")
    workers: int = option(2, help="processes (default: %(default)s)")
    force: bool = flag(help="draw again, replacing what is there")
    preview: str | None = option(None, metavar="PNG", help="write only a contact sheet, and stop")


def make_ovshapes(options: MakeOvshapesOptions) -> None:
    """Draw the data set, or its contact sheet."""
    if options.preview:
        from ovdistill.ovshapes.contact_sheet import write_contact_sheet

        write_contact_sheet(Path(options.preview), options.seed)
        print(f"wrote {options.preview}")
        return
    from ovdistill.ovshapes import generate

    root = generate.make_ovshapes(
        options.root,
        seed=options.seed,
        train=options.train,
        val=options.val,
        test=options.test,
        size=options.size,
        workers=options.workers,
        force=options.force,
    )
    print(f"OVShapes is ready in {root}")
