"""OVDataset: base and novel annotations in COCO and LVIS format."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.annotations.class_categories import NO_CATEGORY
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.vocabulary import Vocabulary


@pytest.fixture
def vocabulary():
    return Vocabulary(
        names=("cat", "dog", "emu"),
        embeddings=torch.eye(3),
        is_base=torch.tensor([True, True, False]),
        teacher=TeacherId("some:tag", "abc"),
    )


@pytest.fixture
def root(tmp_path):
    """Three images: a cat and an emu; an emu alone; a dog too thin to count and a crowd."""
    annotations = [
        dict(id=1, image_id=10, category_id=5, bbox=[1, 2, 10, 20], area=200, iscrowd=0),
        dict(id=2, image_id=10, category_id=9, bbox=[5, 5, 8, 8], area=64, iscrowd=0),
        dict(id=3, image_id=11, category_id=9, bbox=[0, 0, 9, 9], area=81),
        dict(id=4, image_id=12, category_id=7, bbox=[3, 3, 0.5, 9], area=4.5, iscrowd=0),
        dict(id=5, image_id=12, category_id=7, bbox=[0, 0, 30, 30], area=900, iscrowd=1),
    ]
    content = dict(
        images=[
            dict(id=10, file_name="a.png", height=32, width=40),
            dict(id=11, coco_url="http://host/train2017/b.png", height=32, width=40),
            dict(id=12, file_name="c.png", height=32, width=40),
        ],
        annotations=annotations,
        categories=[
            dict(id=9, name="emu"),
            dict(id=5, name="cat"),
            dict(id=7, name="dog"),
            dict(id=2, name="unused"),
        ],
    )
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return tmp_path


def build(root, vocabulary, **options) -> OVDataset:
    return OVDataset(
        vocabulary=vocabulary,
        ann_file="ann.json",
        data_root=str(root),
        data_prefix=dict(img="pictures"),
        pipeline=[],
        **options,
    )


def test_novel_annotations_are_dropped_in_training(root, vocabulary):
    dataset = build(root, vocabulary)
    labels = [[i["bbox_label"] for i in dataset.get_data_info(n)["instances"]] for n in range(3)]
    assert labels == [[0], [], [1]]
    assert dataset.get_data_info(0)["instances"][0]["bbox"] == [1, 2, 11, 22]
    assert dataset.get_data_info(2)["instances"][0]["ignore_flag"] == 1


def test_all_annotations_and_order_of_labels(root, vocabulary):
    dataset = build(root, vocabulary, labelled="all", test_mode=True)
    assert [len(dataset.get_data_info(n)["instances"]) for n in range(3)] == [2, 1, 1]
    # the file lists emu first; labels follow the vocabulary
    assert dataset.metainfo["cat_ids"] == (5, 7, 9)
    assert dataset.metainfo["classes"] == ("cat", "dog", "emu")
    assert dataset.metainfo["is_base"] == (True, True, False)


def test_a_file_that_labels_some_of_the_classes(root, vocabulary):
    (first, *_) = dataset = build(root, vocabulary, labelled=["cat"])
    labels = [[i["bbox_label"] for i in dataset.get_data_info(n)["instances"]] for n in range(3)]
    assert labels == [[0], [], []] and first["img_id"] == 10
    assert not dataset.get_data_info(0)["image_level"]


def test_only_labelled_names_must_be_categories(root, vocabulary):
    other = replace(vocabulary, names=("cat", "yak", "emu"))
    assert build(root, other, labelled=["cat"]).metainfo["cat_ids"] == (5, -1, 9)
    with pytest.raises(UserError, match="'yak'"):
        build(root, other, labelled=["cat", "yak"])


def test_images_without_labels_are_marked_and_none_is_dropped(root, vocabulary):
    dataset = build(root, vocabulary, labelled="none", filter_cfg=dict(filter_empty_gt=True))
    records = [dataset.get_data_info(n) for n in range(3)]
    assert [record["instances"] for record in records] == [[], [], []]
    assert all(record["image_level"] for record in records)
    assert not build(root, vocabulary).get_data_info(0)["image_level"]


def test_lvis_images_are_found_by_their_url(root, vocabulary):
    assert build(root, vocabulary).get_data_info(1)["img_path"].endswith("pictures/train2017/b.png")


def test_empty_images_can_be_dropped(root, vocabulary):
    assert len(build(root, vocabulary)) == 3
    kept = build(root, vocabulary, filter_cfg=dict(filter_empty_gt=True))
    assert [kept.get_data_info(n)["img_id"] for n in range(len(kept))] == [10, 12]


def test_no_image_is_left(root, vocabulary):
    with pytest.raises(UserError, match=r"0 of 3 images of .*ann.json.* 3 .* 33 pixels, 0 have"):
        build(root, vocabulary, filter_cfg=dict(min_size=33))
    novel = replace(vocabulary, is_base=torch.tensor([False, False, True]))
    assert len(build(root, novel, filter_cfg=dict(filter_empty_gt=True))) == 2
    content = json.loads((root / "ann.json").read_text())
    content["images"][0]["width"] = 20
    content["annotations"] = content["annotations"][:2]
    (root / "ann.json").write_text(json.dumps(content))
    rules = dict(filter_empty_gt=True, min_size=32)
    with pytest.raises(UserError, match=r"0 of 3 .* 1 are smaller than 32 .* 2 have no .* base"):
        build(root, vocabulary, filter_cfg=rules)
    assert len(build(root, vocabulary, filter_cfg=rules, test_mode=True)) == 3


@pytest.mark.parametrize("test_mode", [False, True])
def test_a_file_without_images(test_mode, root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    (root / "ann.json").write_text(json.dumps(content | dict(images=[], annotations=[])))
    with pytest.raises(UserError, match=r"ann.json has no images"):
        build(root, vocabulary, test_mode=test_mode)


def test_images_alone_need_no_classes(root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    (root / "ann.json").write_text(json.dumps(content | dict(categories=[], annotations=[])))
    dataset = build(root, vocabulary, labelled="none")
    assert len(dataset) == 3 and dataset.metainfo["cat_ids"] == (NO_CATEGORY,) * 3
    with pytest.raises(UserError, match="'cat'"):
        build(root, vocabulary)


def rename(root, **names: str) -> None:
    content = json.loads((root / "ann.json").read_text())
    for category in content["categories"]:
        category["name"] = names.get(category["name"], category["name"])
    (root / "ann.json").write_text(json.dumps(content))


def test_another_spelling_of_a_name(root, vocabulary):
    rename(root, dog="Hot_Dog")
    respelled = replace(vocabulary, names=("cat", "hot dog", "emu"))
    assert build(root, respelled).metainfo["cat_ids"] == (5, 7, 9)
    # the name itself comes first
    rename(root, cat="hot dog")
    for name, number in (("Hot_Dog", 7), ("hot dog", 5)):
        respelled = replace(vocabulary, names=(name, "unused", "emu"))
        assert build(root, respelled).metainfo["cat_ids"][0] == number


def test_a_spelling_that_could_be_two_is_none(root, vocabulary):
    rename(root, dog="Hot_Dog", unused="hot dog")
    with pytest.raises(
        UserError, match=r"1 of the 3 .*by teacher some:tag: .*vocab build --names .* --config"
    ):
        build(root, replace(vocabulary, names=("hot_dog", "cat", "emu")))


def test_names_that_the_file_does_not_have(root):
    other = Vocabulary(("cat", "yak"), torch.eye(2), torch.tensor([True, True]), TeacherId("test"))
    with pytest.raises(UserError, match="'yak'"):
        build(root, other)


def test_a_file_of_base_classes_alone(root, vocabulary):
    """It can be trained on, as other tools write it, but not be tested on."""
    content = json.loads((root / "ann.json").read_text())
    content["categories"] = [c for c in content["categories"] if c["name"] != "emu"]
    content["annotations"] = [a for a in content["annotations"] if a["category_id"] != 9]
    (root / "ann.json").write_text(json.dumps(content))
    dataset = build(root, vocabulary)
    assert dataset.metainfo["cat_ids"] == (5, 7, NO_CATEGORY)
    assert [i["bbox_label"] for i in dataset.get_data_info(0)["instances"]] == [0]
    with pytest.raises(UserError, match="'emu'"):
        build(root, vocabulary, labelled="all")
    with pytest.raises(UserError, match="'emu'"):
        build(root, replace(vocabulary, is_base=torch.ones(3) > 0))


def test_an_unknown_choice_of_labels(root, vocabulary):
    with pytest.raises(UserError, match="labelled='novel'.*'base', 'all' or 'none'"):
        build(root, vocabulary, labelled="novel")


def test_annotations_are_read_by_the_rules_of_the_one_reader(root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    content["annotations"][0].pop("area")
    content["annotations"][0].pop("iscrowd")
    content["annotations"] += [
        dict(id=6, image_id=10, category_id=5, bbox=[1, 2, 3]),
        dict(id=7, image_id=99, category_id=5, bbox=[1, 2, 3, 4]),
    ]
    (root / "ann.json").write_text(json.dumps(content))
    (instance,) = build(root, vocabulary).get_data_info(0)["instances"]
    assert (instance["bbox"], instance["ignore_flag"]) == ([1, 2, 11, 22], 0)


def test_small_and_outside_boxes_are_no_instances(root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    boxes = [[40, 0, 5, 5], [-5, 3, 5, 5], [0, 32, 9, 9], [35, 30, 9, 9], [0, 0, 0.9, 9]]
    boxes += [[39.99999, 10, 20, 20]]
    content["annotations"] = [
        dict(id=row, image_id=10, category_id=5, bbox=box) for row, box in enumerate(boxes)
    ] + [dict(id=9, image_id=10, category_id=5, bbox=[1, 1, 9, 9], area=0)]
    (root / "ann.json").write_text(json.dumps(content))
    instances = build(root, vocabulary).get_data_info(0)["instances"]
    assert [instance["bbox"] for instance in instances] == [[35, 30, 44, 39], [1, 1, 10, 10]]


def test_missing_and_foreign_annotation_files(root, vocabulary):
    (root / "ann.json").write_text('{"images": []}')
    with pytest.raises(UserError, match="no annotations, categories"):
        build(root, vocabulary)
    (root / "ann.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        build(root, vocabulary)
    (root / "ann.json").unlink()
    with pytest.raises(UserError, match="no annotation file"):
        build(root, vocabulary)


def test_real_lvis_file(real_data):
    path = real_data / "coco_mini" / "annotations" / "lvis_train2017.json"
    categories = json.loads(path.read_text())["categories"]
    names = tuple(c["name"] for c in categories)
    vocabulary = Vocabulary(
        names,
        torch.nn.functional.normalize(torch.randn(len(names), 8), dim=1),
        torch.tensor([c["frequency"] != "r" for c in categories]),
        TeacherId("test"),
    )
    dataset = OVDataset(
        vocabulary=vocabulary,
        ann_file="annotations/lvis_train2017.json",
        data_root=str(real_data / "coco_mini"),
        data_prefix=dict(img="images/train2017/"),
        pipeline=[dict(type="LoadImage")],
    )
    assert len(dataset) == 100
    assert sum(dataset.metainfo["is_base"]) == 866
    image = dataset[0]
    assert image["img"].shape[:2] == (image["height"], image["width"])


def test_class_agnostic_labels(root, vocabulary):
    dataset = build(root, vocabulary, labelled="all", class_agnostic=True)
    labels = [i["bbox_label"] for item in dataset.load_data_list() for i in item["instances"]]
    assert labels == [0] * 4


LOAD_MASKS = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]


def change(root, **values: object) -> None:
    """Set keys of the first annotation, which has the cat, and of the crowd."""
    content = json.loads((root / "ann.json").read_text())
    for record in (content["annotations"][0], content["annotations"][4]):
        record.update(values)
    (root / "ann.json").write_text(json.dumps(content))


def with_masks(root, vocabulary) -> OVDataset:
    options = dict(data_root=str(root), data_prefix=dict(img="pictures"), pipeline=LOAD_MASKS)
    return OVDataset(vocabulary=vocabulary, ann_file="ann.json", labelled="all", **options)


def test_an_object_without_mask_is_ignored_where_masks_are_learned(root, vocabulary, caplog):
    change(root, segmentation=[1, 2, 11, 2, 11, 22])
    (root / "pictures").mkdir()
    write_image(root / "pictures" / "a.png", np.zeros((32, 40, 3), np.uint8))
    loaded = with_masks(root, vocabulary)[0]
    assert loaded["gt_ignore_flags"].tolist() == [False, True]  # the emu has no mask
    assert loaded["gt_masks"].masks.any(axis=(1, 2)).tolist() == [True, False]
    assert "3 of the 5 annotations" in caplog.text and "ignore_iof_thr" in caplog.text


def test_learning_masks_without_any_is_an_error(root, vocabulary):
    with pytest.raises(UserError, match="no masks"):
        with_masks(root, vocabulary)


def test_crowds_alone_are_an_error_in_training(root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    content["annotations"] = content["annotations"][4:]
    (root / "ann.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="crowd"):
        build(root, vocabulary)
    assert len(build(root, vocabulary, test_mode=True)) == 3


def test_images_elsewhere_on_request(root, vocabulary):
    content = json.loads((root / "ann.json").read_text())
    content["images"][0]["file_name"] = "/data/a.png"
    (root / "ann.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="/data/a.png"):
        build(root, vocabulary)
    record = build(root, vocabulary, allow_outside_images=True).get_data_info(0)
    assert record["img_path"] == "/data/a.png"
