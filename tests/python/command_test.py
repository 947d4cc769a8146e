"""osstack commits to a ZenML without a server, through the `zenml` command.

Two ZenMLs over sqlite begin with nothing. To the one osstack commits through its command; in the
other the commands are run that each plan shows. After every commit both must hold the same.

    command_test.py
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

BINARY = os.path.abspath(os.environ.get("OSSTACK_BIN", "target/release/osstack"))
VENV = pathlib.Path(sys.executable).parent
CANARY = "canary-of-the-command-test-01"
SECONDS = 300

# what a ZenML holds, but for ids, owners, times and labels: the shown commands set no labels
STATE = """
import json
from zenml.client import Client
client = Client()
secrets = {s.name: client.get_secret(s.id).secret_values for s in client.list_secrets().items}
components = {
    f"{c.type}/{c.name}": [c.flavor_name, c.configuration]
    for c in client.list_stack_components(size=100, hydrate=True).items
}
stacks = {
    s.name: {str(kind): sorted(c.name for c in all) for kind, all in s.components.items() if all}
    for s in client.list_stacks(hydrate=True).items
}
labels = {s.name: s.labels for s in client.list_stacks(hydrate=True).items}
labels |= {c.name: c.labels for c in client.list_stack_components(size=100, hydrate=True).items}
active = client.active_stack_model.name
print("state:" + json.dumps([[secrets, components, stacks], labels, active]))
"""

# fails where the file "refuse" says so, else it is the real one
WRAPPER = """#!/bin/sh
if [ -e {folder}/refuse ] && [ "$1 $2" = "$(cat {folder}/refuse)" ]; then
    echo 'Error: refused by the test' >&2
    exit 1
fi
exec {venv}/zenml "$@"
"""


class Zenml:
    """A ZenML of one's own, over sqlite."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}
        self.environment = kept | {
            "PATH": f"{VENV}:{os.environ['PATH']}",
            "ZENML_CONFIG_PATH": str(folder),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "AUTO_OPEN_DASHBOARD": "false",
            "NO_COLOR": "1",
        }

    def run(self, command, values=None):
        """Runs a command as it is shown, with `values` on descriptor 3."""
        file = self.folder / "values.json"
        file.write_text(json.dumps(values))
        shell = ["sh", "-c", f"exec 3<{shlex.quote(str(file))}; {command}"]
        done = subprocess.run(
            shell, env=self.environment, capture_output=True, text=True, timeout=SECONDS
        )
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")

    def state(self):
        done = subprocess.run(
            [sys.executable, "-c", STATE],
            env=self.environment, capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("state:")]
        return json.loads(lines[-1].removeprefix("state:"))


class Home:
    """osstack's own files, and the ZenML that it commits to."""

    def __init__(self, folder, zenml):
        self.zenml = zenml
        self.refuse = folder / "bin" / "refuse"
        (folder / "bin").mkdir()
        self.command = folder / "bin" / "zenml"
        self.command.write_text(WRAPPER.format(folder=folder / "bin", venv=VENV))
        self.command.chmod(0o755)
        # beside the command, as in an environment; a link would lose where the packages are
        python = folder / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        passphrase = folder / "passphrase"
        passphrase.write_text("not a secret")
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "ZENML_CONFIG_PATH": str(zenml.folder),
            "OSSTACK_HOME": str(folder / "home"),
            "OSSTACK_PASSPHRASE_FILE": str(passphrase),
        }

    def osstack(self, *arguments, stdin=None, codes=(0,), files=None):
        environment = dict(self.environment)
        if files is not None:
            environment["OSSTACK_HOME"] = str(files)
        done = subprocess.run(
            [BINARY, *arguments],
            input=stdin, capture_output=True, text=True, env=environment, timeout=SECONDS,
        )  # fmt: skip
        shown = f"osstack {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        if done.returncode not in codes:
            raise AssertionError(shown)
        assert CANARY not in done.stdout + done.stderr, shown
        print(f"  osstack {' '.join(arguments)}", flush=True)
        return done.stdout

    def plan(self, *more, name="stack"):
        return json.loads(self.osstack("plan", name, *more, "--json"))["zenml"]

    def commit(self, *more, name="stack", codes=(0,)):
        return self.osstack("commit", name, "--yes", *more, codes=codes)


def key(number):
    return {"access_key_id": f"LTAI5tExampleExample000{number}", "secret_access_key": CANARY}


def signs(plan):
    return "".join(change["change"] for change in plan["changes"])


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def both(home, by_hand, number, what, *, name="stack", more=(), commit=("--without-check",)):
    """Commits, does by hand what the plan shows, and compares."""
    plan = home.plan(*more, name=name)
    for change in plan["changes"]:
        for command in change["commands"]:
            print(f"    {command.splitlines()[0]}", flush=True)
            by_hand.run(command, key(number))
    home.commit(*more, *commit, name=name)
    (ours, labels, _), (theirs, _, active) = home.zenml.state(), by_hand.state()
    check(ours == theirs, f"{what}: committed\n{ours}\nby hand\n{theirs}")
    if not more:
        again = home.plan(name=name)
        check(again["nothing_to_do"], f"{what}: {again}")
        home.commit(name=name)
    print(f"{what}: the same both ways", flush=True)
    return plan, ours, labels, active


FAILED = (1, 2, 3, 4, 5, 6, 7, 8)


def broken_off(home, steps):
    """A commit whose steps are these commands, refused at each in turn: what was done before it
    stands in ZenML, what comes after it does not, and taken back all is as it was."""
    before = home.zenml.state()
    seen = [before]
    for step in steps:
        home.refuse.write_text(step)
        home.commit("--without-check", codes=FAILED)
        seen.append(home.zenml.state())
        # before its first step nothing is done, and nothing is to be taken back
        check((seen[-1] == before) == (step == steps[0]), f"after {step}: {seen[-1]}")
        check(seen[-1] not in seen[1:-1], f"{step} did no more than the step before: {seen[-1]}")
        home.refuse.unlink()
        home.commit("--undo", codes=FAILED if step == steps[0] else (0,))
        after = home.zenml.state()
        check(after == before, f"{step}, taken back:\n{after}\ninstead of\n{before}")
        print(f"broken off at {step}, and taken back", flush=True)


def taken_over(home, folder):
    """Somebody with files of their own lists what ZenML has, takes the stack over, and compares."""
    files = folder / "home" / "colleague"

    def colleague(*arguments, stdin=None):
        return json.loads(home.osstack(*arguments, "--json", stdin=stdin, files=files))

    colleague("secret", "create", "own", "--stdin", stdin=json.dumps(key(9)))
    colleague("zenml", "login", "--command", str(home.command), "--name", "here")
    found = colleague("zenml", "import")
    stack = {one["name"]: one for one in found["stacks"]}["stack"]
    check((stack["here"], stack["on_oss"], stack["made_by"]) == ("new", True, "osstack"), stack)
    taken = colleague("zenml", "import", "stack")
    check(taken["entries"]["secret secret"] == "taken", taken)
    check(taken["entries"]["stack stack"] == "new", taken)
    (diff,) = colleague("diff", "stack")["stacks"]
    check({thing["state"] for thing in diff["things"]} == {"same"}, diff)
    # what somebody changes there is seen, and taken
    home.osstack("artifact-store", "update", "store", "--prefix", "three")
    home.commit("--without-check")
    (diff,) = colleague("diff", "stack")["stacks"]
    states = {thing["thing"]: thing for thing in diff["things"]}
    check(states["artifact-store/store"]["fields"] == [
        {"name": "path", "catalog": "s3://your-bucket/two", "zenml": "s3://your-bucket/three"}
    ], diff)  # fmt: skip
    colleague("diff", "stack", "--take-theirs", "artifact-store/store", "--yes")
    (diff,) = colleague("diff", "stack")["stacks"]
    check({thing["state"] for thing in diff["things"]} == {"same"}, diff)
    home.osstack("artifact-store", "update", "store", "--prefix", "two")
    home.commit("--without-check")
    print("taken over: the same on both sides", flush=True)


def life(folder):
    zenml, by_hand = Zenml(folder / "committed"), Zenml(folder / "by-hand")
    home = Home(folder, zenml)
    connected = json.loads(
        home.osstack("zenml", "login", "--command", str(home.command), "--name", "here", "--json")
    )
    check(connected["server"]["version"].startswith("0."), connected)
    check(connected["command"] == str(home.command), connected)
    flavor = ("component", "flavors", "orchestrator", "kubernetes", "--json")
    flavor = json.loads(home.osstack(*flavor))
    check(flavor["told"], "the flavor is as the zenml command tells it")
    settings = {setting["name"] for setting in flavor["settings"]}
    check("kubernetes_context" in settings, settings)
    home.osstack("secret", "create", "secret", "--stdin", stdin=json.dumps(key(1)))
    home.osstack(
        "artifact-store", "register", "store", "--bucket", "your-bucket", "--secret", "secret",
        "--region", "eu-central-1", "--prefix", "one",
    )  # fmt: skip
    home.osstack("stack", "register", "stack", "-a", "store", "-o", "default")

    home.osstack("component", "register", "image-builder", "builder", "-f", "local")
    home.osstack("stack", "update", "stack", "--component", "image_builder=builder")
    broken_off(home, [
        "secret create", "artifact-store register", "image-builder register", "stack register",
    ])  # fmt: skip
    home.osstack("stack", "update", "stack", "--component", "image_builder=")
    home.osstack("component", "delete", "image-builder", "builder")

    plan, ours, labels, active = both(home, by_hand, 1, "a new stack")
    check(signs(plan) == "+++", plan)
    check(ours[0]["secret"] == key(1), "the values of the secret")
    for name in ("stack", "store"):
        check(labels[name].get("managed-by") == "osstack", labels)
    check(active == "stack", "zenml stack register --set")

    # every kind of change: values, settings that come and go, a type that comes and goes
    home.osstack("secret", "update", "secret", "--stdin", stdin=json.dumps(key(2)))
    home.osstack("artifact-store", "update", "store", "--prefix", "two")
    home.osstack("component", "register", "image-builder", "builder", "-f", "local")
    home.osstack("stack", "update", "stack", "--component", "image_builder=builder")
    broken_off(home, ["secret update", "artifact-store update", "stack update"])
    plan, ours, *_ = both(home, by_hand, 2, "changes")
    check(signs(plan) == "~~+~", plan)
    check(ours[0]["secret"] == key(2), "the new values of the secret")
    taken_over(home, folder)
    home.osstack("stack", "update", "stack", "--component", "image_builder=")
    both(home, by_hand, 2, "a type that goes")

    home.osstack("stack", "rename", "stack", "renamed")
    # and somebody gave the store another name in ZenML: osstack knows it by its id
    for one in (zenml, by_hand):
        one.run("zenml artifact-store rename store theirs")
    plan, ours, *_ = both(home, by_hand, 2, "other names", name="renamed")
    check("renamed" in ours[2] and "stack" not in ours[2], ours)
    check("artifact_store/store" in ours[1] and "artifact_store/theirs" not in ours[1], ours)

    # the active stack stays, the command says why
    said = json.loads(home.osstack("stack", "set", "renamed", "--json"))
    check(said["set_by"] == str(home.command), said)
    check(zenml.state()[2] == "renamed", "the active stack")
    home.commit("--delete", name="renamed", codes=FAILED)
    for one in (zenml, by_hand):
        one.run("zenml stack set default")
    _, ours, *_ = both(home, by_hand, 2, "deleted", name="renamed", more=["--delete"], commit=())
    check("renamed" not in ours[2] and not ours[0], ours)


def main():
    with tempfile.TemporaryDirectory(prefix="osstack-command-") as folder:
        folder = pathlib.Path(folder)
        life(folder)
        traces = [
            path for path in (folder / "home").rglob("*")
            if path.is_file() and CANARY.encode() in path.read_bytes()
        ]  # fmt: skip
        check(not traces, f"the value lies in {traces}")


if __name__ == "__main__":
    main()
