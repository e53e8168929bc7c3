"""The initializer that takes weights from a file, and notices which of them do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from ovdistill.core.checkpoints import weights_of
from ovdistill.core.errors import UserError
from ovdistill.models.fitting_weights import count_fitting, missing_weights

SHOWN = 4  # missing parameters that an error names


@WEIGHT_INITIALIZERS.register_module(name="Pretrained", force=True)
class CheckedPretrainedInit(PretrainedInit):
    """mmengine's initializer 'Pretrained', which would start from random weights without a word.

    Args:
        checkpoint: file or address.
        strict: every parameter of the module must be in the checkpoint, as those must that no
            training would change.
        **kwargs: as for mmengine's ``PretrainedInit``.

    Raises:
        UserError: not one of the weights has a name and shape of the module; or if ``strict``, a
            parameter of the module is missing among them.
    """

    def __init__(self, checkpoint: str, *, strict: bool = False, **kwargs: Any) -> None:
        super().__init__(checkpoint, **kwargs)
        self.strict = strict

    def __call__(self, module: nn.Module) -> None:
        """Load the weights into a module."""
        content = CheckpointLoader.load_checkpoint(self.checkpoint, "cpu", logger=None)
        weights = weights_of(content, self.checkpoint)
        prefix = f"{self.prefix.rstrip('.')}." if self.prefix else ""
        part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if not count_fitting(module.state_dict(), part):
            within = f" under the prefix {prefix!r}" if prefix else ""
            raise UserError(
                f"none of the {len(weights)} tensors of {self.checkpoint} fits the "
                f"{type(module).__name__} that starts from it{within}. Expected weights of the "
                "same network: name others in its init_cfg, or init_cfg=None to start from scratch."
            )
        if self.strict:
            self._check_complete(module, part)
        super().__call__(module)

    def _check_complete(self, module: nn.Module, weights: Mapping[str, Tensor]) -> None:
        own = dict(module.named_parameters())
        if missing := missing_weights(own, weights):
            more = ", ..." if len(missing) > SHOWN else ""
            raise UserError(
                f"{self.checkpoint} lacks {len(missing)} of the {len(own)} parameters of the "
                f"{type(module).__name__} that starts from it, or has them in another shape: "
                f"{', '.join(missing[:SHOWN])}{more}. Expected all of them, as no training changes "
                "them here: name a checkpoint of the same network in its init_cfg (for the "
                "detector of a mask-word recipe: --cfg-options detector=FILE)."
            )
