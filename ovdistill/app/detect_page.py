"""The page that finds names in an image."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from ovdistill.app import view
from ovdistill.app.downloads import FORMS, pack
from ovdistill.app.finder import LOWEST_SCORE, Finder, Look
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
from ovdistill.core.images import read_image
from ovdistill.inference.large_images import reduce_image

CLICK = "Click an object, in the drawing or in the table, for the names that fit it."
Shown = tuple[np.ndarray | None, str, list[view.Row], Any, Any, str]


class DetectPage:
    """What happens on the page, for any number of visitors; what each has is in ``Look``.

    Args:
        finder: the detector.
        examples: see ``detect_page``.
        origin: what made the results, see ``ResultFile``.
    """

    def __init__(
        self, finder: Finder, examples: Sequence[tuple[Path, str]], origin: Mapping[str, Any]
    ) -> None:
        self.finder = finder
        self.examples = examples
        self.origin = origin

    def look(
        self, value: Mapping[str, Any] | None, text: str, background: str, threshold: float
    ) -> tuple[Any, ...]:
        """Look at a new image; return the look and ``show``."""
        upload = read_upload(value)
        if upload is None:
            return None, *self.show(None, threshold)
        look = self.finder.look(upload.image, upload.name, text, background)
        return look, *self.show(look, threshold)

    def example(self, index: int, background: str, threshold: float) -> tuple[Any, ...]:
        """Look at an example; return its image, its names, and ``look``."""
        path, text = self.examples[index]
        look = self.finder.look(reduce_image(read_image(path)), path.name, text, background)
        return look.image, text, look, *self.show(look, threshold)

    def ask(
        self, look: Look | None, text: str, background: str, threshold: float
    ) -> tuple[Any, ...]:
        """Look for other names in the same image; return the look and ``show``."""
        if look is not None:
            look = self.finder.ask(look, text, background)
        return look, *self.show(look, threshold)

    def show(self, look: Look | None, threshold: float) -> Shown:
        """Show what was found with at least a score."""
        nothing = gr.update(value=None, visible=False)
        if look is None:
            return None, "Drop an image, or choose an example.", [], nothing, nothing, ""
        drawn, line = view.draw(look, threshold), view.status(look, threshold)
        hint = CLICK if look.detections is not None else ""
        return drawn, line, view.table(look, threshold), nothing, nothing, hint

    def click(
        self, look: Look | None, threshold: float, event: gr.SelectData
    ) -> tuple[Any, Any, str]:
        """Show the names that fit the object at a point of the drawing."""
        found = None if look is None else view.shown(look, threshold)
        if look is None or found is None:
            return gr.skip(), gr.skip(), gr.skip()
        point = view.in_image(look.image, *event.index)
        return self.details(look, view.at_point(found, *point))

    def choose(self, look: Look | None, event: gr.SelectData) -> tuple[Any, Any, str]:
        """Show the names that fit the object in a row of the table."""
        if look is None:
            return gr.skip(), gr.skip(), gr.skip()
        return self.details(look, event.index[0])

    def details(self, look: Look, index: int | None) -> tuple[Any, Any, str]:
        """Return the crop of an object, the names that fit it, and a line."""
        nothing = gr.update(value=None, visible=False)
        if index is None or look.detections is None:
            return nothing, nothing, f"There is no object. {CLICK}"
        one = look.detections[index]
        ranked = dict(self.finder.rank_names(look, index))
        return (
            gr.update(value=view.crop(one), visible=True),
            gr.update(value=ranked, visible=True),
            f"<b>{index + 1}: {html.escape(one.name)}</b>, {one.score:.2f}",
        )

    def download(self, form: str, look: Look | None, threshold: float) -> dict[str, str] | None:
        """Pack what is shown."""
        found = None if look is None else view.shown(look, threshold)
        if found is None:
            gr.Info("Nothing to download yet: give an image and names.")
            return None
        return pack(found, form, self.origin).for_browser()


def detect_page(
    finder: Finder, examples: Sequence[tuple[Path, str]], origin: Mapping[str, Any], title: str
) -> None:
    """Lay the page out.

    Args:
        finder: the detector.
        examples: images, with names to look for in them.
        origin: what made the results, see ``ResultFile``.
        title: above the page.
    """
    page = DetectPage(finder, examples, origin)
    look = gr.State(None, time_to_live=REMEMBERED)
    heading(title, "Detect")
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            image = image_input("Image")
            text = gr.Textbox(
                label="What to look for",
                placeholder="red striped star, outlined heart",
                info="Names between commas. Enter looks again, without a new look at the image.",
                elem_id="names",
            )
            find = gr.Button("Find", variant="primary", elem_id="find")
            threshold = gr.Slider(
                LOWEST_SCORE, 1, 0.3, step=0.01, label="Lowest score", elem_id="threshold"
            )
            background = background_input(
                "auto: the class names of the training; none; or names of your own. An object gets "
                "the name that fits it best; those that compete are not shown."
            )
            if examples:
                samples = [[str(path), names] for path, names in examples]
                given = gr.Dataset(
                    components=[image, text], samples=samples, label="Examples", type="index"
                )
        with gr.Column(scale=6, min_width=420):
            drawn = drawing("Found")
            status = gr.HTML(elem_id="status")
            with gr.Row():
                for form, label in FORMS.items():
                    download_button(label, partial(page.download, form), [look, threshold])
            hint = gr.HTML(elem_id="hint")
            with gr.Row():
                crop = gr.Image(
                    show_label=False, interactive=False, height=180, visible=False, buttons=[]
                )
                names = gr.Label(label="Names that fit", visible=False, elem_id="ranked")
            table = gr.Dataframe(
                headers=list(view.COLUMNS),
                datatype=["number", "str", "number", "str", "number"],
                interactive=False,
                show_label=False,
                elem_id="objects",
            )
    shown = [drawn, status, table, crop, names, hint]
    asked = [text, background, threshold]
    image.input(clear_errors(page.look), [image, *asked], [look, *shown], preprocess=False, **EVENT)
    if examples:
        given.click(
            clear_errors(page.example), [given, *asked[1:]], [image, text, look, *shown], **EVENT
        )
    gr.on(
        [text.submit, background.submit, find.click],
        clear_errors(page.ask),
        [look, *asked],
        [look, *shown],
        **EVENT,
    )
    threshold.input(
        page.show, [look, threshold], shown, trigger_mode="always_last",
        show_progress="hidden", **EVENT,
    )  # fmt: skip
    details = [crop, names, hint]
    drawn.select(clear_errors(page.click), [look, threshold], details, **EVENT)
    table.select(clear_errors(page.choose), [look], details, **EVENT)
