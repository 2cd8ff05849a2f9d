"""Our scripts made small: the same program, by a lexer that rather leaves a name alone than guesses."""

import pytest

from app.api.web_pages import SCRIPTS, STATIC, widget_script
from channels._shared.web_minify import minify


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const long = 1; // why\nuse(long);", "const a=1;use(a);"),
        ("/* a\n b */ const one = 'a  b';", "const a='a  b';"),
        ("let total = 0;\ntotal ++ ; x = total - -1", "let a=0;a++;x=a- -1"),
        ("const part = 4; o.part = part; p(part)", "const part=4;o.part=part;p(part)"),
        ("const kind = 4; f({ kind })", "const kind=4;f({kind})"),
        ("const kind = 4; f({ kind: kind })", "const kind=4;f({kind:kind})"),
        ("const { wide, ...rest } = o; f(rest)", "const{wide,...rest}=o;f(rest)"),
        ("const [first, second] = o; f(second)", "const[b,a]=o;f(a)"),
        ("go((left, right) => left / right / 2)", "go((a,b)=>a/b/2)"),
        ('const test = /[/"]+\\/x/g; test.exec(s)', 'const a=/[/"]+\\/x/g;a.exec(s)'),
        ("const word = `a ${b ? `c ${word}` : 'd'} e`;", "const a=`a ${b?`c ${a}`:'d'} e`;"),
        ("const css = `\n  .a{b:c}\n  .d{}`;", "const a=`.a{b:c}.d{}`;"),
        ("const event = 1; f(event)", "const event=1;f(event)"),
        ("class Box { open(wide) { return wide } }", "class b{open(a){return a}}"),
        ("return typeof value", "return typeof value"),
        ("const top1 = a\n(b)", "const c=a\n(b)"),
        ("f(() => {\n})\nconst next = 1\ng(next)", "f(()=>{})\nconst a=1\ng(a)"),
        ("for (const item of items) use(item)", "for(const a of items)use(a)"),
        ("try { f() } catch (fault) { g(fault) }", "try{f()}catch(a){g(a)}"),
        ("a ||= b?.c ?? 0.5", "a||=b?.c??0.5"),
    ],
)
def test_what_becomes_of_source(source: str, expected: str) -> None:
    assert minify(source) == expected


@pytest.mark.parametrize("source", ["const a = 'open", "const a = @b", "`open ${a"])
def test_what_it_does_not_know_it_refuses(source: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        minify(source)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_of_ours_is_understood(name: str) -> None:
    """That the result runs is what the tests in Chromium show: they load what is served."""
    source = (STATIC / name).read_text(encoding="utf-8")
    assert len(widget_script(name)) < 0.98 * len(source)
