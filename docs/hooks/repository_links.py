"""Lead the links of a page to where their targets are in the site, or else to the repository.

In the repository, pages link to each other and to files by relative paths, which GitHub follows.
In the site, some pages lie elsewhere, and most files of the repository are not part of it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[#)\s])")


def lead_links(
    markdown: str, source: str, target: str, pages: Mapping[str, str], root: Path, address: str
) -> tuple[str, list[str]]:
    """Return a page with its relative links changed, and the links that lead nowhere.

    Args:
        markdown: the page.
        source: its path in the repository.
        target: its path in the site's sources, such as "methods/vild.md".
        pages: for the path in the repository of each file that the site has, that in the site.
        root: of the repository.
        address: of the repository, such as "https://github.com/ovdistill/ovdistill".
    """
    broken = []

    def lead(found: re.Match[str]) -> str:
        link = found[1]
        if re.match(r"[a-z]+:|/", link):
            return link
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if path in pages:
            return posixpath.relpath(pages[path], posixpath.dirname(target) or ".")
        if not (root / path).exists():
            broken.append(link)
        kind = "tree" if (root / path).is_dir() else "blob"
        return f"{address}/{kind}/main/{path}"

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(lead, part) for part in parts[::2]]
    return "".join(parts), broken
