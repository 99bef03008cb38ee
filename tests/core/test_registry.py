"""Named clients."""

import pytest

from omnidb_cli import ConfigurationError, OmnidbError, Registry, UnknownConnectionError


def test_clients_come_back_as_they_were_given_in_their_order() -> None:
    first, second = object(), object()
    registry = Registry({"b": first, "a": second})
    assert list(registry) == ["b", "a"]
    assert registry["b"] is first
    assert (len(registry), "a" in registry, "c" in registry, 5 in registry) == (2, True, False, False)


def test_an_unknown_name_is_a_key_error_of_our_tree_with_the_nearest_name() -> None:
    registry = Registry({"primary": 1, "replica": 2})
    for ask in (registry.__getitem__, registry.require):
        with pytest.raises(UnknownConnectionError) as caught:
            ask("primry")
        assert isinstance(caught.value, KeyError)
        assert isinstance(caught.value, OmnidbError)
        assert str(caught.value) == 'no connection named "primry"'
        assert caught.value.hint == 'did you mean "primary"?'
        assert (caught.value.name, caught.value.known) == ("primry", ("primary", "replica"))


@pytest.mark.parametrize("clients", [{}, {"": 1}, {"  ": 1}, {"a": None}, {None: 1}, {5: 1}], ids=repr)
def test_nothing_blank_names_and_no_client_are_refused(clients: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Registry(clients)


def test_falsy_clients_are_clients() -> None:
    assert Registry({"a": 0, "b": ""})["a"] == 0


def test_a_later_change_of_the_callers_mapping_is_not_seen() -> None:
    given: dict[str, object] = {"a": 1}
    registry = Registry(given)
    given["b"] = 2
    assert list(registry) == ["a"]
