"""Base and novel classes of LVIS, COCO and OVShapes."""

from itertools import product

import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.splits import (
    COCO_BASE,
    COCO_NAMES,
    COCO_NOVEL,
    COCO_UNUSED,
    OVSHAPES_NOVEL,
    OVSHAPES_SPLITS,
    base_mask,
)

PATTERNS = ("solid", "striped", "dotted", "checkered", "outlined")
SHAPES = (
    *("circle", "square", "triangle", "star", "pentagon", "hexagon", "cross", "ring", "heart"),
    *("crescent", "arrow", "diamond", "ellipse"),
)
OVSHAPES = [f"{pattern} {shape}" for pattern, shape in product(PATTERNS, SHAPES)]


def test_coco_48_17():
    assert (len(set(COCO_BASE)), len(set(COCO_NOVEL))) == (48, 17)
    assert not set(COCO_BASE) & set(COCO_NOVEL)
    assert sorted((*COCO_BASE, *COCO_NOVEL, *COCO_UNUSED)) == sorted(COCO_NAMES)
    assert base_mask(["person", "cat"], split="coco").tolist() == [True, False]


def test_lvis_rare_is_novel():
    assert base_mask(["a", "b", "c"], ["f", "r", "c"], "lvis").tolist() == [True, False, True]


def test_all_are_base():
    assert base_mask(["a", "b"], split="none").tolist() == [True, True]


def test_ovshapes_shape_holds_out_three_shapes_of_every_pattern():
    assert {*OVSHAPES_SPLITS} == {"shape", "compositional"}
    novel = OVSHAPES_NOVEL["shape"]
    assert {*novel} == {*map(" ".join, product(PATTERNS, ("hexagon", "heart", "arrow")))}
    assert [*novel] == [name for name in OVSHAPES if name in novel]
    mask = base_mask(OVSHAPES, split=novel)
    assert (int(mask.sum()), int((~mask).sum())) == (50, 15)


def test_ovshapes_compositional_holds_out_a_diagonal():
    """17 steps through the table of 5 patterns and 13 shapes, 2 patterns and 1 shape a step."""
    diagonal = {f"{PATTERNS[2 * k % 5]} {SHAPES[k % 13]}" for k in range(17)}
    novel = OVSHAPES_NOVEL["compositional"]
    assert [*novel] == [name for name in OVSHAPES if name in diagonal]
    base = [name for name in OVSHAPES if name not in novel]
    assert (len(base), len(novel)) == (48, 17)
    # every pattern and every shape is also a part of a base class
    assert {name.split()[0] for name in base} == {*PATTERNS}
    assert {name.split()[1] for name in base} == {*SHAPES}


def test_explicit_novel_names_are_compared_cleaned():
    assert base_mask(["Hot_Dog", "cup"], split=["hot dog"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("names", "split"),
    [(["cup"], "lvis"), (["hot dog"], "coco"), (["cup"], "voc"), (["cup"], ["boat"])],
)
def test_bad_splits(names, split):
    with pytest.raises(UserError, match="expected"):
        base_mask(names, split=split)
