"""The lean ASGI layer: it answers the prediction routes itself and hands on BentoML's own.

BentoML's middleware stack would cost more than everything else that a request needs.
"""
