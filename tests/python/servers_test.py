"""The conformance suite of osstack's own client over servers that others wrote.

Starts moto and SeaweedFS on free ports of this machine and runs tests/it/conformance.rs over them
(the cases, and what is known to differ, are there). Needs cargo.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
import botocore.config

START_SECONDS = 60
HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = pathlib.Path(sys.executable).parent
# they open nothing but the servers below
KEY = {"access_key_id": "AKIDCONFORMANCE", "secret_access_key": "conformance-secret-of-no-use"}
SUITE = ["cargo", "test", "--locked", "--test", "it", "conformance::servers", "--"]
SUITE_OPTIONS = ["--ignored", "--nocapture"]


def free_ports(count):
    """Ports that nobody has now. SeaweedFS cannot be told to choose its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


def answers(port):
    """Whether something speaks HTTP there; a refusal is an answer, a server error is not yet."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


@contextlib.contextmanager
def running(name, command, port, folder):
    """The server, from its first answer on; its words are shown where it does not come."""
    log = folder / f"{name}.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd=folder
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not answer:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def moto(folder):
    (port,) = free_ports(1)
    command = [sys.executable, HERE / "moto_s3.py", str(port)]
    # of `s3.localhost` it would take `s3` for a bucket
    return running("moto", command, port, folder), f"http://localhost:{port}"


def seaweedfs(folder):
    names = ("master", "volume", "filer", "s3")
    http, grpc = free_ports(4), free_ports(4)
    ports = [
        f"-{name}.port{kind}={port}"
        for kind, numbers in (("", http), (".grpc", grpc))
        for name, port in zip(names, numbers, strict=True)
    ]
    identity = {
        "name": "conformance",
        "credentials": [{"accessKey": KEY["access_key_id"], "secretKey": KEY["secret_access_key"]}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config, data = folder / "s3.json", folder / "seaweedfs"
    config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    data.mkdir()
    command = [
        PROGRAMS / "weed", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
        "-volume.max=20", "-master.volumeSizeLimitMB=64",
        "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-s3.domainName=s3.localhost", f"-s3.config={config}",
    ]
    return running("seaweedfs", command, http[3], folder), f"http://s3.localhost:{http[3]}"


def furnish(name, port):
    """What the suite does not make itself: a bucket that keeps versions, and, where the server has
    such a class, an archived object."""
    s3 = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
        aws_access_key_id=KEY["access_key_id"], aws_secret_access_key=KEY["secret_access_key"],
        config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}),
    )
    kept = "conformance-versions"
    s3.create_bucket(Bucket=kept)
    s3.put_bucket_versioning(Bucket=kept, VersioningConfiguration={"Status": "Enabled"})
    if name != "moto":
        return {"versioned": kept}
    cold = ("conformance-archived", "archived")
    s3.create_bucket(Bucket=cold[0])
    s3.put_object(Bucket=cold[0], Key=cold[1], Body=b"cold", StorageClass="GLACIER")
    return {"versioned": kept, "archived": cold}


def main():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = []
        for name, start in (("moto", moto), ("seaweedfs", seaweedfs)):
            server, endpoint = start(folder)
            stack.enter_context(server)
            where = {"endpoint": endpoint, "region": "us-east-1", "bucket": "conformance"}
            more = furnish(name, endpoint.rsplit(":", 1)[1])
            servers.append({"name": name, **where, **KEY, **more})
        environment = {**os.environ, "OSSTACK_CONFORMANCE": json.dumps(servers)}
        return subprocess.run([*SUITE, *SUITE_OPTIONS], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
