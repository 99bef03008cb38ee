"""The faults: which small changes of a file's syntax tree are worth making."""

import ast
from collections.abc import Iterator

_FLIPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}

_NO_DECISION = {"__repr__", "__all__"}


def changes(node: ast.AST, parent: ast.AST | None) -> Iterator[ast.AST]:
    """Every changed form of this node alone; its children are asked on their own."""
    match node:
        case ast.Compare():
            for index, op in enumerate(node.ops):
                ops = [*node.ops[:index], _flip(op), *node.ops[index + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(_flip(node.op), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in _FLIPPED and not (_is_text(node.left) or _is_text(node.right)):
            yield ast.BinOp(node.left, _flip(node.op), node.right)
        case ast.If() | ast.IfExp() | ast.While() if isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
            yield ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant():
            yield from _constants(node, parent)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(None)
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute()]) | ast.AugAssign(target=ast.Attribute()):
            yield ast.Pass()


def place(node: ast.AST) -> ast.AST:
    """The node whose text a change of `node` replaces: of a branch, its condition."""
    return node.test if isinstance(node, ast.If | ast.IfExp | ast.While) else node


def _constants(node: ast.Constant, parent: ast.AST | None) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(0 if value == 1 else value + 1)
    elif isinstance(value, str) and isinstance(parent, ast.Dict | ast.Subscript | _Word):
        yield ast.Constant(f"{value}-")


class _Word(ast.Assign):
    """A member of an enumeration."""


def children(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The parts in which a fault would be a decision's, each with its parent: no words for people, no types."""
    for name, part in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment", "format_spec", "bases"}:
            continue
        parent = node
        if isinstance(node, ast.Dict) and name == "values":
            parent = ast.Pass()  # only keys are a closed vocabulary
        for one in part if isinstance(part, list) else [part]:
            if isinstance(one, ast.AST) and not _is_left_out(one):
                yield one, parent
    if isinstance(node, ast.ClassDef) and any(_name(base).endswith("Enum") for base in node.bases):
        for one in node.body:
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant):
                yield one.value, _Word([], one.value)


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Assert():
            return True
        case ast.FunctionDef(name=name) if name in _NO_DECISION:
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _NO_DECISION:
            return True
        case ast.If(test=test) if "TYPE_CHECKING" in ast.unparse(test):
            return True
        case ast.Subscript(value=value) if _name(value) in {"Literal", "Annotated", "Callable", "cast"}:
            return True
        case ast.Call(func=func) if _name(func) in {"TypeVar", "NewType", "getLogger", "debug", "info"}:
            return True
    return False


def _flip(op: ast.AST) -> ast.AST:
    return _FLIPPED[type(op)]()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
