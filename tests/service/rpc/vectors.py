"""What is sent and what must come back, one line each.

The same table is run against the core and over HTTP, with the limits of `LIMITS`.
"""

from __future__ import annotations

import json

from service.rpc.limits import Limits
from tests.service.rpc.vector import (
    BATCH,
    INTERNAL,
    METHOD,
    NESTING,
    PARAMS,
    PARSE,
    REQUEST,
    RESULT,
    batch,
    call,
    error,
    result,
    vector,
)

LIMITS = Limits(body_bytes=20_000, batch_items=5, nesting=8, result_bytes=2_000)

SPECIFICATION = [
    vector(
        "positional parameters",
        call('"method": "subtract", "params": [42, 23], "id": 1'),
        result(19, 1),
    ),
    vector(
        "positional parameters, the other way round",
        call('"method": "subtract", "params": [23, 42], "id": 2'),
        result(-19, 2),
    ),
    vector(
        "named parameters",
        call('"method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3'),
        result(19, 3),
    ),
    vector(
        "named parameters, the other way round",
        call('"method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4'),
        result(19, 4),
    ),
    vector("a notification", call('"method": "update", "params": [1,2,3,4,5]'), None),
    vector("a notification of no method", call('"method": "foobar"'), None),
    vector("no such method", call('"method": "foobar", "id": "1"'), error(METHOD, "1")),
    vector(
        "invalid JSON", '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', error(PARSE)
    ),
    vector("an invalid request", call('"method": 1, "params": "bar"'), error(REQUEST)),
    vector(
        "a batch of invalid JSON",
        "["
        + call('"method": "sum", "params": [1,2,4], "id": "1"')
        + ', {"jsonrpc": "2.0", "method"]',
        error(PARSE),
    ),
    vector("an empty batch", "[]", error(REQUEST)),
    vector("an invalid batch of one", "[1]", [error(REQUEST)]),
    vector("an invalid batch", "[1,2,3]", [error(REQUEST)] * 3),
    vector(
        "a mixed batch",
        batch(
            call('"method": "sum", "params": [1,2,4], "id": "1"'),
            call('"method": "notify_hello", "params": [7]'),
            '{"foo": "boo"}',
            call('"method": "foo.get", "params": {"name": "myself"}, "id": "5"'),
            call('"method": "get_data", "id": "9"'),
        ),
        [result(7, "1"), error(REQUEST), error(METHOD, "5"), result(["hello", 5], "9")],
    ),
    vector(
        "a batch of notifications",
        batch(
            call('"method": "notify_sum", "params": [1,2,4]'),
            call('"method": "notify_hello", "params": [7]'),
        ),
        None,
    ),
]

# Whether a text can be read at all. None of them asks for anything but an error.
_UNREADABLE_TEXTS: dict[str, str | bytes] = {
    "nothing": b"",
    "only white space": b" \t\r\n",
    "half an object": b'{"jsonrpc": "2.0"',
    "a trailing comma in an object": call('"method": "sum", "id": 1,'),
    "a trailing comma in an array": b"[1,]",
    "two texts": b"{} {}",
    "a comment": b"/* */ {}",
    "single quotes": b"{'jsonrpc': '2.0'}",
    "a name without quotes": b'{jsonrpc: "2.0"}',
    "a byte order mark": b"\xef\xbb\xbf" + call('"method": "sum", "id": 1').encode(),
    "UTF-16": call('"method": "sum", "id": 1').encode("utf-16"),
    "a vertical tab as white space": b"\x0b{}",
    "a NUL after the text": call('"method": "sum", "id": 1').encode() + b"\x00",
    "Latin-1": call('"method": "gr\xf6\xdfe", "id": 1').encode("latin-1"),
    "an overlong encoding": b'"\xc0\xaf"',
    "a surrogate encoded as UTF-8": b'"\xed\xa0\x80"',
    "a lone high surrogate": call('"method": "\\ud800", "id": 1'),
    "a lone low surrogate": call('"method": "\\udc00 and more", "id": 1'),
    "surrogates in the wrong order": call('"method": "\\udc00\\ud800", "id": 1'),
    "a line break in a string": b'"a\nb"',
    "an unknown escape": b'"\\x41"',
    "NaN": call('"method": "echo", "params": [NaN], "id": 1'),
    "Infinity": call('"method": "echo", "params": [Infinity], "id": 1'),
    "minus Infinity": call('"method": "echo", "params": [-Infinity], "id": 1'),
    "a number beyond a double": call('"method": "echo", "params": [1e400], "id": 1'),
    "an integer of 5,000 digits": call(f'"method": "echo", "params": [{"9" * 5000}], "id": 1'),
    "a leading zero": b"[01]",
    "a leading plus": b"[+1]",
    "a number that ends in a point": b"[1.]",
    "a hexadecimal number": b"[0x1F]",
    "capital TRUE": b"[TRUE]",
    "a member twice": call('"method": "update", "method": "echo", "id": 1'),
    "a parameter twice": call('"method": "echo", "params": {"a": 1, "a": 1}, "id": 1'),
    "a parameter twice, once escaped": call(
        '"method": "echo", "params": {"a": 1, "\\u0061": 1}, "id": 1'
    ),
}
UNREADABLE = [
    vector(f"unreadable: {name}", body, error(PARSE)) for name, body in _UNREADABLE_TEXTS.items()
]

# JSON, but no request: each member of every wrong type, and the id that can still be told.
NO_REQUEST = [
    vector("no request: null", "null", error(REQUEST)),
    vector("no request: true", "true", error(REQUEST)),
    vector("no request: a number", "17", error(REQUEST)),
    vector("no request: a string", '"echo"', error(REQUEST)),
    vector("no request: an empty object", "{}", error(REQUEST)),
    vector("no request: a batch in a batch", "[[]]", [error(REQUEST)]),
    vector("no version", '{"method": "echo", "id": 1}', error(REQUEST, 1)),
    vector("version 1.0", '{"jsonrpc": "1.0", "method": "echo", "id": 1}', error(REQUEST, 1)),
    vector("version as number", '{"jsonrpc": 2.0, "method": "echo", "id": 1}', error(REQUEST, 1)),
    vector("version null", '{"jsonrpc": null, "method": "echo", "id": 1}', error(REQUEST, 1)),
    vector("no method", call('"id": 1'), error(REQUEST, 1)),
    vector("no method and no id", call('"params": []'), error(REQUEST)),
    vector("method null", call('"method": null, "id": 1'), error(REQUEST, 1)),
    vector("method a number", call('"method": 1, "id": "x"'), error(REQUEST, "x")),
    vector("method true", call('"method": true, "id": 1'), error(REQUEST, 1)),
    vector("method an array", call('"method": ["echo"], "id": 1'), error(REQUEST, 1)),
    vector("method an object", call('"method": {}, "id": 1'), error(REQUEST, 1)),
    vector("params null", call('"method": "echo", "params": null, "id": 1'), error(REQUEST, 1)),
    vector("params text", call('"method": "echo", "params": "a", "id": 1'), error(REQUEST, 1)),
    vector("params a number", call('"method": "echo", "params": 0, "id": 1'), error(REQUEST, 1)),
    vector("params false", call('"method": "echo", "params": false, "id": 1'), error(REQUEST, 1)),
    vector("no notification: params text", call('"method": "echo", "params": "a"'), error(REQUEST)),
    vector("id true", call('"method": "echo", "id": true'), error(REQUEST)),
    vector("id false", call('"method": "echo", "id": false'), error(REQUEST)),
    vector("id an array", call('"method": "echo", "id": [1]'), error(REQUEST)),
    vector("id an object", call('"method": "echo", "id": {}'), error(REQUEST)),
    vector("all wrong", '{"jsonrpc": 2, "method": 1, "params": 1, "id": []}', error(REQUEST)),
    vector("names in capitals", '{"JSONRPC": "2.0", "METHOD": "echo", "ID": 1}', error(REQUEST)),
]

# Ids of every kind come back as they were sent.
IDS = [
    vector(f"id {text[:30]}", call(f'"method": "update", "id": {text}'), result(None, id_))
    for text, id_ in {
        "null": None,
        "0": 0,
        "-1": -1,
        "1.0": 1.0,
        "1.5": 1.5,
        "-0.25": -0.25,
        "1e3": 1000.0,
        "9007199254740993": 2**53 + 1,
        "18446744073709551616": 2**64,
        "-170141183460469231731687303715884105728": -(2**127),
        '""': "",
        '"1"': "1",
        '"null"': "null",
        '"\\u00e4\\ud83d\\ude00"': "ä😀",
        '"\\u0000"': "\x00",
        '"\\"\\\\/"': '"\\/',
        f'"{"i" * 300}"': "i" * 300,
    }.items()
]

# Values pass through unchanged, however they are written.
VALUES = [
    vector(
        f"params {text[:40]}",
        call(f'"method": "echo", "params": {text}, "id": 1'),
        result(json.loads(text)),
    )
    for text in [
        "[]",
        "{}",
        '{"": ""}',
        "[null, true, false, 0, -0.5, 1e-7]",
        "[123456789012345678901234567890]",
        '["\\u0000\\u001f\\u007f", "é", "e\\u0301", "\\ud83d\\udc04", "🐄"]',
        '["{\\"a\\": [}", "]]]]]]]]]][[[[[[[[[[", "\\\\", "\\\\\\"", ":::"]',
        '{"a": {"a": {"a": 1}}}',
        '{"a": 1, "A": 2, "ä": 3}',
        '["\\u2028\\u2029</script>"]',
    ]
]

CALLS = [
    vector("no params", call('"method": "echo", "id": 1'), result(None)),
    vector("unknown members are ignored", call('"method": "sum", "id": 1, "x": {}'), result(0)),
    vector("the empty method name", call('"method": "", "id": 1'), result("the empty name")),
    vector("a method name beyond ASCII", call('"method": "größe", "id": 1'), result("ü")),
    vector("a method name in escapes", call('"method": "\\u0073um", "id": 1'), result(0)),
    vector("method names are case sensitive", call('"method": "Sum", "id": 1'), error(METHOD, 1)),
    vector(
        "white space everywhere",
        ' \r\n\t{ "jsonrpc" :\n"2.0" , "method":"sum","params" : [ 1 , 2 ] ,"id":1 }\n\n',
        result(3),
    ),
    vector("wrong params", call('"method": "subtract", "params": [1], "id": 1'), error(PARAMS, 1)),
    vector("a crash", call('"method": "crash", "id": 1'), error(INTERNAL, 1)),
    vector("an unencodable result", call('"method": "unencodable", "id": 1'), error(INTERNAL, 1)),
    vector("values refused", call('"method": "values", "id": 1'), error(1000, 1)),
    vector("a record that is not there", call('"method": "not_found", "id": 1'), error(1100, 1)),
    vector("a constraint", call('"method": "conflict", "id": 1'), error(1200, 1)),
    vector("no database", call('"method": "unavailable", "id": 1'), error(-32000, 1)),
]

NOTIFICATIONS = [
    vector("a notification that crashes", call('"method": "crash"'), None),
    vector("a notification with wrong params", call('"method": "subtract", "params": []'), None),
    vector("a notification with no encodable result", call('"method": "unencodable"'), None),
    vector(
        "a batch keeps the order of its requests",
        batch(*(call(f'"method": "echo", "params": [{n}], "id": {n}') for n in (3, 1, 2))),
        [result([3], 3), result([1], 1), result([2], 2)],
    ),
    vector(
        "a batch with the same id twice answers both",
        batch(*[call('"method": "sum", "id": 1')] * 2),
        [result(0), result(0)],
    ),
    vector("a batch of one", "[" + call('"method": "sum", "id": 1') + "]", [result(0)]),
    vector(
        "a batch of a notification and an invalid request",
        "[" + call('"method": "update"') + ", 0]",
        [error(REQUEST)],
    ),
    vector(
        "a batch whose first call crashes goes on",
        batch(*(call(f'"method": "{name}", "id": 1') for name in ("crash", "sum"))),
        [error(INTERNAL, 1), result(0)],
    ),
    vector(
        "a null id in a batch is answered",
        "[" + call('"method": "sum", "id": null') + "]",
        [result(0, None)],
    ),
]

LIMITED = [
    vector(
        "as deep as allowed",
        call(f'"method": "echo", "params": {"[" * 7}{"]" * 7}, "id": 1'),
        result([[[[[[[]]]]]]]),
    ),
    vector(
        "too deep", call(f'"method": "echo", "params": {"[" * 8}{"]" * 8}, "id": 1'), error(NESTING)
    ),
    vector("far too deep", "[" * 19_000, error(NESTING)),
    vector("objects too deep", '{"a":' * 3_000, error(NESTING)),
    vector(
        "brackets in strings are no nesting",
        call(f'"method": "echo", "params": ["{"[" * 50}"], "id": 1'),
        result(["[" * 50]),
    ),
    vector(
        "as many calls as allowed",
        batch(*[call('"method": "sum", "id": 1')] * 5),
        [result(0)] * 5,
    ),
    vector("too many calls", batch(*[call('"method": "sum", "id": 1')] * 6), error(BATCH)),
    vector("too many notifications", batch(*[call('"method": "sum"')] * 6), error(BATCH)),
    vector("too many of anything", "[1,1,1,1,1,1]", error(BATCH)),
    vector(
        "a result too large",
        call(f'"method": "echo", "params": ["{"x" * 2_000}"], "id": 1'),
        error(RESULT, 1),
    ),
    vector(
        "the results of a batch together too large",
        batch(
            *(call(f'"method": "echo", "params": ["{"x" * 900}"], "id": {n}') for n in (1, 2, 3))
        ),
        [result(["x" * 900], 1), result(["x" * 900], 2), error(RESULT, 3)],
    ),
]

VECTORS = [
    *SPECIFICATION,
    *UNREADABLE,
    *NO_REQUEST,
    *IDS,
    *VALUES,
    *CALLS,
    *NOTIFICATIONS,
    *LIMITED,
]
