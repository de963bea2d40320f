"""What drift costs beside the models."""
