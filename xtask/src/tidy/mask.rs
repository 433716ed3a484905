//! Owns telling code from comments and literals: gives back the same text, line for line and byte for byte, with the insides of
//! comments, strings, characters and patterns replaced by blanks, so that the rules can look for braces and words safely.

/// Source text, split by what it is. All three have the same length and the same line breaks as the original.
pub struct Masked {
    /// Code alone. Quotes stay, what is between them is blank.
    pub code: Vec<u8>,
    /// Comments alone.
    pub comments: Vec<u8>,
}

impl Masked {
    /// Rust: nested block comments, raw strings, lifetimes that look like characters.
    pub fn rust(text: &str) -> Self {
        Scanner::new(text).rust()
    }

    /// TypeScript and TSX: template literals with code inside, regular expressions, apostrophes in the text of a page.
    pub fn script(text: &str) -> Self {
        Scanner::new(text).script()
    }

    /// The comments, one line each.
    pub fn comment_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.comments.split(|byte| *byte == b'\n')
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        let blank: Vec<u8> = text
            .iter()
            .map(|byte| if *byte == b'\n' { b'\n' } else { b' ' })
            .collect();
        Self {
            text,
            at: 0,
            code: blank.clone(),
            comments: blank,
        }
    }

    fn rust(mut self) -> Masked {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(true),
                b'"' => self.quoted(b'"', true),
                b'\'' => self.character_or_lifetime(),
                b'r' | b'b' | b'c' if !self.inside_word() && self.raw_hashes().is_some() => self.raw_string(),
                _ => self.keep(),
            }
        }
        self.done()
    }

    fn script(mut self) -> Masked {
        // Depth of braces at which each open template literal goes on.
        let mut templates: Vec<usize> = Vec::new();
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') && self.before() != Some(b':') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(false),
                b'/' if self.pattern_may_start() => self.pattern(),
                b'"' | b'\'' => self.quoted_in_line(byte),
                b'`' => {
                    self.keep();
                    self.template(&mut templates, depth);
                }
                b'}' if templates.last() == Some(&depth) => {
                    templates.pop();
                    self.skip(); // the brace that ends `${…}` belongs to the literal
                    self.template(&mut templates, depth);
                }
                b'{' => {
                    depth += 1;
                    self.keep();
                }
                b'}' => {
                    depth = depth.saturating_sub(1);
                    self.keep();
                }
                _ => self.keep(),
            }
        }
        self.done()
    }

    fn done(self) -> Masked {
        Masked {
            code: self.code,
            comments: self.comments,
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn before(&self) -> Option<u8> {
        self.at.checked_sub(1).map(|at| self.text[at])
    }

    fn inside_word(&self) -> bool {
        self.before().is_some_and(is_word)
    }

    /// This byte is code.
    fn keep(&mut self) {
        self.code[self.at] = self.text[self.at];
        self.at += 1;
    }

    /// This byte is the inside of a literal.
    fn skip(&mut self) {
        self.at += 1;
    }

    fn skip_to(&mut self, end: usize) {
        self.at = end.min(self.text.len());
    }

    fn comment(&mut self) {
        self.comments[self.at] = self.text[self.at];
        self.at += 1;
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.comment();
        }
    }

    fn block_comment(&mut self, nested: bool) {
        let mut depth = 0;
        while self.at < self.text.len() {
            if self.text[self.at..].starts_with(b"/*") && (nested || depth == 0) {
                depth += 1;
                self.comment();
            } else if self.text[self.at..].starts_with(b"*/") {
                depth -= 1;
                self.comment();
            }
            if self.at < self.text.len() {
                self.comment();
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// From the opening quote to the closing one, over lines where the language allows that.
    fn quoted(&mut self, quote: u8, over_lines: bool) {
        self.keep();
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.skip_to(self.at + 2),
                b'\n' if !over_lines => return,
                _ if byte == quote => return self.keep(),
                _ => self.skip(),
            }
        }
    }

    /// A quote without its partner in the line is an apostrophe in the text of a page.
    fn quoted_in_line(&mut self, quote: u8) {
        let mut end = self.at + 1;
        loop {
            match self.text.get(end) {
                None | Some(b'\n') => return self.skip(),
                Some(b'\\') => end += 2,
                Some(byte) if *byte == quote => return self.quoted(quote, false),
                Some(_) => end += 1,
            }
        }
    }

    fn character_or_lifetime(&mut self) {
        let escaped = self.peek(1) == Some(b'\\');
        let width = self.peek(1).map_or(1, utf8_width);
        if escaped || self.peek(1 + width) == Some(b'\'') {
            self.quoted(b'\'', false);
        } else {
            self.keep();
        }
    }

    /// `r"`, `r#"`, `br##"`, `cr"`: how many hashes, where this is a raw string at all.
    fn raw_hashes(&self) -> Option<usize> {
        let prefix = match (self.peek(0), self.peek(1)) {
            (Some(b'r'), _) => 1,
            (Some(b'b' | b'c'), Some(b'r')) => 2,
            _ => return None,
        };
        let rest = &self.text[self.at + prefix..];
        let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
        (rest.get(hashes) == Some(&b'"')).then_some(hashes)
    }

    fn raw_string(&mut self) {
        let hashes = self.raw_hashes().unwrap_or(0);
        while self.peek(0) != Some(b'"') {
            self.keep();
        }
        self.keep();
        let mut close = vec![b'"'];
        close.resize(hashes + 1, b'#');
        while self.at < self.text.len() {
            if self.text[self.at..].starts_with(&close) {
                return self.keep();
            }
            self.skip();
        }
    }

    /// The inside of a template literal up to its end or to `${`.
    fn template(&mut self, templates: &mut Vec<usize>, depth: usize) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.skip_to(self.at + 2),
                b'`' => return self.keep(),
                b'$' if self.peek(1) == Some(b'{') => {
                    self.skip_to(self.at + 2);
                    templates.push(depth);
                    return;
                }
                _ => self.skip(),
            }
        }
    }

    /// A slash divides after a value and starts a pattern elsewhere; `/>` and `</` are a page's tags.
    fn pattern_may_start(&self) -> bool {
        if self.peek(1) == Some(b'>') {
            return false;
        }
        let before = self.code[..self.at]
            .iter()
            .rposition(|byte| !byte.is_ascii_whitespace());
        let Some(before) = before else { return true };
        match self.code[before] {
            b'(' | b',' | b'=' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b';' | b'{' => true,
            byte if is_word(byte) => self.code[..=before].ends_with(b"return"),
            _ => false,
        }
    }

    fn pattern(&mut self) {
        let mut end = self.at + 1;
        let mut in_class = false;
        loop {
            match self.text.get(end) {
                None | Some(b'\n') => return self.keep(), // not a pattern after all
                Some(b'\\') => end += 1,
                Some(b'[') => in_class = true,
                Some(b']') => in_class = false,
                Some(b'/') if !in_class => break,
                Some(_) => {}
            }
            end += 1;
        }
        self.keep();
        self.skip_to(end);
        self.keep();
    }
}

/// Part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn utf8_width(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}
