//! Writes SVG: shapes, colours and paths, with short numbers and everything escaped.

use std::fmt::Write as _;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u32);

impl Rgb {
    fn channel(self, shift: u32) -> f32 {
        (self.0 >> shift & 255) as f32
    }

    /// `share` of the way from this colour to `other`.
    pub fn mix(self, other: Rgb, share: f32) -> Rgb {
        let blend = |shift| {
            let (from, to) = (self.channel(shift), other.channel(shift));
            ((from + (to - from) * share).round().clamp(0.0, 255.0) as u32) << shift
        };
        Rgb(blend(16) | blend(8) | blend(0))
    }

    /// Relative luminance, 0 to 1, near enough for choosing ink.
    pub fn luminance(self) -> f32 {
        (0.299 * self.channel(16) + 0.587 * self.channel(8) + 0.114 * self.channel(0)) / 255.0
    }
}

/// How a shape is painted.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: Colour,
    alpha: f32,
    /// Width of the line; 0 fills.
    stroke: f32,
}

#[derive(Debug, Clone, Copy)]
enum Colour {
    Flat(Rgb),
    Gradient(u8),
}

impl Paint {
    pub fn fill(colour: Rgb) -> Self {
        Self {
            colour: Colour::Flat(colour),
            alpha: 1.0,
            stroke: 0.0,
        }
    }

    pub fn line(colour: Rgb, width: f32) -> Self {
        Self {
            colour: Colour::Flat(colour),
            alpha: 1.0,
            stroke: width,
        }
    }

    pub fn gradient(gradient: Gradient) -> Self {
        Self {
            colour: Colour::Gradient(gradient.0),
            alpha: 1.0,
            stroke: 0.0,
        }
    }

    pub fn alpha(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }
}

/// A gradient written before.
#[derive(Debug, Clone, Copy)]
pub struct Gradient(u8);

/// A picture in the making.
pub struct Canvas {
    pub w: f32,
    pub h: f32,
    out: String,
    gradients: u8,
}

impl Canvas {
    pub fn new(w: f32, h: f32) -> Self {
        Self {
            w,
            h,
            out: String::with_capacity(12 * 1024),
            gradients: 0,
        }
    }

    pub fn into_string(self) -> String {
        self.out
    }

    pub fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Text content or a quoted attribute; what XML does not allow is left out.
    pub fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {}
                character => self.out.push(character),
            }
        }
    }

    /// A number with one decimal at most.
    pub fn number(&mut self, value: f32) {
        let tenths = (f64::from(value) * 10.0).round() as i64;
        if tenths < 0 {
            self.out.push('-');
        }
        let tenths = tenths.unsigned_abs();
        let _ = write!(self.out, "{}", tenths / 10);
        if !tenths.is_multiple_of(10) {
            let _ = write!(self.out, ".{}", tenths % 10);
        }
    }

    fn attribute(&mut self, name: &str, value: f32) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.number(value);
        self.out.push('"');
    }

    fn paint(&mut self, paint: Paint) {
        let name = if paint.stroke > 0.0 {
            " fill=\"none\" stroke=\""
        } else {
            " fill=\""
        };
        self.out.push_str(name);
        let _ = match paint.colour {
            Colour::Flat(colour) => write!(self.out, "#{:06x}\"", colour.0),
            Colour::Gradient(id) => write!(self.out, "url(#g{id})\""),
        };
        if paint.stroke > 0.0 {
            self.attribute("stroke-width", paint.stroke);
        }
        if paint.alpha < 0.995 {
            let _ = write!(
                self.out,
                " opacity=\".{:02}\"",
                (paint.alpha.max(0.0) * 100.0).round() as u32
            );
        }
    }

    pub fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, paint: Paint) {
        self.out.push_str("<rect");
        for (name, value) in [("x", x), ("y", y), ("width", w.max(0.0)), ("height", h.max(0.0))] {
            self.attribute(name, value);
        }
        self.paint(paint);
        self.out.push_str("/>");
    }

    pub fn circle(&mut self, cx: f32, cy: f32, r: f32, paint: Paint) {
        self.out.push_str("<circle");
        for (name, value) in [("cx", cx), ("cy", cy), ("r", r.max(0.0))] {
            self.attribute(name, value);
        }
        self.paint(paint);
        self.out.push_str("/>");
    }

    pub fn ellipse(&mut self, centre: (f32, f32), rx: f32, ry: f32, degrees: f32, paint: Paint) {
        self.out.push_str("<ellipse");
        for (name, value) in [
            ("cx", centre.0),
            ("cy", centre.1),
            ("rx", rx.max(0.0)),
            ("ry", ry.max(0.0)),
        ] {
            self.attribute(name, value);
        }
        self.out.push_str(" transform=\"rotate(");
        self.number(degrees);
        for value in [centre.0, centre.1] {
            self.out.push(' ');
            self.number(value);
        }
        self.out.push_str(")\"");
        self.paint(paint);
        self.out.push_str("/>");
    }

    /// A path: letters and numbers as in SVG, such as `[M(0,0), L(1,1)]`.
    pub fn path(&mut self, steps: &[Step], paint: Paint) {
        self.out.push_str("<path d=\"");
        for step in steps {
            let (letter, values) = step.parts();
            self.out.push(letter);
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    self.out.push(' ');
                }
                self.number(*value);
            }
        }
        self.out.push('"');
        self.paint(paint);
        self.out.push_str("/>");
    }

    /// An outline given as SVG path data, moved and scaled.
    pub fn shape(&mut self, data: &str, (x, y): (f32, f32), scale: f32, paint: Paint) {
        let _ = write!(
            self.out,
            "<path transform=\"translate({x:.1} {y:.1}) scale({scale:.4})\" d=\"{data}\""
        );
        self.paint(paint);
        self.out.push_str("/>");
    }

    /// A closed polygon.
    pub fn polygon(&mut self, points: &[(f32, f32)], paint: Paint) {
        let mut steps: Vec<Step> = points.iter().map(|&(x, y)| Step::L(x, y)).collect();
        if let (Some(first), Some(&(x, y))) = (steps.first_mut(), points.first()) {
            *first = Step::M(x, y);
        }
        steps.push(Step::Z);
        self.path(&steps, paint);
    }

    /// A linear gradient in shares of the shape it fills: from `(x1, y1)` to `(x2, y2)`; stops are (place, colour, alpha).
    pub fn linear(&mut self, from: (f32, f32), to: (f32, f32), stops: &[(f32, Rgb, f32)]) -> Gradient {
        let id = self.gradients;
        self.gradients += 1;
        let _ = write!(
            self.out,
            "<linearGradient id=\"g{id}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\">",
            from.0, from.1, to.0, to.1
        );
        self.stops(stops);
        self.out.push_str("</linearGradient>");
        Gradient(id)
    }

    /// A radial gradient in shares of the shape it fills.
    pub fn radial(&mut self, centre: (f32, f32), r: f32, stops: &[(f32, Rgb, f32)]) -> Gradient {
        let id = self.gradients;
        self.gradients += 1;
        let _ = write!(
            self.out,
            "<radialGradient id=\"g{id}\" cx=\"{:.2}\" cy=\"{:.2}\" r=\"{r:.2}\">",
            centre.0, centre.1
        );
        self.stops(stops);
        self.out.push_str("</radialGradient>");
        Gradient(id)
    }

    fn stops(&mut self, stops: &[(f32, Rgb, f32)]) {
        for (place, colour, alpha) in stops {
            let _ = write!(self.out, "<stop offset=\"{place}\" stop-color=\"#{:06x}\"", colour.0);
            if *alpha < 0.995 {
                let _ = write!(self.out, " stop-opacity=\"{alpha}\"");
            }
            self.out.push_str("/>");
        }
    }
}

/// A step of a path, absolute.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    M(f32, f32),
    L(f32, f32),
    Q(f32, f32, f32, f32),
    C(f32, f32, f32, f32, f32, f32),
    /// An arc of a circle: radius, clockwise, to.
    A(f32, bool, f32, f32),
    Z,
}

impl Step {
    fn parts(&self) -> (char, Vec<f32>) {
        match *self {
            Step::M(x, y) => ('M', vec![x, y]),
            Step::L(x, y) => ('L', vec![x, y]),
            Step::Q(a, b, x, y) => ('Q', vec![a, b, x, y]),
            Step::C(a, b, c, d, x, y) => ('C', vec![a, b, c, d, x, y]),
            Step::A(r, clockwise, x, y) => ('A', vec![r, r, 0.0, 0.0, if clockwise { 1.0 } else { 0.0 }, x, y]),
            Step::Z => ('Z', vec![]),
        }
    }
}
