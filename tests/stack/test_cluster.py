"""Clusters of any kind: what their brokers' settings say, without starting one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import Stack, jars, security
from stack.broker import Broker
from stack.cluster import Cluster, Kind, own_version
from stack.errors import StackError
from stack.state import State
from stack.worker import Worker, worker_names
from stack.zookeeper import ZooKeeper


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", Kind()), ("2.6.0x2", Kind("2.6.0", 2)), ("3.9.2", Kind("3.9.2")), ("x3", Kind("", 3))],
)
def test_a_kind_is_read_as_it_is_written(text: str, kind: Kind) -> None:
    assert Kind.parse(text) == kind
    assert str(kind) == text


def test_our_own_version_is_the_default_one() -> None:
    assert Kind.parse(f"{own_version()}x3") == Kind("", 3)


@pytest.mark.parametrize("text", ["2.6", "x0", "x6", "2.6.0x", "3 brokers", "2.6.0x2 ", "../2.6.0"])
def test_another_kind_is_refused_with_an_example(text: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"2\.6\.0x3"):
        Stack(tmp_path, source=text)


def cluster(tmp_path: Path, kind: str, secure: bool = False) -> Cluster:
    state = State(tmp_path / "state.json")
    state.secure = secure
    one = Cluster("source", state, Kind.parse(kind))
    state.ports = {name: 20000 + number for number, name in enumerate(one.ports())}
    return one


def settings(tmp_path: Path, one: Cluster, number: int) -> dict[str, str]:
    broker = Broker(one.name, tmp_path, one.state, "java", Path("/jars"), one.kind, number)
    (text,) = broker.files().values()
    return dict(line.split("=", 1) for line in text.splitlines())  # the last line with a key counts


def test_three_brokers_survive_the_loss_of_one(tmp_path: Path) -> None:
    one = cluster(tmp_path, "x3")
    nodes = [settings(tmp_path, one, number) for number in (1, 2, 3)]

    assert [node["node.id"] for node in nodes] == ["1", "2", "3"]
    assert len({node["log.dirs"] for node in nodes}) == len({node["broker.rack"] for node in nodes}) == 3
    assert {node["process.roles"] for node in nodes} == {"broker,controller"}
    (voters,) = {node["controller.quorum.voters"] for node in nodes}
    for node in nodes:
        assert f"{node['node.id']}@{node['listeners'].split('CONTROLLER://')[1]}" in voters.split(",")
        for name in ("default", "offsets.topic", "transaction.state.log"):
            assert node[f"{name}.replication.factor"] == "3"
        assert node["min.insync.replicas"] == node["transaction.state.log.min.isr"] == "2"
    assert one.bootstrap.count(",") == 2


def test_of_two_brokers_one_is_the_controller(tmp_path: Path) -> None:
    first, second = (settings(tmp_path, one := cluster(tmp_path, "x2"), number) for number in (1, 2))

    assert (first["process.roles"], second["process.roles"]) == ("broker,controller", "broker")
    assert "CONTROLLER" not in second["listeners"]
    assert first["controller.quorum.voters"] == second["controller.quorum.voters"] == one.quorum
    assert second["min.insync.replicas"] == "1"


@pytest.mark.parametrize("secure", [False, True])
def test_an_old_cluster_has_a_zookeeper_and_no_controller(tmp_path: Path, secure: bool) -> None:
    one = cluster(tmp_path, "2.6.0x2", secure)
    keeper = ZooKeeper(one, tmp_path, "java", Path("/jars"))
    nodes = [settings(tmp_path, one, number) for number in (1, 2)]

    assert one.controllers == []
    for number, node in enumerate(nodes, 1):
        assert node["zookeeper.connect"].endswith(f":{one.state.ports[keeper.name]}")
        assert node["broker.id"] == str(number)
        assert not [key for key in node if "controller" in key or key.startswith(("process.", "node."))]
        assert node.get("authorizer.class.name") == ("kafka.security.authorizer.AclAuthorizer" if secure else None)
    broker = Broker("source", tmp_path, one.state, "java", Path("/jars"), one.kind)
    assert broker.needs == (keeper.name,)
    assert any("log4j.properties" in word for word in broker.command())


def test_scram_is_for_brokers_that_take_its_users_by_a_request(tmp_path: Path) -> None:
    mechanisms = {kind: security.mechanism(cluster(tmp_path, kind, secure=True)) for kind in ("2.6.0", "2.8.2", "")}
    assert mechanisms == {"2.6.0": "PLAIN", "2.8.2": "SCRAM-SHA-512", "": "SCRAM-SHA-512"}


def test_another_kind_of_cluster_has_data_of_its_own(tmp_path: Path) -> None:
    folders = {settings(tmp_path, cluster(tmp_path, kind), 1)["log.dirs"] for kind in ("", "2.6.0", "2.6.0x2", "x2")}
    assert len(folders) == 4


def test_a_workers_topics_are_replicated_as_the_target_can(tmp_path: Path) -> None:
    one = cluster(tmp_path, "x3")
    one.state.ports["worker"] = 20099
    target = Broker("source", tmp_path, one.state, "java", Path("/jars"), one.kind)
    worker = Worker(tmp_path, one.state, "java", Path("/jars"), target, kind=Kind("3.9.2"))
    (text,) = (text for path, text in worker.files().items() if path.name == "worker.properties")
    last = dict(line.split("=", 1) for line in text.splitlines())
    assert {last[f"{name}.storage.replication.factor"] for name in ("config", "offset", "status")} == {"3"}
    assert any("log4j.properties" in word for word in worker.command())


def test_workers_of_one_group_have_ports_and_settings_of_their_own(tmp_path: Path) -> None:
    one, kind = cluster(tmp_path, ""), Kind.parse("x2")
    target = Broker("source", tmp_path, one.state, "java", Path("/jars"), one.kind)
    assert worker_names(kind) == ["worker", "worker-2"]
    one.state.ports |= {"worker": 20098, "worker-2": 20099}
    told = {}
    for name in worker_names(kind):
        worker = Worker(tmp_path, one.state, "java", Path("/jars"), target, kind=kind, name=name)
        (path,) = (path for path in worker.files() if path.name == f"{name}.properties")
        told[name] = dict(line.split("=", 1) for line in worker.files()[path].splitlines())
        assert worker.url == told[name]["listeners"]
        assert str(path) in worker.command()
    assert [settings["listeners"][-5:] for settings in told.values()] == ["20098", "20099"]
    assert len({settings["group.id"] for settings in told.values()}) == 1


def test_a_proxy_before_a_broker_is_what_clients_are_told(tmp_path: Path) -> None:
    one = cluster(tmp_path, "")
    broker = Broker("source", tmp_path, one.state, "java", Path("/jars"), one.kind, advertised=20999)
    (text,) = broker.files().values()
    last = dict(line.split("=", 1) for line in text.splitlines())
    assert last["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20999"
    assert f":{one.state.ports['source']}," in last["listeners"]


def test_each_version_has_its_own_jars(tmp_path: Path) -> None:
    folders = {jars.brokers_jars(tmp_path, version) for version in ("2.4.1", "2.6.0")}
    folders |= {jars.connect_jars(tmp_path, version) for version in ("2.8.2", "3.9.2")}
    assert len(folders) == 4
    assert not {jars.jars_folder(tmp_path), jars.mm1_jars(tmp_path)} & folders
