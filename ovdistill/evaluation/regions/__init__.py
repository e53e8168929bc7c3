"""What can be known of a store of regions before anything is trained on it.

``figures`` measures, ``advice`` draws conclusions, ``lines`` prints; nothing here needs mm.
"""
