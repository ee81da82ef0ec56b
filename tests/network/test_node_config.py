"""The configuration of a node: where its database is."""

import re

import pytest

from petcore.network.demo.place import make_place
from petcore.network.node.config import load_node


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("network") / "place")


def changed(place, database):
    text, count = re.subn(
        r'database = "[^"]*"', f'database = "{database}"', place.config("node-a").read_text()
    )
    assert count == 1
    return text


@pytest.mark.parametrize("written", ["other.db", "sqlite:///other.db"])
def test_a_database_in_a_file_lies_beside_the_configuration(place, tmp_path, monkeypatch, written):
    path = place.config("node-a").with_name("written.toml")
    path.write_text(changed(place, written))
    monkeypatch.chdir(tmp_path)
    assert load_node(path).database == f"sqlite:///{place.member('node-a')}/other.db"


def test_a_database_server_is_named_by_its_url(place):
    path = place.config("node-a").with_name("written.toml")
    url = "postgresql://user@host/node_a"
    path.write_text(changed(place, url))
    assert load_node(path).database == url
