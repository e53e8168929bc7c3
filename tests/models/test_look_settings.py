"""Settings of box correction and of the second look."""

import re

import pytest

from ovdistill.core.errors import UserError
from ovdistill.models.look_settings import MaskBoxes, SecondLook, read_settings

from ..batches import build, load_config, make_vocabulary

KINDS = {"mask_boxes": MaskBoxes, "second_look": SecondLook}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("mask_boxes", dict(share=0.7), MaskBoxes(expand=1.15, threshold=-0.5, share=0.7)),
        ("second_look", dict(iou=0.9, most=6), SecondLook(iou=0.9, most=6, share=0.5, quality=1)),
        ("mask_boxes", None, None),
        ("second_look", {}, None),
    ],
)
def test_settings_that_a_config_leaves_out_have_defaults(name, given, expected):
    assert read_settings(KINDS[name], {name: given}, name) == expected


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        (
            "mask_boxes",
            dict(treshold=0),
            "mask_boxes.treshold is read by nothing; did you mean",
        ),
        ("second_look", dict(x=1), "x is read by nothing; expected iou, most, share, quality"),
        ("second_look", dict(iou=0.9), "second_look has no most; expected iou, most"),
        ("mask_boxes", dict(share="half"), "mask_boxes: share is 'half'; expected a number"),
        ("mask_boxes", True, "mask_boxes is True; expected dict(...) of expand, threshold, share"),
    ],
)
def test_settings_that_say_nothing_are_an_error(name, given, message):
    test_cfg = load_config("vild_r18_shapes").model.test_cfg
    test_cfg.rcnn[name] = given
    with pytest.raises(UserError, match=re.escape(message)):
        build("vild_r18_shapes", make_vocabulary(3), test_cfg=test_cfg)


def test_settings_may_change_after_the_build():
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    for look, corrects in ((dict(iou=0.5, most=2), False), (None, True)):
        head.test_cfg["second_look"] = look
        assert head.corrects_detections == corrects
    head.test_cfg["second_look"] = dict(iou=0.5)
    with pytest.raises(UserError, match="second_look has no most"):
        _ = head.corrects_detections
