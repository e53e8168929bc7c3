"""Find class names in a text: one a line, or in the lines of a label map, or in YAML.

Every function raises ValueError with the problem; ``reader`` adds the file.
"""

from __future__ import annotations

import logging
import re
import reprlib
from typing import Any

import yaml

from ovdistill.datasets.names.from_json import LISTS, names_of_json
from ovdistill.vocabulary import Names

LOGGER = logging.getLogger(__name__)
LABEL_MAP = re.compile(r"(?P<name>[^:]+):(\d+,\d+,\d+)?:[^:]*:[^:]*")  # CVAT's, of Pascal VOC
BACKGROUND = "background"  # of a label map: what belongs to no class
LONGEST = 300  # characters of a name
# lines of other formats, which would otherwise become class names
OTHER_LINES = {
    "YAML": r"-\s.*|[\w. -]+:(\s.*)?|---.*",
    "a table": r".*[\t;,|].*",
    "JSON or a label map of TensorFlow": r"[\[{\]}].*|.*[\[{]",
    "XML": r"<.*",
    "options": r"[\w.-]+\s*=.*",
    "image files": r".*\.(?i:jpe?g|png|bmp|tiff?|webp)",
    "ids": r"[nN]\d{8}\b.*|/[mgt]/\w+.*",
    "boxes": r"[-\d.eE+]+(\s+[-\d.eE+]+)+",
}


def names_of_lines(text: str) -> Names:
    """Return the names of a text with one a line, or of CVAT's ``labelmap.txt``.

    Empty lines, and comments, which begin with "#", are left out.

    Raises:
        ValueError: a line that no class name looks like, as of another format.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    names = [line for line in lines if not line.startswith("#")]
    if names and all(map(LABEL_MAP.fullmatch, names)):
        return _of_label_map(names)
    for name in names:
        _check_line(name)
    _check_numbers(names)
    if comments := len(lines) - len(names):
        LOGGER.info("names: %d lines that begin with # are comments", comments)
    return Names(tuple(names))


def names_of_yaml(text: str) -> Names:
    """Return the ``names`` of a YAML file such as YOLO's ``data.yaml``, a list or a mapping.

    All scalars are read as text, so that a class "yes" is no boolean. Where a number is expected,
    as in ``fox: 0`` or ``image_count: 12``, digits are one.

    Raises:
        ValueError: not YAML, no names in it, or another number of them than its ``nc``.
    """
    try:
        data = yaml.load(text, yaml.BaseLoader)  # it makes str, list and dict, nothing else
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"it is not YAML ({' '.join(str(error).split())[:80]})") from None
    names = names_of_json(_with_numbers(data))
    count = data.get("nc") if isinstance(data, dict) else None
    if count is not None and count != str(len(names)):
        raise ValueError(f"it has {len(names)} names, but nc is {reprlib.repr(count)}")
    return names


def _with_numbers(data: Any) -> Any:
    """Return the content of YAML with numbers where ``names_of_json`` expects some."""
    if not isinstance(data, dict):
        return _numbered(data)
    # no deeper than this: aliases can make YAML endlessly deep
    lists = {key: data[key] for key in LISTS if isinstance(data.get(key), (list, dict))}
    if not lists:
        return _numbered(data)
    return data | {key: _numbered(content) for key, content in lists.items()}


def _numbered(content: Any) -> Any:
    """Return records with a number as ``image_count``, or a mapping with numbers as its values."""
    if isinstance(content, list):
        return [
            item | {"image_count": int(item["image_count"])}
            if isinstance(item, dict) and _is_number(item.get("image_count"))
            else item
            for item in content
        ]
    if not isinstance(content, dict) or not all(map(_is_number, content.values())):
        return content
    if all(map(_is_number, content)):  # {0: 7} is a class "7", as all mappings of YOLO are
        return content
    return {name: int(number) for name, number in content.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) is not None


def _of_label_map(lines: list[str]) -> Names:
    found = [line.partition(":")[0].strip() for line in lines]
    names = tuple(name for name in found if name != BACKGROUND)
    if len(names) < len(found):
        LOGGER.info("names: %r of the label map is left out; it is no class", BACKGROUND)
    return Names(names)


def _check_line(line: str) -> None:
    if len(line) > LONGEST or not all(c.isprintable() or c.isspace() for c in line):
        raise ValueError(f"a line has {len(line)} characters or is no text: {line[:30]!r}")
    for kind, pattern in OTHER_LINES.items():
        if re.fullmatch(pattern, line):
            raise ValueError(
                f"a line looks like {kind}, not like a name: {line[:60]!r} (a list in JSON takes "
                "any name; .yaml, .csv, .tsv and .jsonl files are read as what their suffix says)"
            )


def _check_numbers(names: list[str]) -> None:
    """Raise ValueError where every line begins with the next number, as in "0 fox", "1 owl"."""
    found = [re.match(r"(\d{1,9})[\s:.)]", name) for name in names]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(names))):
        raise ValueError(f"its lines are numbered ({names[0]!r:.60}); expected names alone")
