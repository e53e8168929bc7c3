"""Weights that timm has trained, by their name: ``timm://mobilenetv4_conv_small.e2400_r224_in1k``.

The file comes from the Hugging Face hub or its cache, and is read by ``core.checkpoints``: timm's
own reader is not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

from ovdistill.core.errors import UserError
from ovdistill.core.offline import is_offline

PREFIX = "timm://"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def find_timm_weights(name: str) -> tuple[str, tuple[str, ...]]:
    """Return where the hub keeps weights: the repository, and the files that may hold them.

    Args:
        name: ``PREFIX`` and a model of timm, with or without the tag of its weights.

    Raises:
        UserError: timm has no such weights, or not as tensors in a file.
    """
    from timm.models import get_pretrained_cfg  # takes a second to import, and few need it

    model = name.removeprefix(PREFIX)
    try:
        found = get_pretrained_cfg(model)
    except (KeyError, RuntimeError):
        found = None
    if found is None or not found.hf_hub_id or found.custom_load:
        from timm import list_pretrained

        known = list_pretrained(f"{model.partition('.')[0]}*")
        hint = ", ".join(known[:5]) or "a name of timm.list_pretrained()"
        raise UserError(f"timm has no weights {model!r}; expected {hint}, or a local file")
    return found.hf_hub_id, (found.hf_hub_filename,) if found.hf_hub_filename else HUB_FILES


def cached_timm_file(name: str) -> Path | None:
    """Return the file of weights in the cache of the hub, or None.

    Args:
        name: as for ``find_timm_weights``.

    Raises:
        UserError: see ``find_timm_weights``.
    """
    repository, files = find_timm_weights(name)
    found = (try_to_load_from_cache(repository, file) for file in files)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def fetch_timm_file(name: str) -> Path:
    """Return the file of weights, from the cache or, where downloads are allowed, from the hub.

    Args:
        name: as for ``find_timm_weights``.

    Raises:
        UserError: not in the cache while downloads are switched off, or see ``find_timm_weights``.
        URLError: it cannot be fetched.
    """
    if (path := cached_timm_file(name)) is not None:
        return path
    if is_offline():
        raise UserError(
            f"the weights {name} are not in the cache and downloads are switched off; name a local "
            "file in init_cfg.checkpoint, or start from scratch with init_cfg=None"
        )
    repository, files = find_timm_weights(name)
    reason: Any = "no file"
    for file in files:
        try:
            return Path(hf_hub_download(repository, file))
        except EntryNotFoundError as error:
            reason = error
        except Exception as error:  # any of a dozen network and hub errors
            raise URLError(str(error)) from error
    raise URLError(str(reason))
