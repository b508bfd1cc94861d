"""The stub and the examples, as type checkers see them; and the stub beside the module."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import lapwing

HERE = Path(__file__).parent.parent


def documented(body: "list[ast.stmt]") -> "dict[str, tuple[str | None, list[str]]]":
    """Docstring and parameters of each function and class of a stub."""
    found = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            arguments = [argument.arg for argument in node.args.args] if isinstance(node, ast.FunctionDef) else []
            found[node.name] = (ast.get_docstring(node), arguments)
    return found


def same_words(a: "str | None", b: "str | None") -> bool:
    """Whether two docstrings differ in line breaks alone."""
    return (a or "").split() == (b or "").split()


def test_the_stub_is_the_modules() -> None:
    tree = ast.parse((HERE / "lapwing.pyi").read_text(encoding="utf-8"))
    compared = 0
    assert same_words(ast.get_docstring(tree), lapwing.__doc__)
    pairs = [(documented(tree.body), lapwing)]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    pairs += [(documented(classes[name].body), getattr(lapwing, name)) for name in ("Sweep", "Range")]
    for stub, actual in pairs:
        for name, (text, arguments) in stub.items():
            # What a dictionary holds is said in the stub alone.
            if name in ("Point", "Row", "Summary", "__new__"):
                continue
            there = getattr(actual, name)
            assert same_words(text, there.__doc__), f"{name}: {text!r} and {there.__doc__!r}"
            if inspect.isroutine(there):
                assert arguments == list(inspect.signature(there).parameters), name
            compared += 1
        public = {name for name in vars(actual) if not name.startswith("_")} - {"lapwing"}
        assert public <= set(stub), public - set(stub)
    print(f"compared {compared} docstrings and signatures")
    assert compared >= 14


def test_types_are_right(tmp_path: Path) -> None:
    # The library behind the package, under its own name.
    (tmp_path / "allowed").write_text("lapwing.lapwing\n", encoding="utf-8")
    line = [sys.executable, "-m", "mypy.stubtest", "lapwing", "--allowlist", str(tmp_path / "allowed")]
    stub = subprocess.run(line, capture_output=True, text=True, check=False)
    assert stub.returncode == 0, stub.stdout + stub.stderr
    files = [str(path) for path in sorted((HERE / "examples").glob("*.py"))]
    options = ["--strict", "--ignore-missing-imports", "--cache-dir=/dev/null"]
    types = subprocess.run([sys.executable, "-m", "mypy", *options, *files], capture_output=True, text=True, check=False)
    assert types.returncode == 0, types.stdout + types.stderr
    print(stub.stdout.strip(), types.stdout.strip(), sep="\n")
