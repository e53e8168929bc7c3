"""Running a trained detector on images with any words, and drawing what it finds."""
