"""The whole way of a user: from nothing to runs that are read, and data that is deleted again.

An OSS (`osstack sandbox`) and a real ZenML server run on loopback. With a home in which nothing is
yet, osstack defines a stack, checks it, signs in and commits; real pipelines then run on it, from a
Python that knows no more than ZenML tells it; and osstack shows and prunes what they wrote. On the
way: what the check said of ZenML's own deleting is what becomes of it, on an OSS and on one that
is more lenient. In the end no secret lies anywhere.

    acceptance_test.py
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from sandbox import BINARY, forget_the_machine, sandbox
from terminal import Terminal
from zenml_test import api_key, environment, server

HERE = pathlib.Path(__file__).parent
VENV = pathlib.Path(sys.executable).parent
PASSPHRASE = "canary-of-the-acceptance-passphrase"
SECONDS = 300
MARK = "answer:"

# names below localhost mean this machine, to whatever Python starts with this on its path
RESOLVES = "from sandbox import resolve_localhost_names\n\nresolve_localhost_names()\n"

# what osstack starts leaves word of how it was started, and by whom
CHILD = """#!/bin/sh
cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline /proc/$PPID/environ >> {seen} 2>/dev/null
exec {program} "$@"
"""

# of each step: its outputs, ZenML's type, the file that holds the data
OUTPUTS = {
    "load": {"settings": ("Base", "data.json"), "frame": ("Data", "df.parquet.gzip")},
    "measure": {"features": ("Data", "data.npy")},
    "train": {"model": ("Data", "artifact.pkl")},
    "describe": {"report": ("DataAnalysis", "output.html")},
}
PREVIEWS = {"settings": ["json"], "frame": ["csv", "csv"], "report": ["html"]}
NAMES = sorted(name for outputs in OUTPUTS.values() for name in outputs)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def same(seen, expected, what):
    check(seen == expected, f"{what}: {seen!r} instead of {expected!r}")


class User:
    """Somebody with a home of his own, and everything that osstack says to him."""

    def __init__(self, folder, box):
        self.home = folder / "home"
        self.seen = folder / "seen"
        self.said = ""
        self.python = folder / "bin" / "python"
        self.zenml = folder / "bin" / "zenml"
        passphrase = folder / "passphrase"
        passphrase.write_text(PASSPHRASE)
        for place in (self.home, folder / "bin"):
            place.mkdir()
        for link in (self.python, self.zenml):
            link.write_text(CHILD.format(seen=self.seen, program=VENV / link.name))
            link.chmod(0o755)
        self.environment = {
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "ZENML_CONFIG_PATH": str(folder / "client"),
            "OSSTACK_PASSPHRASE_FILE": str(passphrase),
            "OSSTACK_CA_FILE": box.ca,
            "NO_PROXY": "*",
        }

    def osstack(self, *arguments, stdin=None, codes=(0,)):
        done = subprocess.run(
            [BINARY, *arguments],
            input=stdin, capture_output=True, text=True, env=self.environment, timeout=SECONDS,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        if done.returncode not in codes:
            said = f"{done.stdout}\n{done.stderr}"
            raise AssertionError(f"osstack {' '.join(arguments)}: {done.returncode}\n{said}")
        print(f"  osstack {' '.join(arguments)}", flush=True)
        return done.stdout

    def json(self, *arguments, codes=(0,)):
        """The answer; where it streams, a list of its lines."""
        lines = self.osstack(*arguments, "--json", codes=codes).splitlines()
        answers = [json.loads(line) for line in lines]
        return answers[0] if len(answers) == 1 else answers

    def objects(self, store):
        """Key below the bucket, and size, of all that lies in a store."""
        listed = self.osstack("ls", f"{store}:", "-r", "--json").splitlines()
        return {one["key"]: one["size"] for one in map(json.loads, listed)}


class Python:
    """A user's Python with ZenML."""

    def __init__(self, folder):
        self.environment = environment(
            folder / "client", PATH=f"{VENV}:{os.environ['PATH']}", NO_COLOR="1",
            AUTO_OPEN_DASHBOARD="false", ZENML_LOGGING_COLORS_DISABLED="true",
        )  # fmt: skip

    def does(self, *calls):
        """Each a verb of acceptance_client.py with its arguments; gives their answers."""
        print(f"  zenml: {', '.join(call[0] for call in calls)}", flush=True)
        done = subprocess.run(
            [sys.executable, HERE / "acceptance_client.py"],
            input=json.dumps(calls), capture_output=True, text=True, env=self.environment,
            timeout=SECONDS,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
        check(done.returncode == 0 and lines, f"{done.stdout}\n{done.stderr}")
        return json.loads(lines[-1].removeprefix(MARK))


def define(user, box, lenient):
    """Two stacks: that of the runs, and one whose OSS lets newer clients delete."""
    key = {"access_key_id": box.key, "secret_access_key": box.secret}
    user.osstack("secret", "create", "key", "--stdin", stdin=json.dumps(key))
    for name, at, bucket in (("oss", box, box.bucket), ("lenient", lenient, "lenient-bucket")):
        user.osstack(
            "artifact-store", "register", f"{name}_store", "--bucket", bucket,
            "--prefix", "acceptance", "--secret", "key", "--endpoint", at.endpoint,
        )  # fmt: skip
        user.osstack("stack", "register", name, "-a", f"{name}_store", "-o", "default")
    user.osstack("mb", "lenient_store")


def can_delete(user, stack):
    """Whether ZenML can delete there, as the check says it."""
    report = user.json("check", stack, "--python", str(user.python))
    rungs = {rung["id"]: rung for rung in report["checks"]}
    failed = [rung for rung in report["checks"] if rung["state"] == "failed"]
    check(not failed and report["left_behind"] == [], report)
    rung = rungs["multi-delete"]
    check("botocore" in rungs["python"]["facts"], rungs["python"])
    warns = "zenml artifact prune" in (rung["because"] or "")
    same(warns, rung["state"] == "warned", f"the words of {rung}")
    check(report["outcome"] == "warned" or not warns, f"the outcome: {report['outcome']}")
    print(f"  multi-delete: {rung['state']}: {rung['summary']}", flush=True)
    return rung["state"] == "passed"


def commit(user, url, key_file):
    connected = user.json("zenml", "login", url, "--api-key-file", str(key_file))
    same(connected["user"], "osstack", "who signed in")
    check("ZenML 0.98" in user.osstack("zenml", "status"), "the version in zenml status")
    for name in ("oss", "lenient"):
        user.osstack("commit", name)
        again = user.json("plan", name)["zenml"]
        check(again["nothing_to_do"], again)
    # where values would show, if anywhere
    user.osstack("secret", "get", "key")
    for form in ("--calls", "--script"):
        user.osstack("plan", "oss", form)


def activate(user, stack):
    said = user.json("stack", "set", stack)
    same(said["set_by"], str(user.zenml), "who made the stack the active one")


def zenml_deletes(user, python, store, versions, promised):
    """Deletes in the three ways that ZenML has: each works just where the check promised it."""
    first, second = versions[:2]
    before = user.objects(store)
    failures = python.does(
        ["delete", first, "client"], ["delete", second, "server"], ["prune"], ["versions"]
    )
    *failures, left = failures
    for way, failure in zip(("by the client", "by the server", "prune"), failures):
        said = "works" if promised else "fails"
        check((failure is None) == promised, f"the check says that it {said}; {way}: {failure}")
        # and for the reason that the check gives
        check(promised or "MissingArgument" in failure, f"{way}: {failure}")
        print(f"  zenml deletes {way}: {said}, as the check says", flush=True)
    kept = [version for version in versions if version in left]
    same(kept, [] if promised else list(versions), "versions that ZenML still lists")
    after = user.objects(store)
    check(after == before if not promised else len(after) < len(before), f"{before}\n{after}")


def below(objects, version, bucket):
    """What lies below a version, by name of the file."""
    folder = version["uri"].removeprefix(f"s3://{bucket}/") + "/"
    return {
        key.removeprefix(folder): size for key, size in objects.items() if key.startswith(folder)
    }


def browse(user, box, versions):
    """All that osstack shows of the two runs, beside what ZenML says of them."""
    runs = user.json("run", "list")["runs"]
    same(
        [(run["name"], run["pipeline"], run["status"], run["stack"]) for run in runs],
        [(f"acceptance-{number}", "acceptance", "completed", "oss") for number in (2, 1)],
        "runs",
    )
    shown = user.osstack("run", "list")
    check("completed" in shown and "acceptance-2" in shown, shown)

    objects = user.objects("oss_store")
    listed = user.json("artifact", "list", "--store", "oss_store")["artifact_versions"]
    same(
        {f"{one['name']}:{one['version']}": one["uri"] for one in listed},
        {name: version["uri"] for name, version in versions.items()},
        "artifact versions",
    )
    shown = user.osstack("artifact", "list", "--name", "frame")
    check("frame:1" in shown and "frame:2" in shown and "model" not in shown, shown)
    folders = user.osstack("ls", "oss_store:")
    check(all(f"{step}/" in folders for step in [*OUTPUTS, "logs"]), folders)

    located = {}
    for number in (1, 2):
        steps = user.json("run", "describe", f"acceptance-{number}")["steps"]
        same(sorted(step["name"] for step in steps), sorted(OUTPUTS), "steps")
        for step in steps:
            outputs = {one["output"]: one for one in step["outputs"]}
            same(sorted(outputs), sorted(OUTPUTS[step["name"]]), f"outputs of {step['name']}")
            for name, (kind, file) in OUTPUTS[step["name"]].items():
                same(outputs[name]["type"], f"{kind}Artifact", f"the type of {name}")
                files = below(objects, versions[f"{name}:{number}"], box.bucket)
                check(files.get(file, 0) > 0, f"{name}: {files}")
                located[f"{name}:{number}"] = outputs[name]["location"], files
    look_into(user, located)
    look_with_keys(user)
    logs = user.osstack("run", "logs", "acceptance-2", "--step", "load")
    check("run 2 has 5000 rows" in logs and "run 1 " not in logs, logs)
    print("what osstack shows is what ZenML wrote", flush=True)


def look_into(user, located):
    """The artifacts of the second run: described, and read as they were written."""
    for name in NAMES:
        location, files = located[f"{name}:2"]
        described = user.json("artifact", "describe", f"{name}:2")
        same(described["location"], location, f"the location of {name}")
        seen = [one["type"] for one in described["visualizations"]]
        same(seen, PREVIEWS.get(name, []), f"previews of {name}")
        sizes = {entry["key"].rsplit("/", 1)[-1]: entry["size"] for entry in described["files"]}
        same(sizes, {key.rsplit("/", 1)[-1]: size for key, size in files.items()}, name)

    def content(name, file):
        return user.osstack("cat", f"{located[f'{name}:2'][0]}/{file}")

    settings = json.loads(content("settings", "data.json"))
    same(settings, {"number": 2, "labels": ["a b", "中文"], "rate": 0.5}, "the dict")
    same(content("report", "output.html"), "<h1>Run 2</h1><p>Größe: 100 %</p>", "the page")
    # ZenML's own preview of a frame lies beside it
    check("5000.0" in content("frame", "describe.csv"), "the preview of the frame")


def look_with_keys(user):
    """The same at the screen: from launch to the newest run, its artifacts and their previews."""
    shown = [
        # the artifact, its class, the file, what stands in its preview
        ("settings", "dict", "data.json", ['"number": 2', '"a b"', '"中文"', '"rate": 0.5']),
        ("frame", "DataFrame", "describe.csv", ["count", "5000.0"]),
    ]
    with Terminal([BINARY], {**user.environment, "LANG": "C.UTF-8"}) as terminal:
        # it opens on the last runs by itself, or is told to
        terminal.wait_for("7 Runs")
        terminal.send("7")
        terminal.wait_for("acceptance-2", "▸")
        terminal.send("\r")
        terminal.wait_for("acceptance-2", "step, output")
        for name, kind, file, values in shown:
            terminal.go_to(f" {name} ")
            row = terminal.marked()
            check(kind in row and "v2" in row, row)
            terminal.send("a")
            terminal.wait_for(f"{name}:2", kind, file)
            terminal.go_to(file)
            terminal.send("\r")
            terminal.wait_for(f"/{file} ", *values)
            terminal.send("\x1b")
            terminal.wait_for("files, lineage", "▸")
            terminal.send("\x1b")
            terminal.wait_for("step, output", "▸")
        same(terminal.end("q"), 0, "how the screen ended")
        user.said += terminal.said


def prune(user, python, box, versions):
    """Frees what the older run wrote, which ZenML could not, and nothing else."""
    objects = user.objects("oss_store")
    older = {name: one for name, one in versions.items() if name.endswith(":1")}
    expected = {
        key for key in objects for one in older.values()
        if key.startswith(one["uri"].removeprefix(f"s3://{box.bucket}/") + "/")
    }  # fmt: skip
    freed = sum(objects[key] for key in expected)
    before = user.json("du", "oss_store:")
    rules = ["artifact", "prune", "--store", "oss_store", "--keep-last", "1"]
    planned = user.json(*rules, "--dry-run")
    same(user.objects("oss_store"), objects, "what lies there after a dry run")
    same(sorted(one["name"] for one in planned), NAMES, "what would go")
    *gone, summary = user.json(*rules, "--yes")
    same([one["type"] for one in gone if one["type"] != "planned"], ["gone"] * len(older), "gone")
    same((summary["deleted"], summary["left"]), (len(older), 0), "versions")
    same((summary["objects"], summary["bytes"]), (len(expected), freed), "objects and bytes")
    check(freed > 50_000, f"a frame of 5000 rows alone has more than {freed} bytes")
    after = user.json("du", "oss_store:")
    same(before["bytes"] - after["bytes"], freed, "bytes by which the store got smaller")
    same(user.objects("oss_store").keys(), objects.keys() - expected, "what lies there")
    left, _ = python.does(["versions"], ["read", "acceptance-2", 2])
    same(left, {name: one for name, one in versions.items() if name not in older}, "ZenML lists")
    # of the newer run nothing may go, whatever the rules
    kept = user.json("artifact", "prune", "--store", "oss_store", "--older-than", "0s", "--yes")
    same([one["type"] for one in kept], ["kept"] * len(left), "versions in use")
    print(f"pruned {summary['deleted']} versions, {freed} bytes", flush=True)


def expect_no_trace(user, canaries, known):
    """No canary in what osstack said, keeps, or handed to others; what is no secret is there."""
    kept = {path: path.read_bytes() for path in user.home.rglob("*") if path.is_file()}
    seen = user.seen.read_bytes()
    check(any(path.name == "stacks.toml" for path in kept), f"no catalog among {list(kept)}")
    check(any(path.name == "secrets.age" for path in kept), f"no keystore among {list(kept)}")
    check(known in user.said, "what is no secret is not in the answers that were kept")
    for started in (b"\0check\0oss", b"\0stack\0set\0"):
        check(started in seen, f"no child of {started} among {seen}")
    for name, canary in canaries.items():
        check(canary not in user.said, f"osstack said {name}")
        check(canary.encode() not in seen, f"{name} is in the arguments or variables of a child")
        traces = [str(path) for path, content in kept.items() if canary.encode() in content]
        check(not traces, f"{name} lies in {traces}")
    print(f"no trace of {', '.join(canaries)} in {len(kept)} files", flush=True)


def life(folder, box, lenient, url):
    key = api_key(url)
    key_file = folder / "api-key"
    key_file.touch(mode=0o600)
    key_file.write_text(key)
    user, python = User(folder, box), Python(folder)
    define(user, box, lenient)
    promises = {stack: can_delete(user, stack) for stack in ("oss", "lenient")}
    same(promises, {"oss": False, "lenient": True}, "where ZenML can delete, as the check says")
    commit(user, url, key_file)

    python.does(["login", url, key])
    activate(user, "lenient")
    names = ["one", "two", "three"]
    active, _ = python.does(["active"], ["save", *names])
    same(active, "lenient", "the active stack")
    saved = [f"{name}:1" for name in names]
    zenml_deletes(user, python, "lenient_store", saved, promises["lenient"])

    activate(user, "oss")
    active, *_, versions = python.does(["active"], ["run", 1], ["run", 2], ["versions"])
    same(active, "oss", "the active stack")
    same(sorted(versions), sorted(f"{name}:{n}" for name in NAMES for n in (1, 2)), "versions")
    browse(user, box, versions)

    python.does(["delete_run", "acceptance-1"])
    older = sorted(name for name in versions if name.endswith(":1"))
    zenml_deletes(user, python, "oss_store", older, promises["oss"])
    prune(user, python, box, versions)
    canaries = {"the key's secret": box.secret, "the API key": key, "the passphrase": PASSPHRASE}
    expect_no_trace(user, canaries, box.key)


def main():
    forget_the_machine()
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="osstack-acceptance-")
        folder = pathlib.Path(stack.enter_context(folder))
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(RESOLVES)
        os.environ["PYTHONPATH"] = f"{folder / 'site'}:{HERE}"
        # the one with a CA last: it names it in the environment, for server and client alike
        lenient = stack.enter_context(sandbox("--empty", "--fault", "md5-not-required"))
        box = stack.enter_context(sandbox("--empty", "--tls"))
        (folder / "server").mkdir()
        url = stack.enter_context(server(folder / "server"))
        life(folder, box, lenient, url)


if __name__ == "__main__":
    main()
