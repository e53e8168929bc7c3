"""A two-stage detector as one function of tensors, which can be exported."""
