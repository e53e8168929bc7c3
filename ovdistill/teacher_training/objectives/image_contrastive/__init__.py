"""Image contrastive learning: two views of one image find each other."""
