import multiprocessing
import os
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import MetadataConfig
from pipeline.local import metadata_server
from tests import mariadb
from trainer_module.errors import InputError


def on(at: Path, database: str = "skipgram", user: str = "skipgram") -> mlmd.ConnectionConfig:
    return metadata_server.connection(
        MetadataConfig(type="mysql", socket=str(at), database=database, user=user)
    )


class TestConnection:
    def test_by_host_and_port(self):
        server = metadata_server.connection(
            MetadataConfig(type="mysql", host="db.example", port=3307, database="a", user="b")
        ).mysql
        assert (server.host, server.port, server.database, server.user) == (
            "db.example", 3307, "a", "b",
        )  # fmt: skip
        assert not server.socket
        assert metadata_server.address(server) == "db.example:3307"

    def test_localhost_is_no_socket(self):
        config = MetadataConfig(type="mysql", host="localhost", port=3307)
        server = metadata_server.connection(config).mysql
        assert metadata_server.address(server) == "127.0.0.1:3307"

    def test_by_socket(self):
        server = on(Path("/run/mysqld.sock")).mysql
        assert (server.host, server.port) == ("", 0)
        assert metadata_server.address(server) == "/run/mysqld.sock"

    def test_holds_no_password(self, monkeypatch):
        monkeypatch.setenv("MYSQL_PWD", "secret")
        assert "secret" not in str(on(Path("socket")))


class TestNobodyAnswers:
    def test_at_a_socket(self, tmp_path):
        with pytest.raises(InputError) as caught:
            metadata_server.open_store(on(tmp_path / "none"))
        assert str(caught.value) == (
            f"no metadata server answers at {tmp_path}/none (No such file or directory): start it, "
            "or say where it is with metadata.host and metadata.port or metadata.socket"
        )

    def test_at_a_port(self, capfd):
        with socket.socket() as closed:  # bound, so that no other has it, but not listening
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            config = MetadataConfig(type="mysql", host="127.0.0.1", port=port)
            with pytest.raises(InputError, match=rf"127.0.0.1:{port} \(Connection refused\)"):
                metadata_server.open_store(metadata_server.connection(config))
        assert capfd.readouterr().err == ""


@pytest.fixture
def database(server: mariadb.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a database that is not there yet."""
    monkeypatch.setenv("MYSQL_PWD", mariadb.PASSWORD)
    yield "skipgram_unit"
    server.query("drop database if exists skipgram_unit")


def put_a_type(at: Path, database: str, number: int, gate: Connection, done: Connection) -> None:
    os.environ["MYSQL_PWD"] = mariadb.PASSWORD  # the fork server may be older than the fixture
    gate.recv()
    try:
        store = metadata_server.open_store(on(at, database))
        made = store.put_context_type(mlmd.ContextType(name=f"type {number % 2}"))
        done.send(made)
    except Exception as error:
        done.send(repr(error))


@pytest.mark.mysql
class TestServer:
    def test_a_wrong_password(self, server, database, monkeypatch, capfd):
        monkeypatch.setenv("MYSQL_PWD", "guess")
        with pytest.raises(InputError) as caught:
            metadata_server.open_store(on(server.socket, database))
        assert str(caught.value) == (
            f"the metadata server at {server.socket} does not let in user skipgram: look at "
            "metadata.user and the password in MYSQL_PWD; on MySQL 8 the user must be IDENTIFIED "
            "WITH mysql_native_password"
        )
        assert capfd.readouterr().err == ""

    def test_a_database_of_others(self, server, database):
        with pytest.raises(InputError) as caught:
            metadata_server.open_store(on(server.socket, "accounts"))
        assert str(caught.value) == (
            f"user skipgram cannot use the database accounts at {server.socket}: Access denied for "
            "user 'skipgram'@'%' to database 'accounts'"
        )

    def test_several_that_find_it_empty_make_it_once(self, server, database):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["pipeline.local.metadata_server"])
        pipes = [(context.Pipe(), context.Pipe()) for _ in range(4)]
        processes = [
            context.Process(
                target=put_a_type, args=(server.socket, database, number, gate[1], done[1])
            )
            for number, (gate, done) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        for gate, _ in pipes:
            gate[0].send("go")
        answers = [done[0].recv() for _, done in pipes]
        for process in processes:
            process.join()
        assert answers[:2] == answers[2:]
        store = metadata_server.open_store(on(server.socket, database))
        names = [made.name for made in store.get_context_types()]
        assert sorted(names) == ["type 0", "type 1"]

    def test_tables_that_nobody_goes_on_making(self, server, database, monkeypatch):
        metadata_server.open_store(on(server.socket, database))
        server.query(f"drop table {database}.Execution")
        monkeypatch.setattr(metadata_server, "_SECONDS_TO_BE_MADE", 0.0)
        with pytest.raises(InputError, match=r"are not complete, .*: set metadata.database to"):
            metadata_server.open_store(on(server.socket, database))
