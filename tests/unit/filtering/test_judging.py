from __future__ import annotations

import pickle
import random
from types import SimpleNamespace

import pytest

from notebook_mux import errors, filtering
from notebook_mux.filtering import Column, Filter, Known, complete, regexes
from notebook_mux.filtering.keys import natural_key
from tests.unit.filtering.world import VECTORS, WORLDS


def fault(row):
    return row.fault


TEXTS = [text for group in ("judged", "mistakes", "completed") for _, text, *_ in VECTORS[group]]


@pytest.mark.parametrize(("world", "text", "wanted"), VECTORS["judged"])
def test_rows_that_pass(world, text, wanted):
    made = Filter(text, WORLDS[world].columns, several=WORLDS[world].several, fault=fault)
    assert [row.name for row in WORLDS[world].rows if made.passes(row)] == wanted


@pytest.mark.parametrize(("world", "text", "wanted"), VECTORS["mistakes"])
def test_mistakes_at_their_places(world, text, wanted):
    made = Filter(text, WORLDS[world].columns, several=WORLDS[world].several, fault=fault)
    assert [list(mistake) for mistake in made.mistakes] == wanted
    if wanted:
        with pytest.raises(errors.BadFilter) as caught:
            filtering.checked(text, WORLDS[world].columns)
        assert (caught.value.start, caught.value.end) == tuple(wanted[0][:2])


@pytest.mark.parametrize(("world", "text", "start", "end", "wanted"), VECTORS["completed"])
def test_what_may_follow(world, text, start, end, wanted):
    cursor = text.index("|")
    known = Known(WORLDS[world].columns, WORLDS[world].rows)
    found = complete(text.replace("|", "", 1), cursor, known)
    assert (found.start, found.end, [list(candidate) for candidate in found.candidates]) == (start, end, wanted)


@pytest.mark.parametrize("text", [text for _, text, mistakes in VECTORS["mistakes"] if not mistakes])
def test_what_is_no_mistake(text):
    filtering.checked(text, WORLDS["pods"].columns)


def test_a_long_cell_is_looked_at_as_far_as_that_ends_in_time():
    whole, twice = regexes.translated("b"), regexes.translated(".*a.*b")
    assert whole.search("a" * 100_000 + "b")
    assert 100 <= twice.most < 1000
    assert twice.search("x" * (twice.most - 2) + "ab")
    assert twice.search("x" * (twice.most - 1) + "ab") is None


def test_the_old_words_are_as_they_were():
    """Words that a row has, and ``!`` before those that it has not: what filters were before."""

    def old(text: str, row: SimpleNamespace) -> bool:
        whole = "\n".join(map(filtering.text_of, [*row.cells, row.namespace, row.cluster])).lower()
        words = text.lower().split()
        return all((w[1:] not in whole) if w[0] == "!" and len(w) > 1 else w in whole for w in words)

    rng = random.Random(1)
    pieces = "web api 1/1 running - !run !web ! crash 10.1 <none> _ . -0 (2m ago) 3 prod-eu é"
    for _ in range(300):
        text = " ".join(rng.choices(pieces.split(), k=rng.randint(0, 4)))
        made = filtering.checked(text, WORLDS["pods"].columns)
        for row in WORLDS["pods"].rows:
            assert made.passes(row) is old(text, row), text


LONG = ("version>1.2", "version>1.%s", "-l app>%s", "/x{%s}/", "age>%sy", "version=%s", "age>1h")


@pytest.mark.parametrize("text", LONG)
def test_numbers_of_more_digits_than_python_reads(text):
    digits = "9" * 5000
    row = SimpleNamespace(
        cells=[f"1.{digits}", f"{digits}d"], ages={}, cluster="c", namespace="n", name="x", labels={"app": digits}
    )
    made = Filter(text.replace("%s", digits), [Column("Version"), Column("Age")])
    made.passes(row)
    natural_key(row.cells[1], "Age")


def test_whatever_is_typed_nothing_else_is_raised():
    """Each beginning of each known filter, and what fingers make of them."""
    rng = random.Random(7)
    signs = "=!<>~,*\"'/\\()[]{}|+?.:-_%$^ \t\u00a0abn1m/i0éß\u0130\U0001f600"
    known = {name: Known(world.columns, world.rows) for name, world in WORLDS.items()}
    for text in TEXTS:
        slips = [text[: rng.randrange(len(text) + 1)]]
        for _ in range(6):
            at = rng.randrange(len(text) + 1)
            slips.append(text[:at] + "".join(rng.choices(signs, k=rng.randint(1, 3))) + text[at + rng.randint(0, 2) :])
        for slip in slips:
            for name, world in WORLDS.items():
                made = Filter(slip, world.columns, several=world.several, fault=fault)
                passed = [made.passes(row) for row in world.rows]
                assert len(passed) == len(world.rows)
                for start, end, what, todo, _ in made.mistakes:
                    assert 0 <= start <= end <= len(slip), slip
                    assert what
                    assert todo
                if made.mistakes:
                    filtering.refusal(slip, made.mistakes[0]).lines()
                cursor = rng.randrange(len(slip) + 1)
                found = complete(slip, cursor, known[name])
                assert 0 <= found.start <= found.end <= cursor


def test_a_candidate_is_never_a_mistake_of_its_own():
    """What the completion offers is at worst not yet through."""
    for world, text, start, end, candidates in VECTORS["completed"]:
        plain = text.replace("|", "", 1)
        for candidate, *_ in candidates:
            accepted = plain[:start] + candidate + plain[end:]
            mistakes = Filter(accepted, WORLDS[world].columns).mistakes
            assert all(mistake.open for mistake in mistakes), accepted


def test_columns_that_are_not_known_yet():
    made = filtering.checked("cpu>200m status=Running web")
    row = WORLDS["pods"].rows[0]
    assert not made.passes(row)
    assert filtering.checked("name=web-0 -n prod").passes(row)


def test_faults_are_a_switch_and_a_word():
    rows = WORLDS["pods"].rows
    columns = WORLDS["pods"].columns
    by_switch = [row.name for row in rows if Filter("web", columns, faults=True, fault=fault).passes(row)]
    by_word = [row.name for row in rows if Filter("web --faults", columns, fault=fault).passes(row)]
    assert by_switch == by_word == ["web-1", "web-10"]
    assert not Filter("", columns)
    assert Filter("", columns, faults=True)


def test_a_title_that_comes_twice_is_the_first():
    columns = [Column("Name"), Column("My Key"), Column("my-key")]
    row = SimpleNamespace(cluster="", namespace="", name="a", cells=["a", "x", "y"], ages={}, labels={}, fault=False)
    assert Filter("MY_KEY=x", columns).passes(row)
    assert not Filter("mykey=y", columns).passes(row)


def test_the_error_shows_the_place():
    with pytest.raises(errors.BadFilter) as caught:
        filtering.checked("web cpuu>200m", WORLDS["pods"].columns)
    assert caught.value.lines() == [
        "BadFilter: there is no column cpuu to compare",
        "  web cpuu>200m",
        "      ^^^^",
        "  next: did you mean CPU?",
    ]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.lines() == caught.value.lines()
    assert isinstance(again, errors.InvalidArgument)


def test_the_error_of_a_long_line_shows_what_is_around_the_place():
    with pytest.raises(errors.BadFilter) as caught:
        filtering.checked("x " * 500 + "cpu> " + "y " * 500, WORLDS["pods"].columns)
    shown, caret = caught.value.lines()[1:3]
    assert len(shown) < 140
    assert shown[: caret.index("^")].endswith("cpu>")


def test_an_expression_that_would_take_for_ever_is_refused_and_others_end():
    rows = [SimpleNamespace(cluster="", namespace="", name="", cells=["a" * 300], ages={}, labels={}, fault=False)]
    for text in ("/(a+)+$/", "/(a|aa)*b/", "/(a?a?)*b/", "/(a{1,9}){20}b/", "/((a+)b?)*c/", "/(a|aa){30}b/"):
        assert Filter(text).mistakes, text
    for text in ("/(\\d{1,3}\\.){3}\\d{1,3}/", "/(ab)+c/", "/(web|api)-[a-z0-9]+$/", "/^a*a*b/", "/(x[0-9]{2})*y/"):
        made = filtering.checked(text)
        assert not made.passes(rows[0])
