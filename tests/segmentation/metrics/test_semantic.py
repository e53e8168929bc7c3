"""IoU of classes: worked by hand, against mmsegmentation's definition, against hotcoco."""

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.metrics.semantic import SemanticScores, count_pairs, sum_pairs


def random_maps(rng, images, classes, missing=()):
    """Pairs of label maps that agree in most pixels, some of them not labelled or predicted."""
    for _ in range(images):
        shape = rng.integers(3, 30, 2)
        rows = [row for row in range(classes) if row not in missing]
        truth = rng.choice(rows, shape)
        predicted = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, classes, shape))
        truth[rng.random(shape) < 0.1] = IGNORE
        yield truth, predicted


def scores_of(pairs, is_base):
    return SemanticScores.of([count_pairs(*pair) for pair in pairs], is_base)


def reference(pairs, classes):
    """IoU and accuracy of classes as mmsegmentation defines them: areas over all images."""
    areas = np.zeros((3, classes))
    for truth, predicted in pairs:
        truth, predicted = truth[truth != IGNORE], predicted[truth != IGNORE]
        for row in range(classes):
            areas[0, row] += ((truth == row) & (predicted == row)).sum()
            areas[1, row] += (truth == row).sum()
            areas[2, row] += (predicted == row).sum()
    with np.errstate(all="ignore"):
        union = areas[1] + areas[2] - areas[0]
        return areas[0] / union, areas[0] / areas[1], areas[0].sum() / areas[1].sum()


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(3, 40))
    pairs = [*random_maps(rng, 6, classes, missing=(1,))]
    is_base = (rng.random(classes) < 0.6).tolist()
    scores = scores_of(pairs, is_base)
    iou, accuracy, pixels = reference(pairs, classes)
    np.testing.assert_array_equal(scores.iou, iou)
    np.testing.assert_array_equal(scores.accuracy, accuracy)
    metrics, seen = scores.metrics(), np.array(is_base)
    s, u = 100 * np.nanmean(iou[seen]), 100 * np.nanmean(iou[~seen])
    assert metrics["mIoU"] == pytest.approx(100 * np.nanmean(iou))
    assert (metrics["sIoU"], metrics["uIoU"]) == (pytest.approx(s), pytest.approx(u))
    assert metrics["hIoU"] == pytest.approx(2 * s * u / (s + u))
    assert metrics["pAcc"] == pytest.approx(100 * pixels)
    assert metrics["mAcc"] == pytest.approx(100 * np.nanmean(accuracy))


def test_hotcoco_has_the_same_figures():
    semantic = pytest.importorskip("hotcoco.semantic")
    pairs = [*random_maps(np.random.default_rng(1), 8, 12)]
    other = semantic.SemanticEval(12)
    for truth, predicted in pairs:
        other.update(
            np.where(truth == IGNORE, 255, truth).astype(np.uint8), predicted.astype(np.uint8)
        )
    found = other.report()["metrics"]
    metrics = scores_of(pairs, [True] * 12).metrics()
    for key, own in (("mIoU", "mIoU"), ("mAcc", "mAcc"), ("aAcc", "pAcc")):
        assert metrics[own] == pytest.approx(100 * found[key], abs=1e-9)


def test_by_hand():
    """Class 0: 2 of 4 in the union; class 1: 1 of 3; class 2 only predicted; class 3 nowhere."""
    truth = np.array([[0, 0, 0, 1, 1, IGNORE, IGNORE]])
    predicted = np.array([[0, 0, 2, 1, 0, 3, 1]])
    scores = scores_of([(truth, predicted)], [True, False, True, False])
    assert scores.iou[:3].tolist() == [2 / 4, 1 / 2, 0] and np.isnan(scores.iou[3])
    metrics = scores.metrics()
    assert metrics["sIoU"] == pytest.approx(25) and metrics["uIoU"] == pytest.approx(50)
    assert metrics["hIoU"] == pytest.approx(100 / 3) and metrics["mIoU"] == pytest.approx(100 / 3)
    assert metrics["pAcc"] == pytest.approx(60)
    assert metrics["mAcc"] == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_maps_of_any_whole_numbers(dtype):
    pair = np.array([[0, 0, 1, 2]]), np.array([[0, 1, 1, 1]])
    found = count_pairs(*(labels.astype(dtype) for labels in pair))
    np.testing.assert_equal(vars(found), vars(count_pairs(*pair)))


def test_a_pixel_without_a_prediction_is_an_error():
    pairs = [(np.zeros((1, 4), int), np.array([[0, IGNORE, 0, IGNORE]]))]
    assert scores_of(pairs, [True]).metrics()["mIoU"] == pytest.approx(50)


def test_groups_without_a_class():
    metrics = scores_of([(np.zeros((2, 2), int), np.zeros((2, 2), int))], [True]).metrics()
    assert (metrics["sIoU"], metrics["uIoU"], metrics["hIoU"]) == (100, -1, -1)
    assert {*scores_of([], [True]).metrics().values()} == {-1}


def test_counts_of_images_may_be_summed_in_any_parts():
    """Large counts keep every pixel."""
    truth, predicted = np.zeros((4, 4), int), np.zeros((4, 4), int)
    predicted[0, 0] = 1
    image = count_pairs(truth, predicted)
    assert sum(image.count) == 16 and len(image.count) == 2
    scores = SemanticScores.of([image] * 1000, [True, True])
    assert scores.truth.tolist() == [16_000, 0] and scores.intersection[0] == 15_000


def test_pairs_of_images_are_summed():
    one = count_pairs(np.array([0, 0, 1, IGNORE]), np.array([0, 2, 1, 1]))
    two = count_pairs(np.array([0, 1, 1]), np.array([2, IGNORE, 1]))
    pairs = sum_pairs([one, two])
    assert pairs.truth.tolist() == [0, 0, 1, 1]
    assert pairs.predicted.tolist() == [0, 2, IGNORE, 1]
    assert pairs.count.tolist() == [1, 2, 1, 2]
    assert sum_pairs([]).count.tolist() == []


@pytest.mark.parametrize("row", [2, -3, 1 << 40])
def test_rows_outside_of_the_vocabulary(row):
    with pytest.raises(UserError, match=str(row)):
        scores_of([(np.zeros((1, 2), int), np.array([[0, row]]))], [True, True])


def test_sizes_that_differ():
    with pytest.raises(UserError, match=r"\(2, 2\).*\(3, 2\)"):
        count_pairs(np.zeros((3, 2), int), np.zeros((2, 2), int))
