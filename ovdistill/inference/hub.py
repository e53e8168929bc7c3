"""Bring a published detector to the model hub."""

from __future__ import annotations
