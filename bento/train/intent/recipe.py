"""What cross-validation on the training file settled on; docs/models.md has what was tried."""

from bento.train.intent.network import Settings

BITS = 20
"""Width of a feature hash: about 75,000 features in use, so one in fourteen new ones collides."""
COST = 2.0
FOLDS = 5
NETWORKS = 3
SETTINGS = Settings()


def network_seeds(seed: int, count: int) -> list[int]:
    """Seeds of the networks of one ensemble."""
    return [seed + number for number in range(count)]
