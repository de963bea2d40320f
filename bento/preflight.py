"""What can be known before a model loads: whatever the launcher, a wrong start says one line."""

from bento.artifacts import ArtifactError, read_artifact
from bento.edge.keys import Keys
from bento.settings import Settings, SettingsError, load_settings


def check_start() -> Settings:
    """The settings. Raises SystemExit with one line when the start cannot succeed."""
    try:
        settings = load_settings()
        Keys(settings)
        for folder in settings.model_folders().values():
            read_artifact(folder)
    except (SettingsError, ArtifactError, OSError, ValueError) as error:
        raise SystemExit(f"nlpserve: {error}") from None
    return settings
