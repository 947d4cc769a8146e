"""What the users of a stack do with ZenML: the other half of acceptance_test.py.

Reads calls as JSON from stdin, `[[VERB, ARGUMENT...], ...]`, does them in this order and ends with
their answers. Nothing of ZenML is replaced here: server and stack come from its configuration.
"""

import json
import subprocess
import sys
from typing import Annotated

import numpy
import pandas
from zenml import log_metadata, pipeline, save_artifact, step
from zenml.cli.login import connect_to_server
from zenml.client import Client
from zenml.types import HTMLString

ROWS = 5000
MARK = "answer:"
PRUNE = ["zenml", "artifact", "prune", "--yes"]


class Threshold:
    """A model that no materializer knows: ZenML pickles it."""

    def __init__(self, limit):
        self.limit = limit

    def predict(self, features):
        return [bool(row[0] > self.limit) for row in features]


def table(number):
    """The rows of a run, which no other run has."""
    random = numpy.random.default_rng(number)
    return pandas.DataFrame({"number": number, "value": random.random(ROWS)})


def page(number):
    return f"<h1>Run {number}</h1><p>Größe: 100 %</p>"


@step
def load(
    number: int,
) -> tuple[Annotated[dict, "settings"], Annotated[pandas.DataFrame, "frame"]]:
    print(f"run {number} has {ROWS} rows")
    return {"number": number, "labels": ["a b", "中文"], "rate": 0.5}, table(number)


@step
def measure(frame: pandas.DataFrame) -> Annotated[numpy.ndarray, "features"]:
    return frame[["value"]].to_numpy()


@step
def train(settings: dict, features: numpy.ndarray) -> Annotated[Threshold, "model"]:
    log_metadata({"rows": len(features)})
    return Threshold(settings["rate"])


@step
def describe(settings: dict, model: Threshold) -> Annotated[HTMLString, "report"]:
    assert model.predict([[0.6], [0.4]]) == [True, False]
    return HTMLString(page(settings["number"]))


@pipeline(enable_cache=False)
def acceptance(number: int):
    settings, frame = load(number)
    model = train(settings, measure(frame))
    describe(settings, model)


def login(url, key):
    connect_to_server(url, api_key=key)


def active():
    return Client().active_stack_model.name


def run(number):
    acceptance.with_options(run_name=f"acceptance-{number}")(number)


def versions():
    """All that ZenML lists: each version with where its data lies."""
    listed = Client().list_artifact_versions(size=1000, hydrate=True).items
    return {
        f"{one.artifact.name}:{one.version}": {
            "id": str(one.id), "uri": one.uri, "type": str(one.type),
            "run": str(one.producer_pipeline_run_id),
        }
        for one in listed
    }  # fmt: skip


def read(name, number):
    """Takes from the store what the run `name` wrote, and fails unless it is what `number` is."""
    steps = Client().get_pipeline_run(name).steps
    settings, frame, features, model, report = (
        steps[step].outputs[output][0].load()
        for step, output in [
            ("load", "settings"), ("load", "frame"), ("measure", "features"),
            ("train", "model"), ("describe", "report"),
        ]
    )  # fmt: skip
    expected = table(number)
    assert settings == {"number": number, "labels": ["a b", "中文"], "rate": 0.5}, settings
    pandas.testing.assert_frame_equal(frame, expected)
    assert numpy.array_equal(features, expected[["value"]].to_numpy()), features
    assert model.limit == 0.5, model
    assert str(report) == page(number), report


def save(*names):
    """Artifacts beside any pipeline: no run uses them."""
    for name in names:
        save_artifact({"name": name}, name)


def delete_run(name):
    Client().delete_pipeline_run(name)


def delete(version, where):
    """Deletes a version's data and metadata as ZenML does it: how that failed, or nothing."""
    name, number = version.split(":")
    try:
        Client().delete_artifact_version(
            name, number, delete_from_artifact_store=True, server_side=where == "server"
        )
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def prune():
    """The command that the check names: how that failed, or nothing."""
    ended = subprocess.run(PRUNE, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return None if ended.returncode == 0 else ended.stdout + ended.stderr


VERBS = {verb.__name__: verb for verb in [
    login, active, run, versions, read, save, delete_run, delete, prune,
]}  # fmt: skip

if __name__ == "__main__":
    answers = [VERBS[verb](*arguments) for verb, *arguments in json.load(sys.stdin)]
    print(f"\n{MARK}{json.dumps(answers)}")
