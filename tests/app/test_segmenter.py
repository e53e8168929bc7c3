"""What the page of a segmentor asks, and what it shows."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ovdistill.app import segment_view as view
from ovdistill.app.downloads import LABEL_MAP_FORMS, pack_label_map
from ovdistill.app.segmenter import Segmented, Segmenter
from ovdistill.core.errors import UserError
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.inference.segmentor import Segmentor

from ..stand_in import SEGMENTOR_CONFIG, TextsByLength, save_untrained_segmentor

NAMES = "sky, a road, striped star"
LABELS = np.array([[1, 1, 1, -1], [1, 1, 0, 2]], dtype=np.int32)
CONFIDENCE = np.array([[0.9, 0.8, 0.7, 0.1], [0.9, 0.7, 0.6, 0.2]], dtype=np.float32)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory) -> Segmenter:
    checkpoint = save_untrained_segmentor(tmp_path_factory.mktemp("segmentor"))
    teacher = TextsByLength()
    segmentor = Segmentor.from_pretrained(
        SEGMENTOR_CONFIG, checkpoint, device="cpu", teacher=teacher
    )
    return Segmenter(segmentor)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (90, 150, 3), dtype=np.uint8)


@pytest.fixture
def found() -> Segmented:
    image = np.full((2, 4, 3), 100, np.uint8)
    names = ("<b>sky</b>", "road", "star", "ring")
    result = SegmentationResult(LABELS, names, CONFIDENCE, image, "../beach.JPG")
    return Segmented(image, "beach.JPG", result, ("a <note>",), 0.25)


def test_a_pixel_is_ranked_by_the_scores_of_all_names(segmenter: Segmenter, image) -> None:
    found = segmenter.segment(image, "a.png", "sky, a road", "striped star")
    ranked = found.result.rank_names(40, 20)
    assert [score for _, score in ranked] == sorted((s for _, s in ranked), reverse=True)
    assert {name for name, _ in ranked} == {"sky", "a road", "striped star"}
    for name in ("sky", "a road"):
        assert dict(ranked)[name] == pytest.approx(found.result.scores(name)[20, 40], abs=1e-6)
    assert found.result.confidence[20, 40] == pytest.approx(ranked[0][1])
    assert len(found.result.rank_names(40, 20, most=2)) == 2
    with pytest.raises(UserError, match="150 x 90"):
        found.result.rank_names(150, 20)
    with pytest.raises(UserError, match="not kept"):
        replace(found.result, score_maps=None).rank_names(0, 0)


def test_each_visitor_gets_the_names_that_they_asked_for(segmenter: Segmenter, image) -> None:
    mine = segmenter.segment(image, "a.png", NAMES, "none")
    segmenter.segment(image, "b.png", "zebra", "none")  # somebody else
    assert mine.result.names == ("sky", "a road", "striped star")
    assert set(dict(mine.result.rank_names(0, 0))) == {"sky", "a road", "striped star"}
    assert mine.result.path == "a.png" and (mine.result.labels >= 0).all()


def test_without_names_those_of_the_training_are_meant(segmenter: Segmenter, image) -> None:
    with pytest.raises(UserError, match="class names of the training are not there"):
        segmenter.segment(image, "a.png", " ")
    known = segmenter.segmentor.encode_texts(["sky", "road"])
    segmenter.segmentor.__dict__["known"] = known
    try:
        assert segmenter.segment(image, "a.png", " ").result.names == ("sky", "road")
    finally:
        del segmenter.segmentor.__dict__["known"]


def test_pixels_of_a_lower_score_have_no_name(found: Segmented) -> None:
    filtered = found.result.filter(0.5)
    np.testing.assert_array_equal(filtered.labels, [[1, 1, 1, -1], [1, 1, 0, -1]])
    assert view.table(found, 0.5) == [(1, "road", 62.5, 0.8), (2, "<b>sky</b>", 12.5, 0.6)]
    assert [row[1] for row in view.table(found, 0)] == ["road", "<b>sky</b>", "star"]
    assert (view.draw(found, 0) != view.draw(found, 0.5)).any()


def test_the_status_is_html_without_what_people_typed_as_html(found: Segmented) -> None:
    line = view.status(found, 0.5)
    assert "<b>road 62 %, &lt;b&gt;sky&lt;/b&gt; 12 %</b>" in line
    assert "Not found: star, ring." in line and "250 ms" in line and "a &lt;note&gt;" in line
    assert view.status(found, 0.95).startswith("<b>No pixel has one of the names</b>.")


def test_a_point_of_the_drawing_is_a_pixel_or_the_legend(found: Segmented) -> None:
    drawn = view.draw(found, 0)
    factor = 640 // 4
    assert drawn.shape[1] == 640 and drawn.shape[0] > 2 * factor
    assert view.pixel(found, 0, 0) == (0, 0)
    assert view.pixel(found, 3.5 * factor, 1.5 * factor) == (3, 1)
    assert view.pixel(found, 10, drawn.shape[0] - 1) is None


def test_files(found: Segmented) -> None:
    files = {form: pack_label_map(found.result, form, {}) for form in LABEL_MAP_FORMS}
    assert [file.name for file in files.values()] == ["beach.png", "beach_label_map.zip"]
    assert Image.open(io.BytesIO(files["image"].content)).width == 640
    with zipfile.ZipFile(io.BytesIO(files["json"].content)) as archive:
        assert archive.namelist() == ["label_maps/beach.png", "label_maps.json"]
        values = np.asarray(Image.open(archive.open("label_maps/beach.png")))
        about = json.loads(archive.read("label_maps.json"))
    np.testing.assert_array_equal(values, np.where(LABELS < 0, 255, LABELS))
    assert about["images"][0]["names"][1] == {"label": 1, "name": "road", "share": 0.625}
