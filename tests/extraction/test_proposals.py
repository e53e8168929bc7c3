"""Sources of boxes, and which of their boxes are kept."""

import json

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.extraction.images import ImageFile, LoadedImage
from ovdistill.extraction.proposals import (
    GridProposals,
    LabelledProposals,
    RandomProposals,
    keep_best_boxes,
)


def image(image_id=1, height=40, width=60):
    return LoadedImage(ImageFile(image_id, ""), torch.zeros(3, height, width, dtype=torch.uint8))


def test_keep_best_boxes_by_hand():
    nan = float("nan")
    boxes = torch.tensor(
        [
            [0.0, 0, 10, 10],
            [50, 30, 80, 90],  # clipped to the image
            [5, 5, 5, 20],  # no area
            [70, 10, 90, 20],  # outside
            [nan, 0, 10, 10],
            [0, 0, 3, 10],  # a side below 4
            [1, 1, 9, 9],
        ]
    )
    scores = torch.tensor([0.1, 0.9, 1, 1, 1, 1, 0.5])
    kept, own, dropped = keep_best_boxes((boxes, scores), (40, 60), per_image=2, min_size=4)
    assert kept.tolist() == [[50, 30, 60, 40], [1, 1, 9, 9]]
    torch.testing.assert_close(own, torch.tensor([0.9, 0.5]))
    assert dropped == 4


def test_labelled_boxes_are_those_of_base_classes(tmp_path, caplog):
    boxes = {1: [[0, 0, 5, 5], [1, 1, 6, 6], [2, 2, 7, 7]]}
    annotations = [
        dict(id=i, image_id=1, bbox=box, category_id=category, iscrowd=crowd)
        for i, (box, category, crowd) in enumerate(zip(boxes[1], [1, 2, 1], [0, 0, 1], strict=True))
    ]
    path = tmp_path / "a.json"
    categories = [dict(id=1, name="tea_cup"), dict(id=2, name="zebra")]
    images = [dict(id=1, file_name="1.jpg", height=40, width=60)]
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    source = LabelledProposals(path, ["tea cup", "emu"])  # in another spelling, and one not there
    assert "1 of 2 base classes are no category" in caplog.text and "'emu'" in caplog.text
    found, none = source.propose([image(1), image(2)])
    assert found[0].tolist() == [[0, 0, 5, 5]] and found[1].tolist() == [1.0]
    assert none[0].shape == (0, 4)
    other = LabelledProposals(path, ["zebra"])
    assert source.origin != other.origin != LabelledProposals(path, ["Tea cup", "zebra"]).origin
    assert source.origin == LabelledProposals(path, ["tea_cup"]).origin
    for base in (["emu"], []):
        with pytest.raises(UserError, match="none of the .* base classes is a category"):
            LabelledProposals(path, base)


@pytest.mark.parametrize("source", [GridProposals(40), RandomProposals(40)])
def test_boxes_to_try_the_code_out(source):
    wide, tall, again = source.propose([image(1), image(2, 90, 30), image(1)])
    assert torch.equal(wide[0], again[0])
    for (boxes, scores), (height, width) in ((wide, (40, 60)), (tall, (90, 30))):
        assert 20 < len(boxes) == len(scores) <= 40
        assert (boxes[:, 2:] > boxes[:, :2]).all() and (boxes >= 0).all()
        assert (boxes[:, [0, 2]] <= width).all() and (boxes[:, [1, 3]] <= height).all()
