"""Build the towers that a config describes: untrained, or with the weights of a teacher."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean
from ovdistill.teacher.open_clip_model import (
    BPE_NAME,
    create_model,
    create_tokenizer,
    create_untrained,
    expand_model,
    model_name,
)
from ovdistill.teacher.open_clip_teacher import check_preprocessing
from ovdistill.teacher.teacher_folder import TeacherConfig, config_of_model, saved_tokenizer
from ovdistill.teacher.weights import HF_HUB, PREPROCESS_KEYS, find_directory
from ovdistill.teacher_training.byte_pairs import learn_merges, merges_file, vocabulary_size
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
    stated = config_of_model(model, pretrained)
    default = f"trained-{model_name(model, pretrained, random_weights=False)}"
    config = replace(
        stated,
        name=options.get("name") or default.replace(":", "-"),
        preprocess_cfg={key: clip.visual.preprocess_cfg[key] for key in PREPROCESS_KEYS},
        files=stated.files or saved_tokenizer(tokenizer),
    )
    return OpenCLIPTowers(clip, tokenizer).train(), config


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with the model's name expanded; raise UserError for bad ones."""
    if not isinstance(options, Mapping):
        raise UserError(f"model is {options!r:.100}; expected dict(model=..., ...)")
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
        config = TeacherConfig("own", dict(model))
    else:
        config = _untrained_model(model)
    if not {"embed_dim", "vision_cfg", "text_cfg"} <= config.model_cfg.keys():
        raise UserError(
            f"model.model has {', '.join(config.model_cfg)}; expected open_clip's model_cfg with "
            "embed_dim, vision_cfg and text_cfg"
        )
    for part in ("vision_cfg", "text_cfg"):
        if not isinstance(config.model_cfg[part], Mapping):
            raise UserError(
                f"model.model has {part} {config.model_cfg[part]!r:.100}; expected dict(...)"
            )
    if options.get("words"):
        config = _with_words(config, options["words"])
    preprocessing = options.get("preprocess_cfg") or {}
    if not isinstance(preprocessing, Mapping):
        raise UserError(f"model.preprocess_cfg is {preprocessing!r:.100}; expected dict(mean=...)")
    if unknown := {*preprocessing} - {*PREPROCESS_KEYS}:
        hint = did_you_mean(min(unknown), PREPROCESS_KEYS, f"expected {', '.join(PREPROCESS_KEYS)}")
        raise UserError(
            f"model.preprocess_cfg has {min(unknown)!r:.60}, which nothing reads; {hint}"
        )
    check_preprocessing(preprocessing, "model.preprocess_cfg")
    return replace(
        config,
        name=options.get("name") or config.name,
        preprocess_cfg={**config.preprocess_cfg, **preprocessing},
    )


def _untrained_model(model: str) -> TeacherConfig:
    """Return what the folder of a known model states, with the tokenizer that it needs."""
    config = config_of_model(model, None)
    if find_directory(model) is None and config.model_cfg["text_cfg"].get("hf_tokenizer_name"):
        files = saved_tokenizer(create_tokenizer(model.replace("/", "-")))
        config = replace(config, files=files)
    return replace(config, name=Path(model).name)


def _with_words(config: TeacherConfig, words: Any) -> TeacherConfig:
    """Return a configuration whose tokenizer has one token for each of the words."""
    if not isinstance(words, (list, tuple)):
        raise UserError(f"model.words is {words!r:.100}; expected a list of words")
    for word in words:
        # what the tokenizer splits by its pattern, or into bytes, cannot become one token
        if not (isinstance(word, str) and word.isascii() and word.isalpha()):
            raise UserError(
                f"model.words has {word!r:.60}; expected words of the letters a to z, each of "
                "which becomes one token (other texts need none of their own)"
            )
    merges = learn_merges(word.lower() for word in words)
    text = {**config.model_cfg["text_cfg"], "vocab_size": vocabulary_size(merges)}
    model_cfg = {**config.model_cfg, "text_cfg": text}
    return replace(config, model_cfg=model_cfg, files={BPE_NAME: merges_file(merges)})


def _build_untrained(config: TeacherConfig, seed: int) -> OpenCLIPTowers:
    with tempfile.TemporaryDirectory() as folder:  # open_clip reads what it builds from a folder
        config.write(Path(folder))
        clip, tokenizer = create_untrained(Path(folder), seed)
    return OpenCLIPTowers(clip, tokenizer).train()
