"""The metrics of mmengine: samples in, figures and files out, on one process and on several."""

import numpy as np
import pytest
import torch
from mmdet.registry import METRICS
from mmdet.structures import DetDataSample
from mmengine.structures import PixelData

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import IGNORE, read_label_map
from ovdistill.segmentation.metrics.panoptic import PanopticScores, Segments, count_segments
from ovdistill.segmentation.metrics.semantic import SemanticScores, count_pairs

from ...distillation.ranks import run_on_ranks
from .test_panoptic import random_panoptic

META = dict(
    classes=("sky", "road", "cat", "dog", "owl"),
    is_base=(True, True, True, False, False),
    label_values=(7, 0, 3, IGNORE, 4),
)


def pair(index):
    """Truth and prediction of one image, rows and segment numbers of each."""
    return random_panoptic(np.random.default_rng(index))


def sample(index) -> dict:
    found = DetDataSample(metainfo=dict(img_id=f"sub/{index}"))
    for kind, maps in zip(("gt", "pred"), pair(index), strict=True):
        rows, numbers = (torch.from_numpy(part)[None] for part in maps)
        found.set_field(PixelData(sem_seg=rows), f"{kind}_sem_seg", dtype=PixelData)
        both = PixelData(sem_seg=rows, segments=numbers)
        found.set_field(both, f"{kind}_panoptic_seg", dtype=PixelData)
    return found.to_dict()


def build(kind, **more):
    metric = METRICS.build(dict(type=kind, **more))
    metric.dataset_meta = META
    return metric


def run(metric, indices, size):
    for index in indices:
        metric.process({}, [sample(index)])
    return metric.evaluate(size)


def test_semantic_figures_are_those_of_all_images_together():
    metric = build("SegmentationMetric")
    found = run(metric, range(3), 3)
    pairs = [count_pairs(a[0], b[0]) for a, b in map(pair, range(3))]
    wanted = SemanticScores.of(pairs, META["is_base"])
    assert found == {f"semantic/{key}": value for key, value in wanted.metrics().items()}
    assert 0 < found["semantic/uIoU"] < 100
    assert [record["name"] for record in metric.per_category] == [*META["classes"]]
    assert metric.per_category[3]["IoU"] == pytest.approx(100 * wanted.iou[3])


def test_panoptic_figures_are_those_of_all_images_together():
    found = run(build("PanopticMetric"), range(3), 3)
    pairs = [(Segments.of(*a), Segments.of(*b)) for a, b in map(pair, range(3))]
    wanted = PanopticScores.of([count_segments(*both) for both in pairs], META["is_base"])
    assert found == {f"panoptic/{key}": value for key, value in wanted.metrics().items()}
    assert 0 < found["panoptic/PQ"] < 100


def on_rank(rank: int) -> list[dict]:
    """Five images on two processes, of which the sampler gives the first one twice."""
    return [
        run(build(kind), [rank, rank + 2, (rank + 4) % 5], 5)
        for kind in ("SegmentationMetric", "PanopticMetric")
    ]


@pytest.mark.slow
def test_processes_together_find_what_one_finds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # mmengine collects in a folder below
    alone = [run(build(k), range(5), 5) for k in ("SegmentationMetric", "PanopticMetric")]
    assert run_on_ranks(on_rank) == [alone, alone]


def test_predictions_are_written_in_the_values_of_the_data_set(tmp_path):
    run(build("SegmentationMetric", dump=str(tmp_path / "maps")), [0], 1)
    rows = pair(0)[1][0]
    values = np.array([*META["label_values"], 0])
    wanted = np.where((rows == IGNORE) | (rows == 3), 255, values[rows])
    assert np.array_equal(read_label_map(tmp_path / "maps/sub/0.png"), wanted)


def test_samples_and_data_sets_that_lack_something():
    metric = build("SegmentationMetric")
    broken = sample(0)
    del broken["pred_sem_seg"]
    with pytest.raises(UserError, match=r"sub/0.*pred_sem_seg"):
        metric.process({}, [broken])
    metric.process({}, [sample(0)])
    metric.dataset_meta = {}
    with pytest.raises(UserError, match="is_base|classes"):
        metric.evaluate(1)
