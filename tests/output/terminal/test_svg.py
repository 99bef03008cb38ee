"""The picture of a table."""

from xml.etree.ElementTree import fromstring

from omnidb_cli.output.terminal.svg import export_svg
from omnidb_cli.output.views.status import status_document
from tests.output.scenes import shop


def test_the_picture_is_svg_and_fetches_nothing() -> None:
    svg = export_svg(status_document(shop()), title="omnidb status")
    assert fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "unhealthy" in svg
    assert "url(http" not in svg
    assert "https://" not in svg


def test_the_same_status_makes_the_same_picture() -> None:
    document = status_document(shop())
    assert export_svg(document, title="a") == export_svg(document, title="a")
