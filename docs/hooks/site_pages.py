"""Add to the site what does not lie in docs/, and lead links to where their targets are.

MkDocs calls the functions below. Nothing is copied: a page of the repository is read where it lies.
"""

from __future__ import annotations

from pathlib import Path

from command_reference import command_reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from recipe_table import recipe_page
from repository_links import lead_links

ROOT = Path(__file__).parents[2]
METHODS = sorted((ROOT / "ovdistill" / "distillation").glob("*/README.md"))
# path in the repository: path in the site's sources
REPOSITORY_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    **{str(path.relative_to(ROOT)): f"methods/{path.parent.name}.md" for path in METHODS},
}
GENERATED = {"commands.md": command_reference, "recipes.md": recipe_page}
HIDDEN = {"index.md": ["navigation"], "recipes.md": ["toc"]}  # what has nothing to add there
STANDS_FOR = {"configs": "recipes.md"}  # a link to this folder leads to that page
log = get_plugin_logger("ovdistill")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository, and those that are made from the code."""
    for source, target in REPOSITORY_PAGES.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for target, write in GENERATED.items():
        files.append(File.generated(config, target, content=write()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page, and its edit button, to where their targets are."""
    target = page.file.src_uri
    pages = site_pages(files)
    source = next(path for path, uri in pages.items() if uri == target)
    address = str(config.repo_url).rstrip("/")
    markdown, broken = lead_links(markdown, source, target, pages | STANDS_FOR, ROOT, address)
    for link in broken:
        log.warning(f"{source} links to {link}, which is not there")
    if target in HIDDEN:
        page.meta["hide"] = HIDDEN[target]
    page.edit_url = None if target in GENERATED else f"{address}/edit/main/{source}"
    return markdown


def site_pages(files: Files) -> dict[str, str]:
    """Return for each file of the site's sources its path in the repository, and that here."""
    pages = {f"docs/{file.src_uri}": file.src_uri for file in files if file.inclusion.is_included()}
    inside = {uri: path for path, uri in REPOSITORY_PAGES.items()}
    return {inside.get(uri, path): uri for path, uri in pages.items()}
