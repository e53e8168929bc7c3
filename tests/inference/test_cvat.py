"""The function for CVAT gives what CVAT's own programs take, and what is in the image."""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.inference import cvat
from ovdistill.inference.detector import Detector
from ovdistill.inference.formats.outlines import simplify_outline

from .formats.examples import detections, iou

cvataa = pytest.importorskip("cvat_sdk.auto_annotation")
TEXT = "red striped heart, green star"
PAGE = (Path(__file__).parents[2] / "docs" / "cvat.md").read_text()


@pytest.fixture(scope="module")
def detector() -> Detector:
    detector = Detector.from_pretrained("ovshapes", device="cpu")
    detector.set_vocabulary(TEXT)
    return detector


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return Image.open(SAMPLE_IMAGE)


@pytest.fixture(scope="module")
def expected(detector, image):
    return detector.predict(image, score_threshold=0.3)


@pytest.fixture
def annotate(monkeypatch, image):
    """Let CVAT's own driver annotate a task of one image; return the shapes that it uploads."""
    driver = sys.modules["cvat_sdk.auto_annotation.driver"]

    def run(function, kind: str, names: list[str], **options) -> list:
        labels = [
            SimpleNamespace(id=100 + i, name=name, type=kind, sublabels=[], attributes=[])
            for i, name in enumerate(names)
        ]
        media = SimpleNamespace(load_image=lambda: image)
        sample = SimpleNamespace(frame_name="a.png", frame_index=7, media=media)
        task = SimpleNamespace(labels=labels, samples=[sample])
        monkeypatch.setattr(driver, "TaskDataset", lambda *_, **__: task)
        uploaded = []
        api = SimpleNamespace(
            partial_update_annotations=lambda *_, patched_labeled_data_request: uploaded.append(
                patched_labeled_data_request
            )
        )
        logger = SimpleNamespace(info=lambda *_: None)
        client = SimpleNamespace(logger=logger, tasks=SimpleNamespace(api=api))
        cvataa.annotate_task(client, 1, function, **options)
        (data,) = uploaded
        assert not data.tags and {shape.frame for shape in data.shapes} <= {7}
        return data.shapes

    return run


def test_rectangles(detector, annotate, expected) -> None:
    names = ["green star", "other", "red striped heart"]
    shapes = annotate(cvat.CvatFunction(detector), "rectangle", names)
    assert {shape.type.value for shape in shapes} == {"rectangle"} and len(shapes) == 2
    assert [names[shape.label_id - 100] for shape in shapes] == list(expected.names)
    np.testing.assert_allclose([shape.points for shape in shapes], expected.boxes, atol=1e-3)
    np.testing.assert_allclose([shape.score for shape in shapes], expected.scores, atol=1e-5)


def test_masks(detector, annotate, expected, image) -> None:
    from cvat_sdk.masks import decode_mask

    shapes = annotate(cvat.CvatFunction(detector, "mask"), "mask", [*detector.queries])
    for shape, mask in zip(shapes, expected.masks, strict=True):
        decoded = decode_mask(shape.points, image_width=image.width, image_height=image.height)
        np.testing.assert_array_equal(decoded, mask)


@pytest.mark.parametrize(
    ("shape", "options"), [("polygon", {}), ("mask", dict(conv_mask_to_poly=True))]
)
def test_polygons(shape, options, detector, annotate, expected) -> None:
    function = cvat.CvatFunction(detector, shape)
    shapes = annotate(function, "polygon", [*detector.queries], **options)
    for found, mask in zip(shapes, expected.masks, strict=True):
        filled = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(filled, [np.array(found.points).reshape(-1, 2).astype(np.int32)], 1)
        assert iou(filled.astype(bool), mask) > 0.9
        assert len(found.points) < 100  # of the outline's points, few are left


def test_the_threshold_of_cvat_replaces_the_own(detector, annotate, expected) -> None:
    names = [*detector.queries]
    between = float(expected.scores.mean())
    strict = cvat.CvatFunction(detector, threshold=between)
    assert len(annotate(strict, "rectangle", names)) == 1
    assert len(annotate(strict, "rectangle", names, conf_threshold=0.3)) == 2
    default = cvat.CvatFunction(detector)
    assert len(annotate(default, "rectangle", names, conf_threshold=between)) == 1
    assert len(annotate(default, "rectangle", names, conf_threshold=1.0)) == 0
    assert len(annotate(strict, "rectangle", names, conf_threshold=0.0)) == 2  # 0 is stated


def test_a_command_line_can_state_every_parameter(tmp_path: Path) -> None:
    common = pytest.importorskip("cvat_cli._internal.common")
    file = tmp_path / "names.yaml"
    file.write_text("names: {short: [a long phrase]}\nnegatives: [ring]\n")
    given = dict(model="ovshapes", shape="polygon", threshold=0.5, background="none", device="cpu")
    for text, names in (
        ('"cup, with handle", tent,  tents,Tent', ["cup, with handle", "tent"]),
        (str(file), ["short"]),
    ):
        loader = common.FunctionLoader("ovdistill.inference.cvat", None, {"text": text, **given})
        function = loader.load()
        assert [label.name for label in function.spec.labels] == names
        assert [label.id for label in function.spec.labels] == [*range(len(names))]
        assert {label.type for label in function.spec.labels} == {"polygon"}
        assert (function.threshold, function.detector.queries) == (0.5, tuple(names))


def cli_lines() -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.replace("\\\n", " "), re.M | re.S)
    return [line for line in "\n".join(blocks).splitlines() if line.startswith("cvat-cli")]


def test_the_commands_of_the_page_are_those_of_cvat() -> None:
    commands = pytest.importorskip("cvat_cli._internal.commands_all").COMMANDS
    common = sys.modules["cvat_cli._internal.common"]
    parser = argparse.ArgumentParser()
    common.configure_common_arguments(parser)
    commands.configure_parser(parser)
    lines = cli_lines()
    assert len(lines) >= 3
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        parsed = parser.parse_args(words)
        assert parsed.function_module == "ovdistill.inference.cvat"
        inspect.signature(cvat.create).bind(**parsed.function_parameters)


def test_an_empty_mask_is_its_box() -> None:
    one = detections(1)
    one.masks[:] = False
    (x1, y1, x2, y2) = one[0].box
    polygon = np.array(cvat._shape(one[0], "polygon").points).reshape(-1, 2)
    assert polygon.min(axis=0) == pytest.approx((x1, y1), abs=1)
    assert polygon.max(axis=0) == pytest.approx((x2, y2), abs=1)
    assert cvat._shape(one[0], "mask").points[-4:] == pytest.approx((x1, y1, x2, y2), abs=1)


def test_few_points_are_left_of_an_outline() -> None:
    circle = np.array(
        [(50 + 40 * np.cos(a), 50 + 40 * np.sin(a)) for a in np.linspace(0, 6.28, 200)]
    )
    few = simplify_outline(circle, 1.0)
    assert 8 < len(few) < 30
    assert np.abs(np.linalg.norm(few - 50, axis=1) - 40).max() < 1e-3
    line = np.array([[1.0, 1], [5, 1], [9, 1]])
    assert simplify_outline(line, 1.0) is line
    assert simplify_outline(np.zeros((0, 2)), 1.0).shape == (0, 2)


def test_what_does_not_fit_is_said(detector, monkeypatch) -> None:
    with pytest.raises(UserError, match="circle"):
        cvat.CvatFunction(detector, "circle")
    with pytest.raises(UserError, match=r"1\.5"):
        cvat.CvatFunction(detector, threshold=1.5)
    with pytest.raises(UserError, match="65 characters"):
        cvat._spec(("y" * 64, "x" * 65), "mask")
    monkeypatch.setattr(detector.engine, "model", SimpleNamespace(with_mask=False))
    with pytest.raises(UserError, match="without masks"):
        cvat.CvatFunction(detector, "mask")
    monkeypatch.setitem(sys.modules, "cvat_sdk", None)
    with pytest.raises(UserError, match=r"ovdistill\[cvat\]"):
        cvat.create(TEXT)
