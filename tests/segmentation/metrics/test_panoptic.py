"""Panoptic quality: worked by hand, against panopticapi's definition, against hotcoco."""

import json

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import CROWD, IGNORE
from ovdistill.segmentation.metrics.panoptic import PanopticScores, Segments, count_segments

from ..label_files import write_image

CLASSES = 5


def random_panoptic(rng, shape=(24, 24)):
    """A map of rectangles with rows, numbers and crowds, and a disturbed copy of it."""
    rows, numbers = np.full(shape, IGNORE), np.zeros(shape, int)
    for number in range(12):
        y, x = rng.integers(0, 20, 2)
        h, w = rng.integers(3, 12, 2)
        rows[y : y + h, x : x + w] = rng.integers(CLASSES)
        numbers[y : y + h, x : x + w] = CROWD if rng.random() < 0.2 else number
    shift = rng.integers(0, 3, 2)
    found = np.roll(rows, shift, (0, 1)), np.maximum(np.roll(numbers, shift, (0, 1)), 0) + 3
    change = rng.random(12) < 0.2
    for number in np.flatnonzero(change):
        found[0][found[1] == number + 3] = rng.integers(IGNORE, CLASSES)
    return (rows, numbers), found


def reference(truth, predicted):
    """iou, tp, fp, fn of classes, in loops over segments, from the definition of the paper."""
    sums = np.zeros((4, CLASSES))
    rows, numbers = truth
    crowds = {row: (rows == row) & (numbers == CROWD) for row in range(CLASSES)}
    void = rows == IGNORE
    objects = {
        (row, n): (rows == row) & (numbers == n)
        for row, n in {*zip(rows.flat, numbers.flat, strict=True)}
        if row != IGNORE and n != CROWD
    }
    found = {
        (row, n): (predicted[0] == row) & (predicted[1] == n)
        for row, n in {*zip(predicted[0].flat, predicted[1].flat, strict=True)}
        if row != IGNORE
    }
    matched, used = set(), set()
    for mine, own in objects.items():
        for theirs, mask in found.items():
            union = (own | (mask & ~void)).sum()
            iou = (own & mask).sum() / union if union else 0
            if mine[0] == theirs[0] and iou > 0.5:
                sums[:2, mine[0]] += iou, 1
                matched.add(mine)
                used.add(theirs)
    for row, n in found.keys() - used:
        mask = found[row, n]
        if (mask & (void | crowds[row])).sum() / mask.sum() <= 0.5:
            sums[2, row] += 1
    for row, _ in objects.keys() - matched:
        sums[3, row] += 1
    return sums


@pytest.mark.parametrize("seed", range(8))
def test_counts_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    pairs = [random_panoptic(rng) for _ in range(4)]
    scores = PanopticScores.of(
        [count_segments(Segments.of(*a), Segments.of(*b)) for a, b in pairs], [True] * CLASSES
    )
    iou, tp, fp, fn = sum(reference(a, b) for a, b in pairs)
    np.testing.assert_allclose(scores.iou, iou, rtol=1e-12)
    assert [scores.tp.tolist(), scores.fp.tolist(), scores.fn.tolist()] == [
        *map(list, (tp, fp, fn))
    ]
    assert tp.sum() and fp.sum() and fn.sum()


def as_coco(folder, name, pairs):
    """Write maps in COCO's panoptic format, segment ids 1, 2, ..."""
    annotations = []
    for image_id, (rows, numbers) in enumerate(pairs):
        segments = Segments.of(rows, numbers)
        pixels = np.stack([segments.place % 256, segments.place // 256, segments.place * 0], -1)
        write_image(folder / f"{name}/{image_id}.png", pixels.astype(np.uint8))
        infos = [
            dict(
                id=k + 1, category_id=int(row) + 1, iscrowd=int(crowd), area=int(area), bbox=[0] * 4
            )
            for k, (row, crowd, area) in enumerate(
                zip(segments.row, segments.is_crowd, segments.area, strict=True)
            )
        ]
        annotations.append(
            dict(image_id=image_id, file_name=f"{image_id}.png", segments_info=infos)
        )
    categories = [dict(id=k + 1, name=str(k), isthing=1) for k in range(CLASSES)]
    images = [
        dict(id=k, file_name=f"{k}.jpg", height=len(rows), width=rows.shape[1])
        for k, (rows, _) in enumerate(pairs)
    ]
    path = folder / f"{name}.json"
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return path


def test_hotcoco_has_the_same_figures(tmp_path):
    panoptic = pytest.importorskip("hotcoco.panoptic")
    rng = np.random.default_rng(3)
    pairs = [random_panoptic(rng) for _ in range(6)]
    paths = [
        as_coco(tmp_path, name, side)
        for name, side in zip("tp", zip(*pairs, strict=True), strict=True)
    ]
    found = panoptic.pq_compute(*map(str, paths))["All"]
    scores = PanopticScores.of(
        [count_segments(Segments.of(*a), Segments.of(*b)) for a, b in pairs], [True] * CLASSES
    )
    metrics = scores.metrics()
    for key in ("pq", "sq", "rq"):
        assert metrics[key.upper()] == pytest.approx(100 * found[key], abs=1e-9)


def test_by_hand():
    """Class 0: one of 8 pixels found with IoU 6/8, one missed; class 1: one segment too many."""
    rows = np.array([[0] * 8, [0] * 8, [IGNORE] * 8])
    numbers = np.array([[0] * 8, [1] * 8, [0] * 8])
    found = np.full((3, 8), IGNORE)
    found[0, :6] = 0
    found[1, :3] = 1
    counts = count_segments(Segments.of(rows, numbers), Segments.of(found, np.zeros((3, 8), int)))
    scores = PanopticScores.of([counts], [True, False, True])
    figures = scores.per_class()
    assert figures["PQ"][:2].tolist() == [0.75 / 1.5, 0] and np.isnan(figures["PQ"][2])
    assert figures["SQ"][:2].tolist() == [0.75, 0]
    assert figures["RQ"][:2].tolist() == [1 / 1.5, 0]
    metrics = scores.metrics()
    assert (metrics["PQ"], metrics["sPQ"], metrics["uPQ"], metrics["hPQ"]) == (25, 50, 0, 0)


def test_unlabelled_pixels_and_crowds_forgive():
    """A segment that is half outside of a crowd is wrong; one that is mostly inside is not."""
    rows, numbers = np.full((1, 10), 1), np.zeros((1, 10), int)
    rows[0, :4], numbers[0, :4] = 0, CROWD
    rows[0, 4:6] = IGNORE
    for end in (5, 9, 10):
        found = np.full((1, 10), IGNORE)
        found[0, :end] = 0  # 4 on the crowd, up to 2 unlabelled, the rest on class 1
        counts = count_segments(Segments.of(rows, numbers), Segments.of(found, found * 0))
        assert counts.fp.sum() == 0, end
    found = np.full((1, 10), IGNORE)
    found[0, 5:8] = 0  # 1 of 3 unlabelled
    assert count_segments(Segments.of(rows, numbers), Segments.of(found, found * 0)).fp.sum() == 1


def test_images_without_segments():
    empty = Segments.of(np.full((2, 2), IGNORE), np.zeros((2, 2), int))
    counts = count_segments(empty, empty)
    assert counts.row.size == 0
    assert {*PanopticScores.of([counts], [True]).metrics().values()} == {-1}


def test_maps_that_do_not_fit():
    one, other = (Segments.of(np.zeros(s, int), np.zeros(s, int)) for s in ((2, 2), (2, 3)))
    with pytest.raises(UserError, match=r"\(2, 3\)"):
        count_segments(one, other)
    with pytest.raises(UserError, match="rows below 1"):
        counts = count_segments(one, Segments.of(np.full((2, 2), 4), np.zeros((2, 2), int)))
        PanopticScores.of([counts], [True])
