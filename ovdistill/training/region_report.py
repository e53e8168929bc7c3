"""The hook that says, before the first iteration, what the regions of a training are worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.datasets.transforms.load_regions import LoadTeacherRegions
from ovdistill.evaluation.regions.figures import measure_regions
from ovdistill.evaluation.regions.lines import short_lines
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.evaluation.regions.objects import draw_images, make_objects
from ovdistill.store import Regions


@HOOKS.register_module()
class ReportRegions(Hook):
    """Logs the short form of `ovdistill store info --annotations`, with advice.

    It sees what the training sees: images, labels of base classes and the regions that the pipeline
    keeps, in the main process. A training without regions has nothing to report. The images are
    drawn without the generators of the run, so that its figures do not change.

    Args:
        images: how many images are measured.
    """

    def __init__(self, images: int = 500) -> None:
        self.images = images

    @master_only
    def before_train(self, runner: Any) -> None:
        """Log the report; whatever goes wrong with it is logged and does not end the training."""
        try:
            dataset = _innermost(runner.train_dataloader.dataset)
            lines = list(region_report(dataset, self.images))
        except Exception as error:  # data sets and stores of one's own may raise anything
            runner.logger.warning(
                "regions: not measured (%s: %s)", type(error).__name__, str(error)[:500]
            )
            return
        for line in lines:
            runner.logger.info("regions: %s", line)


def region_report(dataset: Any, count: int) -> Iterator[str]:
    """Yield lines on the regions of a training set; none if it has no regions or no classes.

    Args:
        dataset: as the data loader has it, without data sets that wrap it.
        count: how many of its images to measure.
    """
    if not isinstance(dataset, OVDataset) or dataset.class_agnostic:
        return
    loaders = [t for t in dataset.pipeline.transforms if isinstance(t, LoadTeacherRegions)]
    if loaders and len(dataset):
        vocabulary, loader = dataset.vocabulary, loaders[0]
        yield from short_lines(
            measure_regions(
                _images(dataset, loader, draw_images(range(len(dataset)), count)),
                loader.store.meta.embed_dim,
                vocabulary.is_base,
                vocabulary.embeddings,
            )
        )


def _images(
    dataset: OVDataset, loader: LoadTeacherRegions, indices: list[int]
) -> Iterator[tuple[Regions, Objects]]:
    """Yield regions and labelled objects of base classes of the images that the store holds."""
    is_base = dataset.vocabulary.is_base.tolist()
    for record in map(dataset.get_data_info, indices):
        if record["img_id"] not in loader.store:
            continue
        used = [
            instance
            for instance in record["instances"]
            if is_base[instance["bbox_label"]] and not instance["ignore_flag"]
        ]
        boxes = [instance["bbox"] for instance in used]
        labels = [instance["bbox_label"] for instance in used]
        regions = loader.store[record["img_id"]].top(loader.max_regions)
        yield regions, make_objects(boxes, labels, "xyxy")


def _innermost(dataset: Any) -> Any:
    """Return a data set without those that wrap it to draw from it in another way."""
    while hasattr(dataset, "dataset"):
        dataset = dataset.dataset
    return dataset
