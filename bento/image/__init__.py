"""Makes the container images: `python -m bento.image --help`. Nothing of it goes into them."""
