from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from crm.common.singly import do_singly

pytestmark = pytest.mark.django_db


def run(failures: dict[str, Exception]) -> tuple[list[str], list[str]]:
    """Do four rows, some of which fail; return which were done and which were given up."""
    done: list[str] = []
    given_up: list[str] = []

    def do(row: str) -> None:
        if row in failures:
            raise failures[row]
        done.append(row)

    try:
        do_singly("abcd", do, give_up=lambda row, _: given_up.append(row))
    except OperationalError:
        given_up.append("the round")
    return done, given_up


def test_a_row_that_fails_keeps_no_other() -> None:
    assert run({"a": ValueError(), "b": ValueError()}) == (["c", "d"], ["a", "b"])


def test_slow_rows_with_others_between_are_the_rows_fault() -> None:
    slow = OperationalError("canceling statement due to statement timeout")
    assert run({"a": slow, "c": slow}) == (["b", "d"], ["a", "c"])


def test_two_slow_rows_in_a_row_are_the_databases_fault() -> None:
    slow = OperationalError("canceling statement due to lock timeout")
    assert run({"b": slow, "c": slow}) == (["a"], ["b", "c", "the round"])


@pytest.mark.django_db(transaction=True)
def test_no_row_is_given_up_for_a_connection_that_is_gone() -> None:
    given_up: list[str] = []

    def lose_the_connection(_row: str) -> None:
        connection.close()
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        do_singly("ab", lose_the_connection, give_up=lambda row, _: given_up.append(row))

    assert given_up == []
