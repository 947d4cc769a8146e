"""boto3 and s3fs, set up as ZenML sets them up, against `osstack sandbox`.

The sandbox stands in for OSS: what ZenML's documentation prescribes must work
on it, and what OSS refuses must be refused with OSS's code.
"""

import contextlib
import io
import os
import sys
import traceback
import uuid

from sandbox import forget_the_machine, resolve_localhost_names, sandbox

forget_the_machine()

import boto3
import botocore
import s3fs
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024

# ZenML's page for Alibaba OSS
DOCUMENTED = {"signature_version": "s3", "s3": {"addressing_style": "virtual"}}
V4 = {"s3": {"addressing_style": "virtual"}}
V4_WHEN_REQUIRED = {
    **V4,
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def boto3_client(box, config, secret=None, **client_kwargs):
    return boto3.client(
        "s3",
        endpoint_url=box.endpoint,
        aws_access_key_id=box.key,
        aws_secret_access_key=secret or box.secret,
        config=Config(**config, retries={"total_max_attempts": 1}),
        **client_kwargs,
    )


def s3fs_client(box, config, **client_kwargs):
    """As zenml/integrations/s3/artifact_stores/s3_artifact_store.py makes it."""
    return s3fs.S3FileSystem(
        key=box.key,
        secret=box.secret,
        client_kwargs={"endpoint_url": box.endpoint, **client_kwargs},
        config_kwargs=config,
        skip_instance_cache=True,
        use_listings_cache=False,
    )


@contextlib.contextmanager
def refused(code, status=None):
    """The block must end in OSS's error `code`."""
    try:
        yield
    except ClientError as error:
        seen = error.response["Error"]["Code"]
        assert seen == code, f"{seen} instead of {code}: {error}"
        seen = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status in (None, seen), f"status {seen} instead of {status}"
    else:
        raise AssertionError(f"not refused; {code} was due")


def fresh():
    """A folder of its own for each test."""
    return f"python-clients/{uuid.uuid4().hex}"


def boto3_round_trip(client, bucket):
    folder = fresh()
    body = bytes(range(256)) * 40
    keys = [f"{folder}/{name}" for name in ("a b", "a+b", "sub/ü", "sub/中文", "x//y")]
    client.head_bucket(Bucket=bucket)
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=body)

    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=folder + "/", PaginationConfig={"PageSize": 2}
    )
    pages = [[item["Key"] for item in page["Contents"]] for page in pages]
    assert [len(page) for page in pages] == [2, 2, 1], pages
    assert sum(pages, []) == sorted(keys, key=str.encode), pages

    answer = client.get_object(Bucket=bucket, Key=keys[0], Range="bytes=10-19")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206, answer
    assert answer["Body"].read() == body[10:20]
    assert client.get_object(Bucket=bucket, Key=keys[3])["Body"].read() == body

    copy = folder + "/copy"
    client.copy_object(Bucket=bucket, Key=copy, CopySource={"Bucket": bucket, "Key": keys[3]})
    assert client.head_object(Bucket=bucket, Key=copy)["ContentLength"] == len(body)

    with refused("404", 404):
        client.head_object(Bucket=bucket, Key=folder + "/missing")
    with refused("NoSuchKey", 404):
        client.get_object(Bucket=bucket, Key=folder + "/missing")

    for key in [*keys, copy]:
        client.delete_object(Bucket=bucket, Key=key)
    assert client.list_objects_v2(Bucket=bucket, Prefix=folder + "/")["KeyCount"] == 0


def boto3_multipart(client, bucket):
    key = fresh() + "/large"
    body = os.urandom(12 * MIB)
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    client.upload_fileobj(io.BytesIO(body), bucket, key, Config=parts)
    head = client.head_object(Bucket=bucket, Key=key)
    assert head["ETag"].strip('"').endswith("-3"), head["ETag"]
    back = io.BytesIO()
    client.download_fileobj(bucket, key, back, Config=parts)
    assert back.getvalue() == body
    client.delete_object(Bucket=bucket, Key=key)


def s3fs_round_trip(fs, bucket):
    root = f"{bucket}/{fresh()}"
    fs.makedirs(root)
    assert not fs.exists(root + "/missing")
    with fs.open(root + "/step/out/data.json", "wb") as file:
        file.write(b'{"accuracy": 0.93}')
    assert fs.exists(root + "/step/out/data.json")
    assert fs.isdir(root + "/step/out")
    assert fs.info(root + "/step/out/data.json")["size"] == 18
    with fs.open(root + "/step/out/data.json", "rb") as file:
        file.seek(2)
        assert file.read(8) == b"accuracy"
    assert fs.cat_file(root + "/step/out/data.json", start=0, end=2) == b'{"'
    # as ZenML writes logs
    for line in (b"one\n", b"two\n"):
        with fs.open(root + "/logs/x.log", "ab") as file:
            file.write(line)
    assert fs.cat_file(root + "/logs/x.log") == b"one\ntwo\n"
    fs.copy(root + "/logs/x.log", root + "/logs/copy of x")
    assert [name.rsplit("/", 1)[1] for name in fs.ls(root + "/logs", detail=False)] == [
        "copy of x",
        "x.log",
    ]
    for name in fs.find(root):
        fs.rm_file(name)
    assert not fs.exists(root)


def s3fs_multipart(fs, bucket):
    path = f"{bucket}/{fresh()}/large"
    body = os.urandom(12 * MIB)
    with fs.open(path, "wb", block_size=5 * MIB) as file:
        # each write over the block size becomes a part
        file.write(body[: 6 * MIB])
        file.write(body[6 * MIB :])
    assert fs.info(path)["ETag"].strip('"').endswith("-2"), fs.info(path)
    assert fs.cat_file(path) == body
    # appending to what is large copies the old part on the server (UploadPartCopy)
    with fs.open(path, "ab", block_size=5 * MIB) as file:
        file.write(b"tail")
    assert fs.cat_file(path, start=-8, end=None) == body[-4:] + b"tail"
    fs.rm_file(path)


def s3fs_pages(fs, bucket):
    root = f"{bucket}/{fresh()}"
    fs.pipe({f"{root}/{number:04}": b"x" for number in range(1001)})
    names = fs.ls(root, detail=False)
    assert len(names) == 1001 and names[-1].endswith("/1000"), len(names)


def delete_objects_without_md5(client, bucket):
    key = fresh() + "/doomed"
    client.put_object(Bucket=bucket, Key=key, Body=b"x")
    with refused("MissingArgument", 400):
        client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    client.head_object(Bucket=bucket, Key=key)
    client.delete_object(Bucket=bucket, Key=key)


def s3fs_rename_leaves_the_original(fs, bucket):
    """ZenML's rename is a copy and a DeleteObjects, so on OSS both names remain."""
    root = f"{bucket}/{fresh()}"
    fs.pipe_file(root + "/old", b"x")
    try:
        fs.mv(root + "/old", root + "/new")
    except OSError:
        assert fs.exists(root + "/old") and fs.exists(root + "/new")
    else:
        raise AssertionError("not refused")
    fs.rm_file(root + "/old")
    fs.rm_file(root + "/new")


def path_style(client, bucket):
    with refused("SecondLevelDomainForbidden", 403):
        client.list_objects_v2(Bucket=bucket)
    with refused("SecondLevelDomainForbidden", 403):
        client.put_object(Bucket=bucket, Key=fresh(), Body=b"x")


def s3fs_path_style(fs, bucket):
    try:
        fs.ls(bucket)
    except OSError as error:
        assert "SecondLevelDomainForbidden" in str(error), error
    else:
        raise AssertionError("not refused")


def aws_chunked(client, bucket):
    client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    with refused("InvalidArgument", 400):
        client.put_object(Bucket=bucket, Key=fresh(), Body=b"x")


def wrong_secret(client, bucket):
    with refused("SignatureDoesNotMatch", 403):
        client.list_objects_v2(Bucket=bucket)
    with refused("SignatureDoesNotMatch", 403):
        client.put_object(Bucket=bucket, Key=fresh(), Body=b"x")


def cases(box):
    """Name, test and client of each case, for one sandbox."""
    scheme = "https" if box.is_https else "http"
    in_region = {"region_name": box.region}
    settings = [
        ("documented config", DOCUMENTED, {}),
        ("V4, when_required", V4_WHEN_REQUIRED, in_region),
    ]
    for name, config, kwargs in settings:
        clients = [
            (
                lambda c=config, k=kwargs: boto3_client(box, c, **k),
                (boto3_round_trip, boto3_multipart, delete_objects_without_md5),
            ),
            (lambda c=config, k=kwargs: boto3_client(box, c, secret="wrong", **k), (wrong_secret,)),
            (
                lambda c=config, k=kwargs: s3fs_client(box, c, **k),
                (s3fs_round_trip, s3fs_multipart, s3fs_rename_leaves_the_original),
            ),
        ]
        for client, tests in clients:
            for test in tests:
                yield f"{scheme}, {name}: {test.__name__}", test, client
    yield f"{scheme}, documented config: s3fs_pages", s3fs_pages, lambda: s3fs_client(box, DOCUMENTED)
    yield f"{scheme}, no config: path_style", path_style, lambda: boto3_client(box, {})
    yield f"{scheme}, no config: s3fs_path_style", s3fs_path_style, lambda: s3fs_client(box, {})
    if box.is_https:
        # over http botocore sends no aws-chunked, so the fault cannot be seen there
        yield f"{scheme}, V4: aws_chunked", aws_chunked, lambda: boto3_client(box, V4, **in_region)


def main():
    resolve_localhost_names()
    print(f"botocore {botocore.__version__}, boto3 {boto3.__version__}, s3fs {s3fs.__version__}")
    passed = failed = 0
    for options in ([], ["--tls"]):
        with sandbox(*options) as box:
            for name, test, client in cases(box):
                try:
                    test(client(), box.bucket)
                except Exception:
                    failed += 1
                    print(f"{name} ... FAILED", flush=True)
                    traceback.print_exc()
                else:
                    passed += 1
                    print(f"{name} ... ok", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
