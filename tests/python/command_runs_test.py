"""What real pipelines wrote, through a ZenML without a server: the acceptance by a command.

As acceptance_test.py, over an OSS (`osstack sandbox`) and with nothing but the `zenml` command of
this Python and its own database: osstack commits a stack, pipelines run on it, and osstack shows
and prunes what they wrote, on the command line and at the screen.

    command_runs_test.py
"""

import contextlib
import json
import os
import pathlib
import tempfile

from acceptance_test import (
    HERE, NAMES, PASSPHRASE, RESOLVES, Python, User, browse, check, expect_no_trace, prune, same,
)  # fmt: skip
from sandbox import forget_the_machine, sandbox


def define(user, box):
    key = {"access_key_id": box.key, "secret_access_key": box.secret}
    user.osstack("secret", "create", "key", "--stdin", stdin=json.dumps(key))
    user.osstack(
        "artifact-store", "register", "oss_store", "--bucket", box.bucket,
        "--prefix", "acceptance", "--secret", "key", "--endpoint", box.endpoint,
    )  # fmt: skip
    user.osstack("stack", "register", "oss", "-a", "oss_store", "-o", "default")
    connected = user.json("zenml", "login", "--command", str(user.zenml), "--name", "here")
    same(connected["command"], str(user.zenml), "the command")
    user.osstack("check", "oss", "--python", str(user.python))
    user.osstack("commit", "oss", "--without-check")
    check(user.json("plan", "oss")["zenml"]["nothing_to_do"], "a second plan")
    # where values would show, if anywhere
    user.osstack("secret", "get", "key")
    said = user.json("stack", "set", "oss")
    same(said["set_by"], str(user.zenml), "who made the stack the active one")


def count(user, box, versions):
    """The store against what ZenML knows: all is named; and what somebody deleted is missed."""
    lines = user.json("artifact", "orphans", "oss_store")
    same(lines["type"], "summary", "without orphans")
    same(lines["artifact_versions"], len(versions), "versions that are counted")
    same(lines["orphans"]["objects"], 0, "orphans")
    missing = user.json("artifact", "missing", "oss_store")["artifact_versions"]
    same(missing, [], "missing data")
    folder = versions["lost:1"]["uri"].removeprefix(f"s3://{box.bucket}/acceptance/")
    user.osstack("rm", "-r", f"oss_store:{folder}/", "--yes")
    missing = user.json("artifact", "missing", "oss_store")["artifact_versions"]
    same([one["name"] for one in missing], ["lost"], "missing data")
    # no run has it: it goes, and with it all that is known of it
    *gone, summary = user.json("artifact", "prune", "--store", "oss_store", "--unused", "--yes")
    same((summary["deleted"], summary["left"]), (1, 0), "versions that no run has")
    same(user.json("artifact", "missing", "oss_store")["artifact_versions"], [], "missing data")


def life(folder, box):
    user, python = User(folder, box), Python(folder)
    define(user, box)
    same(user.json("run", "list")["runs"], [], "runs of a new database")
    active, *_, versions = python.does(["active"], ["run", 1], ["run", 2], ["versions"])
    same(active, "oss", "the active stack")
    same(sorted(versions), sorted(f"{name}:{n}" for name in NAMES for n in (1, 2)), "versions")
    browse(user, box, versions)
    _, more = python.does(["save", "lost"], ["versions"])
    count(user, box, more)
    python.does(["delete_run", "acceptance-1"])
    prune(user, python, box, versions)
    canaries = {"the key's secret": box.secret, "the passphrase": PASSPHRASE}
    expect_no_trace(user, canaries, box.key)


def main():
    forget_the_machine()
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="osstack-command-runs-")
        folder = pathlib.Path(stack.enter_context(folder))
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(RESOLVES)
        os.environ["PYTHONPATH"] = f"{folder / 'site'}:{HERE}"
        box = stack.enter_context(sandbox("--empty", "--tls"))
        life(folder, box)


if __name__ == "__main__":
    main()
