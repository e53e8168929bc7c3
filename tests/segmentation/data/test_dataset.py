"""SegmentationDataset: which pixels have which row, and the transforms that move both."""

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS
from PIL import ExifTags, Image

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.segmentation.data.label_map import IGNORE, UNLABELLED

from ..label_files import vocabulary_of, write_image, write_pair

LOAD = [dict(type="LoadImage"), dict(type="LoadLabelMap")]
PACK = [dict(type="PackSegmentationInputs")]
# values: 0 sky, 1 road, 2 cat, 3 dog
TABLE = "0\tsky\n1\troad\n2\tcat, kitty\n3\tdog\n"
VALUES = np.array([[0, 0, 1, 1], [2, 2, 3, 255]])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "table.txt").write_text(TABLE)
    write_pair(tmp_path, "b", VALUES[::-1])
    write_pair(tmp_path, "a", VALUES, "P")
    (tmp_path / "val.txt").write_text("b\n")
    return tmp_path


def build(root, steps=(), names=("dog", "kitty", "road", "tree"), novel=("road",), **more):
    """A data set of class names in an order of their own, 'sky' not among them."""
    return DATASETS.build(
        dict(
            type="SegmentationDataset",
            vocabulary=vocabulary_of(names, novel),
            labels=str(root / "table.txt"),
            data_root=str(root),
            serialize_data=False,  # mmengine collects garbage for it
            data_prefix=dict(img_path="images", seg_map_path="maps"),
            img_suffix=".png",
            pipeline=[*LOAD, *steps, *PACK],
        )
        | more
    )


def rows(item):
    found = item["data_samples"].gt_sem_seg.sem_seg
    assert found.dtype == torch.int64 and found.ndim == 3
    return found[0].tolist()


def test_testing_keeps_all_classes_of_the_vocabulary(root):
    data = build(root, test_mode=True)
    assert [data[k]["data_samples"].img_id for k in range(len(data))] == ["a", "b"]
    assert rows(data[0]) == [[IGNORE, IGNORE, 2, 2], [1, 1, 0, IGNORE]]
    assert data.metainfo["classes"] == ("dog", "kitty", "road", "tree")
    assert data.metainfo["is_base"] == (True, True, False, True)


@pytest.mark.parametrize(
    "labelled, row",
    [("base", [1, 1, 0]), ("all", [1, 1, 0]), ("none", [-2, -2, -2]), (["dog"], [-2, -2, 0])],
)
def test_training_keeps_back_the_labels_of_classes_that_are_not_labelled(root, labelled, row):
    found = rows(build(root, labelled=labelled)[0])
    assert found[1] == [*row, IGNORE]  # the last pixel has no class
    assert found[0][2] == (2 if labelled == "all" else UNLABELLED)  # the novel one


def test_a_list_of_images(root):
    data = build(root, ann_file="val.txt", test_mode=True)
    assert len(data) == 1 and rows(data[0])[0] == [1, 1, 0, IGNORE]


STEPS = {
    "resize": [dict(type="OVResize", scale=(90, 60), keep_ratio=True)],
    "flip": [dict(type="RandomFlip", prob=1.0, direction=["horizontal", "vertical"])],
    "crop": [dict(type="RandomCrop", crop_size=(9, 7))],
    "range": [
        dict(type="RandomResize", scale=(64, 48), ratio_range=(0.5, 2.0), resize_type="OVResize"),
        dict(type="RandomCrop", crop_size=(20, 20)),
        dict(type="RandomFlip", prob=0.5),
    ],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_the_map_moves_with_its_image(root, steps):
    """Away from edges, an image whose red is a function of its map is that still."""
    values = np.kron(np.array([[0, 1, 2], [3, 2, 1], [1, 3, 0]]), np.ones((8, 8), int))
    write_pair(root, "a", values)
    names = ("sky", "road", "cat", "dog")
    data = build(root, steps, names, novel=())
    for _ in range(5):
        item = data[0]
        found = np.array(rows(item))
        red = item["inputs"].numpy()[2].astype(int)  # BGR
        assert found.shape == red.shape
        wrong = np.abs(red - 10 * found) > 4
        assert wrong.mean() < 0.2  # edges, which are blurred in the image
        inner = [found == np.roll(found, shift, axis) for shift in (-2, 2) for axis in (0, 1)]
        inside = np.logical_and.reduce(inner)
        inside[[0, 1, -1, -2]] = inside[:, [0, 1, -1, -2]] = False
        assert not wrong[inside].any()


def test_padding_is_ignored(root):
    pad = dict(type="Pad", size=(6, 4), pad_val=dict(img=0, seg=IGNORE))
    found = rows(build(root, [pad], test_mode=True)[0])
    assert found[2:] == [[IGNORE] * 6] * 2 and found[0][4:] == [IGNORE] * 2
    with pytest.raises(UserError, match="255"):
        build(root, [dict(type="Pad", size=(6, 4))])


def test_a_map_loaded_behind_the_transforms_has_the_size_of_the_file(root):
    steps = [LOAD[0], dict(type="OVResize", scale=(12, 6), keep_ratio=True), LOAD[1], *PACK]
    item = build(root, pipeline=steps, test_mode=True)[0]
    assert item["inputs"].shape == (3, 6, 12)
    assert item["data_samples"].gt_sem_seg.sem_seg.shape == (1, 2, 4)


def test_a_map_of_another_size_names_the_map_and_the_image(root):
    write_image(root / "maps/a.png", np.zeros((5, 5), np.uint8))
    with pytest.raises(ImageError, match=r"maps/a\.png.*5 x 5.*4 x 2.*images/a\.png"):
        build(root)[0]


def test_values_of_another_data_set(root):
    write_image(root / "maps/a.png", np.full((2, 4), 9, np.uint8))
    with pytest.raises(UserError, match=r"9 \(8 pixels\)"):
        build(root)[0]


def test_a_list_with_empty_lines_and_a_name_twice(root):
    (root / "val.txt").write_bytes(b"\xef\xbb\xbfb\n\n")
    data = build(root, ann_file="val.txt", test_mode=True)
    assert [data[k]["data_samples"].img_id for k in range(len(data))] == ["b"]
    for content, said in (("b\na\nb\n", "'b' stands in it 2 times"), ("\n", "val.txt is empty")):
        (root / "val.txt").write_text(content)
        with pytest.raises(UserError, match=said):
            build(root, ann_file="val.txt")


def test_missing_label_maps_are_counted_when_the_data_set_is_built(root):
    (root / "maps/a.png").unlink()
    with pytest.raises(UserError, match=r"1 of 2 label maps are missing.*maps/a\.png"):
        build(root)
    build(root, ann_file="val.txt")


def write_turned(root, orientation, shape=(2, 4)):
    """The image "a" as a camera writes it, whose EXIF data say how it is shown."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    pixels = np.zeros((*shape, 3), np.uint8)
    for name in "ab":
        Image.fromarray(pixels).save(root / f"images/{name}.jpg", exif=exif)


def test_an_image_that_exif_data_turn_has_the_map_of_the_upright_one(root):
    write_turned(root, 6, (4, 2))
    assert rows(build(root, img_suffix=".jpg", test_mode=True)[0])[1] == [1, 1, 0, IGNORE]
    write_turned(root, 6)  # the map is that of the pixels in the file
    with pytest.raises(ImageError, match=r"4 x 2.*2 x 4.*a\.jpg.*EXIF"):
        build(root, img_suffix=".jpg")[0]


@pytest.mark.parametrize("orientation, shape", [(3, (2, 4)), (2, (2, 4)), (6, (4, 4))])
def test_an_image_that_exif_data_move_within_its_size_is_refused(root, orientation, shape):
    for name in "ab":
        write_image(root / f"maps/{name}.png", np.ones(shape, np.uint8))
    write_turned(root, orientation, shape)
    with pytest.raises(UserError, match=f"EXIF.*orientation {orientation}"):
        build(root, img_suffix=".jpg")[0]
    write_turned(root, 1, shape)
    build(root, img_suffix=".jpg")[0]


@pytest.mark.parametrize(
    "change, said",
    [
        (dict(vocabulary=vocabulary_of(["zebra"])), "zebra"),
        (dict(ann_file="none.txt"), "none.txt"),
        (dict(img_suffix=".gif"), ".gif"),
        (dict(data_prefix=dict(img_path="photos", seg_map_path="maps")), "photos"),
        (dict(labelled=["road"]), "road"),  # novel
    ],
)
def test_data_that_do_not_fit(root, change, said):
    with pytest.raises(UserError, match=said):
        build(root, **change)
