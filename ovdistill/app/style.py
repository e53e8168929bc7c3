"""How the page looks: fonts of the system, so that nothing is loaded from anywhere."""

from __future__ import annotations

import gradio as gr

CSS = """
.gradio-container { max-width: 1500px !important; }
#status { min-height: 3em; }
#drawn img { cursor: crosshair; }
#hits .grid-wrap { max-height: none; }
#dark { max-width: 9em; margin-left: auto; }
"""
# a file of what the server has packed; it is not written there
DOWNLOAD = """
(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.name;
  link.click();
}
"""
DARK = "() => { document.body.classList.toggle('dark'); }"


def theme() -> gr.themes.Base:
    """Return the theme."""
    return gr.themes.Soft(
        primary_hue="teal",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
