"""Listing beside other programs. The server is the one of benches/listing.rs, in a process of its
own; osstack's client lists in another, by the same program."""

import subprocess
import sys

from programs import TARGET, environment, install, run

BUCKET = "bench-bucket"


def bench():
    """The newest build of benches/listing.rs."""
    built = [path for path in (TARGET / "release/deps").glob("listing-*") if not path.suffix]
    if not built:
        sys.exit("benches/peers: cargo build --release --locked --bench listing comes first")
    return max(built, key=lambda path: path.stat().st_mtime)


def main(keys, limit):
    listing, bin = bench(), install()
    env = environment()
    print(f"\n| {keys:,} keys as ZenML writes them | latency | wall s | CPU s | MiB | times ours |")
    print("|---|---|---|---|---|---|")
    for delay in (0, 30):
        server = subprocess.Popen(
            [listing, "serve", "zenml", str(keys), str(delay)], stdout=subprocess.PIPE, text=True)
        url = f"http://127.0.0.1:{(port := server.stdout.readline().strip())}"
        commands = {
            "osstack, as pages come": [listing, "list", port, "many"],
            "osstack, in order": [listing, "list", port, "order"],
            "osstack, one page at a time": [listing, "list", port, "one"],
            "s5cmd": [bin / "s5cmd", "--endpoint-url", url, "ls", f"s3://{BUCKET}/*"],
            "aws s3api": [bin / "aws", "--endpoint-url", url, "s3api", "list-objects-v2",
                          "--bucket", BUCKET, "--output", "text", "--query", "Contents[].Key"],
        }
        ours = None
        for name, command in commands.items():
            took = run(command, env, limit)
            if took is None:
                print(f"| {name} | {delay} ms | over {limit:.0f} | | | |", flush=True)
                continue
            wall, cpu, peak, _ = took
            ours = ours or wall
            print(f"| {name} | {delay} ms | {wall:.2f} | {cpu:.2f} | {peak:.0f} "
                  f"| {wall / ours:.1f} |", flush=True)
        server.kill()
        server.wait()
