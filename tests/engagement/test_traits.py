from __future__ import annotations

from typing import Any

import pytest

from engagement.traits import lead_values


@pytest.mark.parametrize(
    ("traits", "values"),
    [
        ({"firstName": "Ada", "lastName": "Byron"}, {"first_name": "Ada", "last_name": "Byron"}),
        ({"name": "Ada King Byron"}, {"first_name": "Ada", "last_name": "King Byron"}),
        ({"company": {"name": "Engine Works"}}, {"company_name": "Engine Works"}),
        (
            {"company": "Engine Works", "title": "CTO"},
            {"company_name": "Engine Works", "title": "CTO"},
        ),
        ({"address": {"country": "GB", "city": "London"}}, {"country": "GB", "city": "London"}),
        ({"address": "1 Street", "phone": 4420, "lastName": True}, {"phone": "4420"}),
        ({"title": ["CTO"], "name": None}, {}),
    ],
)
def test_traits_become_columns_of_a_lead(traits: dict[str, Any], values: dict[str, str]) -> None:
    assert lead_values(email="a@example.com", traits=traits, properties={}) == {
        "email": "a@example.com",
        **values,
    }


def test_the_campaign_says_where_a_lead_came_from() -> None:
    campaign = {"source": "google", "medium": "cpc", "name": "autumn"}

    values = lead_values(email="a@example.com", traits={}, properties={"campaign": campaign})

    assert values == {
        "email": "a@example.com", "source": "google", "medium": "cpc", "campaign": "autumn"
    }  # fmt: skip
