"""Build a network of timm that returns feature maps, and fill it with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError

# arguments of timm.create_model that this module sets, or that would read other weights
NOT_OPTIONS = frozenset(
    {
        *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path"),
        *("cache_dir", "features_only", "out_indices"),
    }
)
PROBE = (64, 96)  # height and width of an image, in pixels, that tells what depends on what


def check_name(model_name: str) -> None:
    """Raise UserError, which says names that are near, unless timm has a model of this name."""
    import timm

    if not timm.is_model(model_name):
        near = get_close_matches(model_name.partition(".")[0], timm.list_models(), cutoff=0.5)
        hint = ", ".join(near) or "one of timm.list_models(), such as resnet18"
        raise UserError(f"timm {timm.__version__} has no model {model_name!r}; expected {hint}")


def build_network(
    model_name: str,
    options: Mapping[str, Any],
    out_indices: Sequence[int] | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> nn.Module:
    """Build a network that returns a list of feature maps; nothing is ever downloaded.

    Args:
        model_name: a model of timm, with or without the tag of its weights.
        options: further arguments of ``timm.create_model``.
        out_indices: timm's numbers of the feature maps; None returns its choice.
        weights: tensors by the names that timm's weights have, brought into the form of the
            network by timm's own conversion; random weights without them.

    Raises:
        UserError: timm has no such model, it returns no feature maps, or the options or weights
            do not fit it.
    """
    import timm  # takes a second, and few configs need it

    check_name(model_name)
    if refused := NOT_OPTIONS.intersection(options):
        raise UserError(
            f"got {', '.join(sorted(refused))} among the options of {model_name}; expected "
            "arguments of the network alone: init_cfg names weights, strides the feature maps"
        )
    given: dict[str, Any] = dict(options, features_only=True)
    if out_indices is not None:
        given["out_indices"] = tuple(out_indices)
    if weights is not None:
        given |= dict(pretrained=True, pretrained_cfg_overlay=dict(state_dict=dict(weights)))
    try:
        return timm.create_model(model_name, **given)
    # what its hundreds of models raise for arguments that they do not take
    except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(
            f"timm cannot build {model_name} with {dict(options)} as a network of feature maps: "
            f"{str(error)[:300] or type(error).__name__}"
        ) from error


def feature_maps(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """Return the feature maps of a network, each (N, C, H, W).

    Args:
        network: from ``build_network``.
        images: (N, 3, H, W).
    """
    maps = network(images)
    if getattr(network, "output_fmt", None) == "NHWC":
        maps = [each.permute(0, 3, 1, 2) for each in maps]
    return tuple(maps)


def upstream_parameters(network: nn.Module) -> set[str]:
    """Return the names of the parameters on which the feature maps of a network depend.

    Raises:
        UserError: the network does not take images of any size.
    """
    named = {name: each for name, each in network.named_parameters() if each.requires_grad}
    training = network.training
    network.eval()
    try:
        with torch.enable_grad():
            maps = feature_maps(network, torch.zeros(1, 3, *PROBE))
            total = torch.stack([each.sum() for each in maps]).sum()
    except (AssertionError, RuntimeError) as error:
        raise UserError(
            f"the network does not take an image of {PROBE[0]} x {PROBE[1]} pixels ({error}); a "
            "detector needs one that takes any size: another model, or options that allow it, "
            "such as options=dict(strict_img_size=False)"
        ) from error
    finally:
        network.train(training)
    gradients = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    return {name for name, found in zip(named, gradients, strict=True) if found is not None}


def count_taken(network: nn.Module, weights: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return how many weight arrays of a network are among given ones, and how many it has.

    Values are compared, since timm's conversion may rename them.
    """
    own = [value for value in network.state_dict().values() if value.ndim > 1]
    given = [value for value in weights.values() if value.ndim > 1]
    taken = sum(
        any(value.shape == other.shape and torch.equal(value, other.to(value)) for other in given)
        for value in own
    )
    return taken, len(own)
