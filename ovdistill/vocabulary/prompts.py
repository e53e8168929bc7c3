"""Prompt templates: a class name -> sentences for the teacher's text tower."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError

LONGEST_FILE = 1 << 20  # characters of a file of templates that are read


def article(name: str) -> str:
    """Return "an" for a name that begins with a vowel letter, else "a".

    Source: ViLD's rule, which goes by letters and not by sounds.
    """
    return "an" if name[:1].lower() in tuple("aeiou") else "a"


def fill_template(template: str, name: str) -> str:
    """Put a class name into a template: ("a photo of {article} {}.", "cup") -> text.

    Args:
        template: "{}" stands for the name, "{raw}" for the name as its source spells it, and
            "{article}" for its "a" or "an".
        name: any class name or phrase; for "{}" ``clean_name`` is applied to it.

    Raises:
        UserError: the template has no "{}" or "{raw}", or another placeholder; the name is empty.
    """
    plain = clean_name(name)
    if not plain:
        raise UserError("an empty class name; expected words, e.g. 'striped star'")
    fields = set()
    try:
        # nothing but these: a width or an attribute in a placeholder could make anything
        for _, field, spec, conversion in Formatter().parse(template):
            if field not in (None, "", "raw", "article") or spec or conversion:
                raise KeyError(f"{field}{'!' if conversion else ''}{spec and ':'}{spec:.20}")
            fields.add(field)
        text = template.format(plain, raw=name, article=article(plain))
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(
            f"template {template!r:.200}: placeholder {str(error):.80}; expected only {{}}, "
            "{raw} and {article}"
        ) from error
    if fields.isdisjoint(("", "raw")):  # "{{}}" is no field, but a pair of braces
        raise UserError(
            f"template {template!r:.200} has no {{}}; expected e.g. 'a photo of a {{}}.'"
        )
    return text


def _vild63() -> tuple[str, ...]:
    """Build ViLD's 63 templates from the families of sentences that they form.

    Sentences that start with "a" or "the" are prefixed with "This is ", as in the ViLD release.
    """
    a_an, the = "{article}", "the"
    texts = [f"There is {a} {{}} in the scene." for a in (a_an, the)]
    texts += [f"a photo of {a} {{}} in the scene." for a in (a_an, the, "one")]
    texts += [f"itap of {a} {{}}." for a in (a_an, "my", the)]
    texts += [f"a photo of {a} {{}}." for a in (a_an, "my", the, "one", "many")]
    # What the photo is like; the article agrees with the class name.
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
        texts += [f"a {quality} photo of {a} {{}}." for a in (a_an, the)]
    # What the object is like; the article agrees with the adjective.
    for quality in ("nice", "cool", "weird", "small", "large", "clean", "dirty", "hard to see"):
        texts += [f"a photo of {a} {quality} {{}}." for a in ("a", the)]
    for kind in ("plastic", "toy", "plushie", "cartoon"):
        texts += [f"{a} {kind} {{}}." for a in ("a", the)]
    texts += [f"{a} embroidered {{}}." for a in ("an", the)]
    texts += [f"a painting of {a} {{}}." for a in ("a", the)]
    return tuple(f"This is {t}" if t.startswith(("a", "the")) else t for t in texts)


def _detpro74() -> tuple[str, ...]:
    """Build the 74 written templates of DetPro's code (ViLD*) from their families.

    Names stand in them as LVIS spells them, with underscores and parentheses.
    """
    sizes = ("", "small ", "medium ", "large ")
    texts = ["This is a {raw}", "There is a {raw}"]
    for frame in ("a photo of a {} in the scene", "a photo of a {}", "This is a photo of a {}"):
        texts += [frame.replace("{}", f"{size}{{raw}}") for size in sizes]
    texts += [f"{this} is {a} {{raw}} in the scene" for this in _THIS for a in _ONE]
    texts += [f"This is one {size}{{raw}} in the scene" for size in sizes[1:]]
    texts += [f"There is a {size}{{raw}} in the scene" for size in sizes[1:]]
    for place in ("photo", "picture"):
        texts += [
            f"{this} is {a} {size}{{raw}} in the {place}"
            for this in _THIS
            for a in _ONE
            for size in sizes
        ]
    return tuple(texts)


_THIS, _ONE = ("There", "This"), ("a", "the", "one")
TEMPLATES: dict[str, tuple[str, ...]] = {
    "single": ("a photo of {article} {}.",),
    "vild63": _vild63(),
    "detpro74": _detpro74(),
}


def read_templates(source: str | os.PathLike[str] | Sequence[str]) -> tuple[str, ...]:
    """Read prompt templates: by their name, from a file, or from a sequence.

    Args:
        source: a key of ``TEMPLATES``; a text file with one template a line, where lines that begin
            with "#" are comments; or the templates themselves.

    Raises:
        UserError: no such key or file, no templates, a repeated one, or see ``fill_template``.
    """
    if isinstance(source, str) and source in TEMPLATES:
        return TEMPLATES[source]
    if isinstance(source, (str, os.PathLike)):
        try:
            with Path(source).open(encoding="utf-8-sig") as file:
                lines = file.read(LONGEST_FILE).splitlines()
        except (OSError, ValueError) as error:
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
        fill_template(template, "name")  # raises for a bad template
    if not templates:
        raise UserError(f"no templates in {source!r}; expected e.g. a photo of {{article}} {{}}.")
    if len(set(templates)) < len(templates):
        raise UserError(f"a template occurs twice in {source!r}; expected each once")
    return tuple(templates)
