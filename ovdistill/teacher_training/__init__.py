"""Train a CLIP teacher with objectives that combine.

Read these files first: ``batch`` (what an objective sees), ``objective`` (the seam).
"""
