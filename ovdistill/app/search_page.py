"""The page that searches indexes."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np

from ovdistill.app.downloads import Download
from ovdistill.app.parts import (
    EVENT,
    clear_errors,
    download_button,
    heading,
    image_input,
    read_upload,
)
from ovdistill.app.searcher import MOST_HITS, Searcher, tiles
from ovdistill.app.view import milliseconds
from ovdistill.inference.search.hit_files import hits_as_json, outlined, read_if_there
from ovdistill.inference.search.index import Hit

WITHOUT = """There is no index to search yet. Make one, and name it when the page is started:

    ovdistill index PHOTOS -o photos.index
    ovdistill app --index photos.index
"""
Tiles = list[tuple[np.ndarray, str]]
Found = tuple[list[Hit], Tiles, str, Any]


class SearchPage:
    """What happens on the page, for any number of visitors; what each has is a list of hits.

    Args:
        searcher: the indexes.
    """

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher

    def search(self, name: str, text: str, k: int) -> Found:
        """Search by a text."""
        start = time.perf_counter()
        hits = self.searcher.search(name, text, int(k))
        return self._found(name, hits, time.perf_counter() - start)

    def like_image(self, name: str, value: Mapping[str, Any] | None, k: int) -> Found:
        """Search by the object in an image that a visitor gives."""
        upload = read_upload(value)
        if upload is None:
            raise gr.Error("Drop an image first.", print_exception=False)
        start = time.perf_counter()
        hits = self.searcher.search_like(name, upload.image, None, int(k))
        return self._found(name, hits, time.perf_counter() - start)

    def like_hit(self, name: str, hit: Hit | None, k: int) -> Found:
        """Search by a region that was found."""
        if hit is None:
            raise gr.Error("Click a result first.", print_exception=False)
        start = time.perf_counter()
        hits = self.searcher.search_like(name, hit.image, hit.box, int(k))
        return self._found(name, hits, time.perf_counter() - start)

    def _found(self, name: str, hits: list[Hit], seconds: float) -> Found:
        total = len(self.searcher.indexes[name])
        line = f"<b>{len(hits)}</b> of {total:,} regions, {milliseconds(seconds)}"
        return hits, tiles(hits), line, gr.update(visible=False)

    def choose(self, hits: Sequence[Hit], event: gr.SelectData) -> tuple[Hit | None, Any, Any, str]:
        """Show the whole image of a result."""
        hit = hits[event.index]
        image = read_if_there(hit.image)
        line = (
            f"<b>{html.escape(hit.image)}</b><br>{hit.score:.3f}, objectness {hit.objectness:.2f}"
        )
        if hit.state != "as indexed":
            line += f"; the image is {hit.state}"
        drawn = None if image is None else outlined(image, hit.box)
        return hit, gr.update(visible=True), drawn, line

    def download(self, hits: Sequence[Hit]) -> dict[str, str] | None:
        """Pack the results as JSON."""
        if not hits:
            gr.Info("Nothing to download yet.")
            return None
        text = json.dumps({"hits": hits_as_json(hits)}, indent=1)
        return Download("search.json", text.encode()).for_browser()


def search_page(searcher: Searcher, title: str) -> None:
    """Lay the page out.

    Args:
        searcher: the indexes; without one the page says how to make it.
        title: above the page.
    """
    heading(title, "Detect")
    if not searcher.indexes:
        gr.Markdown(WITHOUT, elem_id="without")
        return
    page = SearchPage(searcher)
    hits = gr.State([])
    chosen = gr.State(None)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            known = list(searcher.indexes)
            name = gr.Dropdown(known, value=known[0], label="Index", visible=len(known) > 1)
            text = gr.Textbox(
                label="What to look for",
                placeholder="striped star",
                info="Names between commas: the one that fits best counts.",
                elem_id="search-text",
            )
            find = gr.Button("Search", variant="primary", elem_id="search")
            k = gr.Slider(1, MOST_HITS, 50, step=1, label="Results")
            with gr.Accordion("Or by an example", open=False):
                image = image_input("Image of an object")
                like_image = gr.Button("Search what is like it")
            status = gr.HTML(elem_id="search-status")
            download_button("JSON", page.download, [hits])
            with gr.Group(visible=False, elem_id="chosen") as details:
                drawn = gr.Image(show_label=False, interactive=False, buttons=["fullscreen"])
                about = gr.HTML(padding=True)
                like_hit = gr.Button("More like this", elem_id="like")
        with gr.Column(scale=7, min_width=420):
            gallery = gr.Gallery(
                show_label=False, columns=6, object_fit="contain", allow_preview=False,
                interactive=False, elem_id="hits", buttons=[], height="auto",
            )  # fmt: skip
    found = [hits, gallery, status, details]
    search = clear_errors(page.search)
    gr.on([text.submit, find.click], search, [name, text, k], found, **EVENT)
    like_image.click(
        clear_errors(page.like_image), [name, image, k], found, preprocess=False, **EVENT
    )
    like_hit.click(clear_errors(page.like_hit), [name, chosen, k], found, **EVENT)
    gallery.select(page.choose, [hits], [chosen, details, drawn, about], **EVENT)
