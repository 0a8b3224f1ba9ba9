"""Relations of a Word document to what is outside of it.

A link that a reader clicks stays. Everything that a reader's program would fetch by itself, such as a template or a
picture on another machine, is taken out: a translated document comes from the product, so its readers trust it.
"""

from __future__ import annotations

from typing import Any

from handlers.batch.documents.word_package import parse_xml

ENDING = ".rels"
MAX_BYTES = 10_000_000
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_SCHEMES = ("http://", "https://", "mailto:")
# A place that nothing is fetched from. The relation itself stays, because the document names it.
_NOWHERE = "about:blank"


def without_outside_files(content: bytes, name: str) -> tuple[bytes, int]:
    """Take relations to outside files out of a part of relations.

    Parameters
    ----------
    content
        The part.
    name
        Its name, for messages.

    Returns
    -------
    The part, unchanged where nothing had to be taken out, and how many relations were.

    Raises
    ------
    DocumentError
        It is damaged.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    tree = parse_xml(content, name)
    outside = [relation for relation in tree.iter(_RELATION) if _is_outside_file(relation)]
    if not outside:
        return content, 0
    for relation in outside:
        relation.set("Target", _NOWHERE)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True), len(outside)


def _is_outside_file(relation: Any) -> bool:
    if relation.get("TargetMode", "").lower() != "external":
        return False
    target = relation.get("Target", "").strip().lower()
    is_link = relation.get("Type", "").endswith("/hyperlink")
    # A place inside the document, and a link that was taken out before.
    if target in ("", _NOWHERE) or (is_link and target.startswith("#")):
        return False
    return not (is_link and target.startswith(_SCHEMES))
