"""What a teacher's folder says of its weights, beside open_clip's configuration of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.teacher.dense_regions import DenseRegions
from ovdistill.teacher.region_policy import region_policy
from ovdistill.teacher.weights import CONFIG_NAME

RANDOM = "random_weights"
REFINED_FOR = "refined_for"


@dataclass(frozen=True)
class WeightsNote:
    """What one should know of weights before they embed anything.

    Attributes:
        random: they are those of a teacher that nobody has trained, or come from such a one.
        refined_for: the regions that ``ovdistill teacher refine`` fitted them to; None for others.
    """

    random: bool = False
    refined_for: DenseRegions | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entries of the folder's configuration; none where there is nothing to say."""
        random = {RANDOM: True} if self.random else {}
        return random | ({REFINED_FOR: self.refined_for.to_dict()} if self.refined_for else {})


def read_weights_note(directory: Path | None) -> WeightsNote:
    """Return what the configuration in a teacher's folder says of the weights.

    Args:
        directory: the folder; None for a teacher that is no folder, of which nothing is known.

    Raises:
        UserError: an entry that cannot be understood.
    """
    if directory is None:
        return WeightsNote()
    path = directory / CONFIG_NAME
    config = read_json(path, "configuration of the teacher")
    random, given = config.get(RANDOM, False), config.get(REFINED_FOR)
    if not isinstance(random, bool):
        raise UserError(f"{path} has {RANDOM} {random!r:.100}; expected true or false")
    if given is None:
        return WeightsNote(random)
    try:
        regions = region_policy(given) if isinstance(given, Mapping) else None
    except UserError as error:
        raise UserError(f"{path} has a {REFINED_FOR} that is none: {error}") from error
    if not isinstance(regions, DenseRegions):
        raise UserError(
            f"{path} has {REFINED_FOR} {given!r:.100}; expected dense regions, such as "
            f"{DenseRegions().to_dict()}"
        )
    return WeightsNote(random, regions)
