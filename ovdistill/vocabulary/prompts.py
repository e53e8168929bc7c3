"""Prompt templates: a category's name -> sentences for the teacher's text tower."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ovdistill.core.errors import UserError

# LVIS v1's own annotation files misspell this one.
_CORRECTED = {"speaker (stero equipment)": "speaker (stereo equipment)"}


def clean_name(name: str) -> str:
    """A category name as words: "Speaker_(stereo_equipment)" -> "speaker (stereo equipment)".

    "_" becomes a space, "/" becomes " or ", lower case, no trailing "." (ViLD's rule). Names that
    are the same after this are names of one category.
    """
    words = name.replace("_", " ").replace("/", " or ").lower().split()
    cleaned = " ".join(words).rstrip(".").rstrip()
    return _CORRECTED.get(cleaned, cleaned)


def article(name: str) -> str:
    """ "an" before a vowel letter, else "a" (ViLD's rule: letters, not sounds)."""
    return "an" if name[:1].lower() in tuple("aeiou") else "a"


def fill(template: str, name: str) -> str:
    """Puts a cleaned name into a template: ("a photo of {article} {}.", "cup") -> text.

    Args:
        template: "{}" stands for the name, "{article}" for its "a" or "an".
        name: any category name or phrase.

    Raises:
        UserError: the template has no "{}" or another placeholder; the name is empty.
    """
    name = clean_name(name)
    if not name:
        raise UserError("an empty category name; expected words, e.g. 'striped star'")
    if "{}" not in template:
        raise UserError(f"template {template!r} has no {{}}; expected e.g. 'a photo of a {{}}.'")
    try:
        return template.format(name, article=article(name))
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(
            f"template {template!r}: placeholder {error}; expected only {{}} and {{article}}"
        ) from error


def _vild63() -> tuple[str, ...]:
    """ViLD's 63 templates, written as the families that they are.

    Sentences that start with "a" or "the" are prefixed with "This is ", as in the ViLD release.
    """
    own, the = "{article}", "the"
    texts = [f"There is {a} {{}} in the scene." for a in (own, the)]
    texts += [f"a photo of {a} {{}} in the scene." for a in (own, the, "one")]
    texts += [f"itap of {a} {{}}." for a in (own, "my", the)]
    texts += [f"a photo of {a} {{}}." for a in (own, "my", the, "one", "many")]
    # What the photo is like: the article belongs to the name.
    for quality in (
        "good",
        "bad",
        "bright",
        "dark",
        "low resolution",
        "cropped",
        "close-up",
        "jpeg corrupted",
        "blurry",
        "pixelated",
        "black and white",
    ):
        texts += [f"a {quality} photo of {a} {{}}." for a in (own, the)]
    # What the object is like: the article belongs to the adjective.
    for quality in ("nice", "cool", "weird", "small", "large", "clean", "dirty", "hard to see"):
        texts += [f"a photo of {a} {quality} {{}}." for a in ("a", the)]
    for kind in ("plastic", "toy", "plushie", "cartoon"):
        texts += [f"{a} {kind} {{}}." for a in ("a", the)]
    texts += [f"{a} embroidered {{}}." for a in ("an", the)]
    texts += [f"a painting of {a} {{}}." for a in ("a", the)]
    return tuple(f"This is {t}" if t.startswith(("a", "the")) else t for t in texts)


TEMPLATES: dict[str, tuple[str, ...]] = {
    "single": ("a photo of {article} {}.",),
    "vild63": _vild63(),
}


def read_templates(source: str | os.PathLike[str] | Sequence[str]) -> tuple[str, ...]:
    """Prompt templates by name, from a file or as they are.

    Args:
        source: a key of ``TEMPLATES``; a text file with one template a line, where lines that begin
            with "#" are comments; or the templates.

    Raises:
        UserError: neither, no templates, a repeated one, or see ``fill``.
    """
    if isinstance(source, str) and source in TEMPLATES:
        return TEMPLATES[source]
    if isinstance(source, (str, os.PathLike)):
        try:
            lines = Path(source).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"cannot read templates from {os.fspath(source)!r} ({error}); expected one of: "
                f"{', '.join(TEMPLATES)}, or a text file with one template a line, such as: "
                "a photo of {article} {}."
            ) from error
        templates = [line.strip() for line in lines]
        templates = [line for line in templates if line and not line.startswith("#")]
    else:
        templates = list(source)
    for template in templates:
        fill(template, "word")
    if not templates:
        raise UserError(f"no templates in {source!r}; expected e.g. a photo of {{article}} {{}}.")
    if len(set(templates)) < len(templates):
        raise UserError(f"a template occurs twice in {source!r}; expected each once")
    return tuple(templates)
