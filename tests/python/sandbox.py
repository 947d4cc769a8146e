"""A running `osstack sandbox`, for clients in Python."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess

START_SECONDS = 30
BINARY = os.environ.get("OSSTACK_BIN", "target/release/osstack")


def forget_the_machine():
    """The machine's own AWS settings and proxies must not have a say. Call it before boto3 loads."""
    for name in [name for name in os.environ if name.upper().startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="*",
        no_proxy="*",
    )


def resolve_localhost_names():
    """Lets every name below localhost mean this machine (RFC 6761), as osstack's resolver does."""
    original = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        text = host.decode() if isinstance(host, bytes) else host
        if text is not None and text.rstrip(".").endswith(".localhost"):
            host = "127.0.0.1"
        return original(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


class Sandbox:
    """A running sandbox and what its first line says."""

    def __init__(self, line):
        self.line = line
        self.endpoint = line["endpoint"]
        self.region = line["region"]
        self.bucket = line["bucket"]
        self.key = line["access_key_id"]
        self.secret = line["secret_access_key"]
        self.ca = line["ca"]
        self.is_https = self.endpoint.startswith("https://")
        assert self.region in {region["id"] for region in line["regions"]}, line
        assert self.is_https == (self.ca is not None), line

    def region_endpoint(self, region):
        return next(one["endpoint"] for one in self.line["regions"] if one["id"] == region)


@contextlib.contextmanager
def sandbox(*options):
    command = [BINARY, "sandbox", *options]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if ready else b""
        assert line, f"{' '.join(command)} said nothing within {START_SECONDS} s"
        started = Sandbox(json.loads(line))
        # Python's clients take the CA from here, so that their settings stay the documented ones
        if started.ca is not None:
            os.environ["AWS_CA_BUNDLE"] = started.ca
        yield started
    finally:
        os.environ.pop("AWS_CA_BUNDLE", None)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
