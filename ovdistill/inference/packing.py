"""Pack a trained detector or segmentor into a folder that `from_pretrained` loads.

model.safetensors: weights alone, no optimizer state and no code. config.json: model, test
pipeline, teacher and templates, data too. vocabulary.safetensors: the class names of the training,
with their embeddings and learned prompts. teacher/, adapter-0.safetensors and
embedding_map-0.safetensors: what the teacher has that cannot be had elsewhere. metrics.json,
LICENSE and README.md, a model card, are for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from ovdistill.core.checkpoints import check_finite
from ovdistill.core.files import write_json, write_text
from ovdistill.core.python_text import docstring, literal
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.model_card import DETECTOR, SEGMENTOR, model_card
from ovdistill.inference.model_kind import dense_scale, is_segmentor
from ovdistill.inference.packed_teacher import check_packed_teacher, pack_teacher
from ovdistill.inference.pretrained import (
    CARD,
    CONFIG,
    LICENSE,
    METRICS,
    PYTHON_CONFIG,
    VOCABULARY,
    WEIGHTS,
)
from ovdistill.inference.published_files import remove_former
from ovdistill.models.build import is_of_terms
from ovdistill.models.published_config import encoded, reason_against
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts


@dataclass(frozen=True)
class About:
    """What a model card says beside what the detector itself shows.

    Attributes:
        recipe: name of the config it was trained with.
        metrics: figures of `ovdistill test`, by flat key.
        license: SPDX identifier such as 'apache-2.0', or the text of a licence; "" = not stated.
    """

    recipe: str
    metrics: Mapping[str, float]
    license: str = ""


def pack_detector(
    config: Config, model: nn.Module, folder: Path, about: About, *, half: bool = False
) -> list[Path]:
    """Write a detector's folder; for a proposal network, which has no class names, the weights.

    A detector that is in the folder is replaced, see ``remove_former``.

    Args:
        config: the detector's.
        model: with its weights.
        folder: is made if missing.
        about: for the model card.
        half: write the weights as float16.

    Returns:
        The files that were written; the config, which names the others, is the last one.

    Raises:
        UserError: weights that are not finite, in half precision too; or a file of the teacher that
            is missing, or makes another teacher than that of the vocabulary: nothing is written.
    """
    state = {
        name: (v.half() if half and v.is_floating_point() else v).contiguous()
        for name, v in model.state_dict().items()
        if not is_of_terms(name)
    }
    check_finite(state, "the weights to publish")
    vocabulary: Vocabulary | None = getattr(model, "vocabulary", None)
    origin = {"config": about.recipe}
    if vocabulary is None:
        remove_former(folder, ())
        write_tensor_file(folder / WEIGHTS, state, origin)
        return [folder / WEIGHTS]
    content = published_part(config)
    check_packed_teacher(content["teacher"], vocabulary.teacher)
    # first: files of the teacher may come from the detector that is replaced
    content["teacher"], of_teacher = pack_teacher(content["teacher"], folder)
    kept = [path.relative_to(folder).as_posix() for path in of_teacher]
    remove_former(folder, [*_optional_files(content, about), *kept])
    write_tensor_file(folder / WEIGHTS, state, origin | vocabulary.teacher.to_header())
    vocabulary.save(folder / VOCABULARY)
    written = [folder / WEIGHTS, folder / VOCABULARY]
    if about.metrics:
        write_json(folder / METRICS, dict(about.metrics))
        written.append(folder / METRICS)
    if _is_text(about.license):
        write_text(folder / LICENSE, about.license)
        written.append(folder / LICENSE)
    kind = SEGMENTOR if is_segmentor(config) else DETECTOR
    card = model_card(kind, about.recipe, vocabulary, about.metrics, about.license)
    write_text(folder / CARD, card)
    config_file = write_config(folder, content, config.get("custom_imports"))
    return [*written, *of_teacher, folder / CARD, config_file]


def _optional_files(content: dict[str, Any], about: About) -> Iterator[str]:
    """Yield those of ``OPTIONAL`` that ``pack_detector`` writes for a config's content."""
    yield CONFIG if reason_against(encoded(content)) is None else PYTHON_CONFIG
    yield VOCABULARY
    if about.metrics:
        yield METRICS
    if _is_text(about.license):
        yield LICENSE


def _is_text(license: str) -> bool:
    """Return whether a licence is a text, rather than an identifier."""
    return "\n" in license


def published_part(config: Config) -> dict[str, Any]:
    """Return the part of a config that prediction needs."""
    whole = config.to_dict()
    model = {k: v for k, v in whole["model"].items() if k not in ("distillers", "vocabulary")}
    if "detector" in model:  # of a segmentor, whose weights have the detector's
        model["detector"] = {k: v for k, v in model["detector"].items() if k != "init_cfg"}
    extra = {"dense_scale": dense_scale(config)} if model.get("teacher_share") else {}
    step = whole.get("prepare", {}).get("vocabulary") or {}
    tokens = {"tokens": True} if step.get("tokens") else {}
    return {
        "about": f"The model in {WEIGHTS}, made by `ovdistill publish`.",
        "default_scope": whole.get("default_scope", "mmdet"),
        "model": model,
        "test_pipeline": whole["test_pipeline"],
        "teacher": whole["teacher"],
        "prepare": {"vocabulary": {"templates": _prompts(config), **tokens}},
        **extra,
    }


def write_config(folder: Path, content: dict[str, Any], imports: Any = None) -> Path:
    """Write the config of a published detector, as JSON if JSON can hold it.

    Args:
        folder: where it goes.
        content: see ``published_part``.
        imports: ``custom_imports`` of a config that is Python.

    Raises:
        UserError: a value that is no plain one, such as a class.
    """
    data = encoded(content)
    if reason_against(data) is None:
        path = folder / CONFIG
        write_json(path, data)
        return path
    # parts of one's own need their code, and so does their config
    path = folder / PYTHON_CONFIG
    title = docstring(content["about"])
    values = {"custom_imports": imports, **{k: v for k, v in content.items() if k != "about"}}
    lines = [f"{key} = {literal(value)}\n" for key, value in values.items()]
    write_text(path, "".join([f"{title}\n\n", *lines]))
    return path


def _prompts(config: Config) -> str | list[str]:
    """Return the prompts of the vocabulary as a config names them.

    That is the name of shipped templates, a list of templates, or, for learned prompts, the
    published vocabulary, which has them.
    """
    prompts = prompts_of_config(config)
    if isinstance(prompts, LearnedPrompts):
        return f"{{config_folder}}/{VOCABULARY}"
    return next((name for name, own in TEMPLATES.items() if own == prompts), list(prompts))
