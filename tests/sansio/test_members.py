from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.members import members_of
from nimble_async.errors import MalformedResponse


@pytest.mark.parametrize(
    ("data", "members"),
    [
        (b"{}", {}),
        (b'{"a":1,"a":2}', {"a": b"2"}),
        (b'{"a":"\xff"}', {"a": b'"\xff"'}),
        (b'{"\xff":1}', {"\udcff": b"1"}),
        (
            b'\t{ "\xff" : [1, "\xfe"] ,\n"b\xe9\\u20ac" :\r{"x":"}"} } ',
            {"\udcff": b'[1, "\xfe"]', "b\udce9€": b'{"x":"}"}'},
        ),
        (b'{"\xe2\x82\xac":1,"\xff":1.50,"\xff":-0}', {"€": b"1", "\udcff": b"-0"}),
    ],
)  # fmt: skip
def test_members_keep_their_bytes(data, members):
    """Every member is found by its name, whatever its bytes are, with its own JSON as it came."""
    assert {name: bytes(value) for name, value in members_of(data).items()} == members


@pytest.mark.parametrize("name", [b"a", b"\xff"])
@pytest.mark.parametrize(
    "form",
    [
        b'{"%s":1',
        b'{"%s":1,}',
        b'{"%s" 1}',
        b'{"%s":1}x',
        b'{"%s":1,2:3}',
        b'{"%s":\x01}',
        b'{"%s":',
        b'["%s"]',
    ],
)
def test_what_is_no_object_is_refused(name, form):
    """What is no object raises MalformedResponse with the bytes, whether or not its names are UTF-8."""
    data = form % name
    with pytest.raises(MalformedResponse, match="no JSON object") as caught:
        members_of(data)
    assert caught.value.body == data


def test_nothing_is_called_so():
    """An empty body is named as such, and depth is no way to break it."""
    with pytest.raises(MalformedResponse, match="the body is empty"):
        members_of(b"")
    with pytest.raises(MalformedResponse, match="no JSON object"):
        members_of(b'{"\xff":' + b"[" * 100_000)


@given(st.dictionaries(st.binary(max_size=4), st.integers() | st.text(max_size=5), max_size=4))
def test_names_of_any_bytes_come_back(found):
    """A name of any bytes gives these bytes back."""
    odd = {name: value for name, value in found.items() if not set(name) & {*range(32), 34, 92}}
    rows = b",".join(b'"%s":%s' % (name, msgspec.json.encode(value)) for name, value in odd.items())
    members = members_of(b"{" + rows + b"}")
    assert {
        name.encode("utf-8", "surrogateescape"): msgspec.json.decode(data) for name, data in members.items()
    } == odd
