//! Draws a picture for a title that has none: a motif in the inks of its genre, its name in large type, its year.
//!
//! The same title always looks the same; two titles of one genre do not look alike. A picture is a few kilobytes of SVG
//! with the letters as shapes, so that it looks the same on every device.

mod canvas;
mod genre;
mod lettering;
mod motifs;
mod palette;
mod seed;
#[cfg(test)]
mod tests;
pub mod upload;

use contract::catalog::ArtworkShape;

use canvas::{Canvas, Paint};
use lettering::{Align, Block};
use motifs::Stage;
use palette::Inks;
use seed::Seed;

/// What a picture tells.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Decides composition, colours and every line: the title's id.
    pub seed: u64,
    pub name: &'a str,
    pub year: Option<u16>,
    pub genres: &'a [String],
}

/// Draws the picture as SVG.
pub fn draw(subject: &Subject, shape: ArtworkShape) -> String {
    let mut seed = Seed::new(subject.seed);
    let look = genre::look(subject.genres);
    let inks = palette::inks(look.mood, &mut seed);
    let motif = seed.pick(look.motifs);
    let plan = match shape {
        ArtworkShape::Poster => Plan::poster(subject.name, &mut seed),
        ArtworkShape::Backdrop => Plan::backdrop(subject.name, &mut seed),
    };
    let mut canvas = Canvas::new(plan.w, plan.h);
    open(&mut canvas, subject);
    ground(&mut canvas, &inks, &mut seed);
    motif(&mut canvas, &mut seed, &inks, plan.stage);
    veil(&mut canvas, &inks, &plan);
    lettering::set(&mut canvas, &plan.title, plan.x, plan.title_y, plan.align, inks.text);
    imprint(&mut canvas, &inks, &plan, subject);
    canvas.raw("</svg>");
    canvas.into_string()
}

/// Where the lettering stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Foot,
    Side,
}

/// A composition.
struct Plan {
    w: f32,
    h: f32,
    place: Place,
    align: Align,
    title: Block,
    /// Left edge of the lettering, or its middle when centred.
    x: f32,
    title_y: f32,
    /// Left, right and height of the hairline; the imprint stands under it, or above when the lettering is at the head.
    rule: (f32, f32, f32),
    label_size: f32,
    label_y: f32,
    stage: Stage,
}

const POSTER_MARGIN: f32 = 32.0;

impl Plan {
    fn poster(name: &str, seed: &mut Seed) -> Self {
        let initial = lettering::first_letter(name);
        let (w, h) = (400.0, 600.0);
        let width = w - 2.0 * POSTER_MARGIN;
        let title = lettering::fit(name, width, 215.0, seed.between(74.0, 92.0));
        let align = if seed.chance(0.28) { Align::Centre } else { Align::Left };
        let x = if align == Align::Centre { w / 2.0 } else { POSTER_MARGIN };
        let sheet = Self {
            w,
            h,
            place: Place::Foot,
            align,
            x,
            title_y: 0.0,
            rule: (POSTER_MARGIN, w - POSTER_MARGIN, 0.0),
            label_size: 14.5,
            label_y: 0.0,
            stage: Stage {
                x: w / 2.0,
                y: 0.0,
                r: 0.0,
                initial,
            },
            title,
        };
        match seed.count(0, 4) {
            0 => sheet.parted(),
            1 => sheet.hanging(),
            _ => sheet.standing(),
        }
    }

    /// Title at the head, imprint at the foot, the motif between.
    fn parted(self) -> Self {
        let tall = self.title.height();
        let free = self.h - POSTER_MARGIN * 2.0 - tall - 46.0;
        let stage = Stage {
            y: POSTER_MARGIN + tall + 38.0 + free / 2.0,
            r: (free * 0.4).min(165.0),
            ..self.stage
        };
        Self {
            place: Place::Head,
            title_y: POSTER_MARGIN + 8.0,
            rule: (self.rule.0, self.rule.1, self.h - 62.0),
            label_y: self.h - POSTER_MARGIN - 4.0,
            stage,
            ..self
        }
    }

    /// All lettering at the head.
    fn hanging(self) -> Self {
        let (top, tall) = (POSTER_MARGIN + 40.0, self.title.height());
        let free = self.h - top - tall;
        let stage = Stage {
            y: top + tall + free * 0.56,
            r: (free * 0.36).min(170.0),
            ..self.stage
        };
        Self {
            place: Place::Head,
            title_y: top + 12.0,
            rule: (self.rule.0, self.rule.1, POSTER_MARGIN + 24.0),
            label_y: POSTER_MARGIN + 9.0,
            stage,
            ..self
        }
    }

    /// All lettering at the foot.
    fn standing(self) -> Self {
        let rule = self.h - 62.0;
        let title_y = rule - 24.0 - self.title.height();
        let stage = Stage {
            y: title_y * 0.48,
            r: (title_y * 0.42).min(180.0),
            ..self.stage
        };
        Self {
            title_y,
            rule: (self.rule.0, self.rule.1, rule),
            label_y: self.h - POSTER_MARGIN - 4.0,
            stage,
            ..self
        }
    }

    fn backdrop(name: &str, seed: &mut Seed) -> Self {
        const MARGIN: f32 = 52.0;
        let (w, h) = (960.0, 540.0);
        let width = w * 0.46;
        let title = lettering::fit(name, width, 270.0, seed.between(92.0, 112.0));
        let rule = h - 92.0;
        Self {
            w,
            h,
            place: Place::Side,
            align: Align::Left,
            x: MARGIN,
            title_y: rule - 30.0 - title.height(),
            rule: (MARGIN, MARGIN + width, rule),
            label_size: 17.0,
            label_y: h - MARGIN - 4.0,
            stage: Stage {
                x: w * seed.between(0.74, 0.78),
                y: h * seed.between(0.44, 0.5),
                r: h * 0.36,
                initial: lettering::first_letter(name),
            },
            title,
        }
    }
}

fn open(canvas: &mut Canvas, subject: &Subject) {
    let (w, h) = (canvas.w, canvas.h);
    canvas.raw(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" preserveAspectRatio="xMidYMid slice" role="img"><title>"#
    ));
    canvas.text(subject.name);
    if let Some(year) = subject.year {
        canvas.raw(&format!(" ({year})"));
    }
    canvas.raw("</title>");
}

/// The sheet, a little lighter towards one corner.
fn ground(canvas: &mut Canvas, inks: &Inks, seed: &mut Seed) {
    let (w, h) = (canvas.w, canvas.h);
    canvas.rect(0.0, 0.0, w, h, Paint::fill(inks.ground));
    let centre = (seed.between(0.0, 1.0), seed.between(0.0, 0.6));
    let wash = canvas.radial(centre, 1.1, &[(0.0, inks.middle, 0.42), (1.0, inks.deep, 0.5)]);
    canvas.rect(0.0, 0.0, w, h, Paint::gradient(wash));
}

/// Quietens the motif behind the lettering: whole under it, gone a little further on.
fn veil(canvas: &mut Canvas, inks: &Inks, plan: &Plan) {
    const EDGE: f32 = 14.0;
    const FADE: f32 = 64.0;
    let (w, h, ink) = (plan.w, plan.h, inks.ground);
    match plan.place {
        Place::Foot => {
            let top = plan.title_y - EDGE - FADE;
            let full = (FADE / (h - top)).min(1.0);
            let stops = [
                (0.0, ink, 0.0),
                (full * 0.6, ink, 0.62),
                (full, ink, 0.9),
                (1.0, ink, 0.97),
            ];
            let fade = canvas.linear((0.0, 0.0), (0.0, 1.0), &stops);
            canvas.rect(0.0, top, w, h - top, Paint::gradient(fade));
        }
        Place::Head => {
            let foot = plan.title_y + plan.title.height() + EDGE + FADE;
            let full = (FADE / foot).min(1.0);
            let stops = [
                (0.0, ink, 0.0),
                (full * 0.6, ink, 0.62),
                (full, ink, 0.9),
                (1.0, ink, 0.97),
            ];
            let fade = canvas.linear((0.0, 1.0), (0.0, 0.0), &stops);
            canvas.rect(0.0, 0.0, w, foot, Paint::gradient(fade));
            if plan.rule.2 > h / 2.0 {
                let fade = canvas.linear(
                    (0.0, 0.0),
                    (0.0, 1.0),
                    &[(0.0, ink, 0.0), (0.45, ink, 0.92), (1.0, ink, 1.0)],
                );
                canvas.rect(0.0, h - 112.0, w, 112.0, Paint::gradient(fade));
            }
        }
        Place::Side => {
            let fade = canvas.linear(
                (0.0, 0.0),
                (1.0, 0.0),
                &[(0.0, ink, 0.97), (0.62, ink, 0.88), (1.0, ink, 0.0)],
            );
            canvas.rect(0.0, 0.0, w * 0.7, h, Paint::gradient(fade));
        }
    }
}

/// The hairline, the year and the genre.
fn imprint(canvas: &mut Canvas, inks: &Inks, plan: &Plan, subject: &Subject) {
    let (left, right, y) = plan.rule;
    canvas.rect(left, y, right - left, 1.2, Paint::fill(inks.text).alpha(0.7));
    let size = plan.label_size;
    let year = subject.year.map(|year| year.to_string()).unwrap_or_default();
    let genre = subject.genres.first().map_or("", String::as_str);
    if !year.is_empty() {
        lettering::label(canvas, &year, left, plan.label_y, size, inks.text);
    }
    let room = right - left - lettering::label_width(&year, size) - size * 2.0;
    let width = lettering::label_width(genre, size);
    if !genre.is_empty() && width <= room {
        lettering::label(canvas, genre, right - width, plan.label_y, size, inks.text);
    }
}
