"""Draw OVShapes, the embedded benchmark, into a folder.

    ovdistill make-ovshapes --root data/ovshapes

It takes about half a minute on two cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ovdistill.commands.options import CommonOptions, flag, option
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.files import check_output_folder


@dataclass(frozen=True, kw_only=True)
class MakeOvshapesOptions(CommonOptions):
    """Options of ``ovdistill make-ovshapes``."""

    root: str = option("data/ovshapes", help="folder to write", metavar="DIR")
    seed: int = option(0, help="random seed of all images", least=0, most=MOST_SEED)
    train: int = option(2400, help="number of training images", least=0)
    val: int = option(400, help="number of validation images", least=0)
    test: int = option(800, help="number of test images", least=0)
    size: int = option(128, help="side of the images in pixels", least=1)
    domain: Literal["painted", "crayon"] = option(
        "painted", help="how objects are drawn; the shipped teacher knows drawings in crayon badly"
    )
    workers: int = option(2, help="processes that draw", least=1)
    force: bool = flag(help="draw again and replace what is there")
    preview: str | None = option(
        None, metavar="PNG", help="write only a contact sheet of examples", writes="file"
    )


def make_ovshapes(options: MakeOvshapesOptions) -> None:
    """Draw the data set, or its contact sheet.

    Raises:
        UserError: an impossible number, or another data set in the folder.
    """
    if options.preview:
        from ovdistill.ovshapes.contact_sheet import write_contact_sheet

        write_contact_sheet(Path(options.preview), options.seed, options.size, options.domain)
        print(f"wrote {options.preview}")
        return
    check_output_folder(options.root)
    from ovdistill.ovshapes import generate

    root = generate.make_ovshapes(
        options.root,
        seed=options.seed,
        train=options.train,
        val=options.val,
        test=options.test,
        size=options.size,
        workers=options.workers,
        domain=options.domain,
        force=options.force,
    )
    print(f"OVShapes is ready in {root}")
