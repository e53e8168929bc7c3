"""The label maps of a config's images, for commands that score without training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from mmengine.config import Config, ConfigDict

    from ovdistill.segmentation.data.label_maps import LabelMaps
    from ovdistill.vocabulary import Vocabulary


def check_label_maps(config: Config, subset: str) -> ConfigDict:
    """Return the config of a subset's data set, which must have label maps.

    Args:
        config: from ``load_config``.
        subset: 'train', 'val' or 'test'.

    Raises:
        UserError: the config has no such images, or none with label maps.
    """
    from mmdet.registry import DATASETS

    import ovdistill.segmentation.register  # noqa: F401
    from ovdistill.extraction.config_inputs import subset_dataset
    from ovdistill.segmentation.data.dataset import SegmentationDataset

    options = subset_dataset(config, subset)
    kind = DATASETS.get(options.type)
    if not (isinstance(kind, type) and issubclass(kind, SegmentationDataset)):
        raise UserError(
            f"{config.filename} has no label maps: its {subset} images are of {options.type}; "
            "expected a config of a segmentor, such as lseg_r18_shapes"
        )
    return options


def config_label_maps(
    config: Config, subset: str, vocabulary: Vocabulary | str | Path
) -> LabelMaps:
    """Return the label maps of a subset, with all of their classes labelled.

    Args:
        config: of a segmentor.
        subset: 'train', 'val' or 'test'.
        vocabulary: the class names that compete, or a file of them.

    Raises:
        UserError: see ``check_label_maps`` and the data set.
    """
    from mmdet.registry import DATASETS

    options = check_label_maps(config, subset)
    dataset = DATASETS.build(dict(options, vocabulary=vocabulary, pipeline=[], test_mode=True))
    return dataset.label_maps()
