"""Who may see and change a pipeline of deals."""

from __future__ import annotations

from typing import Any

from nimble_async.testing.call import Call, Refusal
from nimble_async.testing.nimble.refusals import forbidden, not_found
from nimble_async.testing.nimble.standing import PIPELINES

__all__ = ["own_pipeline", "visible"]

_INVISIBLE = frozenset(
    pipeline["document"]["pipeline_id"] for pipeline in PIPELINES if not pipeline["visible"]
)


def visible(call: Call, pipeline_id: str) -> bool:
    """Return whether the user of this account may see a pipeline."""
    return call.behaviour.offer_invisible or pipeline_id not in _INVISIBLE


def own_pipeline(call: Call) -> dict[str, Any]:
    """Return the pipeline in the path, to change it.

    Raises:
        Refusal: It is unknown (404), or the user may not see it (403).
    """
    pipeline = call.account.pipelines.get(call.ids["pipeline_id"])
    if pipeline is None:
        raise Refusal(not_found("pipeline", call.ids["pipeline_id"]))
    if not visible(call, pipeline["pipeline_id"]):
        raise Refusal(forbidden("change this pipeline"))
    return pipeline
