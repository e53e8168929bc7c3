"""Takes a test run apart: what was named wrongly, what was cut wrongly, what was missed.

Arithmetic on flat arrays, without mm and without plots. ``analyse.analyse_run`` puts it together.

Shape letters: n detections, G labelled objects, p pairs of the two, K classes by ascending
category id.
"""
