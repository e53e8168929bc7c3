"""ViLD: Gu et al., "Open-vocabulary Object Detection via Vision and Language Knowledge
Distillation", ICLR 2022."""
