"""A journal keeps what is done through a kill."""

from analysis.training.journal import Journal, key_of


def test_what_was_added_is_there_again(tmp_path):
    Journal(tmp_path / "j").add({"a": 1}, {"test": [0.5]}, 2.0)
    again = Journal(tmp_path / "j")
    assert {"a": 1} in again
    assert {"a": 2} not in again
    assert again[{"a": 1}] == {"test": [0.5]}
    assert again.seconds({"a": 1}) == 2.0


def test_a_line_cut_short_is_passed_over_and_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "j"
    first = Journal(path)
    first.add({"a": 1}, {}, 0)
    first.add({"a": 2}, {}, 0)
    path.write_bytes(path.read_bytes()[:-9])
    cut = Journal(path)
    assert {"a": 1} in cut
    assert {"a": 2} not in cut
    cut.add({"a": 3}, {}, 0)
    cut.add({"a": 4}, {}, 0)
    assert [{"a": k} in Journal(path) for k in (1, 2, 3, 4)] == [True, False, True, True]


def test_a_configuration_is_known_whatever_the_order_of_its_keys():
    assert key_of({"a": 1, "b": [2, 3]}) == key_of({"b": [2, 3], "a": 1})
    assert key_of({"a": 1, "b": [2, 3]}) != key_of({"a": 1, "b": [3, 2]})
