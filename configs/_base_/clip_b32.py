"""The teacher of the papers: OpenAI's CLIP ViT-B/32, which sees a region at 1x and 1.5x."""

teacher = dict(model="ViT-B-32-quickgelu", pretrained="openai", crops=dict(scales=(1.0, 1.5)))
