"""The gallery: truth beside detection, as images within the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovdistill.evaluation.analysis.examples import KINDS
from ovdistill.visualization.page.markup import Markup, tag

MOST_BYTES = 3_000_000  # of the images of a page, which are a third longer as text


@dataclass(frozen=True)
class DrawnExample:
    """An example as the page shows it.

    Attributes:
        caption: what it shows.
        source: the file of the image.
        webp: the drawing as a WebP file, or None if the image cannot be read.
    """

    caption: str
    source: str
    webp: bytes | None


Gallery = Mapping[str, Sequence[DrawnExample]]  # by kind


def gallery_section(
    name: str, gallery: Gallery, most_bytes: int, kinds: Mapping[str, str] = KINDS
) -> Markup:
    """Return the examples of a run.

    Args:
        name: of the run.
        gallery: its examples by kind.
        most_bytes: of all images together; what would be more is left out, and said.
        kinds: the title of each kind.
    """
    parts, left, dropped, lost = [tag("h3", name)], most_bytes, 0, set()
    for kind, title in kinds.items():
        figures = []
        for example in gallery.get(kind, ()):
            if example.webp is None:
                lost.add(example.source)
            elif len(example.webp) > left:
                dropped += 1
            else:
                left -= len(example.webp)
                figures.append(_figure(example, example.webp))
        if figures:
            parts += [tag("p", title, class_="note"), tag("div", figures, class_="gallery")]
        elif not gallery.get(kind):
            parts.append(tag("p", f"{title}: there are none.", class_="note"))
    if lost:
        first = sorted(lost)[0]
        text = f"{len(lost)} images could not be read, the first: {first}"
        parts.append(tag("p", text, class_="warning"))
    if dropped:
        parts.append(
            tag("p", f"{dropped} more are left out, to keep the page small.", class_="note")
        )
    return tag("div", parts)


def _figure(example: DrawnExample, webp: bytes) -> Markup:
    source = f"data:image/webp;base64,{b64encode(webp).decode('ascii')}"
    image = tag("img", src=source, alt=example.caption, title=example.source)
    return tag("figure", image, tag("figcaption", example.caption))
