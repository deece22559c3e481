import socket

import pytest

from crm.embedded.ports import HeldPort, hold_port


def test_a_port_in_use_on_either_loopback_address_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as rival:
        taken = rival.getsockname()[1]
        assert number_of(taken) > taken
    with socket.create_server(("::1", taken), family=socket.AF_INET6):
        assert number_of(taken) > taken
    assert number_of(taken) == taken


def test_port_zero_means_any_port() -> None:
    assert number_of(0) >= 1024


def test_nobody_else_gets_a_port_before_it_is_released() -> None:
    with hold_port(0) as held:
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", held.number))
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("::1", held.number), family=socket.AF_INET6)
        assert number_of(held.number) > held.number

        held.release()
        socket.create_server(("127.0.0.1", held.number)).close()
        held.release()


def test_a_port_taken_on_the_second_address_is_left_free_on_the_first() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as rival:
        taken = rival.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            HeldPort(taken)
        socket.create_server(("127.0.0.1", taken)).close()


def number_of(first: int) -> int:
    with hold_port(first) as held:
        return held.number
