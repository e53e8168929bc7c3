import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL, base_mask


def test_coco_48_17():
    assert (len(set(COCO_BASE)), len(set(COCO_NOVEL))) == (48, 17)
    assert not set(COCO_BASE) & set(COCO_NOVEL)
    assert base_mask(["person", "cat"], split="coco").tolist() == [True, False]


def test_lvis_rare_is_novel():
    assert base_mask(["a", "b", "c"], ["f", "r", "c"], "lvis").tolist() == [True, False, True]


def test_explicit_novel_names_are_compared_cleaned():
    assert base_mask(["Hot_Dog", "cup"], split=["hot dog"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("names", "split"),
    [(["cup"], "lvis"), (["hot dog"], "coco"), (["cup"], "voc"), (["cup"], ["boat"])],
)
def test_bad_splits(names, split):
    with pytest.raises(UserError, match="expected"):
        base_mask(names, split=split)
