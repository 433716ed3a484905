//! Sets type as shapes: an image on a page cannot use the page's fonts, so the letters are in the picture.
//!
//! Outlines stand in `assets/lettering/glyphs.txt`. A text with a letter that is not there is written as text in a
//! serif of the viewer's.

use std::{collections::HashMap, sync::LazyLock};

use super::canvas::{Canvas, Paint, Rgb};

struct Glyph {
    advance: f32,
    path: &'static str,
}

struct Faces {
    title: HashMap<char, Glyph>,
    label: HashMap<char, Glyph>,
    kerning: HashMap<(char, char), f32>,
}

static FACES: LazyLock<Faces> = LazyLock::new(|| Faces::read(include_str!("../../assets/lettering/glyphs.txt")));

impl Faces {
    fn read(text: &'static str) -> Self {
        let mut faces = Self {
            title: HashMap::new(),
            label: HashMap::new(),
            kerning: HashMap::new(),
        };
        for line in text.lines() {
            let mut columns = line.split('\t');
            let (Some(kind), Some(letter)) = (columns.next(), columns.next().and_then(|text| text.chars().next()))
            else {
                continue;
            };
            match (kind, columns.next(), columns.next()) {
                ("k", Some(pairs), _) => faces.read_kerning(letter, pairs),
                (kind, Some(advance), Some(path)) => {
                    let face = if kind == "l" {
                        &mut faces.label
                    } else {
                        &mut faces.title
                    };
                    face.insert(
                        letter,
                        Glyph {
                            advance: advance.parse().unwrap_or(500.0),
                            path,
                        },
                    );
                }
                _ => {}
            }
        }
        faces
    }

    fn read_kerning(&mut self, letter: char, pairs: &str) {
        for pair in pairs.split(' ') {
            let mut characters = pair.chars();
            if let (Some(next), Ok(value)) = (characters.next(), characters.as_str().parse()) {
                self.kerning
                    .insert((letter, if next == '_' { ' ' } else { next }), value);
            }
        }
    }

    /// Places of the glyphs of a line of the title face and its width, in thousandths of the size.
    fn places(&self, line: &str) -> (Vec<(char, f32)>, f32) {
        let (mut places, mut x, mut before) = (Vec::with_capacity(line.len()), 0.0, None);
        for letter in line.chars() {
            if let Some(before) = before {
                x += self.kerning.get(&(before, letter)).copied().unwrap_or(0.0);
            }
            places.push((letter, x));
            x += self.title.get(&letter).map_or(600.0, |glyph| glyph.advance);
            before = Some(letter);
        }
        (places, x)
    }
}

/// Horizontal alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
}

/// A title broken into lines at a size that fills its box.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub lines: Vec<String>,
    pub size: f32,
}

/// Distance of base lines as a share of the size.
const LEADING: f32 = 1.02;
/// Height of capitals as a share of the size.
const CAPITALS: f32 = 0.7;
const LINES_MAX: usize = 6;
const WORDS_MAX: usize = 18;
const LETTERS_MAX: usize = 90;

impl Block {
    /// From the top of the first line's capitals to the last base line.
    pub fn height(&self) -> f32 {
        self.size * (CAPITALS + LEADING * (self.lines.len() as f32 - 1.0))
    }
}

/// Breaks `text` into the lines that can be set largest in a box; lines come out about equally long.
pub fn fit(text: &str, width: f32, height: f32, size_max: f32) -> Block {
    let words = words(text);
    let widths: Vec<f32> = words.iter().map(|word| measure(word)).collect();
    let mut best = Block {
        lines: vec![words.join(" ")],
        size: 0.0,
    };
    for count in 1..=words.len().min(LINES_MAX) {
        let (breaks, widest) = balance(&words, &widths, count);
        let by_height = height / (CAPITALS + LEADING * (count as f32 - 1.0));
        let size = (width / widest.max(0.1)).min(by_height).min(size_max);
        // One more line must be worth it.
        if size > best.size * 1.06 {
            best = Block {
                lines: breaks.iter().map(|range| words[range.clone()].join(" ")).collect(),
                size,
            };
        }
    }
    best
}

/// Words to set: a long text is cut with an ellipsis, a text without spaces (Chinese, say) may break anywhere.
fn words(text: &str) -> Vec<String> {
    let mut cut: String = text.chars().take(LETTERS_MAX).collect();
    if cut.len() < text.len() {
        cut = cut
            .trim_end_matches(|letter: char| !letter.is_whitespace())
            .trim_end()
            .to_owned();
        cut = if cut.is_empty() {
            text.chars().take(LETTERS_MAX).collect()
        } else {
            cut
        };
        cut.push('…');
    }
    let mut words: Vec<String> = cut.split_whitespace().take(WORDS_MAX).flat_map(pieces).collect();
    if words.is_empty() {
        words.push("·".to_owned());
    }
    words.truncate(WORDS_MAX * 2);
    words
}

/// A word that is too long for any line, in pieces.
fn pieces(word: &str) -> Vec<String> {
    const PIECE: usize = 16;
    let letters: Vec<char> = word.chars().collect();
    if letters.len() <= PIECE + 4 {
        return vec![word.to_owned()];
    }
    letters.chunks(PIECE).map(|piece| piece.iter().collect()).collect()
}

/// Width of a text in the title face, in sizes.
fn measure(text: &str) -> f32 {
    if has_outlines(text) {
        FACES.places(text).1 / 1000.0
    } else {
        text.chars().map(estimated).sum()
    }
}

fn estimated(letter: char) -> f32 {
    if letter as u32 >= 0x1100 { 1.0 } else { 0.62 }
}

fn has_outlines(text: &str) -> bool {
    text.chars().all(|letter| FACES.title.contains_key(&letter))
}

/// The breaks into `count` lines with the narrowest widest line. A line that ends in a small word counts as wider.
fn balance(words: &[String], widths: &[f32], count: usize) -> (Vec<std::ops::Range<usize>>, f32) {
    const SPACE: f32 = 0.2;
    let total = words.len();
    let line =
        |from: usize, to: usize| -> f32 { widths[from..to].iter().sum::<f32>() + SPACE * (to - from - 1) as f32 };
    // cost[k][i]: the best widest line when the first i words stand in k lines.
    let mut cost = vec![vec![f32::INFINITY; total + 1]; count + 1];
    let mut from = vec![vec![0; total + 1]; count + 1];
    cost[0][0] = 0.0;
    for lines in 1..=count {
        for end in lines..=total {
            for start in lines - 1..end {
                let small = end < total && is_small(&words[end - 1]);
                let widest = cost[lines - 1][start].max(line(start, end) * if small { 1.12 } else { 1.0 });
                if widest < cost[lines][end] {
                    cost[lines][end] = widest;
                    from[lines][end] = start;
                }
            }
        }
    }
    let (mut breaks, mut end) = (Vec::new(), total);
    for lines in (1..=count).rev() {
        breaks.push(from[lines][end]..end);
        end = from[lines][end];
    }
    breaks.reverse();
    let widest = breaks
        .iter()
        .map(|range| line(range.start, range.end))
        .fold(0.0, f32::max);
    (breaks, widest)
}

/// Words that should not end a line.
fn is_small(word: &str) -> bool {
    matches!(
        word.to_lowercase().as_str(),
        "a" | "an"
            | "and"
            | "at"
            | "by"
            | "de"
            | "des"
            | "du"
            | "for"
            | "from"
            | "in"
            | "la"
            | "le"
            | "les"
            | "of"
            | "on"
            | "or"
            | "the"
            | "to"
            | "un"
            | "une"
            | "with"
            | "&"
            | "der"
            | "die"
            | "das"
            | "el"
            | "los"
            | "las"
            | "il"
    )
}

/// Draws a block; `y` is the top of the first line's capitals.
pub fn set(canvas: &mut Canvas, block: &Block, x: f32, y: f32, align: Align, ink: Rgb) {
    if !block.lines.iter().all(|line| has_outlines(line)) {
        return set_as_text(canvas, block, (x, y), align, ink);
    }
    define(
        canvas,
        't',
        &FACES.title,
        block.lines.iter().flat_map(|line| line.chars()),
    );
    let mut baseline = y + block.size * CAPITALS;
    for line in &block.lines {
        let (places, width) = FACES.places(line);
        let left = if align == Align::Centre {
            x - width * block.size / 2000.0
        } else {
            x
        };
        open_line(canvas, left, baseline, block.size, ink);
        for (letter, at) in places {
            reuse(canvas, 't', letter, at);
        }
        canvas.raw("</g>");
        baseline += block.size * LEADING;
    }
}

/// The letter a title is known by: of its first word that is no article.
pub fn first_letter(name: &str) -> char {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    let word = if is_small(first) {
        words.next().unwrap_or(first)
    } else {
        first
    };
    let letter = word.chars().find(|letter| letter.is_alphanumeric()).unwrap_or('K');
    letter
        .to_uppercase()
        .next()
        .filter(|letter| FACES.title.contains_key(letter))
        .unwrap_or('K')
}

/// Draws one letter around a point, its capitals `tall` high.
pub fn initial(canvas: &mut Canvas, letter: char, (x, y): (f32, f32), tall: f32, paint: Paint) {
    let Some(glyph) = FACES.title.get(&letter) else { return };
    let scale = tall / CAPITALS / 1000.0;
    canvas.shape(
        glyph.path,
        (x - glyph.advance * scale / 2.0, y + tall / 2.0),
        scale,
        paint,
    );
}

/// Width of a label, letter-spaced capitals.
pub fn label_width(text: &str, size: f32) -> f32 {
    let letters: Vec<char> = label_letters(text);
    let advances: f32 = letters
        .iter()
        .filter_map(|letter| FACES.label.get(letter))
        .map(|glyph| glyph.advance)
        .sum();
    (advances + TRACKING * letters.len().saturating_sub(1) as f32) * size / 1000.0
}

const TRACKING: f32 = 130.0;

/// Draws a label in letter-spaced capitals, `x` at its left, on the base line `y`.
pub fn label(canvas: &mut Canvas, text: &str, x: f32, y: f32, size: f32, ink: Rgb) {
    let letters = label_letters(text);
    define(canvas, 'l', &FACES.label, letters.iter().copied());
    open_line(canvas, x, y, size, ink);
    let mut at = 0.0;
    for letter in letters {
        reuse(canvas, 'l', letter, at);
        at += FACES.label.get(&letter).map_or(0.0, |glyph| glyph.advance) + TRACKING;
    }
    canvas.raw("</g>");
}

fn label_letters(text: &str) -> Vec<char> {
    text.to_uppercase()
        .chars()
        .filter(|letter| FACES.label.contains_key(letter))
        .take(24)
        .collect()
}

/// Writes each outline once.
fn define(canvas: &mut Canvas, face: char, glyphs: &HashMap<char, Glyph>, letters: impl Iterator<Item = char>) {
    let mut unique: Vec<char> = letters.collect();
    unique.sort_unstable();
    unique.dedup();
    canvas.raw("<defs>");
    for letter in unique {
        let Some(glyph) = glyphs.get(&letter).filter(|glyph| !glyph.path.is_empty()) else {
            continue;
        };
        canvas.raw(&format!("<path id=\"{face}{}\" d=\"{}\"/>", letter as u32, glyph.path));
    }
    canvas.raw("</defs>");
}

fn open_line(canvas: &mut Canvas, x: f32, baseline: f32, size: f32, ink: Rgb) {
    canvas.raw("<g transform=\"translate(");
    canvas.number(x);
    canvas.raw(" ");
    canvas.number(baseline);
    canvas.raw(&format!(") scale({:.4})\" fill=\"#{:06x}\">", size / 1000.0, ink.0));
}

fn reuse(canvas: &mut Canvas, face: char, letter: char, at: f32) {
    if letter != ' ' {
        canvas.raw(&format!("<use href=\"#{face}{}\" x=\"{}\"/>", letter as u32, at as i32));
    }
}

fn set_as_text(canvas: &mut Canvas, block: &Block, (x, y): (f32, f32), align: Align, ink: Rgb) {
    let anchor = if align == Align::Centre {
        " text-anchor=\"middle\""
    } else {
        ""
    };
    canvas.raw(&format!(
        "<g fill=\"#{:06x}\" font-family=\"Fraunces Variable,Fraunces,Georgia,Noto Serif,serif\" font-weight=\"600\" font-size=\"{:.1}\"{anchor}>",
        ink.0, block.size
    ));
    let mut baseline = y + block.size * CAPITALS;
    for line in &block.lines {
        canvas.raw(&format!("<text x=\"{x:.1}\" y=\"{baseline:.1}\">"));
        canvas.text(line);
        canvas.raw("</text>");
        baseline += block.size * LEADING;
    }
    canvas.raw("</g>");
}
