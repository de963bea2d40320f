import itertools
import os
from pathlib import Path

import pytest

from bento.image.build import base_image
from bento.image.engines import NAMES, Engine, ImageError, Recipe, choose, working

RECIPE = Recipe(
    "localhost/x:1",
    Path("/context"),
    Path("/context/Containerfile"),
    {"BASE": "base:1"},
    {"org.opencontainers.image.version": "1", "own": "2"},
    {"pip": Path("/tmp/pip.conf")},
)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes programs that end as their `info` should, on an otherwise empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 1000)

    def make(**scripts):
        for name, script in scripts.items():
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)

    return make


def test_a_client_without_an_engine_is_passed_over(programs):
    programs(docker="exit 1", podman="exit 0", buildah="exit 0")
    assert choose() == Engine("podman", ("podman",))


def test_docker_comes_first(programs):
    programs(docker="exit 0", podman="exit 0")
    assert choose().name == "docker"


def test_docker_without_its_builder_is_passed_over(programs):
    programs(docker='test "$1" != buildx', podman="exit 0")
    assert choose().name == "podman"
    with pytest.raises(ImageError, match=r"docker does not work here \(it needs buildx\)"):
        choose("docker")


def test_vfs_is_the_last_resort(programs):
    programs(buildah='test "$1" = --storage-driver')
    assert choose().command == ("buildah", "--storage-driver", "vfs")


def test_the_named_one_is_taken(programs):
    programs(docker="exit 0", buildah="exit 0")
    assert choose("buildah").name == "buildah"
    with pytest.raises(ImageError, match="podman does not work here"):
        choose("podman")
    with pytest.raises(ImageError, match="no engine 'kaniko'"):
        choose("kaniko")


def test_without_any_one_line_says_what_to_install(programs):
    assert working(NAMES) is None
    with pytest.raises(ImageError, match="apt-get install buildah") as caught:
        choose()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_each_is_given_the_whole_recipe(name):
    command = Engine(name, (name,)).build_command(RECIPE)
    assert command[:2] == [name, "build"]
    assert command[-1] == "/context"
    pairs = list(itertools.pairwise(command))
    assert ("--build-arg", "BASE=base:1") in pairs
    assert ("--label", "own=2") in pairs
    assert ("--secret", "id=pip,src=/tmp/pip.conf") in pairs
    annotated = ("--annotation", "org.opencontainers.image.version=1") in pairs
    assert annotated == (name != "docker")
    assert "--annotation own=2" not in " ".join(command)


def test_a_save_that_fails_leaves_the_old_archive(programs, tmp_path):
    programs(docker='echo half >"$3"; exit 1')
    archive = tmp_path / "out/image.tar"
    archive.parent.mkdir()
    archive.write_text("old", encoding="utf-8")
    with pytest.raises(ImageError):
        Engine("docker", ("docker",)).save("x", archive)
    assert [path.name for path in archive.parent.iterdir()] == ["image.tar"]
    assert archive.read_text(encoding="utf-8") == "old"
    programs(docker='echo new >"$3"')
    Engine("docker", ("docker",)).save("x", archive)
    assert archive.read_text(encoding="utf-8") == "new\n"


def test_no_image_is_not_an_image_without_labels(programs):
    docker, buildah = Engine("docker", ("docker",)), Engine("buildah", ("buildah",))
    programs(docker="""echo '[{"Config": {"Labels": null}}]'""")
    assert docker.labels("x") == {}
    programs(buildah="""echo '{"OCIv1": {"config": {"Labels": {"a": "b"}}}}'""")
    assert buildah.labels("x") == {"a": "b"}
    programs(docker="exit 1")
    assert docker.labels("x") is None


@pytest.mark.parametrize(("fresh", "pulled"), [(False, []), (True, ["pull mine:1"])])
def test_a_named_base_is_fetched_again_when_asked_for(programs, tmp_path, fresh, pulled):
    log = tmp_path / "log"
    log.touch()
    programs(docker=f'echo "$*" >>"{log}"')
    assert base_image(Engine("docker", ("docker",)), "mine:1", fresh=fresh) == "mine:1"
    asked = log.read_text(encoding="ascii").splitlines()
    assert [line for line in asked if line.startswith("pull")] == pulled


def test_a_named_base_that_is_only_here_is_taken(programs, capsys):
    programs(docker="exit 1")
    assert base_image(Engine("docker", ("docker",)), "mine:1", fresh=True) == "mine:1"
    assert "mine:1 cannot be pulled" in capsys.readouterr().err
