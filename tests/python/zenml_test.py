"""osstack commits to a real ZenML server.

Starts ZenML 0.98 on loopback over sqlite, makes a service account and its key, and runs the suite
of commits (`tests/it/commit.rs`), which is held against the stand-in as well.
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

USER, PASSWORD = "default", "dummy-Passw0rd"
START_SECONDS = 240


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
            sys.exit(suite.returncode)


if __name__ == "__main__":
    main()
