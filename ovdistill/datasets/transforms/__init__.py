"""Transforms of mmdet's pipelines that read images as this package does and carry regions."""
