//! Owns finding functions in masked code and counting their lines, from the line with the name to the closing bracket.

use super::mask::is_word;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Of the name, from 1.
    pub line: usize,
    pub lines: usize,
}

/// Functions of Rust code, nested ones too.
pub fn of_rust(code: &[u8]) -> Vec<Function> {
    words(code)
        .filter(|(at, word)| *word == b"fn" && !raw_identifier(code, *at))
        .filter_map(|(at, _)| rust_function(code, at))
        .collect()
}

/// Functions of TypeScript: declarations, methods and arrows, nested ones too.
pub fn of_script(code: &[u8]) -> Vec<Function> {
    let mut found = Vec::new();
    for at in 0..code.len() {
        if code[at..].starts_with(b"=>") && !is_arrow_type(code, at) && !groups_tests(code, at) {
            found.extend(arrow(code, at));
        } else if code[at] == b'(' {
            found.extend(declaration(code, at));
        }
    }
    found
}

fn rust_function(code: &[u8], at: usize) -> Option<Function> {
    let name = word_after(code, at + 2)?;
    let mut depth = 0_i32;
    let mut open = at;
    // The body opens at the first brace outside brackets; a semicolon there means there is none.
    loop {
        open += 1;
        match code.get(open)? {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => break,
            _ => {}
        }
    }
    function(code, name, at, closing(code, open)?)
}

/// `name(…) {`, `name(…): Type {`, `function (…) {`; not `if (…) {`.
fn declaration(code: &[u8], open: usize) -> Option<Function> {
    let (start, name) = word_before(code, open)?;
    const CONTROL: [&str; 8] = ["if", "for", "while", "switch", "catch", "with", "return", "await"];
    if CONTROL.contains(&name.as_str()) {
        return None;
    }
    let body = script_body(code, closing(code, open)? + 1)?;
    function(code, name, start, closing(code, body)?)
}

fn arrow(code: &[u8], at: usize) -> Option<Function> {
    let body = skip_blank(code, at + 2)?;
    let end = if b"({[".contains(&code[body]) {
        closing(code, body)?
    } else {
        expression_end(code, body)
    };
    let (start, name) = arrow_name(code, at);
    function(code, name, start, end)
}

/// The line where `const name = (…) =>` begins, where it is one; else the arrow's own.
fn arrow_name(code: &[u8], arrow: usize) -> (usize, String) {
    let unnamed = (arrow, "=>".to_owned());
    let from = arrow.saturating_sub(400);
    let head = &code[from..arrow];
    let Some(found) = (0..head.len()).rev().find(|at| head[*at..].starts_with(b"const ")) else {
        return unnamed;
    };
    let between = &head[found..];
    if between.contains(&b';') || between.contains(&b'{') && !between.contains(&b')') {
        return unnamed;
    }
    match word_after(code, from + found + 5) {
        // Only the arrow that the constant is, not one that is passed on inside its value.
        Some(name) if calls_nothing(&code[from + found..arrow]) => (from + found, name),
        _ => unnamed,
    }
}

/// `const a = (x) ` and `const a = async <T>(x: T): U `, not `const a = useMemo(() `.
fn calls_nothing(head: &[u8]) -> bool {
    let Some(equals) = head.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let value = String::from_utf8_lossy(&head[equals + 1..]).trim_start().to_owned();
    let value = value.strip_prefix("async").map_or(value.as_str(), str::trim_start);
    !value.contains('(') || value.starts_with('(') || value.starts_with('<')
}

/// `(a: A) => void` inside a type has no body worth counting: what follows is a type on the same line.
fn is_arrow_type(code: &[u8], at: usize) -> bool {
    let Some(next) = skip_blank(code, at + 2) else {
        return true;
    };
    let word = &code[next..(next + 8).min(code.len())];
    word.starts_with(b"void") || word.starts_with(b"Promise<")
}

/// `describe("…", () => {` is a heading over tests, not a function; the tests in it count one by one.
fn groups_tests(code: &[u8], arrow: usize) -> bool {
    let line = code[..arrow]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    code[line..arrow].trim_ascii_start().starts_with(b"describe")
}

/// The brace of the body behind a parameter list, over a return type: a brace after `:`, `|`, `<` … belongs to the type.
fn script_body(code: &[u8], mut at: usize) -> Option<usize> {
    let mut previous = b')';
    let mut in_type = false;
    loop {
        at = skip_blank(code, at)?;
        match code[at] {
            b'{' if previous == b')' && !in_type => return Some(at),
            b'{' if in_type && b":|&<,=([".contains(&previous) => at = closing(code, at)?,
            b'{' if in_type => return Some(at),
            b':' if !in_type => in_type = true,
            b'<' | b'>' | b'|' | b'&' | b'[' | b']' | b'.' | b',' | b'\'' | b'"' if in_type => {}
            byte if in_type && is_word(byte) => {
                let word = word_at(code, at);
                if ["case", "return", "break", "default", "const", "if"].contains(&word.as_str()) {
                    return None;
                }
                at += word.len() - 1;
            }
            _ => return None,
        }
        previous = code[at];
        at += 1;
    }
}

/// Where an arrow's bare expression ends: at a comma, a semicolon or the bracket around it.
fn expression_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' | b';' if depth == 0 => return at,
            b'\n' if depth == 0 && starts_statement(&code[at + 1..]) => return at,
            _ => {}
        }
        if depth < 0 {
            return at;
        }
    }
    code.len() - 1
}

fn starts_statement(rest: &[u8]) -> bool {
    let starts: [&[u8]; 6] = [b"\n", b"export ", b"const ", b"function ", b"type ", b"interface "];
    starts.iter().any(|start| rest.starts_with(start))
}

/// The bracket that closes the one at `open`, of whichever kind.
fn closing(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn function(code: &[u8], name: String, start: usize, end: usize) -> Option<Function> {
    let line = line_of(code, start);
    Some(Function {
        name,
        line,
        lines: line_of(code, end) - line + 1,
    })
}

/// The number of the line that holds this byte, from 1.
pub fn line_of(code: &[u8], at: usize) -> usize {
    code[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Every word of the code with its place.
pub fn words(code: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < code.len() && !is_word(code[at]) {
            at += 1;
        }
        let start = at;
        while at < code.len() && is_word(code[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &code[start..at]))
    })
}

fn raw_identifier(code: &[u8], at: usize) -> bool {
    at > 0 && (code[at - 1] == b'#' || code[at - 1] == b'$' || code[at - 1] == b'\'')
}

fn skip_blank(code: &[u8], from: usize) -> Option<usize> {
    (from..code.len()).find(|at| !code[*at].is_ascii_whitespace())
}

fn word_at(code: &[u8], at: usize) -> String {
    let end = (at..code.len()).find(|end| !is_word(code[*end])).unwrap_or(code.len());
    String::from_utf8_lossy(&code[at..end]).into_owned()
}

/// The word right behind blanks; `None` where something else stands there (`fn(` is a type).
fn word_after(code: &[u8], from: usize) -> Option<String> {
    let at = skip_blank(code, from)?;
    (at > from && is_word(code[at])).then(|| word_at(code, at))
}

/// The word right before a parenthesis, over blanks of the same line and generic parameters.
fn word_before(code: &[u8], open: usize) -> Option<(usize, String)> {
    let mut end = open;
    while end > 0 && code[end - 1] == b' ' {
        end -= 1;
    }
    if end > 0 && code[end - 1] == b'>' {
        let angle = code[..end].iter().rposition(|byte| *byte == b'<' || *byte == b'\n')?;
        end = if code[angle] == b'<' { angle } else { return None };
    }
    let start = (0..end).rev().take_while(|at| is_word(code[*at])).last()?;
    Some((start, String::from_utf8_lossy(&code[start..end]).into_owned()))
}
