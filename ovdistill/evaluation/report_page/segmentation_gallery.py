"""Reads the examples that a segmentor's test has kept for the page."""

from __future__ import annotations

from pathlib import Path, PurePath

from ovdistill.core.errors import UserError
from ovdistill.evaluation.report_page.gallery import DrawnExample, Gallery
from ovdistill.evaluation.result_files import FIX, read_object

FOLDER, FILE = "examples", "examples.json"
KINDS = {
    "worst": "The images of the lowest mean IoU, the worst first",
    "best": "The images of the highest mean IoU, the best first",
}


def read_examples(folder: Path, count: int) -> Gallery:
    """Read the drawings of a run, which is a folder of `ovdistill test --dump`.

    Args:
        folder: of the run.
        count: how many of each kind.

    Returns:
        The examples by kind; empty without ``--dump``.

    Raises:
        UserError: the list of the examples is damaged.
    """
    path = folder / FOLDER / FILE
    if not count or not path.is_file():
        return {}
    content = read_object(path, FILE)
    gallery: dict[str, list[DrawnExample]] = {}
    try:
        for kind in KINDS:
            gallery[kind] = [_read(path.parent, record) for record in content[kind][:count]]
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error!r:.120}). {FIX}") from None
    return gallery


def remove_examples(folder: Path) -> None:
    """Remove the drawings of a run and their list; other files of their folder stay.

    Args:
        folder: of the run.
    """
    examples = folder / FOLDER
    for kind in KINDS:
        for path in examples.glob(f"{kind}_*.webp"):
            path.unlink()
    (examples / FILE).unlink(missing_ok=True)


def _read(folder: Path, record: dict[str, str]) -> DrawnExample:
    caption, source, file = (record[key] for key in ("caption", "source", "file"))
    if not all(isinstance(text, str) for text in (caption, source, file)):
        raise ValueError(f"an example is {record!r:.80}")
    if PurePath(file).name != file:
        raise ValueError(f"an example lies elsewhere: {file!r:.80}")
    try:
        return DrawnExample(caption, source, (folder / file).read_bytes())
    except OSError:
        return DrawnExample(caption, source, None)
