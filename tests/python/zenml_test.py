"""osstack commits to a real ZenML server, and takes over what a real `zenml login` left.

Starts the ZenML of this Python on loopback over sqlite, makes a service account and its key, and
runs the suite of commits (`tests/it/commit.rs`), which is held against the stand-in as well. On the
command line, osstack then says what is to know of this version, and this ZenML reads the secret
that it wrote; and it takes over each kind of sign-in that this ZenML keeps for the server.
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
import urllib.parse
import urllib.request
from importlib import metadata

BINARY = os.path.abspath(os.environ.get("OSSTACK_BIN", "target/release/osstack"))
USER, PASSWORD = "default", "dummy-Passw0rd"
START_SECONDS = 240

# the first that asks the store's own endpoint for versions (ZenML PR #4186), and the first that
# reads access_key_id too (#4289)
ENDPOINT_KEPT, PLAIN_KEY_NAMES = (0, 91, 2), (0, 93, 0)
KEY = {"access_key_id": "LTAI5tExampleExample0001", "secret_access_key": "canary-of-the-server"}

# a run on the server's own stack, whose artifacts are files of this machine
PIPELINE = """
import sys
from zenml import pipeline, step
from zenml.cli.login import connect_to_server
connect_to_server(sys.argv[1], api_key=sys.stdin.read())
@step
def first() -> int:
    print("first has written")
    return 1
@step
def second(number: int) -> int:
    return number + 1
@pipeline(enable_cache=False)
def small():
    second(first())
small.with_options(run_name="small-1")()
"""

# what `zenml login` does with what it was given, without its questions
SIGN_IN = """
import sys
from zenml.config.global_config import GlobalConfiguration
from zenml.login.credentials_store import get_credentials_store
from zenml.models import OAuthTokenResponse
from zenml.zen_stores.rest_zen_store import RestZenStoreConfiguration

url, kind, value = sys.argv[1], sys.argv[2], sys.stdin.read()
store = get_credentials_store()
if kind == "api-key":
    store.set_api_key(url, value)
elif kind == "password":
    store.set_password(url, *value.split(" "))
else:
    answer = OAuthTokenResponse(access_token=value, expires_in=18000, token_type="bearer")
    store.set_token(url, answer)
GlobalConfiguration().set_store(RestZenStoreConfiguration(url=url))
"""

# what ZenML's S3 store takes the values of its secret by
READER = """
import json, sys
from zenml.secret.schemas import AWSSecretSchema
secret = AWSSecretSchema(**json.load(sys.stdin))
print(json.dumps([secret.aws_access_key_id, secret.aws_secret_access_key]))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder, **more):
    """The server's own settings, and nothing that the machine has set for ZenML."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}
    return kept | more | {
        "ZENML_CONFIG_PATH": str(folder),
        "ZENML_ANALYTICS_OPT_IN": "false",
    }


def call(url, token=None, form=None, body=None):
    headers = {"Accept": "application/json"}
    data = None
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def wait_for(url, server, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        time.sleep(0.5)
    sys.exit(f"the ZenML server did not start:\n{log.read_text(errors='replace')[-4000:]}")


@contextlib.contextmanager
def server(folder):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    settings = environment(
        folder,
        ZENML_SERVER="true",
        ZENML_SERVER_AUTO_ACTIVATE="1",
        ZENML_STORE_TYPE="sql",
        ZENML_STORE_URL=f"sqlite:///{folder}/zenml.db",
        ZENML_DEFAULT_USER_NAME=USER,
        ZENML_DEFAULT_USER_PASSWORD=PASSWORD,
        ZENML_SERVER_JWT_SECRET_KEY="dummy-jwt-secret-0123456789abcdef0123456789abcdef",
        ZENML_SERVER_DEPLOYMENT_TYPE="other",
    )
    command = [
        sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app",
        "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, env=settings, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def api_key(url):
    token = call(f"{url}/api/v1/login", form={"username": USER, "password": PASSWORD})
    token = token["access_token"]
    body = {"name": "osstack", "description": "", "active": True}
    account = call(f"{url}/api/v1/service_accounts", token, body=body)["id"]
    made = call(f"{url}/api/v1/service_accounts/{account}/api_keys", token, body={"name": "one"})
    return made["body"]["key"]


class CommandLine:
    """osstack's commands, with files of their own."""

    def __init__(self, folder):
        passphrase = folder / "passphrase"
        passphrase.write_text("not a secret")
        self.settings = {
            "PATH": "/usr/bin:/bin",
            "OSSTACK_HOME": str(folder / "home"),
            "OSSTACK_PASSPHRASE_FILE": str(passphrase),
            "NO_PROXY": "*",
        }

    def run(self, *arguments, stdin=None):
        done = subprocess.run(
            [BINARY, *arguments], input=stdin, capture_output=True, text=True, env=self.settings
        )
        said = f"osstack {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        return done

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)


def what_is_to_know(version):
    """The warnings about a server of this version."""
    number = tuple(map(int, version.split(".")))
    if number < ENDPOINT_KEPT:
        yield (
            f"ZenML {version} asks AWS, not your endpoint, whether the bucket keeps versions, and "
            "sends the key id there (fixed in 0.91.2): update it."
        )
    if number < PLAIN_KEY_NAMES:
        yield (
            f"ZenML {version} reads only aws_access_key_id and aws_secret_access_key of a secret "
            "(others since 0.93.0): the secret gets those names."
        )


def python(folder, code, *arguments, stdin):
    """Runs code in this Python, with a configuration of ZenML's own."""
    # steps must have a file that they stand in
    file = folder / "code.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, file, *arguments],
        input=stdin, capture_output=True, text=True, env=environment(folder / "client"),
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def on_the_command_line(folder, url, key_file):
    """What osstack says of this server, and what this ZenML makes of the secret it is given."""
    version = metadata.version("zenml")
    osstack = CommandLine(folder)
    osstack.run("zenml", "login", url, "--api-key-file", str(key_file))
    status = osstack.json("zenml", "status")
    assert status["server"]["version"] == version, status
    warnings = list(what_is_to_know(version))
    assert status["warnings"] == warnings, status["warnings"]
    shown = osstack.run("zenml", "status").stderr
    assert shown == "".join(f"warning: {warning}\n" for warning in warnings), shown

    osstack.run("secret", "create", "secret", "--stdin", stdin=json.dumps(KEY))
    osstack.run(
        "artifact-store", "register", "store", "--bucket", "your-bucket", "--secret", "secret",
        "--region", "eu-central-1",
    )  # fmt: skip
    osstack.run("stack", "register", "stack", "-a", "store", "-o", "default")
    osstack.run("commit", "stack", "--without-check")
    token = call(f"{url}/api/v1/login", form={"username": USER, "password": PASSWORD})
    token = token["access_token"]
    found = call(f"{url}/api/v1/secrets?name=equals:secret", token)["items"]
    values = call(f"{url}/api/v1/secrets/{found[0]['id']}", token)["body"]["values"]
    is_older = tuple(map(int, version.split("."))) < PLAIN_KEY_NAMES
    names = [f"aws_{name}" for name in KEY] if is_older else list(KEY)
    assert sorted(values) == sorted(names), sorted(values)
    read = python(folder, READER, stdin=json.dumps(values)).splitlines()[-1]
    assert json.loads(read) == list(KEY.values()), read
    print(f"ZenML {version} reads the secret by {', '.join(names)}", flush=True)

    python(folder, PIPELINE, url, stdin=key_file.read_text())
    runs = osstack.json("run", "list", "--pipeline", "small")["runs"]
    told = [(run["name"], run["status"], run["stack"]) for run in runs]
    assert told == [("small-1", "completed", "default")], runs
    steps = {one["name"]: one for one in osstack.json("run", "describe", "small-1")["steps"]}
    assert len(steps["first"]["outputs"]) == len(steps["second"]["inputs"]) == 1, steps
    assert steps["first"]["outputs"][0]["id"] == steps["second"]["inputs"][0]["id"], steps
    made = osstack.json("artifact", "describe", steps["first"]["outputs"][0]["id"])
    assert made["step_detail"]["name"] == "first", made
    assert [one["name"] for one in made["read_by"]] == ["second"], made
    print(f"ZenML {version} tells of its runs", flush=True)


def take_over(folder, url, kind, value):
    """osstack takes over what this ZenML keeps, shows no value, and changes no file of ZenML's."""
    folder = folder / f"taken-over-by-{kind}"
    folder.mkdir()
    python(folder, SIGN_IN, url, kind, stdin=value)
    files = [folder / "client" / name for name in ("config.yaml", "credentials.yaml")]
    before = [file.read_bytes() for file in files]
    osstack = CommandLine(folder)
    osstack.settings["ZENML_CONFIG_PATH"] = str(folder / "client")

    def said(*arguments):
        done = osstack.run(*arguments, "--json")
        shown = done.stdout + done.stderr
        assert value.split(" ")[-1] not in shown, f"{kind}: {arguments} shows a value"
        return json.loads(done.stdout)

    found = said("zenml", "list")["found"]
    assert (found["url"], found["signs_in_by"]) == (url, kind), found
    taken = said("zenml", "login", "--found", "--yes")
    assert taken["url"] == url and taken["user"], taken
    assert said("zenml", "status")["user"] == taken["user"]
    assert said("zenml", "list")["found"] is None
    assert [file.read_bytes() for file in files] == before, f"{kind}: ZenML's files changed"
    print(f"zenml login by {kind}: taken over, as {taken['user']}")


def main():
    with tempfile.TemporaryDirectory(prefix="osstack-zenml-") as folder:
        folder = pathlib.Path(folder)
        with server(folder) as url:
            key_file = folder / "api-key"
            key_file.touch(mode=0o600)
            key_file.write_text(api_key(url))
            settings = os.environ | {
                "OSSTACK_ZENML_URL": url,
                "OSSTACK_ZENML_API_KEY_FILE": str(key_file),
            }
            command = ["cargo", "test", "--locked", "--test", "it", "real_zenml"]
            suite = subprocess.run([*command, "--", "--ignored", "--nocapture"], env=settings)
            if suite.returncode != 0:
                sys.exit(suite.returncode)
            on_the_command_line(folder, url, key_file)
            token = call(f"{url}/api/v1/login", form={"username": USER, "password": PASSWORD})
            take_over(folder, url, "api-key", key_file.read_text())
            take_over(folder, url, "password", f"{USER} {PASSWORD}")
            take_over(folder, url, "token", token["access_token"])


if __name__ == "__main__":
    main()
