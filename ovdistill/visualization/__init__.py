"""Drawing detections and laying out their labels."""
