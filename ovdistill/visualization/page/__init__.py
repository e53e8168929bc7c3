"""Builds pages of HTML that need nothing but themselves: elements, charts in SVG, tables."""
