"""Digests of what a teacher is made of on this machine, by which it is known without its weights.

Its name says too little: `ovdistill teacher train` may write another teacher into the same folder,
and every map of `ovdistill store centre` is called "centred".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ovdistill.core.assets import shipped_embedding_map
from ovdistill.core.embedding_map import read_embedding_map
from ovdistill.core.files import hash_file
from ovdistill.extraction.stale import digest
from ovdistill.store.meta import TEACHER_CHANGES, TEACHER_FILES, digest_changes
from ovdistill.teacher import read_adapter
from ovdistill.teacher.open_clip_model import OVSHAPES
from ovdistill.teacher.registry import NO_MAP
from ovdistill.teacher.teacher_folder import TOKENIZER_FILES, WEIGHTS_NAME
from ovdistill.teacher.weights import CONFIG_NAME, LOCAL_DIR, tag_and_file

WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


def teacher_origin(options: Mapping[str, Any]) -> dict[str, str]:
    """Return digests of a teacher's local files, and of its embedding maps and adapters.

    They depend on the content of files and not on where these are.

    Args:
        options: a config's ``teacher``, see ``build_teacher``.

    Returns:
        A digest under ``TEACHER_FILES`` and one under ``TEACHER_CHANGES``; none of what is not
        there. Weights of a name or a tag, and those that ship with the package, have none, because
        they do not change.

    Raises:
        UserError: a damaged map or adapter.
    """
    found = {TEACHER_FILES: _files_digest(options), TEACHER_CHANGES: _changes_digest(options)}
    return {key: value for key, value in found.items() if value}


def _files_digest(options: Mapping[str, Any]) -> str:
    """Return the digest of the folder or files that arguments name; "" for none."""
    values = [
        str(value)
        for key, value in sorted(options.items())
        if key not in ("type", "embedding_map", "adapter") and isinstance(value, (str, os.PathLike))
    ]
    if options.get("random_weights"):
        return ""
    found = [part for value in values if value != OVSHAPES for part in _digests(value)]
    return digest(found) if found else ""


def _digests(value: str) -> Iterator[str]:
    """Yield a digest for each file that an argument of a teacher means."""
    folder = Path(value.removeprefix(LOCAL_DIR))
    if os.path.isfile(folder / CONFIG_NAME):
        # open_clip prefers a file of that name; which of others it takes depends on its version
        weights = [WEIGHTS_NAME] if os.path.isfile(folder / WEIGHTS_NAME) else WEIGHTS
        kinds = (CONFIG_NAME, *weights, *TOKENIZER_FILES)
        for path in sorted({path for kind in kinds for path in folder.glob(kind)}):
            yield f"{path.name} {_hash(path)}"
        return
    _, file = tag_and_file(value)
    if file and os.path.isfile(file):
        yield _hash(Path(file))


def _hash(path: Path) -> str:
    found = path.stat()
    return _hash_once(str(path.absolute()), found.st_size, found.st_mtime_ns)


@cache
def _hash_once(path: str, size: int, changed: int) -> str:
    """Return the hash of a file, which is read again only if its size or time has changed."""
    return hash_file(path)


def _changes_digest(options: Mapping[str, Any]) -> str:
    """Return the digest of maps and adapters; "" for none, and where one is not there."""
    maps = [shipped_embedding_map(str(m)) for m in _sources(options, "embedding_map")]
    adapters = [Path(source) for source in _sources(options, "adapter")]
    if not all(path.is_file() for path in (*maps, *adapters)):
        return ""
    return digest_changes(
        [
            *(read_embedding_map(path).digest for path in maps),
            *(read_adapter(path).adapter.digest for path in adapters),
        ]
    )


def _sources(options: Mapping[str, Any], key: str) -> Sequence[str | os.PathLike[str]]:
    """Return the sources that an entry names: none, one or several."""
    given = options.get(key)
    sources = [given] if isinstance(given, (str, os.PathLike)) else given or ()
    return [source for source in sources if source != NO_MAP]
