"""rclone and s5cmd against `osstack sandbox`, over http and https.

Both are written in Go and share nothing with the clients of sandbox_test.py. Each case says what
OSS makes of what the client sends; where it is refused, the sentence says why.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import uuid

from localhost_proxy import localhost_proxy
from sandbox import forget_the_machine, sandbox

forget_the_machine()

MIB = 1024 * 1024
SECONDS = 120
PROGRAMS = pathlib.Path(sys.executable).parent
ODD = ("a b", "a+b", "100%", "a%25b", "sub/中文.bin", "🙂", "it's \"so\"", "#1?x=&y")


class Refused(Exception):
    """The program failed; its words."""


class Client:
    """A program with its settings in the environment, which is all it knows of the machine."""

    def __init__(self, program, box, proxy, folder, **settings):
        self.program, self.box, self.folder = PROGRAMS / program, box, folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            **settings,
        }

    def __call__(self, *arguments, given=b""):
        done = subprocess.run(
            [self.program, *arguments],
            env=self.environment, input=given, capture_output=True, timeout=SECONDS, check=False,
        )
        if done.returncode != 0:
            raise Refused((done.stderr + done.stdout).decode(errors="replace"))
        return done.stdout

    def file(self, content):
        path = self.folder / uuid.uuid4().hex
        path.write_bytes(content)
        return str(path)


def rclone(box, proxy, folder, provider="Alibaba", secret=None, **settings):
    """Its provider Alibaba means virtual-hosted addressing, Other means path style."""
    ca = {"RCLONE_CA_CERT": box.ca} if box.is_https else {}
    return Client(
        "rclone", box, proxy, folder,
        RCLONE_CONFIG=os.devnull,
        RCLONE_CONFIG_BOX_TYPE="s3",
        RCLONE_CONFIG_BOX_PROVIDER=provider,
        RCLONE_CONFIG_BOX_ENDPOINT=box.endpoint,
        RCLONE_CONFIG_BOX_REGION=box.region,
        RCLONE_CONFIG_BOX_ACCESS_KEY_ID=box.key,
        RCLONE_CONFIG_BOX_SECRET_ACCESS_KEY=secret or box.secret,
        RCLONE_LOW_LEVEL_RETRIES="1",
        RCLONE_RETRIES="1",
        **ca, **settings,
    )


def s5cmd(box, proxy, folder):
    ca = {"AWS_CA_BUNDLE": box.ca} if box.is_https else {}
    return Client(
        "s5cmd", box, proxy, folder,
        S3_ENDPOINT_URL=box.endpoint,
        AWS_REGION=box.region,
        AWS_ACCESS_KEY_ID=box.key,
        AWS_SECRET_ACCESS_KEY=box.secret,
        **ca,
    )


def refused(run, *words):
    """The call must fail, and say these words."""
    try:
        run()
    except Refused as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"{missing} not in: {error}"
    else:
        raise AssertionError(f"not refused; {words} was due")


def root(box, remote):
    return f"{remote}{box.bucket}/other-clients/{uuid.uuid4().hex}"


def rclone_round_trip(run):
    at = root(run.box, "box:")
    body = bytes(range(256)) * 40
    for name in ODD:
        run("copyto", run.file(body), f"{at}/{name}")
    listed = run("lsf", "--recursive", "--files-only", at).decode().splitlines()
    assert sorted(listed) == sorted(ODD), listed
    assert run("cat", f"{at}/{ODD[0]}") == body
    assert run("cat", "--offset", "10", "--count", "10", f"{at}/{ODD[1]}") == body[10:20]
    assert b'"Size":10240' in run("lsjson", f"{at}/{ODD[2]}")
    # on the server
    run("copyto", f"{at}/{ODD[4]}", f"{at}/copy of it")
    assert run("cat", f"{at}/copy of it") == body
    run("moveto", f"{at}/copy of it", f"{at}/moved")
    # what is not there is an empty folder to rclone
    assert run("cat", f"{at}/copy of it") == b""
    run("deletefile", f"{at}/moved")
    run("delete", at)
    assert run("lsf", "--recursive", at) == b""


def rclone_pages(run):
    at = root(run.box, "box:")
    folder = run.folder / uuid.uuid4().hex
    folder.mkdir()
    names = [f"{number:02}" for number in range(25)]
    for name in names:
        (folder / name).write_bytes(name.encode())
    run("copy", str(folder), at)
    listed = run("lsf", "--s3-list-chunk", "10", "--s3-list-version", "2", at)
    assert listed.decode().split() == names, listed
    run("check", str(folder), at)
    run("delete", at)
    assert run("lsf", at) == b""


def rclone_multipart(run):
    at = root(run.box, "box:")
    body = os.urandom(12 * MIB)
    parts = ("--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi")
    run("copyto", *parts, run.file(body), f"{at}/large")
    assert run("cat", f"{at}/large") == body
    left = run("backend", "list-multipart-uploads", f"box:{run.box.bucket}")
    assert at.split("/", 1)[1].encode() not in left, left
    run("deletefile", f"{at}/large")


def rclone_lists_buckets(run):
    assert run.box.bucket in run("lsf", "box:").decode(), run("lsf", "box:")


def rclone_path_style_is_refused(run):
    """OSS takes the bucket in front of the host only."""
    refused(lambda: run("lsf", f"box:{run.box.bucket}"), "SecondLevelDomainForbidden")


def rclone_wrong_secret_is_refused(run):
    refused(lambda: run("lsf", f"box:{run.box.bucket}"), "SignatureDoesNotMatch")


def rclone_v2_is_refused(run):
    """With --s3-v2-auth rclone writes its Date in "UTC" where HTTP, and OSS's documentation, have
    "GMT". (Whether OSS itself minds was not tried.)"""
    refused(lambda: run("lsf", "box:"), "requires a valid Date")
    refused(lambda: run("lsf", f"box:{run.box.bucket}"), "requires a valid Date")


def s5cmd_lists_buckets(run):
    assert run.box.bucket in run("ls").decode(), run("ls")


def s5cmd_is_refused(run):
    """s5cmd puts the bucket into the path wherever the endpoint is not AWS's or Google's, and has
    no setting for it: OSS refuses every call on a bucket."""
    at = root(run.box, "s3://")
    path_style = "SecondLevelDomainForbidden"
    refused(lambda: run("ls", f"s3://{run.box.bucket}/"), path_style)
    refused(lambda: run("cp", run.file(b"x"), f"{at}/x"), path_style)
    refused(lambda: run("cp", run.file(os.urandom(6 * MIB)), f"{at}/large"), path_style)
    # a HEAD's answer has no body, so no code
    refused(lambda: run("cat", f"{at}/x"), "403")
    refused(lambda: run("rm", f"{at}/x"), path_style)
    refused(lambda: run("rm", f"{at}/x", f"{at}/y"), path_style)


def cases(box, proxy, folder):
    """Name and run of each case, for one sandbox."""
    scheme = "https" if box.is_https else "http"
    run = rclone(box, proxy, folder)
    for test in (rclone_round_trip, rclone_pages, rclone_multipart, rclone_lists_buckets):
        yield f"{scheme}: {test.__name__}", test, run
    others = [
        (rclone_wrong_secret_is_refused, {"secret": "wrong-secret-of-30-letters-abcd"}),
        (rclone_path_style_is_refused, {"provider": "Other"}),
        (rclone_v2_is_refused, {"RCLONE_S3_V2_AUTH": "true"}),
    ]
    for test, settings in others:
        yield f"{scheme}: {test.__name__}", test, rclone(box, proxy, folder, **settings)
    for test in (s5cmd_lists_buckets, s5cmd_is_refused):
        yield f"{scheme}: {test.__name__}", test, s5cmd(box, proxy, folder)


def main():
    parts = sys.argv[1:] or [""]
    for program in (["rclone", "version"], ["s5cmd", "version"]):
        said = subprocess.run([PROGRAMS / program[0], program[1]], capture_output=True, check=True)
        print(program[0], said.stdout.decode().split("\n", 1)[0])
    passed = failed = 0
    for options in ([], ["--tls"]):
        with (
            sandbox(*options) as box,
            localhost_proxy() as proxy,
            tempfile.TemporaryDirectory() as folder,
        ):
            for name, test, run in cases(box, proxy, pathlib.Path(folder)):
                if not any(part in name for part in parts):
                    continue
                try:
                    test(run)
                except Exception:
                    failed += 1
                    print(f"{name} ... FAILED", flush=True)
                    traceback.print_exc()
                else:
                    passed += 1
                    print(f"{name} ... ok", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
