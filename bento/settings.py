"""Settings of one server process: environment or TOML file, checked before anything starts."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bento.artifacts import NAME_PATTERN

PREFIX = "NLPSERVE_"
FILE_VARIABLE = PREFIX + "SETTINGS_FILE"
SHIPPED_MODELS = Path(__file__).parent / "models"


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """Every setting of the service. The environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    models: str = Field(
        default="intent,emotion",
        description="Models to serve, by comma: NAME of a shipped one, or NAME=FOLDER.",
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="Threads of one model. 0: as many as the CPU limit."
    )
    execution: Literal["auto", "loop", "thread"] = Field(
        default="auto",
        description="Where a model runs. auto: on the event loop when its batches are short.",
    )
    max_batch_size: int = Field(default=64, ge=1, le=4096, description="Texts in one batch.")
    queue_limit: int = Field(
        default=2048, ge=1, le=1_000_000, description="Texts of one model that may wait."
    )
    deadline_seconds: float = Field(
        default=5.0, gt=0, le=600, description="Longest wait for the model; then 503."
    )
    stall_seconds: float = Field(
        default=60.0, gt=0, le=3600, description="A batch that runs longer counts as a dead model."
    )
    max_head_bytes: int = Field(
        default=65_536, ge=4096, le=1 << 20, description="Bytes of a request's head; above, 431."
    )
    head_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Longest wait for the rest of a head that has begun; then 408.",
    )
    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, le=1 << 30, description="Bytes of a request body."
    )
    max_open_body_bytes: int = Field(
        default=67_108_864, ge=1024, description="Bytes of all bodies that are still arriving."
    )
    max_texts: int = Field(default=256, ge=1, le=100_000, description="Texts in one request.")
    max_characters: int = Field(
        default=10_000, ge=1, le=10_000_000, description="Characters of one text."
    )
    max_json_depth: int = Field(default=16, ge=4, le=200, description="Nesting of a JSON body.")
    body_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="Longest wait for a request body; then 408."
    )
    keep_alive_seconds: int = Field(
        default=75, ge=2, le=3600, description="How long an idle connection stays open."
    )
    drain_seconds: float = Field(
        default=3.0,
        ge=0,
        le=600,
        description="After SIGTERM, how long requests are still taken, not ready, closing.",
    )
    shutdown_seconds: int = Field(
        default=20, ge=1, le=3600, description="Longest time for open requests to end after that."
    )
    predictions_log: Literal["off", "hash", "text"] = Field(
        default="off",
        description="What the prediction log holds: nothing, an HMAC of each text, or the text.",
    )
    predictions_log_file: str = Field(
        default="predictions.txt", description="Where it goes; - for standard output."
    )
    predictions_log_key: SecretStr = Field(
        default=SecretStr(""), description="Key of the HMAC; needed for the mode hash."
    )
    predictions_log_max_bytes: int = Field(
        default=50_000_000, ge=0, description="The file is rotated at this size. 0: never."
    )
    predictions_log_backups: int = Field(
        default=3, ge=1, le=1000, description="Rotated files that are kept."
    )
    predictions_log_queue: int = Field(
        default=10_000, ge=1, le=10_000_000, description="Lines that may wait to be written."
    )
    drift_documents_per_second: int = Field(
        default=10,
        ge=0,
        le=100,
        description="Texts of a model that drift is told by, a second at most. 0: off.",
    )
    drift_window_seconds: int = Field(
        default=3600, ge=60, le=604_800, description="How far back drift looks."
    )
    api_keys: SecretStr = Field(
        default=SecretStr(""), description="API keys, by comma. None: every request is answered."
    )
    api_keys_file: Path | None = Field(default=None, description="A file with a key on each line.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.predictions_log == "hash" and not self.predictions_log_key.get_secret_value():
            msg = "predictions_log=hash needs predictions_log_key"
            raise ValueError(msg)
        if self.max_batch_size > self.queue_limit:
            msg = "max_batch_size must not be above queue_limit"
            raise ValueError(msg)
        if self.max_texts > self.queue_limit:
            msg = "max_texts must not be above queue_limit"
            raise ValueError(msg)
        if self.max_body_bytes > self.max_open_body_bytes:
            msg = "max_body_bytes must not be above max_open_body_bytes"
            raise ValueError(msg)
        if not self.model_folders():
            msg = "models names no model"
            raise ValueError(msg)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        file = os.environ.get(FILE_VARIABLE)
        if not file:
            return (init_settings, env_settings)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(file)))

    def model_folders(self) -> dict[str, Path]:
        """Served name → artifact folder."""
        folders: dict[str, Path] = {}
        for entry in filter(None, (part.strip() for part in self.models.split(","))):
            name, _, folder = entry.partition("=")
            if not re.fullmatch(NAME_PATTERN, name):
                msg = f"models names {name!r}; use lower-case letters, digits and inner hyphens"
                raise ValueError(msg)
            if name in folders:
                msg = f"models names {name!r} twice"
                raise ValueError(msg)
            folders[name] = Path(folder) if folder else SHIPPED_MODELS / name
        return folders

    def model_threads(self) -> int:
        """Threads of one model: the setting, else what the CPU limit allows."""
        return self.threads or available_cpus()


def available_cpus() -> int:
    """CPUs that this process may use, rounded up: the cgroup's limit or the affinity mask."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = affinity or 1
    quota = _cgroup_quota()
    if quota is not None:
        limit = min(limit, max(1, -int(-quota // 1)))
    return limit


def _cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """CPUs of the cgroup's quota, version 2 or 1; None where there is no limit."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    return int(quota) / int(period)


@cache
def load_settings() -> Settings:
    """Settings of this process.

    Raises SettingsError with one line that names the setting, as the environment spells it.
    """
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{FILE_VARIABLE}: {file} is no file")
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in known:
            raise SettingsError(f"{variable}: there is no such setting")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        where = name if first["loc"] else "settings"
        raise SettingsError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:  # a TOML file that cannot be read
        raise SettingsError(f"{FILE_VARIABLE}: {error}") from None
