"""The check predicts the run.

Each case is a store on a sandbox, sound or with a fault. The ladder gives its
verdict (`osstack check`), then ZenML's own S3ArtifactStore does what a
pipeline run does, with exactly the configuration that the plan would commit.
A false pass is a verdict of passed or warned over a run that fails, a false
alarm a verdict of failed over a run that works.

    prediction_test.py [--table FILE] [CASE...]
"""

import argparse
import datetime
import json
import logging
import multiprocessing
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import uuid

from sandbox import BINARY, forget_the_machine, resolve_localhost_names, sandbox

forget_the_machine()
os.environ.update(
    ZENML_ANALYTICS_OPT_IN="false",
    ZENML_CONFIG_PATH=tempfile.mkdtemp(prefix="zenml-config-"),
    ZENML_LOGGING_VERBOSITY="CRITICAL",
)

import botocore
import s3fs
import zenml
from zenml.enums import StackComponentType
from zenml.integrations.s3.artifact_stores import S3ArtifactStore
from zenml.integrations.s3.flavors.s3_artifact_store_flavor import S3ArtifactStoreConfig
from zenml.secret.schemas import AWSSecretSchema

MIB = 1024 * 1024
AT_ONCE = 3
CASE_SECONDS = 240
FALSE_ALARMS_ALLOWED = 0.02


class Case:
    """A store on a sandbox of its own.

    `faults` and `tls` start the sandbox; `store` are options of `artifact-store register`;
    `extras` go into the catalog as a user may write them there; where the catalog refuses them,
    `by_hand` is what the user would then give ZenML himself. `key` and `secret` replace the
    sandbox's own, `temporary` takes its key with a token; `at` makes the endpoint out of the
    running sandbox.
    """

    def __init__(
        self, name, *faults, tls=False, store=(), extras=None, by_hand=None, key=None, secret=None,
        temporary=False, bucket=None, at=None,
    ):  # fmt: skip
        self.name = name
        self.faults = faults
        self.tls = tls
        self.store = store
        self.extras = extras
        self.by_hand = by_hand
        self.temporary = temporary
        self.key = key
        self.secret = secret
        self.bucket = bucket
        self.at = at or (lambda box: box.endpoint)

    def pair(self, box):
        """What the secret holds."""
        if self.temporary:
            return box.line["temporary_key"]
        return {
            "access_key_id": self.key or box.key,
            "secret_access_key": self.secret or box.secret,
        }


def closed_port(box):
    """An endpoint like the sandbox's own where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    host = box.endpoint.rsplit(":", 1)[0]
    return f"{host}:{port}"


WHEN_REQUIRED = (
    'config_kwargs = { request_checksum_calculation = "when_required", '
    'response_checksum_validation = "when_required" }'
)
V4 = ("--signature", "v4")

# fmt: off
CASES = [
    # sound stores
    Case("sound, S3 V2"),
    Case("sound, S3 V2, https", tls=True),
    Case("sound, S3 V4", store=V4),
    Case("sound, S3 V4 with when_required, https", tls=True, store=V4, extras=WHEN_REQUIRED),
    Case("sound, under a prefix", store=("--prefix", "team a/zenml+1")),
    Case("sound, key may not list buckets", "no-list-buckets"),
    Case("sound, 20 ms away", "latency=20"),
    Case("sound, in the other region", bucket="zenml-demo-b",
         at=lambda box: box.region_endpoint("sandbox-b")),
    Case("sound, clock 10 minutes off", "skew=10"),
    Case("sound, S3 V4 switched off", "v4-off"),
    Case("sound, downloads forced", "forced-download"),
    Case("sound, some requests get 503", "unavailable=5"),
    Case("custom domain where public endpoints are forbidden", "public-endpoint-forbidden",
         at=lambda box: box.line["custom_domains"][0]["endpoint"]),
    Case("sound, temporary key", temporary=True),
    Case("a gateway that heeds no If-Match", "if-match-ignored"),
    Case("a gateway that takes + for a blank", "plus-as-space"),
    Case("multi-delete without Content-MD5 allowed", "md5-not-required"),
    Case("no multipart (needed from 50 MiB on)", "no-multipart"),
    Case("no server-side copy", "no-copy"),
    Case("key may not delete", "no-delete"),
    # faults
    Case("key unknown", key="LTAI5tNobodyKnowsThis001"),
    Case("key of AWS", key="AKIAIOSFODNN7EXAMPLE"),
    Case("secret wrong", secret="wrongWRONGwrongWRONGwrong12345"),
    Case("key disabled", "key-disabled"),
    Case("token expired", "token-expired", temporary=True),
    Case("token not valid", "token-wrong", temporary=True),
    Case("token of another key", "token-mismatch", temporary=True),
    Case("account blocked", "user-disabled"),
    Case("account in debt", "in-debt"),
    Case("bucket banned", "bucket-disabled"),
    Case("bucket's policy denies", "policy-deny"),
    Case("bucket of another account", "other-account"),
    Case("bucket missing", bucket="no-such-bucket-here"),
    Case("bucket in another region", at=lambda box: box.region_endpoint("sandbox-b")),
    Case("port closed", at=closed_port),
    Case("public endpoint forbidden", "public-endpoint-forbidden"),
    Case("S3 V2 off", "v2-off"),
    Case("S3 V4 off, store signs V4", "v4-off", store=V4),
    Case("S3 signatures off", "s3-off"),
    Case("clock 20 minutes off", "skew=20"),
    Case("key read-only", "read-only"),
    Case("key may not list", "no-list"),
    Case("key may not read", "no-read"),
    Case("HEAD of the bucket denied", "no-head-bucket"),
    Case("missing objects answer 403", "missing-403"),
    Case("quota used up", "quota"),
    Case("portal page", "html-page"),
    Case("empty answers", "empty-200"),
    Case("listings cut off", "truncated-listing"),
    Case("503 storm", "unavailable=100"),
    Case("429 storm", "too-many-requests=100"),
    Case("connections closed", "connection-closed=100"),
    Case("new objects archived", "archived"),
    Case("certificate expired", "tls-expired", tls=True),
    Case("certificate self-signed", "tls-self-signed", tls=True),
    Case("certificate for another name", "tls-wrong-name", tls=True),
    Case("objects readable by range only", "no-append-read"),
    Case("answers cut off", "cut-body=40"),
    Case("path style in config_kwargs",
         extras='config_kwargs = { s3 = { addressing_style = "path" } }',
         by_hand={"config_kwargs": {"signature_version": "s3", "s3": {"addressing_style": "path"}}}),
    Case("aws-chunked: S3 V4 without when_required, https", tls=True, store=V4),
]
# fmt: on


# -- the run ---------------------------------------------------------------------------------------


def artifact_store(configuration, pair):
    """What ZenML makes of a registered component and its secret."""
    now = datetime.datetime.now(datetime.timezone.utc)
    store = S3ArtifactStore(
        name="store",
        id=uuid.uuid4(),
        config=S3ArtifactStoreConfig(**configuration),
        flavor="s3",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
        labels={},
    )
    # the one thing that would need a ZenML server: the secret of that name
    secret = AWSSecretSchema(**pair)
    store.get_typed_authentication_secret = lambda expected_schema_type=None: secret
    return store


def expect(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f"{what}: {seen!r} instead of {wanted!r}")


def pipeline_run(store, path):
    """A step's output, written and read back: the calls whose failure fails a run (HEAD, list,
    PUT, ranged GET)."""
    run, salt = uuid.uuid4(), uuid.uuid4().hex[:8]
    output = f"{path}/train/model/{run}/{salt}"

    expect("exists", store.exists(output), False)
    store.makedirs(output)
    with store.open(f"{output}/data.json", "w") as file:
        file.write('{"accuracy": 0.93}')
    weights = os.urandom(300_000)
    with store.open(f"{output}/df.parquet.gzip", "wb") as file:
        file.write(weights)

    expect("exists", store.exists(output), True)
    expect("isdir", store.isdir(output), True)
    expect("listdir", sorted(store.listdir(output)), ["data.json", "df.parquet.gzip"])
    expect("size", store.size(f"{output}/data.json"), 18)
    with store.open(f"{output}/data.json", "r") as file:
        expect("data.json", file.read(), '{"accuracy": 0.93}')
    with store.open(f"{output}/df.parquet.gzip", "rb") as file:
        file.seek(1000)
        expect("a range", file.read(1000), weights[1000:2000])
    return output


def besides(store, path, output):
    """What only some pipelines do, or what ZenML goes on without: each with whether it worked."""

    def log():
        # artifact_log_exporter.py logs the failure and lets the run go on
        name = f"{path}/logs/{uuid.uuid4()}.log"
        for line in ("started\n", "trained\n"):
            with store.open(name, "a") as file:
                file.write(line)
        with store.open(name, "r") as file:
            expect("the log", file.read(), "started\ntrained\n")

    def large():
        body = os.urandom(60 * MIB)
        with store.open(f"{path}/large", "wb") as file:
            file.write(body)
        expect("size", store.size(f"{path}/large"), len(body))
        store.remove(f"{path}/large")

    def odd_name():
        name = f"{path}/a b+c%20中文"
        with store.open(name, "w") as file:
            file.write("odd")
        with store.open(name, "r") as file:
            expect("content", file.read(), "odd")
        expect("listed", "a b+c%20中文" in store.listdir(path), True)
        store.remove(name)

    yield "log", log
    yield "copy", lambda: store.copyfile(f"{output}/data.json", f"{output}/copy.json")
    yield "remove", lambda: store.remove(f"{output}/data.json")
    yield "large", large
    yield "odd name", odd_name
    yield "rename", lambda: store.rename(f"{output}/df.parquet.gzip", f"{output}/moved")
    yield "rmtree", lambda: store.rmtree(output)


def attempt(work):
    try:
        return work(), None
    except Exception as error:
        text = re.sub(r"localhost:\d+", "localhost:PORT", " ".join(str(error).split()))
        return None, f"{type(error).__name__}: {text}"


# -- the prediction --------------------------------------------------------------------------------


class Home:
    """osstack's own files, for one case."""

    def __init__(self, folder, box):
        self.folder = pathlib.Path(folder)
        passphrase = self.folder / "passphrase"
        passphrase.write_text("not a secret")
        self.environment = {
            "PATH": os.environ["PATH"],
            "OSSTACK_HOME": str(self.folder / "home"),
            "OSSTACK_PASSPHRASE_FILE": str(passphrase),
            "NO_PROXY": "*",
        }
        if box.ca is not None:
            self.environment["OSSTACK_CA_FILE"] = box.ca

    def osstack(self, *arguments, stdin=None, codes=(0,)):
        done = subprocess.run(
            [BINARY, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=CASE_SECONDS,
        )
        if done.returncode not in codes:
            raise AssertionError(f"osstack {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def add(self, line):
        """Writes into the catalog what has no option."""
        catalog = next((self.folder / "home").rglob("stacks.toml"))
        section = "[artifact_store.store]\n"
        before, after = catalog.read_text().split(section)
        catalog.write_text(f"{before}{section}{line}\n{after}")

    def configuration(self):
        """What the plan would commit; nothing where it refuses."""
        plan = json.loads(self.osstack("plan", "stack", "--json", codes=(0, 1)))
        steps = plan.get("steps", [])
        stores = [step for step in steps if step["kind"] == "artifact_store"]
        return stores[0]["configuration"] if stores else None


def judge(case):
    """The row of one case: `(name, outcome, failing checks, run, besides)`."""
    options = [option for fault in case.faults for option in ("--fault", fault)]
    options += ["--tls"] if case.tls else []
    with tempfile.TemporaryDirectory() as folder, sandbox(*options) as box:
        home = Home(folder, box)
        home.osstack("secret", "create", "secret", "--stdin", stdin=json.dumps(case.pair(box)))
        home.osstack(
            "artifact-store", "register", "store", "--bucket", case.bucket or box.bucket,
            "--secret", "secret", "--endpoint", case.at(box), *case.store,
        )  # fmt: skip
        home.osstack("stack", "register", "stack", "-a", "store", "-o", "default")
        configuration = home.configuration()
        if case.extras is not None:
            home.add(case.extras)
            configuration = home.configuration() or {**configuration, **case.by_hand}

        answer = home.osstack("check", "stack", "--python", sys.executable, "--json", codes=(0, 1))
        report = json.loads(answer)
        rungs = {
            state: [check["id"] for check in report["checks"] if check["state"] == state]
            for state in ("failed", "warned")
        }
        assert report["left_behind"] == [] or report["outcome"] != "passed", report["left_behind"]

        # another prefix than the check's, so that neither sees what the other wrote
        path = configuration["path"].rstrip("/") + "/run"
        store = artifact_store(configuration, case.pair(box))
        output, failure = attempt(lambda: pipeline_run(store, path))
        extras = []
        if failure is None:
            extras = [name for name, work in besides(store, path, output) if attempt(work)[1]]
        return {
            "case": case.name,
            "outcome": report["outcome"],
            **rungs,
            "run": failure,
            "besides": extras,
        }


def judged(name):
    logging.disable(logging.CRITICAL)
    case = next(case for case in CASES if case.name == name)
    row, failure = attempt(lambda: judge(case))
    return row or {"case": case.name, "broken": failure}


# -- the table -------------------------------------------------------------------------------------


def verdict(row):
    """`None` where the prediction is right."""
    if "broken" in row:
        return "broken"
    promised = row["outcome"] in ("passed", "warned")
    if promised and row["run"] is not None:
        return "FALSE PASS"
    if not promised and row["run"] is None:
        return "FALSE ALARM"
    return None


def cell(text, width=90):
    text = text.replace("|", "\\|")
    return text if len(text) <= width else text[: width - 1] + "…"


def table(rows):
    yield "| store | the ladder says | ZenML's store in a run | fails besides a run |"
    yield "|---|---|---|---|"
    for row in rows:
        if "broken" in row:
            yield f"| {row['case']} | broken: {cell(row['broken'], 400)} | | |"
            continue
        said = row["outcome"]
        named = row["failed"] or row["warned"]
        said += f": {', '.join(named)}" if named else ""
        run = "works" if row["run"] is None else cell(row["run"])
        wrong = verdict(row)
        wrong = f" **{wrong}**" if wrong else ""
        yield f"| {row['case']} | {said} | {run}{wrong} | {', '.join(row['besides'])} |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--table", type=pathlib.Path)
    arguments.add_argument("case", nargs="*", help="part of a case's name; none means all")
    arguments = arguments.parse_args()
    parts = arguments.case or [""]
    cases = [case.name for case in CASES if any(part in case.name for part in parts)]
    resolve_localhost_names()
    versions = (
        f"zenml {zenml.__version__}, s3fs {s3fs.__version__}, botocore {botocore.__version__}"
    )
    print(versions)
    # a process a case: the CA is named in the environment, and s3fs keeps threads
    with multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        rows = []
        for row in pool.imap(judged, cases, chunksize=1):
            rows.append(row)
            print(f"{row['case']} ... {verdict(row) or 'as predicted'}", flush=True)
    lines = list(table(rows))
    wrong = [verdict(row) for row in rows]
    works = sum(1 for row in rows if row.get("run", "") is None)
    counts = {name: wrong.count(name) for name in ("FALSE PASS", "FALSE ALARM", "broken")}
    summary = (
        f"{len(rows)} stores, of which {works} work: {counts['FALSE PASS']} false passes, "
        f"{counts['FALSE ALARM']} false alarms, {counts['broken']} broken cases"
    )
    print("\n".join([*lines, summary]))
    if arguments.table is not None:
        head = "# What the check said, and what ZenML's own store did"
        made = "<!-- made by `tests/python/prediction_test.py --table FILE` -->"
        text = "\n".join([head, "", made, "", f"{versions}. {summary}.", "", *lines, ""])
        arguments.table.write_text(text, encoding="utf-8")
    good = (
        counts["FALSE PASS"] == 0
        and counts["broken"] == 0
        and counts["FALSE ALARM"] <= FALSE_ALARMS_ALLOWED * len(rows)
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
