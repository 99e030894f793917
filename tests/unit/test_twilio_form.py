"""A form's pairs are read as the standard library reads them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.inbound.webhooks.twilio.form import MOST_FIELDS, pairs_of

PIECES = st.sampled_from(
    ["a", "Body", "=", "&", "%", "+", "%2B", "%C3%A9", "%ff", "é", "\x00", "%0", "\u2028", ";"]
)
FORMS = st.lists(PIECES, max_size=30).map("".join).map(str.encode) | st.binary(max_size=40)


@settings(max_examples=500)
@given(FORMS)
@example(b"&".join([b"a=b"] * MOST_FIELDS))
@example(b"&".join([b"a=b"] * (MOST_FIELDS + 1)))
def test_pairs_are_those_of_parse_qsl(raw: bytes) -> None:
    def by_the_library() -> list[tuple[str, str]]:
        return parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)

    def read(how: object) -> object:
        try:
            return how()  # type: ignore[operator]
        except ValueError:
            return "refused"

    assert read(lambda: pairs_of(raw)) == read(by_the_library)
