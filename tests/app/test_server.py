"""How the pages are served: one request after another."""

from __future__ import annotations

from functools import partial

import pytest

pytest.importorskip("gradio")

from ovdistill.app.detect_page import detect_page
from ovdistill.app.finder import Finder
from ovdistill.app.searcher import Searcher
from ovdistill.app.segment_page import segment_page
from ovdistill.app.segmenter import Segmenter
from ovdistill.app.server import build_pages
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.inference.detector import Detector


def test_no_request_runs_beside_another() -> None:
    """Else one for other names would still see the image before the last one."""
    finder = Finder(Detector.from_pretrained("ovshapes", device="cpu"))
    searcher = Searcher([], finder)
    searcher.indexes = {"photos": None}  # of which the layout needs the name alone
    of_detector = partial(detect_page, finder, [(SAMPLE_IMAGE, "ring")], {})
    of_segmentor = partial(segment_page, Segmenter(None), [SAMPLE_IMAGE], {})
    for first, others in ((of_detector, searcher), (of_segmentor, None)):
        pages = build_pages("title", first, others)
        queues = {event.concurrency_id for event in pages.fns.values() if event.fn is not None}
        assert len(queues) == 1
        assert pages._queue.default_concurrency_limit == 1
