"""Label maps: reading them, data sets in official layouts, and the transforms that carry them."""
