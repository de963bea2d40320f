"""What is built, and when it is built again."""

import re

import pytest

from k8s.local import build, components
from k8s.local.components import ALL, owner_of
from k8s.local.places import MODULES


@pytest.mark.parametrize("component", ALL, ids=lambda item: item.name)
def test_pins_what_it_builds(component):
    tools = (MODULES / component.name / "tools.go").read_text(encoding="utf-8")
    imported = set(re.findall(r'_ "(.+)"', tools))
    assert imported == set(component.packages().values())


@pytest.mark.parametrize("component", ALL, ids=lambda item: item.name)
def test_version_is_the_one_in_go_mod(component):
    assert re.fullmatch(r"v\d+\.\d+\.\d+", component.version)


def test_every_module_folder_is_a_component():
    assert {folder.name for folder in MODULES.iterdir()} == {item.name for item in ALL}


def test_a_program_belongs_to_one_component():
    programs = [name for item in ALL for name in item.programs]
    assert len(programs) == len(set(programs))
    assert owner_of("kubelet") is components.KUBERNETES
    assert owner_of("docker") is None


def test_staging_modules_have_the_release_of_kubernetes():
    text = (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    releases = set(re.findall(r"=> k8s\.io/\S+ (v\S+)", text))
    assert releases == {"v0." + components.KUBERNETES.version.removeprefix("v1.")}


def test_kubernetes_knows_its_version():
    flags = components.KUBERNETES.linker_flags()
    for value in ("gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36"):
        assert f"-X k8s.io/component-base/version.{value}" in flags


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of a module's pins that may be changed."""
    folder = tmp_path / "modules" / "kubeconform"
    folder.mkdir(parents=True)
    for name in ("go.mod", "go.sum", "tools.go"):
        (folder / name).write_bytes((MODULES / "kubeconform" / name).read_bytes())
    monkeypatch.setattr(build, "MODULES", tmp_path / "modules")
    return folder


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "tools.go"])
def test_another_pin_is_another_build(sources, name):
    before = build.key(components.KUBECONFORM)
    assert build.key(components.KUBECONFORM) == before
    with (sources / name).open("a", encoding="utf-8") as file:
        file.write("\n// changed\n")
    assert build.key(components.KUBECONFORM) != before


def test_a_program_that_is_not_built_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(build.BuildFailed, match=r"etcd is not built: run .*build"):
        build.program("etcd")
