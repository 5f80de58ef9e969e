"""What starts on changed rows, in every language."""

import pytest

from oversight.changes.languages import LANGUAGES
from oversight.changes.syntax import CATEGORIES, MAX_BYTES, EditCounts, HunkSyntax, analyse
from oversight.changes.syntax.grammar import grammar_of
from tests.builders import marked_file

# For each language: source rows and the counts they must give; what is not named must be nought.
# Literals and assignments are left out of most rows by writing none.
TABLE: dict[str, list[tuple[str, dict[str, int]]]] = {
    "python": [
        ("total = price(item)", {"calls": 1, "assignments": 1}),
        ("if ready and not late or early: pass", {"conditions": 3}),
        ("x = a if b else c", {"conditions": 1, "assignments": 1}),
        ("match point:\n    case origin: pass\n    case _: pass", {"conditions": 2}),
        ("for item in items: pass\nwhile ready: pass", {"loops": 2}),
        ("try: pass\nexcept OSError: pass\nfinally: pass", {"handlers": 3}),
        ("raise Stop", {"raises": 1}),
        ("def f():\n    return x", {"definitions": 1, "returns": 1}),
        ("assert ready", {"assertions": 1}),
        ("self.assertEqual(a, b)", {"assertions": 1, "calls": 1}),
        ("with pytest.raises(KeyError): pass", {"assertions": 1, "calls": 1}),
        ("class A:\n    def f(self): pass", {"definitions": 2}),
        ("import a\nfrom b import c", {"imports": 2}),
        ("x += y", {"assignments": 1}),
        ("f(1, 2.5, 'a', True, None)", {"calls": 1, "literals": 5}),
        ("pass  # note", {"comments": 1}),
    ],
    "javascript": [
        ("run(item); new Thing();", {"calls": 2}),
        ("if (a && b || c) { }", {"conditions": 3}),
        ("switch (a) { case b: break; default: }", {"conditions": 2}),
        ("for (const a of b) {} while (c) {} do {} while (d);", {"loops": 3}),
        ("try { } catch (e) { } finally { }", {"handlers": 3}),
        ("fetching.catch(ignore);", {"handlers": 1, "calls": 1}),
        ("throw problem;", {"raises": 1}),
        ("function f() { return a; }", {"definitions": 1, "returns": 1}),
        ("assert.equal(a, b);", {"assertions": 1, "calls": 1}),
        ("expect(a).toBe(b);", {"assertions": 2, "calls": 2}),
        ("const f = () => a;", {"definitions": 1, "assignments": 1}),
        ("class A { m() { } }", {"definitions": 2}),
        ("import a from 'b';", {"imports": 1, "literals": 1}),
        ("const a = require('b');", {"imports": 1, "calls": 1, "assignments": 1, "literals": 1}),
        ("a = 1; a += `b`;", {"assignments": 2, "literals": 2}),
        ("f(); // note", {"calls": 1, "comments": 1}),
    ],
    "typescript": [
        ("interface A { }\ntype B = C;\nenum D { E }", {"definitions": 3}),
        ("const f = (a: T): U => run<T>(a);", {"definitions": 1, "assignments": 1, "calls": 1}),
        ("if (a ?? b) { throw new Oops(); }", {"conditions": 2, "raises": 1, "calls": 1}),
        ("try { } catch { }", {"handlers": 2}),
    ],
    "tsx": [
        ("const e = <A b={run()}>text</A>;", {"calls": 1, "assignments": 1}),
        ("abstract class A { }", {"definitions": 1}),
        ("expect(a).toBe(b)", {"assertions": 2, "calls": 2}),
    ],
    "java": [
        ("run(item); new Thing();", {"calls": 2}),
        ("if (a && b) { }", {"conditions": 2}),
        ("for (;;) { } for (A a : b) { } while (c) { } do { } while (d);", {"loops": 4}),
        ("try { } catch (E e) { } finally { }", {"handlers": 3}),
        ("throw problem;", {"raises": 1}),
        ("return a ? b : c;", {"returns": 1, "conditions": 1}),
        ("assert ready;\nassertEquals(a, b);", {"assertions": 2, "calls": 1}),
        ("class A { void f() { } }", {"definitions": 2}),
        ("import a.b.C;", {"imports": 1}),
        ("int a = 1;\na += 2;", {"assignments": 2, "literals": 2}),
        ("/* note */ // note", {"comments": 2}),
        ("switch (a) { case B: break; default: }", {"conditions": 2}),
    ],
    "go": [
        ("func f() { run(item) }", {"definitions": 1, "calls": 1}),
        ("if err != x && y {\n}", {"conditions": 2}),
        ("for a := range b {\n}", {"loops": 1}),
        ("defer f.Close()", {"handlers": 1, "calls": 1}),
        ("recover()", {"handlers": 1, "calls": 1}),
        ("panic(a)", {"raises": 1, "calls": 1}),
        ("return err", {"returns": 1}),
        ("require.NoError(t, err)", {"assertions": 1, "calls": 1}),
        ("t.Fatalf(a)", {"assertions": 1, "calls": 1}),
        ("type A struct { }", {"definitions": 1}),
        ('import "a"', {"imports": 1, "literals": 1}),
        ("a := b\na = c", {"assignments": 2}),
        ("switch a {\ncase b:\ndefault:\n}", {"conditions": 2}),
        ("// note", {"comments": 1}),
    ],
    "rust": [
        ("fn f() { run(item); show!(item); }", {"definitions": 1, "calls": 2}),
        ("fn f() { if a && b { } }", {"definitions": 1, "conditions": 2}),
        ("fn f() { match a { B => c, _ => d } }", {"definitions": 1, "conditions": 2}),
        ("fn f() { for a in b { } while c { } loop { } }", {"definitions": 1, "loops": 3}),
        ("fn f() { read()?; }", {"definitions": 1, "handlers": 1, "calls": 1}),
        ("fn f() { panic!(); return Err(a); }", {"definitions": 1, "raises": 2, "returns": 1, "calls": 2}),
        ("fn f() { assert_eq!(a, b); }", {"definitions": 1, "assertions": 1, "calls": 1}),
        ("use a::b;", {"imports": 1}),
        ("fn f() { let a = 'b'; a += c; }", {"definitions": 1, "assignments": 2, "literals": 1}),
        ("struct A;\nimpl A { }\ntrait B { }", {"definitions": 3}),
        ("// note\n/* note */", {"comments": 2}),
    ],
    "c": [
        ("int f(void) { run(item); }", {"definitions": 1, "calls": 1}),
        ("int f(void) { if (a && b) c ? d : e; }", {"definitions": 1, "conditions": 3}),
        ("int f(void) { switch (a) { case B: break; default: break; } }", {"definitions": 1, "conditions": 2}),
        ("int f(void) { for (;;) { } while (a) { } do { } while (b); }", {"definitions": 1, "loops": 3}),
        ("int f(void) { out_free: free(a); return b; }", {"definitions": 1, "handlers": 1, "calls": 1, "returns": 1}),
        ("int f(void) { again: go(); }", {"definitions": 1, "calls": 1}),
        ("int f(void) { abort(); }", {"definitions": 1, "raises": 1, "calls": 1}),
        ("int f(void) { assert(a); BUG_ON(b); RTE_ASSERT(c); }", {"definitions": 1, "assertions": 3, "calls": 3}),
        ("#include <a.h>", {"imports": 1}),
        ("#define A b\nstruct c { int d; };", {"definitions": 2}),
        ("int a = 1;", {"assignments": 1, "literals": 1}),
        ("/* note */ // note", {"comments": 2}),
    ],
    "cpp": [
        ("void f() { run(item); new Thing(a); }", {"definitions": 1, "calls": 2}),
        ("void f() { try { } catch (...) { throw; } }", {"definitions": 1, "handlers": 2, "raises": 1}),
        ("void f() { for (auto a : b) { } }", {"definitions": 1, "loops": 1}),
        ("class A { };\nnamespace b { }\nusing c = d;", {"definitions": 3}),
        ("void f() { EXPECT_EQ(a, b); ASSERT_TRUE(c); }", {"definitions": 1, "assertions": 2, "calls": 2}),
        ("static_assert(a);", {"assertions": 1}),
        ('auto a = R"(b)";', {"assignments": 1, "literals": 1}),
        ("void f() { if (a || b) return; }", {"definitions": 1, "conditions": 2, "returns": 1}),
    ],
    "ruby": [
        ("run(item)", {"calls": 1}),
        ("run item if ready && late", {"calls": 1, "conditions": 2}),
        ("unless a\nelse\nend", {"conditions": 1}),
        ("while a do end", {"loops": 1}),
        ("items.each { |a| b }", {"loops": 1, "calls": 1}),
        ("begin\nrescue E\nensure\n a\nend", {"handlers": 2}),
        ("raise Oops", {"raises": 1, "calls": 1}),
        ("def f\n  return a\nend", {"definitions": 1, "returns": 1}),
        ("assert_equal a, b", {"assertions": 1, "calls": 1}),
        ("require 'a'", {"imports": 1, "calls": 1, "literals": 1}),
        ("class A\nend\nmodule B\nend", {"definitions": 2}),
        ("a = b\na ||= c", {"assignments": 2}),
        ("# note", {"comments": 1}),
    ],
    "php": [
        ("run($item); $a->go(); A::b(); new Thing();", {"calls": 4}),
        ("<?php run($item);", {"calls": 1}),
        ("if ($a && $b) { } elseif ($c) { }", {"conditions": 3}),
        ("foreach ($a as $b) { } for (;;) { } while ($c) { }", {"loops": 3}),
        ("try { } catch (E $e) { } finally { }", {"handlers": 3}),
        ("throw $problem;", {"raises": 1}),
        ("function f() { return $a; }", {"definitions": 1, "returns": 1}),
        ("$this->assertSame($a, $b);", {"assertions": 1, "calls": 1}),
        ("use A\\B;\nrequire_once $a;", {"imports": 2}),
        ("$a = $b;\n$a .= $c;", {"assignments": 2}),
        ("class A { function f() { } }", {"definitions": 2}),
        ("// note\n# note\n/* note */", {"comments": 3}),
        ("f('a', 1, true);", {"calls": 1, "literals": 3}),
    ],
    "c-sharp": [
        ("class A { void F() { Run(item); new Thing(); } }", {"definitions": 2, "calls": 2}),
        ("class A { void F() { if (a && b) { } } }", {"definitions": 2, "conditions": 2}),
        ("class A { void F() { foreach (var a in b) { } while (c) { } } }", {"definitions": 2, "loops": 2}),
        ("class A { void F() { try { } catch (E e) { } finally { } } }", {"definitions": 2, "handlers": 3}),
        ("class A { void F() { throw a; } }", {"definitions": 2, "raises": 1}),
        ("class A { int F() { return a ? b : c; } }", {"definitions": 2, "returns": 1, "conditions": 1}),
        ("class A { void F() { Assert.Equal(a, b); } }", {"definitions": 2, "assertions": 1, "calls": 1}),
        ("using A;", {"imports": 1}),
        ("class A { void F() { var a = 1; a = 2; } }", {"definitions": 2, "assignments": 2, "literals": 2}),
        ("// note", {"comments": 1}),
    ],
    "bash": [
        ("run item", {"calls": 1}),
        ("if run; then go; elif stay; then :; fi", {"conditions": 2, "calls": 4}),
        ("run && go || stay", {"conditions": 2, "calls": 3}),
        ("for a in b; do run; done\nwhile go; do stay; done", {"loops": 2, "calls": 3}),
        ("trap run EXIT", {"handlers": 1, "calls": 1}),
        ("exit $a", {"raises": 1, "calls": 1}),
        ("f() { return $a; }", {"definitions": 1, "returns": 1, "calls": 1}),
        ("source ./a", {"imports": 1, "calls": 1}),
        ("a=$b", {"assignments": 1}),
        ("case $a in b) run;; *) go;; esac", {"conditions": 2, "calls": 2}),
        ("run 'a' \"b\"", {"calls": 1, "literals": 2}),
        ("# note", {"comments": 1}),
    ],
}


def _analyse(language: str | None, *rows: str, section: str = "") -> HunkSyntax:
    (syntax,) = analyse(marked_file(language, rows, section=section))
    return syntax


def _nonzero(counts: EditCounts) -> dict[str, int]:
    return {name: count for name, count in counts._asdict().items() if count}


def test_every_language_has_a_table_and_a_case() -> None:
    """Each language of `LANGUAGES` has a grammar whose categories exist, and is tested here."""
    assert set(TABLE) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(grammar_of(language).categories) <= set(CATEGORIES), language


@pytest.mark.parametrize(
    ("language", "source", "expected"), [(name, *case) for name, cases in TABLE.items() for case in cases]
)
def test_counts_what_starts_on_added_rows(language: str, source: str, expected: dict[str, int]) -> None:
    """Every construct of the table counts once, as what it is, and as nothing else."""
    added = _analyse(language, *(f"+{row}" for row in source.split("\n"))).added
    assert _nonzero(added) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_sides_and_context_are_kept_apart(language: str) -> None:
    """Deleted rows count as deleted, added ones as added, and context as neither."""
    sources = [source for source, _ in TABLE[language] if "\n" not in source][:3]
    syntax = _analyse(language, f" {sources[0]}", f"-{sources[1]}", f" {sources[0]}")
    assert syntax.added == EditCounts()
    assert syntax.deleted == _analyse(language, f"+{sources[1]}").added


def test_a_chain_counts_on_the_rows_of_its_links() -> None:
    """A call that is added to a chain begun in the context counts, by the name of its link."""
    syntax = _analyse("javascript", " query", " .where(a)", "+.limit(b)", " .run();")
    assert syntax.added.calls == 1
    assert syntax.new is not None
    assert syntax.new.called == (".limit",)


def test_a_condition_counts_on_the_row_of_its_operator() -> None:
    """A conjunct added to a condition begun in the context counts as a condition."""
    syntax = _analyse("python", " if (a", "+        and b", "         or c):", "     pass")
    assert syntax.added.conditions == 1


def test_rows_and_names_of_what_was_found() -> None:
    """The lines on which a category starts can be shown, and calls carry their names as written."""
    syntax = _analyse(
        "python", "-os.remove(path)", "+try:", "+    shutil.rmtree(path)", "+except OSError:", "+    pass"
    )
    assert syntax.old is not None
    assert syntax.new is not None
    assert syntax.old.called == ("os.remove",)
    assert [line.text for line in syntax.new.rows_of("handlers")] == ["try:", "except OSError:"]
    assert [line.new_number for line in syntax.new.rows_of("calls")] == [41]


def test_many_separate_runs_count_the_same_as_few() -> None:
    """A hunk whose changed rows alternate with context counts each of them once."""
    rows = [row for number in range(40) for row in (f"+run(a{number})", f" keep(a{number})")]
    syntax = _analyse("python", *rows)
    assert syntax.added.calls == 40
    assert syntax.new is not None
    assert len(syntax.new.called) == 40


def test_rows_outside_ascii_are_placed_by_bytes() -> None:
    """Text outside ASCII and bytes that are no UTF-8 do not shift what counts, and code keeps its columns."""
    syntax = _analyse("python", " # größer \udcff", "+x = 'ü' + f(y)  # ß", " # naïve")
    assert (syntax.added.calls, syntax.added.comments) == (1, 1)
    assert syntax.new is not None
    assert syntax.new.code[1] == "x = ' ' + f(y)     "


def test_without_a_grammar_words_are_counted() -> None:
    """A file of unknown language has no tree, all of its rows are code, and its counts come from words."""
    syntax = _analyse(None, "-return go(1)", '+if ready { throw stop("now") }', "+# note")
    assert syntax.language is None
    assert not syntax.parsed
    assert _analyse("c", "+int a;").parsed
    assert syntax.new is not None
    assert syntax.new.tree is None
    assert syntax.new.code == ('if ready { throw stop("now") }', "# note")
    assert _nonzero(syntax.added) == {"conditions": 1, "raises": 1, "calls": 1, "literals": 1, "comments": 1}
    assert _nonzero(syntax.deleted) == {"returns": 1, "calls": 1, "literals": 1}


def test_a_side_without_rows_is_none() -> None:
    """An added file has no old side and a deleted one no new side; their counts are nought."""
    added, deleted = _analyse("c", "+int a;"), _analyse("c", "-int a;")
    assert (added.old, deleted.new) == (None, None)
    assert (added.deleted, deleted.added) == (EditCounts(), EditCounts())


def test_fragments_past_the_limit_are_counted_by_words() -> None:
    """A fragment longer than the limit is not parsed, and its flags are conservative."""
    syntax = _analyse("python", *(["+# a note that is only a comment"] * (MAX_BYTES // 30)))
    assert syntax.new is not None
    assert syntax.new.tree is None
    assert syntax.added.comments == MAX_BYTES // 30
    assert not syntax.comment_only


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["(" * 100_000, "a<" * 20_000, "`${" * 5_000, "/**/" * 10_000, "!" * 30_000, "\0" * 20_000]
)
def test_hostile_nesting_is_survived(language: str, text: str) -> None:
    """Nesting a hundred thousand deep, and runs of tokens without end, neither recurse nor take quadratic time."""
    syntax = _analyse(language, " a", f"+{text}", " b")
    assert sum(syntax.added) >= 0
    assert not syntax.comment_only or text.startswith("/**/")
    assert not syntax.formatting_only
