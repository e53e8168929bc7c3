"""Parts that several pages have."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from ovdistill.app.style import DARK, DOWNLOAD
from ovdistill.core.errors import UserError
from ovdistill.core.images import decode_image, open_image
from ovdistill.core.text import printable
from ovdistill.inference.large_images import MAX_PIXELS, reduce_image

LARGEST = 100_000_000  # pixels of an upload: 300 MB while it is read
REMEMBERED = 3600  # seconds that an image is kept when nobody uses it


def image_input(label: str) -> gr.Image:
    """Return where a visitor drops an image.

    Handlers take it with ``preprocess=False``, so that gradio does not open the file, and read it
    with ``read_upload``.
    """
    return gr.Image(
        label=label,
        type="filepath",
        sources=["upload", "clipboard", "webcam"],
        height=300,
        buttons=[],
    )


def drawing(label: str) -> gr.Image:
    """Return where the page shows a drawing."""
    return gr.Image(
        label=label,
        interactive=False,
        format="png",
        buttons=["fullscreen"],
        elem_id="drawn",
    )


def background_input(info: str) -> gr.Textbox:
    """Return where a visitor says what competes, folded; see ``finder.read_background``."""
    with gr.Accordion("What competes", open=False):
        return gr.Textbox("auto", show_label=False, info=info)


@dataclass(frozen=True)
class Upload:
    """An image that a visitor has given: the name that its file had, and (H, W, 3) RGB."""

    name: str
    image: np.ndarray


def read_upload(value: Mapping[str, Any] | None, most_pixels: int = MAX_PIXELS) -> Upload | None:
    """Read what an ``image_input`` holds, by the one reader of images; None if it is empty.

    Args:
        value: of the ``image_input``.
        most_pixels: a larger image is reduced, and the visitor is told.

    Raises:
        UserError: a file that cannot be read, that is no upload or was removed since, or an image
            of more than ``LARGEST`` pixels.
    """
    if value is None:
        return None
    path = Path(value["path"]).resolve()
    if not path.is_relative_to(Path(os.environ["GRADIO_TEMP_DIR"]).resolve()):
        raise UserError("got a file that was not uploaded; expected an image dropped here")
    name = printable(value.get("orig_name") or path.name)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{name} is not kept any more; expected an image dropped anew") from None
    with open_image(name, content) as header:
        width, height = header.size
    if width * height > LARGEST:  # a file of some kilobytes can have gigabytes of pixels
        raise UserError(f"{name} has {width} x {height} pixels; expected at most {LARGEST:,}")
    image = decode_image(content, name)
    small = reduce_image(image, most_pixels)
    if small is not image:
        height, width = small.shape[:2]
        gr.Info(f"{name} was reduced to {width} x {height} pixels, and so are its results")
    return Upload(name, small)


def heading(title: str, first: str) -> None:
    """Place the names of the pages, and the line above a page.

    Args:
        title: the line.
        first: name of the first page.
    """
    gr.Navbar(main_page_name=first)
    with gr.Row():
        gr.Markdown(f"## {title}")
        gr.Button("dark / light", size="sm", elem_id="dark").click(None, js=DARK)


def clear_errors(act: Callable[..., Any]) -> Callable[..., Any]:
    """Make a handler show errors for people as such; others remain errors of the program."""

    @functools.wraps(act)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return act(*args, **kwargs)
        except UserError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from error

    return guarded


def download_button(
    label: str, act: Callable[..., dict[str, str] | None], inputs: list[gr.components.Component]
) -> gr.Button:
    """Place a button whose file the browser saves.

    Args:
        label: of the button.
        act: returns what ``Download.for_browser`` does, or None for no file.
        inputs: of it.
    """
    button = gr.Button(label, size="sm", min_width=60)
    file = gr.JSON(visible=False)
    packed = button.click(clear_errors(act), inputs, file, **EVENT, show_progress="hidden")
    packed.success(None, file, None, js=DOWNLOAD)
    return button


# of all events: gradio queues those of one concurrency_id together, so that one that comes while
# another runs sees what that has found
EVENT: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "pages"}
