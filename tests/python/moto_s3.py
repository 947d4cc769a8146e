"""moto's S3 alone: `moto_s3.py PORT`.

`moto_server` reads from the Authorization header which service a request is for, and takes an
S3 V2 signature that holds four slashes by chance (about one of a thousand) for the scope of another
service: the answer is status 500. With one service there is nothing to guess.
"""

import sys

from moto.moto_server.werkzeug_app import create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import run_simple

run_simple(
    "127.0.0.1",
    int(sys.argv[1]),
    create_backend_app("s3"),
    threaded=True,
    request_handler=MotoRequestHandler,
)
