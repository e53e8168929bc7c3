"""The tables that say what the values of label maps mean."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.names import find_names
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.ovshapes.categories import category_names
from ovdistill.vocabulary.splits import COCO_NAMES, STUFF_NOVEL, VOC_NOVEL, base_mask


@pytest.mark.parametrize(
    "source, count, values",
    [
        ("voc", 20, {1: "aeroplane", 15: "person", 20: "tv monitor"}),
        ("coco-stuff", 171, {0: "person", 20: "cow", 91: "banner", 171: "wall concrete"}),
        ("coco-panoptic", 133, {1: "person", 118: "floor wood", 187: "sky", 200: "rug"}),
        ("ade20k", 150, {1: "wall", 22: "water", 24: "sofa", 150: "flag"}),
        ("ovshapes", 66, {1: "solid circle", 65: "outlined ellipse", 66: "background"}),
    ],
)
def test_shipped_tables(source, count, values):
    table, names = load_label_table(source), find_names(source)
    assert len(names) == count
    assert {value: table.names[value][0] for value in values} == values
    rows = table.rows(names.names)
    assert sorted(rows.values()) == list(range(count))


def test_coco_stuff_is_cocos_things_and_91_kinds_of_stuff():
    """The values are COCO's ids less one, with the gaps of ids that COCO took back."""
    names = load_label_table("coco-stuff").names
    things = [group[0] for value, group in names.items() if value < 91]
    assert things == [*COCO_NAMES]
    assert [value for value in names if value >= 91] == [*range(91, 182)]
    assert {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}.isdisjoint(names)


def test_published_splits():
    """The ids of the unseen classes are those that three repositories list."""
    voc, stuff = load_label_table("voc"), load_label_table("coco-stuff")
    assert sorted(voc.rows(VOC_NOVEL)) == [16, 17, 18, 19, 20]
    unseen = [20, 24, 32, 33, 40, 56, 86, 99, 105, 123, 144, 147, 148, 168, 171]
    assert sorted(stuff.rows(STUFF_NOVEL)) == unseen
    assert base_mask(find_names("voc").names, split="voc-15").tolist() == [True] * 15 + [False] * 5
    mask = base_mask(find_names("coco-stuff").names, split="stuff-156")
    assert (int(mask.sum()), int((~mask).sum())) == (156, 15)


def test_the_table_of_ovshapes_is_that_of_its_drawings():
    assert find_names("ovshapes").names == (*category_names(), "background")


def test_a_vocabulary_may_use_other_names():
    assert load_label_table("voc").rows(["TV", "background", "couch"]) == {0: 1, 18: 2, 20: 0}
    ade = load_label_table("ade20k")
    # a class of its own; elsewhere it is one of the further names of "screen door" and "blind"
    assert ade.rows(["screen"]) == {131: 0}
    assert ade.rows(["ground"]) == {}  # both of "earth" and of "land"
    assert find_names("ade20k").synonyms[1] == ("building", "edifice")


def test_tables_of_ones_own(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("7\tcat, kitty\n0\t-\n\n3\tdog\n")
    assert load_label_table(path).names == {0: (), 3: ("dog",), 7: ("cat", "kitty")}
    path.write_text("sky\nroad\n")
    assert load_label_table(path).names == {0: ("sky",), 1: ("road",)}


@pytest.mark.parametrize("text", ["sky\nroad\n", "0\tsky\n1\troad\n"])
def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path, text):
    path = tmp_path / "table.txt"
    path.write_text(text, encoding="utf-8-sig")
    assert load_label_table(path).names == {0: ("sky",), 1: ("road",)}


@pytest.mark.parametrize("text", ["x\tcat", "-1\tcat", "1\t", "1\tcat\n1\tdog", "1\tcat\n2\tCat"])
def test_tables_that_cannot_be_used(tmp_path, text):
    path = tmp_path / "table.txt"
    path.write_text(text)
    with pytest.raises(UserError):
        load_label_table(path)


def test_no_such_table():
    with pytest.raises(UserError, match="cocostuff"):
        load_label_table("cocostuff")
