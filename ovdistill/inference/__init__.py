"""Running a trained detector on pictures with any words, and drawing what it finds."""
