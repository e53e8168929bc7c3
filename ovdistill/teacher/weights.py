"""Find the weights of an open_clip model: a directory, a file, the local cache or a download."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import open_clip
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.constants import HF_HUB_CACHE
from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from ovdistill.core.errors import UserError
from ovdistill.core.offline import OFFLINE_VARIABLES, is_offline

LOGGER = logging.getLogger(__name__)
CONFIG_NAME = "open_clip_config.json"
LOCAL_DIR = "local-dir:"
HF_HUB = "hf-hub:"
CLIP_CACHE = "~/.cache/clip"  # open_clip's, of weights with an address of their own
# Parts of a pretrained tag's configuration that change the input of the image tower.
PREPROCESS_KEYS = ("mean", "std", "interpolation", "resize_mode")
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
FIX = (
    "give a file: pretrained='TAG=/path/to/weights.safetensors' (without 'TAG=' for weights of no "
    f"tag), or a directory as the model, with {CONFIG_NAME} and the weights; random_weights=True "
    "only to try the code out"
)


def find_directory(model: str) -> Path | None:
    """Return the local directory that ``model`` names; None for any other kind of name.

    Args:
        model: a path, "local-dir:path", "hf-hub:org/repo" (its cached directory while offline), or
            the name of a built-in model.

    Raises:
        UserError: the directory or its configuration is missing.
    """
    if model.startswith(HF_HUB):
        if not is_offline():
            return None
        cached = try_to_load_from_cache(model[len(HF_HUB) :], CONFIG_NAME)
        if not isinstance(cached, str):
            raise UserError(
                f"teacher {model!r} is not in the local cache {HF_HUB_CACHE} and downloads are "
                f"switched off ({' or '.join(OFFLINE_VARIABLES)} is set); run once online, or {FIX}"
            )
        return Path(cached).parent
    path = Path(model.removeprefix(LOCAL_DIR))
    looks_like_path = model.startswith(LOCAL_DIR) or os.sep in model or model.startswith(".")
    if not path.is_dir():
        if looks_like_path and model.replace("/", "-") not in open_clip.list_models():
            raise UserError(
                f"no teacher directory {str(path)!r}; expected an open_clip model name or a "
                f"directory with {CONFIG_NAME} and a .safetensors file "
                "(the embedded benchmark's teacher is called 'ovshapes')"
            )
        return None
    if not (path / CONFIG_NAME).is_file():
        raise UserError(f"no {CONFIG_NAME} in {str(path)!r}; expected it beside the weights")
    return path


def require_weights(directory: Path) -> None:
    """Raise UserError if a teacher directory holds no weights."""
    if not any(any(directory.glob(f"*{s}")) for s in (".safetensors", ".bin", ".pth")):
        raise UserError(
            f"no weights (*.safetensors) in teacher directory {str(directory)!r}; copy them there "
            "(the embedded benchmark's teacher: ovdistill teacher train --config teacher_shapes -o "
            f"{directory})"
        )


def find_pretrained(model: str, pretrained: str | None) -> tuple[str, dict[str, Any]]:
    """Return the weights file of a built-in model, downloaded if need be and allowed.

    Args:
        model: name of a built-in open_clip model.
        pretrained: see ``OpenCLIPTeacher``.

    Returns:
        The file, and the keyword arguments for ``open_clip.create_model`` that the weights ask
        for, see ``pretrained_settings``; where tags differ, a warning says so.

    Raises:
        UserError: no or unknown weights, a failed download, or not in the cache while offline.
    """
    tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "no known tag"
    if pretrained is None:
        raise UserError(
            f"teacher {model!r} without weights; expected pretrained= one of {tags}; or {FIX}"
        )
    tag, path = tag_and_file(pretrained)
    if path is not None and not Path(path).is_file():
        raise UserError(f"teacher weights {pretrained!r} of {model!r}: no file {path!r}")
    if path is not None and not tag:
        if len(found := _settings_of_tags(model)) > 1:
            _warn_of_no_tag(model, path, found)
        return path, pretrained_settings(model, pretrained)
    config = get_pretrained_cfg(model, tag)
    if not config:
        raise UserError(
            f"teacher weights {pretrained!r} of {model!r}: neither a file nor a known tag; "
            f"expected one of {tags}; or {FIX}"
        )
    return path or _fetch(f"{model}:{tag}", config), pretrained_settings(model, pretrained)


def pretrained_settings(model: str, pretrained: str) -> dict[str, Any]:
    """Return the keyword arguments for ``open_clip.create_model`` that weights ask for.

    They are those of the tag. For a file of no tag they are those in which all tags of the model
    agree; where they do not, there are none.

    Args:
        model: name of a built-in open_clip model.
        pretrained: see ``OpenCLIPTeacher``.
    """
    tag, _ = tag_and_file(pretrained)
    if tag:
        return _settings_of(get_pretrained_cfg(model, tag))
    found = _settings_of_tags(model)
    return found[0][0] if len(found) == 1 else {}


def tag_and_file(pretrained: str) -> tuple[str, str | None]:
    """Return the tag that ``pretrained`` names, or "", and the file, or None to look for the tag's.

    Args:
        pretrained: 'TAG', 'TAG=FILE' or 'FILE'.
    """
    if Path(pretrained).is_file():
        return "", pretrained
    tag, equals, path = pretrained.partition("=")
    return tag, path if equals else None


def has_unknown_settings(model: str, pretrained: str | None) -> bool:
    """Return whether weights could be of several activations or preprocessings.

    So it is for a file of no tag, of a model whose tags differ in them.

    Args:
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``.
    """
    return (
        pretrained is not None
        and not tag_and_file(pretrained)[0]
        and len(_settings_of_tags(model.replace("/", "-"))) > 1
    )


def _settings_of_tags(model: str) -> list[tuple[dict[str, Any], list[str]]]:
    """Return the different arguments that the tags of a model ask for, and those tags."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    for tag in open_clip.list_pretrained_tags_by_model(model):
        settings = _settings_of(get_pretrained_cfg(model, tag))
        same = next((tags for other, tags in found if other == settings), None)
        if same is None:
            found.append((settings, [tag]))
        else:
            same.append(tag)
    return found


def _settings_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for ``open_clip.create_model`` that a tag's configuration asks for."""
    # OpenAI's weights were trained with QuickGELU; open_clip only warns when a model has not.
    return {
        "force_quick_gelu": bool(config.get("quick_gelu", False)),
        "force_preprocess_cfg": {k: config[k] for k in PREPROCESS_KEYS if k in config},
    }


def _warn_of_no_tag(model: str, path: str, found: list[tuple[dict[str, Any], list[str]]]) -> None:
    groups = "; ".join(f"{', '.join(tags)}: {settings}" for settings, tags in found)
    LOGGER.warning(
        "teacher %s has weights of no tag, %s: activation and preprocessing are the model's own. "
        "If they are of a tag, name it (pretrained='TAG=%s'), since tags differ: %s",
        *(model, path, path, groups),
    )


def find_hub_weights(model: str) -> str:
    """Return the weights file of an "hf-hub:org/repo" model, downloaded.

    Raises:
        UserError: it cannot be downloaded.
    """
    repo = model.removeprefix(HF_HUB)
    weights = _fetch(model, {"hf_hub": f"{repo}/"})
    try:
        hf_hub_download(repo, CONFIG_NAME)  # without which the weights are of no use offline
    except Exception as error:  # any of a dozen network and hub errors
        raise UserError(f"teacher {model}: {CONFIG_NAME} cannot be fetched ({error})") from error
    return weights


def _fetch(name: str, config: dict[str, Any]) -> str:
    """Return the file of a pretrained tag, from the cache or by a download."""
    if path := _cached(config):
        return path
    missing = f"teacher weights {name}: not in {HF_HUB_CACHE} or {CLIP_CACHE}, and"
    if is_offline():
        why = f"downloads are switched off ({' or '.join(OFFLINE_VARIABLES)} is set)"
        raise UserError(f"{missing} {why}. They are at {_address(config)}; or {FIX}")
    try:
        return download_pretrained(config)
    except Exception as error:  # any of a dozen network and hub errors
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"{missing} {_address(config)} cannot be fetched ({reason}). Expected a network; or "
            f"{FIX}"
        ) from error


def _address(config: dict[str, Any]) -> str:
    """Return where the weights of a pretrained tag are on the web."""
    if config.get("hf_hub"):
        return f"https://huggingface.co/{config['hf_hub'].rstrip('/')}"
    return str(config.get("url"))


def _cached(config: dict[str, Any]) -> str | None:
    """Return the downloaded file of a pretrained tag, or None."""
    if config.get("hf_hub"):
        repo, name = os.path.split(config["hf_hub"])
        names = (name.rsplit(".", 1)[0] + ".safetensors", name) if name else HUB_FILES
        for candidate in names:
            path = try_to_load_from_cache(repo, candidate)
            if isinstance(path, str):
                return path
    if config.get("url"):
        path = Path(CLIP_CACHE).expanduser() / os.path.basename(config["url"])
        if path.is_file():
            return str(path)
    return None
