"""Serves the pages: on this computer alone unless asked otherwise, and without the network.

What visitors upload, and what is drawn for them, lies in a temporary folder. Old files in it are
removed every hour, all of them at the end.
"""

from __future__ import annotations

import os
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.core.stop_requests import stop_requests

if TYPE_CHECKING:
    import gradio as gr

    from ovdistill.app.searcher import Searcher

LOCAL = "127.0.0.1"
WAITING = 20  # requests; further ones are refused
SESSIONS = 20  # visitors whose last image is remembered: at most 100 MB each, with a detector
OLD = 3600  # seconds


@dataclass(frozen=True)
class Address:
    """Where the pages are, and what they accept.

    Attributes:
        host: "127.0.0.1" for this computer alone, "0.0.0.0" for the network.
        port: None takes the first free one from 7860 on.
        most_megabytes: the largest upload.
    """

    host: str = LOCAL
    port: int | None = None
    most_megabytes: int = 20


def build_pages(
    title: str, first: Callable[[str], None], searcher: Searcher | None = None
) -> gr.Blocks:
    """Lay out the pages.

    Args:
        title: of all of them.
        first: lays out the first page under a title.
        searcher: the indexes of the page that searches; None for no such page.
    """
    gr = import_extra("gradio", "app")

    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(OLD, OLD)) as pages:
        first(title)
    if searcher is not None:
        from ovdistill.app.search_page import search_page

        with pages.route("Search", "search"):
            search_page(searcher, title)
    return pages.queue(max_size=WAITING, default_concurrency_limit=1)


@contextmanager
def temporary_files() -> Iterator[None]:
    """Let gradio keep its files in a folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="ovdistill-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        yield


def serve(pages: gr.Blocks, address: Address, *, open_browser: bool = False) -> None:
    """Serve the pages until Ctrl-C.

    Raises:
        UserError: the port is taken, or the host is not one of this computer.
    """
    from ovdistill.app.style import CSS, theme

    with stop_requests() as stop:
        try:
            _, url, _ = pages.launch(
                server_name=address.host,
                server_port=address.port,
                max_file_size=f"{address.most_megabytes}mb",
                state_session_capacity=SESSIONS,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                inbrowser=False,
                ssr_mode=False,
                run_history=False,
                mcp_server=False,
                enable_monitoring=False,
                footer_links=[],
                theme=theme(),
                css=CSS,
            )
        except OSError as error:
            raise UserError(
                f"cannot serve at {address.host}:{address.port or '7860-7959'} ({error}); expected "
                "a free port: --port N"
            ) from error
        print(f"open {url} (Ctrl-C ends it)", flush=True)
        if address.host != LOCAL:
            print(f"everybody who reaches {address.host} can use it: there is no password")
        if open_browser:
            webbrowser.open(url)
        while not stop:
            time.sleep(0.2)
        pages.close(verbose=False)
