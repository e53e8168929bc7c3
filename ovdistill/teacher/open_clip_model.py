"""Create open_clip models from a name, a directory or a weights file, with clear errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.checksums import verify_tensors
from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.core.seeds import drawn_by
from ovdistill.teacher.weights import (
    CONFIG_NAME,
    FIX,
    HF_HUB,
    LOCAL_DIR,
    find_directory,
    find_hub_weights,
    find_pretrained,
    require_weights,
    tag_and_file,
)

LOGGER = logging.getLogger(__name__)
BPE_NAME = "bpe.txt.gz"
# what a configuration may ask of its tokenizer: open_clip's own arguments. It gives others to
# Hugging Face's, some of which run code of the folder or read other files.
TOKENIZER_KEYS = (
    "additional_special_tokens",
    "clean",
    "language",
    "reduction_mask",
    "strip_sep_token",
)
OVSHAPES = "ovshapes"


def create_model(model: str, pretrained: str | None, *, random_weights: bool) -> tuple[Any, Any]:
    """Create an open_clip model and its tokenizer, whose classes publish no types.

    Args:
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``.
        random_weights: load no weights; the random ones are the same in every process.

    Raises:
        UserError: see ``OpenCLIPTeacher``.
    """
    if pretrained is not None and random_weights:
        raise UserError(f"both pretrained={pretrained!r} and random_weights=True; expected one")
    model = expand_model(model)
    directory = find_directory(model)
    if directory is not None:
        return _create_from_directory(model, directory, pretrained, random_weights=random_weights)
    arguments: dict[str, Any] = {"require_pretrained": True}
    if not model.startswith(HF_HUB):
        model = model.replace("/", "-")
        if model not in open_clip.list_models():
            raise UserError(
                f"unknown teacher {model!r}; expected a directory or an open_clip model name "
                "(python -c 'import open_clip; print(open_clip.list_models())')"
            )
        if not random_weights:
            weights, options = find_pretrained(model, pretrained)
            arguments |= {**options, "pretrained": weights}
    if random_weights:
        arguments = _random_weights(model)
    return _create(model, model, arguments, {})


def create_untrained(directory: Path, seed: int) -> tuple[Any, Any]:
    """Create the model that a directory's configuration describes, untrained, and its tokenizer.

    Args:
        directory: has ``CONFIG_NAME``, and the tokenizer's files where it is not open_clip's own.
        seed: of the random weights.

    Raises:
        UserError: the configuration describes no model.
    """
    arguments = {"load_weights": False, "pretrained_text": False}
    name, before = _configured_name(directory), logging.root.manager.disable
    logging.disable(logging.WARNING)  # open_clip's, that there are no weights
    try:
        return _create(f"{LOCAL_DIR}{directory}", name, arguments, _merges(directory), seed)
    finally:
        logging.disable(before)


def create_tokenizer(model: str) -> Any:
    """Create the tokenizer of a built-in model, whose class publishes no types.

    Args:
        model: name of a built-in open_clip model.

    Raises:
        UserError: it needs packages that are not installed, or files that cannot be fetched.
    """
    with _clear_errors(model, model):
        return open_clip.get_tokenizer(model, **_safe_tokenizer(model, model))


def find_weights(model: str, pretrained: str | None, *, random_weights: bool) -> Path | None:
    """Return the weights of a model, a file or a folder, downloaded if need be; None for random.

    Args:
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``.
        random_weights: see ``OpenCLIPTeacher``.

    Raises:
        UserError: they are missing and cannot be downloaded.
    """
    if random_weights:
        return None
    model = expand_model(model)
    directory = find_directory(model)
    if directory is not None:
        require_weights(directory)
        return directory
    if model.startswith(HF_HUB):
        return Path(find_hub_weights(model))
    return Path(find_pretrained(model.replace("/", "-"), pretrained)[0])


def expand_model(model: str) -> str:
    """Return the directory of the embedded benchmark's teacher for "ovshapes", else ``model``."""
    return str(TEACHER_DIR) if model == OVSHAPES else model


def model_name(model: str, pretrained: str | None, *, random_weights: bool) -> str | None:
    """Return the name of a teacher, without loading weights; None for a directory that is missing.

    Args:
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``.
        random_weights: see ``OpenCLIPTeacher``.
    """
    model = expand_model(model)
    directory = Path(model.removeprefix(LOCAL_DIR))
    tag = pretrained or ""
    if (directory / CONFIG_NAME).is_file():
        name = _configured_name(directory)
    elif model.startswith(HF_HUB):
        name = model
    elif pretrained or random_weights:
        tag, file = tag_and_file(tag)
        name, tag = model.replace("/", "-"), Path(tag or file or "").name
    else:
        return None
    if random_weights:
        return f"{name}:random"
    return f"{name}:{tag}" if tag else name


def _create_from_directory(
    model: str, directory: Path, pretrained: str | None, *, random_weights: bool
) -> tuple[Any, Any]:
    if pretrained is not None:
        raise UserError(
            f"both a teacher directory {model!r} and pretrained={pretrained!r}; "
            "expected one: the directory holds its weights"
        )
    name = _configured_name(directory)
    if random_weights:
        arguments = _random_weights(name)
    else:
        require_weights(directory)
        for path in directory.glob("*.safetensors"):
            verify_tensors(path)
        arguments = {"require_pretrained": True}
    return _create(f"{LOCAL_DIR}{directory}", name, arguments, _merges(directory))


def _merges(directory: Path) -> dict[str, Any]:
    """Return the arguments of a tokenizer whose merges are in a directory."""
    merges = directory / BPE_NAME
    return {"bpe_path": str(merges)} if merges.is_file() else {}


def warn_of_random(name: str) -> None:
    """Warn of a teacher that nobody has trained."""
    LOGGER.warning("RANDOM TEACHER WEIGHTS: %s is untrained, its embeddings mean nothing", name)


def _random_weights(name: str) -> dict[str, Any]:
    warn_of_random(name)
    return {"load_weights": False, "pretrained_text": False}


def _create(
    model: str, name: str, arguments: dict[str, Any], tokenizer: dict[str, Any], seed: int = 0
) -> tuple[Any, Any]:
    with _clear_errors(name, arguments.get("pretrained", model.removeprefix(LOCAL_DIR))):
        safe = _safe_tokenizer(model, name)
        with drawn_by(seed):  # random weights: the same in every process
            clip = open_clip.create_model(model, **arguments)
        return clip, open_clip.get_tokenizer(model, **tokenizer, **safe)


@contextmanager
def _clear_errors(name: str, source: str) -> Iterator[None]:
    """Raise UserError for what open_clip raises while it makes a teacher.

    Args:
        name: of the teacher.
        source: its weights, its folder or its name.
    """
    try:
        yield
    except UserError:
        raise
    except ModuleNotFoundError as error:
        raise UserError(
            f"teacher {name!r} has a tokenizer of Hugging Face, which needs {error.name}: "
            "pip install 'ovdistill[siglip]'"
        ) from error
    except Exception as error:  # open_clip wraps and raises many kinds
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"the weights or configuration of teacher {name!r} from {source!r} do not load: "
            f"{reason}; expected weights of exactly this architecture; {FIX}"
        ) from error


def _safe_tokenizer(model: str, name: str) -> dict[str, Any]:
    """Return the arguments without which a tokenizer could run code that comes with a model.

    Args:
        model: what open_clip finds the configuration by.
        name: of the teacher, for the message.

    Raises:
        UserError: the configuration asks for more than ``TOKENIZER_KEYS``.
    """
    text = (open_clip.get_model_config(model) or {}).get("text_cfg", {})
    unknown = {*text.get("tokenizer_kwargs", {})} - {*TOKENIZER_KEYS}
    if unknown:
        raise UserError(
            f"the configuration of teacher {name!r} has tokenizer_kwargs {min(unknown)!r:.60}, "
            f"which could run code or read other files; expected only {', '.join(TOKENIZER_KEYS)}: "
            "delete it"
        )
    return {"trust_remote_code": False} if text.get("hf_tokenizer_name") else {}


def _configured_name(directory: Path) -> str:
    """Return the name that a directory's configuration states, else that of the directory."""
    try:
        config = read_json(directory / CONFIG_NAME, "configuration of the teacher")
        return str(config.get("name", directory.resolve().name))
    except AttributeError as error:
        raise UserError(
            f"{directory / CONFIG_NAME} is not a JSON object ({error}); expected open_clip's "
            "{'model_cfg': ..., 'preprocess_cfg': ...}"
        ) from error
