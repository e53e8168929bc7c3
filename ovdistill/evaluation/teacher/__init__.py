"""What a teacher can do on one's own images and names, before anything is trained with it.

Read in this order: ``zero_shot``, ``retrieval``, ``linear_probe`` and ``ceiling`` measure,
``figures`` holds what they found, ``advice`` draws conclusions, ``tables`` shows. No mm here, and
no image: they take embeddings.
"""
