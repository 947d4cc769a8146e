"""osstack beside other programs, in one run each: wall time, CPU time, peak memory.

    cargo build --release --locked --bin osstack --bench listing
    python3 benches/peers [listing|transfers] [--quick]

Peers come from PyPI into target/peers-venv, in the versions that programs.py names. Prints tables
for the README. Nothing else should run on the machine.
"""

import argparse
import os
import sys

import programs


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("what", nargs="*", choices=["listing", "transfers", []])
    arguments.add_argument("--quick", action="store_true", help="a tenth of it")
    arguments.add_argument("--limit", type=float, default=120, help="seconds a listing may take")
    arguments.add_argument("--rounds", type=int, default=3, help="of each transfer")
    given = arguments.parse_args()
    bin = programs.install()
    if sys.prefix != str(bin.parent):
        # the venv has a package that this needs itself
        os.execv(bin / "python", [str(bin / "python"), *sys.argv])
    import listing
    import transfers

    what = given.what or ["listing", "transfers"]
    part = 10 if given.quick else 1
    print(programs.machine(), flush=True)
    if "listing" in what:
        listing.main(1_000_000 // part, given.limit)
    if "transfers" in what:
        transfers.main((1 << 30) // part, 2_000 // part, given.rounds)


if __name__ == "__main__":
    main()
