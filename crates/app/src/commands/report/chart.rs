//! Plots as inline SVG. Colours are classes of the page's style sheet, so that they follow light and dark.

use std::fmt::Write as _;

use super::page::escape;

/// A plot is drawn for a narrow screen and grows with its column: letters stay readable on a telephone.
const WIDTH: f64 = 340.0;
const ROW: f64 = 26.0;
/// Where bars begin and where the longest ends.
const FROM: f64 = 96.0;
const TO: f64 = 284.0;

/// One bar.
pub struct Bar<'a> {
    pub name: &'a str,
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    /// The value as it is written beside the bar.
    pub text: String,
    /// Whether it is what the others are compared with.
    pub is_baseline: bool,
}

/// One point with its name.
pub struct Point<'a> {
    pub name: &'a str,
    pub x: f64,
    pub y: f64,
}

/// A horizontal bar per row with its interval, `most` at the right end; the longest is marked where more `is_better`. `label` says
/// what it is to whoever cannot see it.
pub fn bars(label: &str, rows: &[Bar<'_>], most: f64, is_better: bool) -> String {
    let x = |value: f64| FROM + (value / most.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) * (TO - FROM);
    let best = rows.iter().map(|row| row.value).fold(f64::NEG_INFINITY, f64::max);
    let mut drawn = String::new();
    for (index, row) in rows.iter().enumerate() {
        let top = ROW * index as f64;
        let class = match row {
            row if row.is_baseline => "bar bar-base",
            row if is_better && row.value == best => "bar bar-best",
            _ => "bar",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            drawn,
            "<text x=\"0\" y=\"{:.1}\">{}</text><rect class=\"{class}\" x=\"{FROM}\" y=\"{:.1}\" width=\"{:.1}\" height=\"16\" rx=\"2\"/>",
            top + 17.5,
            escape(row.name),
            top + 5.0,
            x(row.value) - FROM,
        );
        if let Some((low, high)) = row.interval {
            let (low, high, middle) = (x(low), x(high), top + 13.0);
            let _ = write!(
                drawn,
                "<path class=\"whisker\" d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8\"/>",
                middle - 4.0,
                middle - 4.0
            );
        }
        let _ = write!(
            drawn,
            "<text class=\"value\" x=\"{WIDTH}\" y=\"{:.1}\">{}</text>",
            top + 17.5,
            escape(&row.text)
        );
    }
    svg(label, ROW * rows.len() as f64, &drawn)
}

/// The furthest that bars reach, intervals included.
pub fn furthest<'a>(rows: impl IntoIterator<Item = &'a Bar<'a>>) -> f64 {
    let ends = rows
        .into_iter()
        .map(|row| row.interval.map_or(row.value, |(_, high)| high.max(row.value)));
    ends.fold(0.0, f64::max)
}

const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 330.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 196.0;

/// A point per model with its name beside it, from zero on both axes.
pub fn points(label: &str, (x_name, y_name): (&str, &str), points: &[Point<'_>]) -> String {
    let most = |of: fn(&Point<'_>) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (x_most, y_most) = (round_up(most(|p| p.x)), round_up(most(|p| p.y)));
    let x = |value: f64| LEFT + value / x_most * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - value / y_most * (BOTTOM - TOP);
    let mut drawn = format!("<path class=\"axis\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>");
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let (tick_x, tick_y) = (x(share * x_most), y(share * y_most));
        let _ = write!(
            drawn,
            "<path class=\"grid\" d=\"M{LEFT} {tick_y:.1}H{RIGHT}M{tick_x:.1} {TOP}V{BOTTOM}\"/>\
             <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=\"tick middle\" x=\"{tick_x:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 5.0,
            tick_y + 3.5,
            tick(share * y_most),
            BOTTOM + 14.0,
            tick(share * x_most)
        );
    }
    let _ = write!(
        drawn,
        "<text class=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"middle\" transform=\"translate(9 {:.1}) rotate(-90)\">{}</text>",
        (LEFT + RIGHT) / 2.0,
        HEIGHT - 8.0,
        escape(x_name),
        (TOP + BOTTOM) / 2.0,
        escape(y_name)
    );
    let centres: Vec<(f64, f64)> = points.iter().map(|point| (x(point.x), y(point.y))).collect();
    let mut taken: Vec<Place> = centres.iter().map(|(x, y)| Place::around(*x, *y)).collect();
    for (point, (centre_x, centre_y)) in points.iter().zip(centres) {
        let place = free_place(centre_x, centre_y, point.name, &taken);
        let _ = write!(
            drawn,
            "<circle class=\"point\" cx=\"{centre_x:.1}\" cy=\"{centre_y:.1}\" r=\"4.5\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            place.left,
            place.bottom - 3.0,
            escape(point.name)
        );
        taken.push(place);
    }
    svg(label, HEIGHT, &drawn)
}

/// A rectangle that a name or a point covers.
struct Place {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Place {
    fn around(x: f64, y: f64) -> Self {
        Self {
            left: x - 5.0,
            right: x + 5.0,
            top: y - 5.0,
            bottom: y + 5.0,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

/// Beside its point, on a side where nothing else is; to its right where all are taken.
fn free_place(x: f64, y: f64, name: &str, taken: &[Place]) -> Place {
    // Wider than most letters of this size are.
    let width = 7.6 * name.chars().count() as f64;
    let at = |left: f64, middle: f64| Place {
        left,
        right: left + width,
        top: middle - 8.0,
        bottom: middle + 8.0,
    };
    let (right, left, centre) = (x + 8.0, x - 8.0 - width, x - width / 2.0);
    let sides = [
        at(right, y),
        at(left, y),
        at(centre, y - 14.0),
        at(centre, y + 14.0),
        at(right, y - 13.0),
        at(left, y - 13.0),
        at(right, y + 13.0),
        at(left, y + 13.0),
        at(left, y - 27.0),
        at(left, y + 27.0),
        at(centre, y - 30.0),
        at(centre, y + 30.0),
    ];
    let inside =
        |place: &Place| place.left >= LEFT && place.right <= WIDTH && place.top >= 0.0 && place.bottom <= BOTTOM + 1.0;
    let free = |place: &Place| inside(place) && !taken.iter().any(|other| place.meets(other));
    sides
        .into_iter()
        .find(free)
        .unwrap_or_else(|| at(right.min(WIDTH - width), y))
}

/// The next of 1, 2, 5, 10 … of its order of magnitude.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let order = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let enough = steps.iter().find(|step| **step * order >= value);
    enough.unwrap_or(&10.0) * order
}

/// Three significant digits at most.
fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn svg(label: &str, height: f64, drawn: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">{drawn}</svg>",
        escape(label)
    )
}
