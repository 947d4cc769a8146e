"""Answers what osstack asks of the ZenML of this environment: a question a line, in JSON.

Runs on every Python that ZenML 0.80 and newer run on. ZenML is imported at the first question
that needs it. Answers have the shape of ZenML's REST API.
"""

import sys

# what lies in the folder one stands in is no module
sys.path = [place for place in sys.path if place]

import json
import os
import signal

# nobody asks any more: make room. Whoever asks again starts another
IDLE_SECONDS = 300

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
# whatever else speaks here speaks to stderr
os.dup2(2, 1)


def client():
    from zenml.client import Client

    return Client()


def shown(model):
    return model.model_dump(mode="json")


def everything(method, **filters):
    page, found = 1, []
    while True:
        answer = method(page=page, size=500, hydrate=True, **filters)
        found += answer.items
        if page >= answer.total_pages:
            return found
        page += 1


def version():
    from importlib import metadata

    return metadata.version("zenml")


def info():
    return shown(client().zen_store.get_store_info())


def user():
    return shown(client().active_user)


def secret(name=None, id=None):
    from uuid import UUID

    if id is None:
        named = everything(client().list_secrets, name="equals:" + name)
        # the public one is what a store gets where both are there
        named.sort(key=lambda one: one.private)
        if not named:
            return None
        id = named[0].id
    one = client().zen_store.get_secret(UUID(str(id)))
    answer = shown(one)
    # older ones put stars in place of the values
    answer["body"]["values"] = {
        key: None if value is None else value.get_secret_value()
        for key, value in one.get_body().values.items()
    }
    return answer


def components(kind=None, name=None):
    filters = {}
    if kind:
        filters["type"] = kind
    if name:
        filters["name"] = "equals:" + name
    return [shown(one) for one in everything(client().list_stack_components, **filters)]


def component(id):
    from uuid import UUID

    return shown(client().zen_store.get_stack_component(UUID(id)))


def stacks(name=None, component=None):
    from uuid import UUID

    filters = {}
    if name:
        filters["name"] = "equals:" + name
    if component:
        filters["component_id"] = UUID(component)
    return [shown(one) for one in everything(client().list_stacks, **filters)]


def stack(id):
    from uuid import UUID

    return shown(client().zen_store.get_stack(UUID(id)))


def label_stack(id, labels):
    """Sets labels of a stack, and takes away those of null."""
    client().update_stack(id, labels=labels)


# of each list of the REST API: the filter, and what the store calls listing and reading
LISTS = {
    "runs": ("PipelineRunFilter", "list_runs", "get_run"),
    "steps": ("StepRunFilter", "list_run_steps", "get_run_step"),
    "artifact_versions": (
        "ArtifactVersionFilter",
        "list_artifact_versions",
        "get_artifact_version",
    ),
    "model_version_artifacts": (
        "ModelVersionArtifactFilter",
        "list_model_version_artifact_links",
        None,
    ),
    "projects": ("ProjectFilter", "list_projects", "get_project"),
}


def listed(of, query, number=1, size=1):
    from zenml import models

    name, method, _ = LISTS[of]
    kind = getattr(models, name)
    hydrate = query.get("hydrate") == "true"
    # as the REST API: what a filter does not know is ignored
    known = {field: value for field, value in query.items() if field in kind.model_fields}
    if "project" in kind.model_fields and "project" not in known:
        known["project"] = client().active_project.id
    filters = kind(page=number, size=size, **known)
    return getattr(client().zen_store, method)(filters, hydrate=hydrate)


def page(of, query, number, size):
    return shown(listed(of, query, number, size))


def found(of, id):
    from uuid import UUID

    return getattr(client().zen_store, LISTS[of][2])(UUID(id))


def one(of, id):
    return shown(found(of, id))


def entries(text):
    """Lines of a log, as the REST API has them."""
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if line.strip():
            yield entry if isinstance(entry, dict) else {"message": line}


def logs(of, id, source):
    from zenml.stack import StackComponent

    owner = found(of, id)
    # older ones have one log
    known = getattr(owner, "log_collection", None) or [owner.logs]
    known = [log for log in known if log and getattr(log, "source", source) == source]
    if not known:
        raise KeyError("no such log was found")
    log = known[0]
    store = StackComponent.from_model(
        client().zen_store.get_stack_component(log.artifact_store_id)
    )
    # a step that was cached, or broke off early, may name one that nobody wrote
    if not store.exists(log.uri):
        return []
    # where nothing can be appended to, a log is a folder of files
    paths = [log.uri]
    if store.isdir(log.uri):
        paths = [os.path.join(log.uri, name) for name in sorted(store.listdir(log.uri))]
    read = []
    for path in paths:
        with store.open(path, "rb") as file:
            read += entries(file.read().decode("utf-8", "replace"))
    return read


def delete_artifact_version(id):
    """What the REST API does with delete_metadata and without delete_from_artifact_store."""
    version = found("artifact_versions", id)
    query = {"id": id, "only_unused": "true"}
    # older ones have the project alone
    project = getattr(version, "project_id", None) or version.project.id
    if not listed("artifact_versions", dict(query, project=project)).items:
        raise ValueError("it is used in runs: delete these first")
    client().zen_store.delete_artifact_version(version.id)


def types():
    from zenml.enums import StackComponentType

    return [kind.value for kind in StackComponentType]


def flavors(kind=None):
    filters = {"type": kind} if kind else {}
    return [shown(one) for one in everything(client().list_flavors, **filters)]


QUESTIONS = {
    question.__name__: question
    for question in (
        version,
        info,
        user,
        secret,
        components,
        component,
        stacks,
        stack,
        label_stack,
        page,
        one,
        logs,
        delete_artifact_version,
        types,
        flavors,
    )
}


def failed(error):
    kinds = [kind.__name__ for kind in type(error).__mro__]
    # the text of a KeyError is the repr of its only argument
    is_key = isinstance(error, KeyError) and error.args
    return {"error": {"kinds": kinds, "message": str(error.args[0] if is_key else error)}}


# bytes: JSON is UTF-8, whatever the locale is
signal.alarm(IDLE_SECONDS)
for line in sys.stdin.buffer:
    signal.alarm(0)
    try:
        asked = json.loads(line)
        answer = {"answer": QUESTIONS[asked.pop("ask")](**asked)}
    except Exception as error:
        answer = failed(error)
    print("osstack-answer:" + json.dumps(answer), file=answers, flush=True)
    signal.alarm(IDLE_SECONDS)
