"""Adapt a teacher to a field: learn from regions of base classes what its towers do not know.

Read these files first: ``data`` (what a method sees and returns), then one of the methods' folders.
A method is a dataclass of settings with ``learn``; its command is in ``commands/teacher/adapt``.
"""
