"""`logout`: a saved login leaves this machine."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.render import say
from nimble_async.cli.settings import Settings

__all__ = ["logout"]


async def logout(*, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """Remove a saved login from this machine: the profile `default`, or the one of --profile.

    The vendor describes no way to end a token or a key from here, so one that somebody else holds stays
    good as long as the vendor takes it.
    """
    if settings.output is not None:
        raise UsageError("logout writes no data, so --output does not apply.")
    from nimble_async.stores.profiles import forget

    place = settings.place
    if not await forget(place):
        say(f"There is no saved login {place.name!r} of {settings.vendor.title} here.")
        return Exit.FAILED
    say(f"The saved login {place.name!r} of {settings.vendor.title} is removed from this machine.")
    say(
        f"{settings.vendor.title} describes no call that ends a key or token: "
        "one that somebody else holds stays good until it is withdrawn there."
    )
    if settings.environment.get(settings.vendor.key):
        say(f"{settings.vendor.key} is still set, and is what commands use.")
    return Exit.DONE
