"""Where the pairs of a teacher's training come from, and how they become batches.

Read these files first: ``source`` (the seam), ``pair_batches`` (what makes batches of sources).
"""
