"""Style as a test: layers, lengths, banned words, what an import costs, examples that run."""

import ast
import doctest
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import petcore

ROOT = Path(__file__).parents[1]
CSRC = sorted(
    path for path in (ROOT / "csrc").rglob("*") if path.suffix in {".h", ".hpp", ".cpp", ".inc"}
)
PYTHON = sorted((ROOT / "python" / "petcore").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "bench").rglob("*.py"))

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# A folder may include folders of lower rank and itself; siblings do not include each other.
RANK = {
    "base": 0,
    "simd": 1,
    "bits": 2,
    "ring": 2,
    "prg": 2,
    "group": 3,
    "hash": 3,
    "fss": 4,
    "oprf": 4,
    "net": 5,
    "ot": 6,
    "psi": 7,
    "correlation": 7,
    "protocol": 8,
    "session": 9,
    "bindings": 10,
}
NET_MAY_USE = {"base", "hash", "net"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def over(*paths: Path) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make one test of a check of many files; it names each that fails."""

    def one_test(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            wrong = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as error:
                    wrong.append(f"{name(path)}: {error}")
            assert paths
            assert not wrong, "\n".join(wrong)

        return test

    return one_test


def folder(path: Path) -> str:
    return path.relative_to(ROOT / "csrc").parts[0]


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.MULTILINE)


@over(*CSRC)
def test_includes_point_down(path):
    here = folder(path)
    assert here in RANK, f"csrc/{here} has no rank; give it one in {Path(__file__).name}"
    for target in includes(path):
        there = target.split("/")[0]
        assert (ROOT / "csrc" / target).is_file(), f"{target}: write includes relative to csrc/"
        assert there == here or RANK[there] < RANK[here], f"{here}/ must not include {target}"
        assert here != "net" or there in NET_MAY_USE, f"net/ must not include {target}"


@over(*CSRC)
def test_only_bindings_know_pybind11_and_python(path):
    if folder(path) != "bindings":
        assert not re.search(r"pybind11|Python\.h|PyGIL", path.read_text())


@over(*(p for p in CSRC if p.suffix == ".h"))
def test_a_header_is_guarded_and_says_what_it_is_for(path):
    text = path.read_text()
    assert "#pragma once" in text
    assert text.startswith("// "), "begin with a comment: the concept that this file holds"


@over(*CSRC, *PYTHON, *TESTS)
def test_a_file_is_short_enough_to_read(path):
    lines = path.read_text().count("\n")
    assert lines <= FILE_LINES_MAX, f"{lines} lines; a file holds one concept"


@over(*PYTHON, *TESTS)
def test_a_python_function_fits_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.body[0].lineno + 1
            if ast.get_docstring(node):
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


@over(*CSRC)
def test_a_cpp_function_fits_a_screen(path):
    for line, lines in cpp_functions(path.read_text()):
        assert lines <= FUNCTION_LINES_MAX, f"the function at line {line} has {lines} lines"


def cpp_functions(text: str) -> Iterator[tuple[int, int]]:
    """Yield line and length of every braced body that is neither a scope nor control flow."""
    text = re.sub(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^[ \t]*#(?:\\\n|[^\n])*',
        lambda match: "\n" * match[0].count("\n"),
        text,
        flags=re.DOTALL | re.MULTILINE,
    )
    scope = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b(?!.*\))", re.DOTALL)
    control = re.compile(r"\s*(if|else|for|while|do|switch|try|catch|case|default)\b")
    stack: list[tuple[str, int]] = []
    begin = 0
    for match in re.finditer(r"[{};]", text):
        statement = text[begin : match.start()]
        begin = match.end()
        if match[0] == "{":
            is_function = (
                "(" in statement and not scope.search(statement) and not control.match(statement)
            )
            stack.append((statement if is_function else "", match.start()))
        elif match[0] == "}" and stack:
            statement, start = stack.pop()
            if statement:
                first = text.count("\n", 0, start) + 1
                yield first, text.count("\n", start, match.start()) + 1


def test_the_measure_of_cpp_functions_sees_functions_and_only_them():
    body = "  x = '{';  // }\n" * 80
    text = f"""namespace a {{
struct S {{
int f(int a,
      int b) const {{
  g("}}");
{body}}}
}};
}}
"""
    assert list(cpp_functions(text)) == [(4, 83)]


@over(*CSRC, *PYTHON, *TESTS)
def test_work_left_for_later_names_its_issue(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert not re.search(r"\b(TODO|FIXME)(?!\(#\d+\))[ :(]", line), f"{number}: {line.strip()}"


@over(*CSRC)
def test_the_core_neither_prints_nor_ends_the_process(path):
    banned = r"std::(cout|cerr|clog|exit|abort|terminate|quick_exit)\b|\bf?printf\(|\bassert\("
    assert not re.search(banned, path.read_text())


@over(*PYTHON)
def test_library_code_neither_prints_nor_exits_nor_pickles(path):
    is_cli = "cli" in path.relative_to(ROOT / "python" / "petcore").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = {alias.name.split(".")[0] for alias in node.names}
            modules |= {(getattr(node, "module", "") or "").split(".")[0]}
            assert not modules & {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
        if isinstance(node, ast.Call) and not is_cli:
            assert ast.unparse(node.func) not in {"print", "sys.exit", "exit", "quit", "os._exit"}


@over(*PYTHON)
def test_only_mpc_random_and_what_connects_touch_the_compiled_core(path):
    here = path.relative_to(ROOT / "python" / "petcore").parts[0]
    allowed = {
        "connecting.py",
        "dealing",
        "linking.py",
        "mpc",
        "oprf.py",
        "pseudonyms",
        "random.py",
    }
    if here not in allowed | {"stock.py"}:
        assert not re.search(r"import _core|petcore\._core", path.read_text())


def test_the_tests_run_against_the_installed_package():
    assert not Path(petcore.__file__).is_relative_to(ROOT / "python"), (
        "petcore comes from the tree; install it with: pip install '.[test]'"
    )


@pytest.mark.parametrize("public", petcore.__all__)
def test_every_public_name_exists_and_says_what_it_is(public):
    thing = getattr(petcore, public)
    assert isinstance(thing, str | int) or (thing.__doc__ or "").strip()


def in_new_process(code: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_petcore_takes_less_than_300_ms():
    code = """
import json, time
begin = time.process_time()
import petcore
print(json.dumps(time.process_time() - begin))
"""
    assert min(in_new_process(code) for _ in range(5)) < 0.3


def test_importing_petcore_loads_numpy_and_cryptography_and_nothing_else():
    code = """
import json, sys, threading
before = set(sys.modules)
import petcore
roots = {module.split(".")[0] for module in set(sys.modules) - before}
assert threading.active_count() == 1
print(json.dumps(sorted(roots - sys.stdlib_module_names)))
"""
    allowed = {"petcore", "numpy", "cryptography", "_cffi_backend", "cython_runtime", "_cython"}
    extra = {root for root in in_new_process(code) if not root.startswith(tuple(allowed))}
    assert extra == set()


def test_importing_petcore_prints_nothing():
    assert in_new_process("import petcore; print('[]')") == []


def test_the_command_line_without_its_extra_says_how_to_get_it():
    code = """
import sys
sys.modules["typer"] = None
from petcore.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "petcore's command line is not installed: pip install 'petcore[cli]'"
    ]


MODULES = [
    module.name
    for module in pkgutil.walk_packages(petcore.__path__, "petcore.")
    if module.name not in {"petcore.__main__", "petcore._core"}
]


@pytest.mark.parametrize("module", ["petcore", *MODULES])
def test_the_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


README = (ROOT / "README.md").read_text() if (ROOT / "README.md").exists() else ""
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_readme_has_an_example():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_in_the_readme_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if ">>>" in example:
        test = doctest.DocTestParser().get_doctest(example, {}, "README", "README.md", 0)
        assert doctest.DocTestRunner().run(test).failed == 0
    else:
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102
