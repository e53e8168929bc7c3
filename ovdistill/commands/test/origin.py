"""What a test run measures and notes for its report beside AP: proposals, images, files, seed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.test.inputs import evaluators, instance_evaluator
from ovdistill.core.devices import device_name
from ovdistill.core.files import hash_file

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner

    from ovdistill.evaluation.ov_metric import OVMetric

NUMBERS = (10, 100, 300, 1000)  # proposals of an image at which recall is measured


def add_proposal_recall(config: Config) -> None:
    """Let the test of a two-stage detector measure the recall of its RPN too.

    Args:
        config: for testing, changed in place: the RoI head hands its proposals on, and a
            ``ProposalRecall`` measures at those of ``NUMBERS`` that the RPN reaches.
    """
    from mmdet.registry import MODELS

    from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN

    detector = MODELS.get(config.model.type)
    if not (isinstance(detector, type) and issubclass(detector, OpenVocabularyRCNN)):
        return
    kept = int(config.model.test_cfg.rpn.max_per_img)
    config.model.test_cfg.rcnn.keep_proposals = True
    parts = [dict(one) for one in evaluators(config)]
    recall = next((one for one in parts if one["type"] == "ProposalRecall"), None)
    if recall is None:
        ann_file = instance_evaluator(config)["ann_file"]
        recall = dict(type="ProposalRecall", ann_file=ann_file)
        parts.append(recall)
    reached = {number for number in NUMBERS if number <= kept} or {kept}
    recall["numbers"] = sorted(reached.union(recall.get("numbers", ())))
    config.test_evaluator = parts


def test_origin(config: Config, checkpoint: str, runner: Runner, metric: OVMetric) -> dict:
    """Return what a report needs to know of a test run, as plain JSON values.

    Args:
        config: as it was tested.
        checkpoint: path of the weights.
        runner: after its test loop.
        metric: of the run, after its evaluation.
    """
    prefix = getattr(runner.test_dataloader.dataset, "data_prefix", {})
    return dict(
        images=prefix.get("img"),
        image_ids=metric.image_ids,
        protocol=metric.protocol.name,
        max_dets=metric.protocol.limit,
        proposals_per_image=proposals_per_image(config),
        **run_origin(config, checkpoint, runner, metric.ann_file),
    )


def run_origin(config: Config, checkpoint: str, runner: Runner, ann_file: str | None) -> dict:
    """Return what a report needs to know of any test run: files, seed, command, device and time.

    Args:
        config: as it was tested.
        checkpoint: path of the weights.
        runner: after its test loop.
        ann_file: of the images, if there is one.
    """
    files: dict[str, Any] = dict(
        checkpoint=checkpoint, vocabulary=config.vocabulary, ann_file=ann_file
    )
    return dict(
        hashes={name: hash_file(path) for name, path in files.items() if _is_file(path)},
        seed=runner.seed,
        command=" ".join(["ovdistill", *sys.argv[1:]]),
        device=device_name(next(runner.model.parameters()).device),
        seconds_per_image=seconds_per_image(runner),
    )


def proposals_per_image(config: Config) -> int | None:
    """Return how many proposals the RPN keeps of an image in a test; None without an RPN."""
    limits = config.model.get("test_cfg", {}).get("rpn")
    return None if limits is None else int(limits.max_per_img)


def seconds_per_image(runner: Runner) -> float:
    """Return the mean seconds of the test loop for an image on one rank, without the metrics."""
    batches = runner.message_hub.get_scalar("test/time").mean(None)
    return float(batches) * len(runner.test_dataloader) / len(runner.test_dataloader.dataset)


def _is_file(path: Any) -> bool:
    return isinstance(path, str) and Path(path).is_file()
