"""The survey of an annotation file of one's own."""

import json

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.datasets.survey import survey


def content() -> dict:
    return dict(
        images=[dict(id=i, file_name=f"{i}.png", height=64, width=96) for i in (4, 7)],
        annotations=[
            dict(
                id=1,
                image_id=4,
                category_id=9,
                bbox=[5, 5, 40, 30],
                segmentation=[[5, 5, 9, 9, 5, 9]],
            ),
            dict(id=2, image_id=4, category_id=2, bbox=[50, 20, 20, 30], area=600, iscrowd=0),
        ],
        categories=[dict(id=9, name="bowl"), dict(id=2, name="garden gnome")],
    )


@pytest.fixture
def root(tmp_path):
    (tmp_path / "images").mkdir()
    for number in (4, 7):
        write_image(tmp_path / "images" / f"{number}.png", np.zeros((64, 96, 3), np.uint8))
    return tmp_path


def write(root, data=None, name="ann.json"):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(json.dumps(data or content()))
    return root / name


def test_what_a_file_holds(root):
    found = survey(write(root))
    assert (found.images, found.annotations, found.empty, found.masks) == (2, 2, 1, 1)
    assert found.names == ("garden gnome", "bowl")  # by id
    assert (found.with_masks, found.lvis) == (False, False)


@pytest.mark.parametrize("key", ["names", "labels", "classes"])
def test_further_lists_of_a_file_are_not_its_classes(key, root):
    assert survey(write(root, content() | {key: ["a", "b", "c"]})).names == ("garden gnome", "bowl")


def test_annotations_that_cannot_be_used_are_not_counted(root):
    data = content()
    data["annotations"] += [dict(id=3, image_id=4, category_id=2, bbox=[1])]
    assert survey(write(root, data)).annotations == 2
    data["annotations"] = data["annotations"][-1:]
    with pytest.raises(UserError, match=r"ann.json.* 2 images.* 0 annotations.*annotation 3.*bbox"):
        survey(write(root, data))


def test_images_are_found_beside_the_file_or_above_it(root):
    for name in ("ann.json", "annotations/ann.json", "images/ann.json"):
        assert survey(write(root, name=name)).image_folder == root / "images"


def test_images_of_a_named_folder(root):
    (root / "images").rename(root / "elsewhere")
    with pytest.raises(UserError, match="4.png.*--images DIR"):
        survey(write(root))
    assert survey(write(root), root / "elsewhere").image_folder == root / "elsewhere"


def test_a_folder_is_likely_to_have_the_images(root):
    for folder in (root / "images", root / "nowhere"):
        assert survey(write(root), likely=folder).image_folder == root / "images"
    (root / "images").rename(root / "elsewhere")
    assert survey(write(root), likely=root / "elsewhere").image_folder == root / "elsewhere"
    with pytest.raises(UserError, match="--val-images DIR"):
        survey(write(root), option="--val-images")


def test_lvis_is_told_by_its_fields(root):
    data = content()
    for category in data["categories"]:
        category["frequency"] = "c"
    assert not survey(write(root, data)).lvis
    for image in data["images"]:
        image |= dict(neg_category_ids=[], not_exhaustive_category_ids=[])
    assert survey(write(root, data)).lvis


def test_problems_are_reported_and_not_said_twice(root, caplog):
    data = content()
    data["annotations"] += [dict(id=3, image_id=4, category_id=2, bbox=[1])]
    assert survey(write(root, data)).report.counts["bbox"] == 1
    assert not caplog.records


def test_a_few_missing_masks_are_no_reason_to_learn_none(root):
    data = content()
    data["annotations"] = [data["annotations"][0]] * 39 + data["annotations"][1:]
    found = survey(write(root, data))
    assert (found.masks, found.annotations, found.with_masks) == (39, 40, True)


def test_what_cannot_be_trained_on(root):
    data = content()
    for record in data["annotations"]:
        record["iscrowd"] = 1
    with pytest.raises(UserError, match="all 2 annotations .*crowds"):
        survey(write(root, data))
    data = content()
    data["categories"].append(dict(id=3, name="Garden_Gnome"))
    with pytest.raises(UserError, match="'Garden_Gnome' and 'garden gnome'.*--fix"):
        survey(write(root, data))


def test_every_image_is_looked_at(root):
    data = content()
    data["images"].append(dict(id=8, file_name="8.png", height=64, width=96))
    with pytest.raises(UserError, match="1 of the 3 images .*8.png"):
        survey(write(root, data))
    (root / "images" / "8.png").write_bytes(b"damaged")
    assert len(survey(write(root, data)).damaged) == 1
    write_image(root / "images" / "8.png", np.zeros((96, 64, 3), np.uint8))
    with pytest.raises(UserError, match="8.png.*64 x 96.*96 x 64"):
        survey(write(root, data))
