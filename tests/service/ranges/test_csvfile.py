"""Ranges as CSV."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import ValueRefused
from service.ranges.csvfile import MOST_PROBLEMS, Entry, read, write
from service.ranges.errors import FileRefused
from service.ranges.values import Purpose
from tests.service.ranges.small import SPACES, block, within


def lines(text: str) -> io.StringIO:
    """A file that is read as Python's csv module wants it."""
    return io.StringIO(text, newline="")


def refused(text: str) -> list[tuple[int, str]]:
    """The problems of a file: lines and codes."""
    with pytest.raises(FileRefused) as error:
        read(lines(text))
    return [(problem.line, problem.code) for problem in error.value.problems]


def test_a_file_is_read_in_its_order() -> None:
    """Columns in any order, blank lines, a byte order mark, blanks around values."""
    text = (
        "\ufeffPurpose, node ,cidr\r\n"
        "pool,berlin, 10.0.0.0/16 \r\n"
        "\r\n"
        " , ,\r\n"
        "serves,paris,2001:db8::/32"
    )
    assert read(lines(text)) == [
        Entry("berlin", block("10.0.0.0/16"), Purpose.POOL, "", 2),
        Entry("paris", block("2001:db8::/32"), Purpose.SERVES, "", 5),
    ]


def test_a_line_may_stand_for_several_ranges() -> None:
    """All of them with its note."""
    text = (
        'node,cidr,purpose,note\na,"10.0.0.1,9",admin,"two, ""old"" ones"\nb,10.1-2.*.*,serves,\n'
    )
    found = [(str(each.block), each.note, each.line) for each in read(lines(text))]
    assert found == [
        ("10.0.0.1/32", 'two, "old" ones', 2),
        ("10.0.0.9/32", 'two, "old" ones', 2),
        ("10.1.0.0/16", "", 3),
        ("10.2.0.0/16", "", 3),
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Each with its line; a line may have several."""
    text = (
        "node,cidr,purpose\n"
        "a,10.0.0.0/16,pool\n"
        ",10.0.0.1/16,Pool\n"
        "b,10.0.3.0/24,pool\n"
        "a,10.0.0.0/16,pool\n"
        "a,10.0.0.0/16\n"
        "a,0.0.0.0/0,admin\n"
        "a,0.0.0.0/0,serves\n"
    )
    assert refused(text) == [
        (3, "range.node"),
        (3, "range.purpose"),
        (3, "range.host_bits"),
        (4, "range.taken"),
        (5, "range.twice"),
        (5, "range.taken"),
        (6, "range.columns"),
        (7, "range.everything"),
    ]


def test_problems_say_where_and_what() -> None:
    """A line each, as a person reads them."""
    text = "node,cidr,purpose\na,10/8,pool\na,10.1.0.0/16,pool\nb,10.0.0.0/8,pool\n,10.9.0.0/16,x\n"
    with pytest.raises(FileRefused) as error:
        read(lines(text))
    assert str(error.value).splitlines() == [
        "line 2: 10/8 is abbreviated; write 10.0.0.0/8",
        "line 4: 10.0.0.0/8, pool of b: line 3 has 10.1.0.0/16, pool of a",
        "line 5: no node is named; write which node the range is for",
        "line 5: there is no purpose x; write one of serves, peers, pool, admin",
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("node;cidr;purpose", "values are not separated by commas"),
        ("node,cidr", "purpose is missing"),
        ("node,cidr,purpose,note,node", "node is there twice"),
        ("node,cidr,purpose,weight", "there is no column weight"),
        ("berlin,10.0.0.0/8,pool", "there is no column berlin"),
    ],
)
def test_a_file_without_its_columns_is_refused_as_a_whole(header: str, message: str) -> None:
    """One problem, which says what the first line has to be."""
    with pytest.raises(FileRefused) as error:
        read(lines(f"{header}\nberlin,10.0.0.1/8,no\n" if header.strip() else header))
    assert len(error.value.problems) == 1
    assert message in str(error.value)
    assert "node,cidr,purpose and perhaps note" in str(error.value)


def test_what_is_no_csv_is_told_with_its_line() -> None:
    """Along with what is wrong before it."""
    text = 'node,cidr,purpose,note\na,10/8,pool,\na,10.0.0.0/8,pool,"not closed\na,b,c,d\n'
    assert refused(text) == [(2, "range.abbreviated"), (3, "range.csv")]
    long = f"node,cidr,purpose\n{'x' * 200_000},10.0.0.0/8,pool\n"
    assert refused(long) == [(2, "range.csv")]


def test_a_record_over_several_lines_is_told_by_its_first() -> None:
    """As an editor shows it; those behind it too."""
    text = 'node,cidr,purpose,note\na,10/8,pool,"one\ntwo\nthree"\na,11/8,pool,\n'
    assert refused(text) == [(2, "range.abbreviated"), (5, "range.abbreviated")]


def test_a_file_with_a_great_many_problems_tells_the_first_ones() -> None:
    """And how many there are beyond."""
    text = "node,cidr,purpose\n" + "a,10/8,pool\n" * 1_000
    with pytest.raises(FileRefused) as error:
        read(lines(text))
    assert len(error.value.problems) == MOST_PROBLEMS
    assert error.value.more == 1_000 - MOST_PROBLEMS
    assert str(error.value).endswith("\nand 950 more")


def test_a_file_gives_no_more_ranges_than_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few its lines are."""
    monkeypatch.setattr("service.ranges.csvfile.MOST_RANGES", 5)
    text = 'node,cidr,purpose\na,"10.0.0.1,3,5,7,9",pool\n'
    assert len(read(lines(text))) == 5
    assert refused(text + "a,10.1.0.0/16,pool\na,11/8,pool\n") == [(3, "range.too_many")]


def test_the_caller_may_refuse_ranges_too() -> None:
    """Its refusals are told among the others."""

    def known(entry: Entry) -> None:
        if entry.node != "a":
            raise ValueRefused("node.unknown", f"there is no node {entry.node}")

    with pytest.raises(FileRefused) as error:
        read(lines("node,cidr,purpose\nb,10.0.0.0/8,pool\na,10/8,pool\n"), known)
    assert [each.code for each in error.value.problems] == ["node.unknown", "range.abbreviated"]


def test_everything_may_be_asked_for() -> None:
    """For every purpose."""
    text = "node,cidr,purpose\na,0.0.0.0/0,pool\na,::/0,admin\n"
    assert refused(text) == [(2, "range.everything"), (3, "range.everything")]
    assert len(read(lines(text), everything=True)) == 2


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = words.map(str.strip).filter(bool)
blocks = st.sampled_from(SPACES).flatmap(within)
entries = st.tuples(names, blocks, st.sampled_from(Purpose), words).map(lambda four: Entry(*four))


@settings(deadline=None)
@given(st.lists(entries, max_size=6, unique_by=lambda each: each.block))
def test_what_is_written_reads_as_it_was(given_out: list[Entry]) -> None:
    """Any node and any note, with whatever signs."""
    one_node = [each._replace(node=given_out[0].node) for each in given_out]
    found = read(lines("".join(write(one_node))))
    assert [each._replace(line=0) for each in found] == one_node
