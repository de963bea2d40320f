"""spaCy components of our own; importing this package registers their factories."""

from bento.engines.components.intent_classifier import IntentClassifier

__all__ = ["IntentClassifier"]
