//! Owns the proof that the house rules catch what they should and nothing else.

use super::functions::{self, Function};
use super::mask::Masked;
use super::{Finding, Source, repository, rust, script, workspace};

fn source(path: &str, text: impl Into<String>) -> Source {
    Source {
        path: path.to_owned(),
        text: text.into(),
    }
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn rust_functions(text: &str) -> Vec<Function> {
    functions::of_rust(&Masked::rust(text).code)
}

fn script_functions(text: &str) -> Vec<(String, usize, usize)> {
    let found = functions::of_script(&Masked::script(text).code);
    found
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect()
}

/// Checks a Rust file with a proper head and this body.
fn check_rust(path: &str, body: &str) -> Vec<String> {
    texts(&rust::check(&source(
        path,
        format!("//! Owns an example for a test.\n{body}"),
    )))
}

#[test]
fn masking_leaves_code_and_nothing_else() {
    let cases = [
        ("let a = \"{ // }\"; b", "let a = \"      \"; b"),
        ("let a = r#\"{\"}\"#; b", "let a = r#\"   \"#; b"),
        ("br\"{\" x", "br\" \" x"),
        ("'{' '\\'' '\\u{7d}' 'é' x", "' ' '  ' '      ' '  ' x"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("a /* { /* } */ { */ b", "a                   b"),
        ("a // }\nb", "a     \nb"),
        ("for r in bars {}", "for r in bars {}"),
    ];
    for (text, code) in cases {
        assert_eq!(String::from_utf8(Masked::rust(text).code).unwrap(), code, "{text}");
    }
}

#[test]
fn masking_of_scripts_knows_templates_patterns_and_pages() {
    let cases = [
        ("`a ${f({ b: `}` })} {` + c", "`    f({ b: ` ` })   ` + c"),
        ("x.replace(/[/{]\"/g, '}')", "x.replace(/     /g, ' ')"),
        ("a / b / c", "a / b / c"),
        ("<p>Don't {name}</p>", "<p>Don t {name}</p>"),
        ("<a href=\"//x\">https://x {y}</a>", "<a href=\"   \">https://x {y}</a>"),
        ("f() // {\n/* { */ g()", "f()     \n        g()"),
    ];
    for (text, code) in cases {
        assert_eq!(String::from_utf8(Masked::script(text).code).unwrap(), code, "{text}");
    }
}

#[test]
fn rust_functions_are_counted_from_name_to_brace() {
    let text = "pub async fn one(\n    x: [u8; 3],\n) -> String\nwhere\n    T: Fn(u8),\n{\n    fn inner() {}\n    \"}\".to_owned()\n}\n\
                trait T { fn none(&self); }\ntype F = fn(u8) -> u8;\n";
    let found = rust_functions(text);
    let expected = [("one", 1, 9), ("inner", 7, 1)];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (function, (name, line, lines)) in found.iter().zip(expected) {
        assert_eq!(
            (function.name.as_str(), function.line, function.lines),
            (name, line, lines)
        );
    }
}

#[test]
fn script_functions_are_declarations_methods_and_arrows() {
    let named = |name: &str, line, lines| (name.to_owned(), line, lines);
    assert_eq!(
        script_functions("export function A({ b }: { b: string }): Promise<{ c: number }> {\n  if (x) {\n  }\n}\n"),
        [named("A", 1, 4)]
    );
    assert_eq!(
        script_functions("class A {\n  m(): void {\n  }\n}\n"),
        [named("m", 2, 2)]
    );
    assert_eq!(
        script_functions("const A = async (x: X) => {\n  return 1;\n};\n"),
        [named("A", 1, 3)]
    );
    assert_eq!(
        script_functions("const A = () => (\n  <div>\n    it's {b}\n  </div>\n);\n"),
        [named("A", 1, 5)]
    );
    assert_eq!(
        script_functions("describe(\"it\", () => {\n  it(\"does\", () => {\n  });\n});\n"),
        [named("=>", 2, 2)]
    );
    assert_eq!(
        script_functions("const a = useMemo(\n  () => sum(b),\n  [b],\n);\n"),
        [named("=>", 2, 1)]
    );
    assert_eq!(script_functions("for (const a of b) {\n}\nwhile (x) {\n}\n"), []);
}

#[test]
fn a_function_over_its_budget_is_found() {
    let long = |lines: usize| format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
    assert_eq!(check_rust("crates/a/src/x.rs", &long(70)), Vec::<String>::new());
    assert_eq!(
        check_rust("crates/a/src/x.rs", &long(71)),
        ["crates/a/src/x.rs:2: `long` has 71 lines; a function has at most 70"]
    );
    let page = format!("export function Page() {{\n{}}}\n", "  step();\n".repeat(69));
    assert_eq!(
        texts(&script::check(&source("web/src/page.tsx", page))),
        ["web/src/page.tsx:1: `Page` has 71 lines; a function has at most 70"]
    );
}

#[test]
fn a_file_over_its_budget_is_found() {
    let findings = check_rust("crates/a/src/x.rs", &"// line\n".repeat(500));
    assert_eq!(
        findings,
        ["crates/a/src/x.rs: 501 lines; a source file has at most 500"]
    );
}

#[test]
fn a_file_without_a_head_is_found() {
    assert_eq!(
        texts(&rust::check(&source("a.rs", "use std::fs;\n"))),
        ["a.rs:1: no `//!` head that says what the file owns"]
    );
    assert_eq!(
        rust::check(&source("a.rs", "#![allow(dead_code)]\n//! Owns the whole of it.\n")),
        []
    );
}

#[test]
fn panics_need_a_reason_outside_tests() {
    let path = "crates/a/src/x.rs";
    assert_eq!(
        check_rust(path, "fn f() { a.unwrap(); }"),
        ["crates/a/src/x.rs:2: `unwrap` outside tests; return an error, or `expect` with the reason"]
    );
    assert_eq!(
        check_rust(path, "fn f() { a.expect(\"no\"); }"),
        ["crates/a/src/x.rs:2: `expect` without the reason why it cannot fail"]
    );
    let fine = [
        "fn f() { a.expect(\"the list was just filled\"); }",
        "fn f() { a.unwrap_or_default(); }",
        "fn f() { \"a.unwrap()\"; } // a.unwrap()",
        "#[cfg(test)]\nmod tests {\n fn f() { a.unwrap(); }\n}",
    ];
    for body in fine {
        assert_eq!(check_rust(path, body), Vec::<String>::new(), "{body}");
    }
    assert_eq!(
        check_rust("crates/app/tests/it/main.rs", "fn f() { a.unwrap(); }"),
        Vec::<String>::new()
    );
    let after = "#[cfg(test)]\nmod tests;\nfn f() { a.unwrap(); }";
    assert_eq!(check_rust(path, after).len(), 1, "code behind the test module counts");
}

#[test]
fn unsafe_code_is_announced_and_argued() {
    let body = "fn f() { unsafe { g() } }";
    assert_eq!(
        check_rust("a.rs", body),
        [
            "a.rs:1: the file has `unsafe` code and its head does not say so",
            "a.rs:2: `unsafe` without a SAFETY comment above it"
        ]
    );
    let said =
        "//! Owns the map; has unsafe code for it.\nfn f() {\n    // SAFETY: g only reads.\n    unsafe { g() }\n}\n";
    assert_eq!(rust::check(&source("a.rs", said)), []);
    assert_eq!(
        check_rust("a.rs", "#[allow(unsafe_code)]\nfn f() { \"unsafe\"; }"),
        Vec::<String>::new()
    );
}

#[test]
fn an_escape_from_the_type_checker_needs_a_reason() {
    let found = texts(&script::check(&source("web/src/a.ts", "// @ts-ignore\nf();\n")));
    assert_eq!(
        found,
        ["web/src/a.ts:1: `@ts-ignore` without a reason (`@ts-ignore -- why`)"]
    );
    assert_eq!(
        script::check(&source(
            "web/src/a.ts",
            "// @ts-expect-error -- the type lacks this method\nf();\n"
        )),
        []
    );
}

#[test]
fn only_the_want_of_a_data_set_excuses_an_ignored_test() {
    let ignored = ["#[ign", "ore"].concat();
    let found = |line: String| texts(&repository::check_text(&source("crates/a/tests/x.rs", line))).len();
    assert_eq!(found(format!("{ignored} = \"needs the data set ml-1m\"]")), 0);
    assert_eq!(
        found(format!("{ignored} = \"fails sometimes, needs the data set ml-1m\"]")),
        1
    );
    assert_eq!(found(format!("{ignored}]")), 1);
    let later = ["TO", "DO"].concat();
    assert_eq!(found(format!("{ignored} = \"needs the data set {later}\"]")), 1);
}

#[test]
fn markers_machine_paths_and_addresses_are_found() {
    let marker = ["TO", "DO"].concat();
    let folder = ["/ho", "me/"].concat();
    let text = format!("// {marker}: later\nlet a = \"{folder}me\";\nlet todos = 1;\n");
    let found = texts(&repository::check_text(&source("crates/a/src/x.rs", text)));
    assert_eq!(
        found,
        [
            format!("crates/a/src/x.rs:1: `{marker}`: finish it, or file an issue and say nothing here"),
            format!("crates/a/src/x.rs:2: `{folder}…` is a path of one machine")
        ]
    );
    let lock = source(
        "web/package-lock.json",
        "\"resolved\": \"https://example.org/a.tgz\",\n",
    );
    assert_eq!(repository::check_text(&lock).len(), 1);
}

#[test]
fn edges_outside_the_table_are_found() {
    let found = |from: &str, to: &str, development| {
        workspace::edge("Cargo.toml", from, to, development, &workspace::allowed(from).unwrap())
    };
    assert!(
        found("catalog", "activity", false).is_some(),
        "a room never depends on another room"
    );
    assert!(found("catalog", "reco", false).is_some());
    assert!(found("reco", "contract", false).is_some());
    assert!(found("recommend", "activity", false).is_some());
    assert_eq!(
        found("recommend", "activity", true),
        None,
        "its tests open the doors that it holds"
    );
    assert!(found("catalog", "activity", true).is_some(), "and no others");
    assert!(found("catalog", "testkit", true).is_some());
    assert!(found("kinora", "testkit", false).is_some());
    assert!(found("streaming", "testkit", false).is_some());
    assert_eq!(found("streaming", "testkit", true), None, "films are made in one place");
    assert_eq!(found("kinora", "testkit", true), None);
    assert_eq!(found("recommend", "reco", false), None);
    assert_eq!(found("catalog", "platform", true), None);
    assert_eq!(workspace::allowed("somewhere"), None);
}
