"""The page that gives the pixels of an image names."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from ovdistill.app import segment_view as view
from ovdistill.app.downloads import LABEL_MAP_FORMS, pack_label_map
from ovdistill.app.kept_masks import MOST_PIXELS
from ovdistill.app.parts import (
    EVENT,
    REMEMBERED,
    background_input,
    clear_errors,
    download_button,
    drawing,
    heading,
    image_input,
    read_upload,
)
from ovdistill.app.segmenter import Segmented, Segmenter
from ovdistill.core.images import read_image
from ovdistill.inference.large_images import reduce_image

CLICK = "Click a pixel of the drawing for the names that fit it."
Shown = tuple[np.ndarray | None, str, list[view.Row], Any, str]


class SegmentPage:
    """What happens on the page, for any number of visitors; what each has is in ``Segmented``.

    Args:
        segmenter: the segmentor.
        examples: see ``segment_page``.
        origin: what made the results, see ``LabelMapFiles``.
    """

    def __init__(
        self, segmenter: Segmenter, examples: Sequence[Path], origin: Mapping[str, Any]
    ) -> None:
        self.segmenter = segmenter
        self.examples = examples
        self.origin = origin

    def look(
        self, value: Mapping[str, Any] | None, text: str, background: str, threshold: float
    ) -> tuple[Any, ...]:
        """Segment a new image; return what was found and ``show``."""
        upload = read_upload(value, MOST_PIXELS)
        if upload is None:
            return None, *self.show(None, threshold)
        found = self.segmenter.segment(upload.image, upload.name, text, background)
        return found, *self.show(found, threshold)

    def example(self, index: int, text: str, background: str, threshold: float) -> tuple[Any, ...]:
        """Segment an example; return its image, and ``look``."""
        path = self.examples[index]
        image = reduce_image(read_image(path), MOST_PIXELS)
        found = self.segmenter.segment(image, path.name, text, background)
        return found.image, found, *self.show(found, threshold)

    def ask(
        self, found: Segmented | None, text: str, background: str, threshold: float
    ) -> tuple[Any, ...]:
        """Segment the same image with other names; return what was found and ``show``."""
        if found is not None:
            found = self.segmenter.segment(found.image, found.name, text, background)
        return found, *self.show(found, threshold)

    def show(self, found: Segmented | None, threshold: float) -> Shown:
        """Show the pixels of at least a score."""
        nothing = gr.update(value=None, visible=False)
        if found is None:
            return None, "Drop an image, or choose an example.", [], nothing, ""
        drawn, line = view.draw(found, threshold), view.status(found, threshold)
        return drawn, line, view.table(found, threshold), nothing, CLICK

    def click(self, found: Segmented | None, event: gr.SelectData) -> tuple[Any, str]:
        """Show the names that fit the pixel at a point of the drawing."""
        if found is None:
            return gr.skip(), gr.skip()
        pixel = view.pixel(found, *event.index)
        if pixel is None:
            return gr.update(value=None, visible=False), f"This is the legend. {CLICK}"
        ranked = found.result.rank_names(*pixel)
        (best, score), (x, y) = ranked[0], pixel
        line = f"<b>Pixel {x}, {y}: {html.escape(best)}</b>, {score:.2f}"
        return gr.update(value=dict(ranked), visible=True), line

    def download(
        self, form: str, found: Segmented | None, threshold: float
    ) -> dict[str, str] | None:
        """Pack what is shown."""
        if found is None:
            gr.Info("Nothing to download yet: give an image.")
            return None
        return pack_label_map(found.result.filter(threshold), form, self.origin).for_browser()


def segment_page(
    segmenter: Segmenter, examples: Sequence[Path], origin: Mapping[str, Any], title: str
) -> None:
    """Lay the page out.

    Args:
        segmenter: the segmentor.
        examples: images to choose.
        origin: what made the results, see ``LabelMapFiles``.
        title: above the page.
    """
    page = SegmentPage(segmenter, examples, origin)
    found = gr.State(None, time_to_live=REMEMBERED)
    heading(title, "Segment")
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            image = image_input("Image")
            text = gr.Textbox(
                label="Names of the pixels",
                placeholder="sky, road, striped star",
                info="Between commas. Empty: the class names of the training.",
                elem_id="names",
            )
            find = gr.Button("Segment", variant="primary", elem_id="find")
            threshold = gr.Slider(
                0, 1, 0, step=0.01, label="Lowest score of a pixel", elem_id="threshold"
            )
            background = background_input(
                "auto: the class names of the training; none: every pixel gets one of your names; "
                "or names of your own. A pixel that fits one of them better has no name."
            )
            if examples:
                given = gr.Dataset(
                    components=[image],
                    samples=[[str(path)] for path in examples],
                    label="Examples",
                    type="index",
                )
        with gr.Column(scale=6, min_width=420):
            drawn = drawing("Names of the pixels")
            status = gr.HTML(elem_id="status")
            with gr.Row():
                for form, label in LABEL_MAP_FORMS.items():
                    download_button(label, partial(page.download, form), [found, threshold])
            hint = gr.HTML(elem_id="hint")
            ranked = gr.Label(label="Names that fit", visible=False, elem_id="ranked")
            table = gr.Dataframe(
                headers=list(view.COLUMNS),
                datatype=["number", "str", "number", "number"],
                interactive=False,
                show_label=False,
                elem_id="shares",
            )
    shown = [drawn, status, table, ranked, hint]
    asked = [text, background, threshold]
    image.input(
        clear_errors(page.look), [image, *asked], [found, *shown], preprocess=False, **EVENT
    )
    if examples:
        given.click(clear_errors(page.example), [given, *asked], [image, found, *shown], **EVENT)
    gr.on(
        [text.submit, background.submit, find.click],
        clear_errors(page.ask),
        [found, *asked],
        [found, *shown],
        **EVENT,
    )
    threshold.input(
        page.show, [found, threshold], shown, trigger_mode="always_last",
        show_progress="hidden", **EVENT,
    )  # fmt: skip
    drawn.select(clear_errors(page.click), [found], [ranked, hint], **EVENT)
