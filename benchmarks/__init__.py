"""Measurements of this product, alone and against its peers. Not part of what is deployed."""
