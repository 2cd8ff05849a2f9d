"""OpenAPI documents (2 and 3, JSON or YAML) to a page with a section per operation.

Owns what of an operation a reader asks for: method and path, what it does, parameters and body as
tables, answers. Follows references inside the document, some levels deep.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ingest.blocks import Block, BlockKind, Page, decode, one_line, table
from ingest.formats.markdown import markdown_blocks
from ingest.pages import demoted, make_page
from ingest.spec import FormatSpec, Raw

MAX_OPERATIONS = 3_000
_DEPTH = 3  # of objects within objects
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_SIGN = re.compile(rb"(?:^|[{,\n])\s*[\"']?(?:openapi|swagger)[\"']?\s*:\s*[\"']?[23]\.")

Node = Mapping[str, Any]


def matches(raw: Raw) -> bool:
    """Tell whether the document says which OpenAPI it is."""
    return bool(_SIGN.search(raw.data))


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    api = _Api(_parsed(decode(raw.data, raw.charset)))
    info = _node(api.root.get("info"))
    blocks = demoted(markdown_blocks(str(info.get("description") or "")))
    for count, operation in enumerate(api.operations()):
        if count >= MAX_OPERATIONS:
            break
        blocks.extend(operation)
    front = {"title": str(info.get("title") or ""), "version": str(info.get("version") or "")}
    page = make_page(raw.path, blocks, front)
    return (page,) if page else ()


def _parsed(text: str) -> Node:
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"broken JSON or YAML: {one_line(str(error))[:200]}") from error
    return _node(data)


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is a safe one


class _Api:
    """A document whose references can be followed."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def operations(self) -> Iterator[list[Block]]:
        """Yield the blocks of each operation, in the document's order."""
        for path, item in _node(self.root.get("paths")).items():
            shared = self.resolved(item)
            for method in _METHODS:
                if isinstance(shared.get(method), dict):
                    yield self._operation(str(path), method, shared[method], shared)

    def resolved(self, node: Any) -> Node:
        """Return a node, or what it refers to within the document; {} for anything else."""
        for _hop in range(8):
            reference = _node(node).get("$ref")
            if not isinstance(reference, str):
                return _node(node)
            if not reference.startswith("#/"):
                return {}
            node = self.root
            for key in reference[2:].split("/"):
                node = _node(node).get(key.replace("~1", "/").replace("~0", "~"))
        return {}

    def _operation(self, path: str, method: str, operation: Node, shared: Node) -> list[Block]:
        call = f"{method.upper()} {path}"
        name = one_line(str(operation.get("summary") or operation.get("operationId") or ""))
        identifier = operation.get("operationId")
        blocks = [
            Block(
                BlockKind.HEADING,
                f"{name} ({call})" if name else call,
                level=2,
                anchor=str(identifier) if identifier else None,
            ),
            Block(BlockKind.CODE, call),
        ]
        if operation.get("deprecated") is True:
            blocks.append(Block(BlockKind.PARAGRAPH, "This operation is deprecated."))
        described = markdown_blocks(str(operation.get("description") or ""))
        blocks += [Block(BlockKind.PARAGRAPH, b.text) if b.level else b for b in described]
        given = [*_list(shared.get("parameters")), *_list(operation.get("parameters"))]
        blocks += self._parameters([self.resolved(each) for each in given])
        blocks += self._body(operation)
        blocks += self._answers(_node(operation.get("responses")))
        return blocks

    def _parameters(self, parameters: Sequence[Node]) -> list[Block]:
        latest = {(str(p.get("name")), str(p.get("in"))): p for p in parameters if p.get("name")}
        plain = [p for p in latest.values() if p.get("in") != "body"]
        rows = [
            [str(p["name"]), str(p.get("in") or ""), self._type(p), _required(p), self._said(p)]
            for p in plain
        ]
        body = [self.resolved(p.get("schema")) for p in latest.values() if p.get("in") == "body"]
        head = ["Parameter", "In", "Type", "Required", "Description"]
        return [*_table("Parameters:", head, rows), *self._fields(body[0] if body else {})]

    def _body(self, operation: Node) -> list[Block]:
        content = _node(self.resolved(operation.get("requestBody")).get("content"))
        first: Any = next(iter(content.values()), {})
        return self._fields(self.resolved(_node(first).get("schema")))

    def _fields(self, schema: Node) -> list[Block]:
        rows = list(self._properties(schema, "", _DEPTH))
        return _table("Request body:", ["Field", "Type", "Required", "Description"], rows)

    def _properties(self, schema: Node, prefix: str, depth: int) -> Iterator[list[str]]:
        for part in [schema, *(self.resolved(each) for each in _list(schema.get("allOf")))]:
            required = set(map(str, _list(part.get("required"))))
            for name, each in _node(part.get("properties")).items():
                field = self.resolved(each)
                whole = f"{prefix}{name}"
                needed = "yes" if name in required else "no"
                yield [whole, self._type(field), needed, self._said(field)]
                inner = self.resolved(field.get("items")) if "items" in field else field
                if depth > 1:
                    yield from self._properties(inner, f"{whole}.", depth - 1)

    def _type(self, node: Node) -> str:
        schema = self.resolved(node["schema"]) if "schema" in node else node
        kind = schema.get("type")
        name = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind or "")
        if name == "array":
            name = f"list of {self._type(self.resolved(schema.get('items'))) or 'values'}"
        shape = schema.get("format")
        return f"{name} ({shape})" if shape else name

    def _said(self, node: Node) -> str:
        schema = self.resolved(node["schema"]) if "schema" in node else node
        parts = [str(node.get("description") or schema.get("description") or "")]
        if values := _list(schema.get("enum")):
            parts.append("One of: " + ", ".join(map(str, values[:30])) + ".")
        for key, word in (("default", "Default"), ("minimum", "At least"), ("maximum", "At most")):
            if key in schema:
                parts.append(f"{word}: {schema[key]}.")
        return one_line(" ".join(part for part in parts if part))

    def _answers(self, responses: Node) -> list[Block]:
        rows = [
            [str(code), one_line(str(self.resolved(each).get("description") or ""))]
            for code, each in responses.items()
        ]
        return _table("Answers:", ["Status", "Meaning"], rows)


def _table(lead: str, head: list[str], rows: list[list[str]]) -> list[Block]:
    found = table([head, *rows], header=True) if rows else None
    return [Block(BlockKind.PARAGRAPH, lead), found] if found else []


def _required(parameter: Node) -> str:
    return "yes" if parameter.get("required") is True else "no"


def _node(value: Any) -> Node:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


FORMAT = FormatSpec(
    "openapi",
    (".json", ".yaml", ".yml"),
    read,
    media_types=(
        "application/json",
        "application/yaml",
        "application/x-yaml",
        "text/yaml",
        "application/vnd.oai.openapi",
        "application/vnd.oai.openapi+json",
    ),
    matches=matches,
    max_bytes=20_000_000,
)
