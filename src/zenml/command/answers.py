"""Answers what osstack asks of the ZenML of this environment: a question a line, in JSON.

Runs on every Python that ZenML 0.80 and newer run on. ZenML is imported at the first question
that needs it. Answers have the shape of ZenML's REST API.
"""

import sys

# what lies in the folder one stands in is no module
sys.path = [place for place in sys.path if place]

import json
import os

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


QUESTIONS = {
    one.__name__: one
    for one in (
        version,
        info,
        user,
        secret,
        components,
        component,
        stacks,
        stack,
        label_stack,
    )
}


def failed(error):
    kinds = [kind.__name__ for kind in type(error).__mro__]
    # the text of a KeyError is the repr of its only argument
    is_key = isinstance(error, KeyError) and error.args
    return {"error": {"kinds": kinds, "message": str(error.args[0] if is_key else error)}}


# bytes: JSON is UTF-8, whatever the locale is
for line in sys.stdin.buffer:
    try:
        asked = json.loads(line)
        answer = {"answer": QUESTIONS[asked.pop("ask")](**asked)}
    except Exception as error:
        answer = failed(error)
    print("osstack-answer:" + json.dumps(answer), file=answers, flush=True)
