"""A metadata store on a MariaDB or MySQL server: how it is opened, and what to say if it is not."""

import os
import random
import socket
import time
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import PASSWORD_VARIABLE, MetadataConfig
from pipeline.terminal import stderr_to
from trainer_module.errors import InputError

# For the tables to be complete that another first run is making; with a server on the same machine
# that took a second.
_SECONDS_TO_BE_MADE = 60.0
_LONGEST_WAIT = 0.5
# Parts of ml-metadata's messages: it has no types of errors for a connection.
_NOT_CONNECTED = "mysql_real_connect failed"
_HALF_MADE = "concurrent connection to the empty database"
_DEADLOCK = "mysql_query aborted"
_PROBE_SECONDS = 10.0


def connection(config: MetadataConfig) -> mlmd.ConnectionConfig:
    """The server without the password, which the client library takes from the environment.

    TFX logs this message, and its compiler puts it into the pipeline.
    """
    server = mlmd.MySQLDatabaseConfig(database=config.database, user=config.user)
    if config.socket is not None:
        server.socket = config.socket
    else:
        # Of localhost the client library would take its default socket, whatever the port.
        server.host = "127.0.0.1" if config.host == "localhost" else config.host
        server.port = config.port
    return mlmd.ConnectionConfig(mysql=server)


def address(server: mlmd.MySQLDatabaseConfig) -> str:
    """Where a server is, for people."""
    return server.socket or f"{server.host}:{server.port}"


def open_store(to: mlmd.ConnectionConfig) -> MetadataStore:
    """Opens the store on a server; its database and tables are made if they are not there.

    Raises:
      InputError: nobody answers there, the user is not let in or may not use the database, or
        another run that was to make the tables has not done so.
    """
    deadline = time.monotonic() + _SECONDS_TO_BE_MADE
    while True:
        try:
            with stderr_to(Path(os.devnull)):  # guesses about MySQL 8, whatever it was
                return MetadataStore(to)
        except RuntimeError as error:
            being_made = _HALF_MADE in str(error) or _DEADLOCK in str(error)
            if not being_made or time.monotonic() > deadline:
                raise InputError(_sentence(to.mysql, str(error))) from error
        time.sleep(random.uniform(0, _LONGEST_WAIT))


def _sentence(server: mlmd.MySQLDatabaseConfig, message: str) -> str:
    place, database, user = address(server), server.database, server.user
    if _HALF_MADE in message:
        return (
            f"the tables of the metadata store in database {database} at {place} are not complete, "
            "as where a run that was making them was killed: set metadata.database to another, or "
            "drop this one if nothing in it is needed"
        )
    if _NOT_CONNECTED not in message:
        reason = " ".join(message.rpartition("error: ")[2].split())
        return f"user {user} cannot use the database {database} at {place}: {reason}"
    if problem := _nobody_answers(server):
        return (
            f"no metadata server answers at {place} ({problem}): start it, or say where it is with "
            "metadata.host and metadata.port or metadata.socket"
        )
    return (
        f"the metadata server at {place} does not let in user {user}: look at metadata.user and "
        f"the password in {PASSWORD_VARIABLE}; on MySQL 8 the user must be IDENTIFIED WITH "
        "mysql_native_password"
    )


def _nobody_answers(server: mlmd.MySQLDatabaseConfig) -> str | None:
    """Why no connection can be made, which the client library does not say, or None if one can."""
    try:
        if not server.socket:
            socket.create_connection((server.host, server.port), _PROBE_SECONDS).close()
            return None
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_SECONDS)
            probe.connect(server.socket)
    except OSError as error:
        return error.strerror or str(error)
    return None
