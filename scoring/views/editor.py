"""The scoring editor: a model's rules as sentences, and what they would do."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.common.http import AppRequest
from scoring.access import may_read_model
from scoring.services import published_model


@may_read_model
@require_GET
def model(request: AppRequest) -> HttpResponse:
    """Show the model in force."""
    return render(request, "scoring/model.html", {"model": published_model()})
