"""Find slips in the components of a config before hours are spent on what comes before them.

mmengine notices a type that nothing registers, or a key that a component does not take, when it
makes the component: a hook after the extraction of regions, an evaluator after the training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

# all components, wherever they are registered
import ovdistill.models.register
import ovdistill.training.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.models.component_slips import unknown_key, unknown_type
from ovdistill.models.components import is_shipped, keys_of, name_of, registered_components

# what commands make components of; other keys of a config are its own variables
PARTS = (
    *("model", "data_preprocessor", "test_pipeline"),
    *("train_dataloader", "val_dataloader", "test_dataloader"),
    *("train_cfg", "val_cfg", "test_cfg", "val_evaluator", "test_evaluator"),
    *("optim_wrapper", "param_scheduler", "default_hooks", "custom_hooks", "visualizer"),
)
# keys of components that get theirs as they are; elsewhere who makes them may take some first
AS_THEY_ARE = (
    *("test_pipeline", "pipeline", "dataset", "datasets", "transforms", "sampler"),
    *("val_evaluator", "test_evaluator", "default_hooks", "custom_hooks"),
    *("model", "backbone", "neck", "roi_head", "distillers", "optimizer"),
)
TAKEN_FIRST = {"default_hooks": {"priority"}, "custom_hooks": {"priority"}}  # by the runner
# keys whose type is no name of a registry: that of an operation of mmcv, or of a kind
NO_COMPONENTS = ("nms", "dqs_cfg", "roi_layer", "adapt_cfg")
OTHER_LIBRARIES = ("Albu",)  # what is in them is made by another library
SCOPES = ("mmdet", "mmengine", "mmcv")  # of names such as mmdet.ResNet


def check_components(config: Config) -> None:
    """Raise UserError for components that cannot be made, all of them in one message.

    Args:
        config: from ``load_config``, whose custom imports have registered its own components.
    """
    known = registered_components()
    found = [
        slip
        for part in PARTS
        for slip in _slips(config.get(part), f"{name_of(config)}, {part}", part, known)
    ]
    if found:
        raise UserError("\n  ".join(dict.fromkeys(found)))


def _slips(config: Any, place: str, key: str, known: Mapping[str, list[Any]]) -> Iterator[str]:
    """Yield what is wrong with components in a part of a config.

    Args:
        config: the part.
        place: file and dotted key of the part, for messages.
        key: the last key that is no number.
        known: components by name.
    """
    if isinstance(config, (list, tuple)):
        for index, item in enumerate(config):
            yield from _slips(item, f"{place}.{index}", key, known)
        return
    if not isinstance(config, Mapping) or key in NO_COMPONENTS or key.endswith("_trans"):
        return
    kind = config.get("type")
    if isinstance(kind, str):
        scope, _, name = kind.rpartition(".")
        if kind in OTHER_LIBRARIES or (scope and scope not in SCOPES):
            return
        candidates = known.get(name, [])
        if not candidates:
            yield unknown_type(place, kind)
        elif key in AS_THEY_ARE:
            yield from _unknown_keys(config, place, key, candidates)
        if not all(map(is_shipped, candidates)):
            return  # what is in a component of the user's own may be of any kind
    for name, value in config.items():
        # the hooks of a config have names of their own
        below = key if key == "default_hooks" and kind is None else name
        yield from _slips(value, f"{place}.{name}", below, known)


def _unknown_keys(
    config: Mapping[str, Any], place: str, part: str, candidates: list[Any]
) -> Iterator[str]:
    """Yield the keys that none of the components takes that the type may mean."""
    taken = [keys_of(component) for component in candidates]
    if None in taken:
        return
    names = {name for keys in taken for name in keys or ()} | TAKEN_FIRST.get(part, set())
    for key in config:
        if key not in names and key != "type" and not key.startswith("_"):
            yield unknown_key(place, candidates[0], key, config)
