"""Build the towers that a config describes: untrained, or with the weights of a teacher."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
from open_clip.pretrained import get_pretrained_cfg
from open_clip.tokenizer import HFTokenizer

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.core.text import did_you_mean
from ovdistill.teacher.open_clip_model import (
    BPE_NAME,
    create_model,
    create_untrained,
    expand_model,
    find_weights,
    model_name,
)
from ovdistill.teacher.weights import CONFIG_NAME, HF_HUB, PREPROCESS_KEYS, find_directory
from ovdistill.teacher_training.byte_pairs import learn_merges, merges_file, vocabulary_size
from ovdistill.teacher_training.folder import TeacherConfig, tokenizer_files
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

KEYS = ("model", "pretrained", "untrained", "name", "preprocess_cfg", "words")


def build_towers(options: Mapping[str, Any], seed: int) -> tuple[OpenCLIPTowers, TeacherConfig]:
    """Build towers for training, on the CPU, and what the result's folder will state.

    Args:
        options: the config's ``model``:
            ``model``: what ``OpenCLIPTeacher`` takes, or open_clip's ``model_cfg`` as a dict;
            ``pretrained``: tag or weights file of a model given by name;
            ``untrained``: start from random weights; a dict, or a name without ``pretrained``, has
            no others;
            ``name``: of the teacher that is trained (default: 'trained-' and the model's name);
            ``preprocess_cfg``: open_clip's, of an untrained model;
            ``words``: the untrained model gets a tokenizer in which each of these is one token.
        seed: of the random weights.

    Raises:
        UserError: an option that is not known, or values that do not fit each other; or see
            ``create_model``.
    """
    options = _checked(options)
    model, pretrained = options["model"], options.get("pretrained")
    if isinstance(model, Mapping) or options.get("untrained") or _has_no_weights(model, pretrained):
        config = _untrained_config(options)
        return _build_untrained(config, seed), config
    if extra := [key for key in ("preprocess_cfg", "words") if options.get(key)]:
        raise UserError(
            f"model has {' and '.join(extra)} beside trained weights, which have their own; "
            "expected these with untrained=True only"
        )
    clip, tokenizer = create_model(model, pretrained, random_weights=False)
    clip.requires_grad_(requires_grad=True)
    stated = _trained_config(model, pretrained)
    default = f"trained-{model_name(model, pretrained, random_weights=False)}"
    config = TeacherConfig(
        name=options.get("name") or default.replace(":", "-"),
        model_cfg=stated["model_cfg"],
        preprocess_cfg={key: clip.visual.preprocess_cfg[key] for key in PREPROCESS_KEYS},
        files=stated["files"] or _saved(tokenizer),
    )
    return OpenCLIPTowers(clip, tokenizer).train(), config


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with the model's name expanded; raise UserError for bad ones."""
    options = dict(options)
    for key in options:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS, f"expected {', '.join(KEYS)}")
            raise UserError(f"model has {key!r}, which nothing reads; {hint}")
    model = options.get("model")
    if not isinstance(model, (str, Mapping)) or not model:
        raise UserError(
            f"model.model is {model!r:.100}; expected an open_clip model name such as 'ViT-B-32', "
            "the folder of a teacher, or open_clip's model_cfg as a dict"
        )
    if options.get("untrained") and options.get("pretrained"):
        raise UserError("model has both untrained=True and pretrained; expected one of them")
    if isinstance(model, str):
        options["model"] = expand_model(model)
    return options


def _has_no_weights(model: str, pretrained: str | None) -> bool:
    """Return True for a built-in architecture without weights."""
    named = not model.startswith(HF_HUB) and find_directory(model) is None
    return named and pretrained is None


def _untrained_config(options: Mapping[str, Any]) -> TeacherConfig:
    """Return what the folder of an untrained model states."""
    model = options["model"]
    if isinstance(model, Mapping):
        model_cfg, preprocess, files, name = dict(model), {}, {}, "own"
    else:
        stated = _trained_config(model, None)
        model_cfg, preprocess, files = (
            stated[key] for key in ("model_cfg", "preprocess_cfg", "files")
        )
        name = Path(model).name
    if not {"embed_dim", "vision_cfg", "text_cfg"} <= model_cfg.keys():
        raise UserError(
            f"model.model has {', '.join(model_cfg)}; expected open_clip's model_cfg with "
            "embed_dim, vision_cfg and text_cfg"
        )
    if options.get("words"):
        merges = learn_merges(options["words"])
        text = dict(model_cfg["text_cfg"])
        text["vocab_size"] = vocabulary_size(merges)
        model_cfg["text_cfg"], files = text, {BPE_NAME: merges_file(merges)}
    return TeacherConfig(
        name=options.get("name") or name,
        model_cfg=model_cfg,
        preprocess_cfg={**preprocess, **options.get("preprocess_cfg", {})},
        files=files,
    )


def _build_untrained(config: TeacherConfig, seed: int) -> OpenCLIPTowers:
    with tempfile.TemporaryDirectory() as folder:  # open_clip reads what it builds from a folder
        config.write(Path(folder))
        clip, tokenizer = create_untrained(Path(folder), seed)
    return OpenCLIPTowers(clip, tokenizer).train()


def _trained_config(model: str, pretrained: str | None) -> dict[str, Any]:
    """Return ``model_cfg``, ``preprocess_cfg`` and the tokenizer's ``files`` of a known model."""
    directory = find_directory(model)
    if directory is None and model.startswith(HF_HUB):
        weights = find_weights(model, None, random_weights=False)
        assert weights is not None  # random ones have none
        stated = read_json(weights.parent / CONFIG_NAME, "configuration of the teacher")
        return {"preprocess_cfg": {}, "files": {}, **stated}
    if directory is not None:
        stated = read_json(directory / CONFIG_NAME, "configuration of the teacher")
        return {"preprocess_cfg": {}, **stated, "files": tokenizer_files(directory)}
    name = model.replace("/", "-")
    model_cfg = open_clip.get_model_config(name)
    if model_cfg is None:
        hint = did_you_mean(name, open_clip.list_models(), "see open_clip.list_models()")
        raise UserError(f"unknown architecture {model!r}; {hint}")
    tag = get_pretrained_cfg(name, pretrained) if pretrained else {}
    if tag.get("quick_gelu"):
        model_cfg["quick_gelu"] = True
    files = {}
    if pretrained is None and model_cfg["text_cfg"].get("hf_tokenizer_name"):
        files = _saved(open_clip.get_tokenizer(name))
    return dict(model_cfg=model_cfg, preprocess_cfg={}, files=files)


def _saved(tokenizer: Any) -> dict[str, bytes]:
    """Return the files of one of Hugging Face's tokenizers, which a folder needs beside weights."""
    if not isinstance(tokenizer, HFTokenizer):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tokenizer.save_pretrained(folder)
        return tokenizer_files(Path(folder))
