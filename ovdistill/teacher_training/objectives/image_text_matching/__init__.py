"""Image-text matching: does this text describe this image?"""
