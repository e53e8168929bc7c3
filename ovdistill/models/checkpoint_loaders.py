"""The loaders of weights that mmengine finds by the prefix of a path, each of which runs no code.

mmengine's own loaders unpickle a file as it is where torch refuses to read it safely. Those here
are registered in their place, so ``load_from``, ``--resume`` and every ``init_cfg`` go through
``core.checkpoints``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier
from mmengine.runner.checkpoint import (
    CheckpointLoader,
    get_external_models,
    get_torchvision_models,
)

from ovdistill.core.checkpoints import read_checkpoint
from ovdistill.core.distributed import is_main_process
from ovdistill.core.errors import UserError
from ovdistill.models import timm_weights
from ovdistill.models.checkpoint_content import for_mmengine

HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")  # resnet50-0676ba61.pth
# lists of named weights, by the prefix of their names
LISTS = {
    "torchvision://": get_torchvision_models,
    "modelzoo://": get_torchvision_models,
    "open-mmlab://": get_external_models,
    "openmmlab://": get_external_models,
}
# patterns, in mmengine's own words
NOT_SUPPORTED = ("mmcls://", "pavi://", r"(\S+\:)?s3://", r"(\S+\:)?petrel://")


def load_from_file(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load a local checkpoint, see ``core.checkpoints.read_checkpoint``, as mmengine expects it.

    Args:
        filename: the file.
        map_location: not used: tensors are read into the memory of the CPU, and copied from there.
    """
    return for_mmengine(read_checkpoint(Path(filename).expanduser()))


def load_from_url(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load a checkpoint from the web; it is kept in the cache of torch's hub.

    Args:
        filename: the address.
        map_location: as for ``load_from_file``.

    Raises:
        URLError: it cannot be fetched.
        UserError: it cannot be read safely.
    """
    try:
        if is_main_process():
            fetch(filename)
    finally:
        barrier()
    return for_mmengine(read_checkpoint(cache_path(filename)))


def fetch(url: str) -> Path:
    """Return the file of an address in the cache of torch's hub, downloaded if it is not there.

    Raises:
        URLError: it cannot be fetched.
        RuntimeError: it is not the file whose hash the name states.
    """
    path = cache_path(url)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        found = HASH_IN_NAME.search(path.name)
        torch.hub.download_url_to_file(url, str(path), found and found[1])
    return path


def load_from_list(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load weights by a name such as 'torchvision://resnet50'.

    Args:
        filename: prefix and name.
        map_location: as for ``load_from_file``.

    Raises:
        URLError: they cannot be fetched.
        UserError: there is no such name.
    """
    return load_from_url(find_url(filename), map_location)


def load_from_timm(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load weights of timm by their name, see ``timm_weights``.

    Args:
        filename: prefix and name.
        map_location: as for ``load_from_file``.

    Raises:
        URLError: they cannot be fetched.
        UserError: there are none of that name, or they cannot be read safely.
    """
    return for_mmengine(read_checkpoint(timm_weights.fetch_timm_file(filename)))


def find_url(name: str) -> str:
    """Return the address of weights.

    Args:
        name: prefix and name, or an address, which is returned as it is.

    Raises:
        UserError: there is no such name.
    """
    prefix = next((prefix for prefix in LISTS if name.startswith(prefix)), None)
    if prefix is None:
        return name
    url = LISTS[prefix]().get(name.removeprefix(prefix), "")
    if not url.startswith(("http://", "https://")):
        raise UserError(f"no weights {name}; expected a name that {prefix} has, or a local file")
    return url


def cache_path(url: str) -> Path:
    """Return where the cache of torch's hub keeps the file of an address."""
    return Path(torch.hub.get_dir(), "checkpoints", url.rsplit("/", 1)[-1])


def refuse(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Raise UserError for a kind of path whose loader is not known to be safe."""
    raise UserError(f"got weights {filename}; expected a local file, or an address with https://")


CheckpointLoader.register_scheme("", load_from_file, force=True)
CheckpointLoader.register_scheme(("http://", "https://"), load_from_url, force=True)
CheckpointLoader.register_scheme(tuple(LISTS), load_from_list, force=True)
CheckpointLoader.register_scheme(timm_weights.PREFIX, load_from_timm, force=True)
CheckpointLoader.register_scheme(NOT_SUPPORTED, refuse, force=True)
