"""Writes what ``evaluation.analysis`` finds as a page of HTML and as Markdown, a section a file."""
