"""Detects objects in videos: reading, detecting, tracking, drawing and writing frames.

Read ``frames.py`` first. PyAV reads and writes the files (the extra ``video``), ``trackers``
follows the objects (the extra ``track``); both are imported when they are needed.
"""
