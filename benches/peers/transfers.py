"""Copies beside other programs: one large object and many small ones, up and down.

osstack waits for the disk before it says that a file is there; the others do not. So what came
down is timed twice: until the program ends, and until the disk has it. Before each run the disk
is idle, so that none waits for what another left to it.
"""

import contextlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import programs
from programs import KEY, SECRET, environment, run

BUCKET = "bench-bucket"
MIB = 1 << 20


def free_ports(count):
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


@contextlib.contextmanager
def seaweedfs(weed, folder):
    """SeaweedFS's S3 on a free port of this machine, by path and by name of the bucket."""
    names = ("master", "volume", "filer", "s3")
    http, grpc = free_ports(4), free_ports(4)
    ports = [
        f"-{name}.port{kind}={port}"
        for kind, numbers in (("", http), (".grpc", grpc))
        for name, port in zip(names, numbers, strict=True)
    ]
    identity = {
        "name": "bench", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config, data = folder / "s3.json", folder / "seaweedfs"
    config.write_text(json.dumps({"identities": [identity]}))
    data.mkdir()
    command = [
        weed, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
        "-volume.max=200", "-master.volumeSizeLimitMB=1024", "-s3",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-s3.domainName=s3.localhost", f"-s3.config={config}",
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urlopen(f"http://127.0.0.1:{http[3]}/", timeout=5).close()
                break
            except HTTPError:
                break
            except (URLError, OSError):
                if time.monotonic() > deadline or server.poll() is not None:
                    raise SystemExit("benches/peers: SeaweedFS does not come up") from None
                time.sleep(0.2)
        yield http[3]
    finally:
        server.kill()
        server.wait()


# in a process of its own: it takes 100 MiB, which the peak of every child would begin with
UNSEAL = """import os, sys, pyrage
sys.stdout.buffer.write(
    pyrage.passphrase.decrypt(sys.stdin.buffer.read(), os.environ["PASSPHRASE"]))"""


def furnish(binary, home, port):
    """osstack's own environment, with a key that lies open: to unseal one takes memory and time
    that nobody else spends."""
    passphrase = home / "passphrase"
    home.mkdir()
    passphrase.write_text("bench-of-the-transfers")
    env = {"PATH": os.environ["PATH"], "OSSTACK_HOME": str(home / "osstack"),
           "OSSTACK_PASSPHRASE_FILE": str(passphrase)}
    secret = json.dumps({"access_key_id": KEY, "secret_access_key": SECRET})
    subprocess.run([binary, "secret", "create", "bench", "--stdin"], env=env, input=secret,
                   text=True, check=True, stdout=subprocess.DEVNULL)
    store = ["artifact-store", "register", "st", "--bucket", BUCKET, "--secret", "bench",
             "--region", "us-east-1", "--signature", "v4", "--endpoint", f"http://s3.localhost:{port}"]
    subprocess.run([binary, *store], env=env, check=True, stdout=subprocess.DEVNULL)
    sealed = next(home.rglob("identity.age")).read_bytes()
    identity = home / "identity.txt"
    identity.write_bytes(subprocess.run(
        [sys.executable, "-c", UNSEAL], env={"PASSPHRASE": passphrase.read_text()}, input=sealed,
        capture_output=True, check=True).stdout)
    identity.chmod(0o600)
    del env["OSSTACK_PASSPHRASE_FILE"]
    env["OSSTACK_IDENTITY_FILE"] = str(identity)
    subprocess.run([binary, "mb", "st"], env=env, check=True, stdout=subprocess.DEVNULL)
    return env


def fill(folder, size, count, small):
    """One large file, and many small ones in some folders."""
    large, many = folder / "large.bin", folder / "many"
    noise = random.Random(1)
    with large.open("wb") as file:
        for _ in range(size // MIB):
            file.write(noise.randbytes(MIB))
    for number in range(count):
        path = many / f"{number % 16:02}" / f"{number:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(small))
    return large, many


def commands(bin, binary, env, port, large, many):
    """By program: its environment, and the command of each task for a round."""
    url = f"http://127.0.0.1:{port}"
    rclone = environment(
        RCLONE_CONFIG=os.devnull, RCLONE_CONFIG_BOX_TYPE="s3", RCLONE_CONFIG_BOX_PROVIDER="Other",
        RCLONE_CONFIG_BOX_ENDPOINT=url, RCLONE_CONFIG_BOX_REGION="us-east-1",
        RCLONE_CONFIG_BOX_ACCESS_KEY_ID=KEY, RCLONE_CONFIG_BOX_SECRET_ACCESS_KEY=SECRET,
        RCLONE_CACHE_DIR=str(large.parent / "rclone-cache"))
    s5cmd = [bin / "s5cmd", "--endpoint-url", url, "cp"]
    aws = [bin / "aws", "--endpoint-url", url, "s3", "cp", "--only-show-errors"]
    at = lambda name: f"s3://{BUCKET}/{name}"
    return {
        "osstack": (env, {
            "up": lambda n, to: [binary, "cp", large, f"st:osstack/{n}/large.bin"],
            "down": lambda n, to: [binary, "cp", f"st:osstack/{n}/large.bin", to / "large.bin"],
            "many up": lambda n, to: [binary, "cp", "-r", f"{many}/", f"st:osstack/{n}/many/"],
            "many down": lambda n, to: [binary, "cp", "-r", f"st:osstack/{n}/many/", f"{to}/"],
        }),
        "s5cmd": (environment(), {
            "up": lambda n, to: [*s5cmd, large, at(f"s5cmd/{n}/large.bin")],
            "down": lambda n, to: [*s5cmd, at(f"s5cmd/{n}/large.bin"), to / "large.bin"],
            "many up": lambda n, to: [*s5cmd, f"{many}/", at(f"s5cmd/{n}/many/")],
            "many down": lambda n, to: [*s5cmd, at(f"s5cmd/{n}/many/*"), f"{to}/"],
        }),
        "rclone": (rclone, {
            "up": lambda n, to: [bin / "rclone", "copyto", large,
                                 f"box:{BUCKET}/rclone/{n}/large.bin"],
            "down": lambda n, to: [bin / "rclone", "copyto",
                                   f"box:{BUCKET}/rclone/{n}/large.bin", to / "large.bin"],
            "many up": lambda n, to: [bin / "rclone", "copy", many,
                                      f"box:{BUCKET}/rclone/{n}/many"],
            "many down": lambda n, to: [bin / "rclone", "copy",
                                        f"box:{BUCKET}/rclone/{n}/many", to],
        }),
        "aws-cli": (environment(), {
            "up": lambda n, to: [*aws, large, at(f"aws/{n}/large.bin")],
            "down": lambda n, to: [*aws, at(f"aws/{n}/large.bin"), to / "large.bin"],
            "many up": lambda n, to: [*aws, "--recursive", many, at(f"aws/{n}/many/")],
            "many down": lambda n, to: [*aws, "--recursive", at(f"aws/{n}/many/"), to],
        }),
    }


TASKS = ("up", "down", "many up", "many down")


def same(task, to, large, many):
    """That what came down is what went up; a figure for wrong bytes would be worth nothing."""
    if task == "down":
        wrong = subprocess.run(["cmp", "-s", large, to / "large.bin"], check=False).returncode
    elif task == "many down":
        wrong = subprocess.run(["diff", "-rq", many, to], stdout=subprocess.DEVNULL,
                               check=False).returncode
    else:
        return
    if wrong:
        raise SystemExit(f"benches/peers: {task}: other bytes came back")


def main(size, count, rounds, small=16 << 10):
    bin, binary = programs.install(), programs.binary()
    with tempfile.TemporaryDirectory(prefix="osstack-peers-") as name:
        folder = Path(name)
        large, many = fill(folder, size, count, small)
        with seaweedfs(bin / "weed", folder) as port:
            env = furnish(binary, folder / "home", port)
            table = commands(bin, binary, env, port, large, many)
            took = {}
            for task in TASKS:
                for number in range(rounds):
                    # whoever is first in one round is last in the next
                    turn = list(table) if number % 2 == 0 else list(reversed(table))
                    for program in turn:
                        own, tasks = table[program]
                        # ext4 is slow to give out inodes that were freed just now: small files
                        # stay until the end
                        to = folder / f"{task} {program} {number}"
                        to.mkdir()
                        os.sync()
                        wall, cpu, peak, _ = run(tasks[task](number, to), own)
                        began = time.monotonic()
                        subprocess.run(["sync", "-f", to], check=True)
                        disk = wall + time.monotonic() - began
                        took.setdefault((task, program), []).append((wall, disk, cpu, peak))
                        same(task, to, large, many)
                        if task == "down":
                            shutil.rmtree(to)
            show(took, list(table), size, count, small)


def show(took, all_programs, size, count, small):
    what = {
        "up": f"{size // MIB} MiB up", "down": f"{size // MIB} MiB down",
        "many up": f"{count:,} of {small >> 10} KiB up",
        "many down": f"{count:,} of {small >> 10} KiB down",
    }
    print("\n| SeaweedFS on this machine | program | wall s | ours to it | on the disk s "
          "| ours to it | CPU s | MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for task in TASKS:
        middle = lambda program, index: statistics.median(
            result[index] for result in took[task, program])
        for program in all_programs:
            wall, disk, cpu, peak = (middle(program, index) for index in range(4))
            ours, on_disk = middle("osstack", 0) / wall, middle("osstack", 1) / disk
            until = f"{disk:.2f} | {on_disk:.2f}" if "down" in task else "|"
            print(f"| {what[task]} | {program} | {wall:.2f} | {ours:.2f} | {until} "
                  f"| {cpu:.2f} | {peak:.0f} |", flush=True)
