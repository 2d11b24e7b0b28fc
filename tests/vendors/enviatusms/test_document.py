"""The table in ``docs/vendors/enviatusms.md`` leaves out nothing that the vendor's document states."""

from __future__ import annotations

import importlib
from pathlib import Path

import attrs
import pytest

from mensasdk.vendors import enviatusms

TABLE = (Path(__file__).parents[3] / "docs" / "vendors" / "enviatusms.md").read_text(encoding="utf-8")

# Taken from the vendor's document, not from our models.
STATED = {
    "/balance": ["status", "sms", "balance"],
    "/sms-multi": [
        *("numeros", "texto", "permitir_duplicados"),
        *("status", "campaign_id", "msg", "ignored", "sms_contenido", "id"),
    ],
    "/sms-costo": [
        *("numeros", "texto", "permitir_duplicados"),
        *("precio_usd", "numeros_validos", "numeros_invalidos", "cantidad_mensajes"),
    ],
    "/campaign": [
        *("id", "status", "message_text", "created_at", "send_at", "approved", "cancelled", "from_api"),
        *("stats", "total_numbers", "total_sms", "pending", "delivered", "failed"),
        *("numbers_stats", "mobile_number", "processed"),
        *("shortlink_stats", "short_url", "orig_url", "total_clicks", "unique_clicks", "total_views"),
        "location_unique_clicks",
    ],
    "/acortar-url": ["link", "success", "error", "orig_link", "link_no_protocol", "id"],
}


@pytest.mark.parametrize(
    ("function", "name"), [(function, name) for function, names in STATED.items() for name in names]
)
def test_the_table_has_a_row_for_each_name_of_the_document(function: str, name: str) -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("|") and f"`{name}`" in line and ".py::" in line]
    assert any(function in row or "| all |" in row for row in rows)


@pytest.mark.parametrize("code", [0, 1, 4, 7])
def test_the_table_has_each_status_of_a_number(code: int) -> None:
    assert any(f"`{code}`" in line for line in TABLE.splitlines() if "NumberStatus" in line and ".py::" in line)


def test_the_table_has_each_name_that_the_models_read_or_write() -> None:
    names = {
        name
        for module in ("requests", "models")
        for loaded in [importlib.import_module(f"mensasdk.vendors.enviatusms.{module}")]
        for public in loaded.__all__
        for attribute in attrs.fields(getattr(loaded, public))
        for name in attribute.metadata.get("mensasdk.wire", ())
    }
    assert names >= {"numeros", "creditos", "location_unique_clicks"}
    assert {name for name in names if f"`{name}`" not in TABLE} == set()


@pytest.mark.parametrize("name", enviatusms.__all__)
def test_everything_public_is_documented(name: str) -> None:
    assert (getattr(enviatusms, name).__doc__ or "").strip()


@pytest.mark.parametrize("name", ["get_balance", "send_sms", "quote", "get_campaign", "shorten_url"])
def test_each_method_of_the_contract_exists_and_names_the_vendors_function(name: str) -> None:
    documented = getattr(enviatusms.EnviaTuSmsClient, name).__doc__ or ""
    assert any(function in documented for function in STATED)
