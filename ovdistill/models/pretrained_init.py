"""The initializer that takes weights from a file, and notices when none of them fits."""

from __future__ import annotations

from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import CheckpointLoader
from torch import nn

from ovdistill.core.checkpoints import weights_of
from ovdistill.core.errors import UserError
from ovdistill.models.fitting_weights import count_fitting


@WEIGHT_INITIALIZERS.register_module(name="Pretrained", force=True)
class CheckedPretrainedInit(PretrainedInit):
    """mmengine's initializer 'Pretrained', which would start from random weights without a word.

    Args: as for mmengine's ``PretrainedInit``.

    Raises:
        UserError: not one of the weights has a name and shape of the module.
    """

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
        super().__call__(module)
