//! Motifs that repeat: lines, tiles, arches, dots.

use super::{
    super::{
        canvas::{Canvas, Paint, Step::*},
        palette::Inks,
        seed::Seed,
    },
    Stage, polar,
};

/// Five curved lines with notes on them.
pub fn staff(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (swing, gap, lean) = (
        stage.r * seed.between(0.25, 0.7) * seed.sign(),
        stage.r * seed.between(0.14, 0.2),
        stage.r * seed.between(-0.5, 0.5),
    );
    let height = |x: f32, line: f32| {
        let share = (x - stage.x) / canvas_span(stage);
        stage.y + line * gap + swing * (share * 2.6).sin() + lean * share
    };
    for line in -2..=2 {
        let mut path = vec![M(0.0, height(0.0, line as f32))];
        for step in 1..=12 {
            let x = canvas.w * step as f32 / 12.0;
            path.push(L(x, height(x, line as f32)));
        }
        canvas.path(&path, Paint::line(inks.figure, 1.8).alpha(0.85));
    }
    let notes = seed.count(4, 7);
    for note in 0..notes {
        let x = stage.x + stage.r * (2.2 * (note as f32 + 0.5) / notes as f32 - 1.1);
        let y = height(x, seed.count(0, 4) as f32 - 2.0);
        let ink = if note % 3 == 0 { inks.accent } else { inks.figure };
        let (head, stem) = (gap * 0.62, gap * 3.1);
        canvas.ellipse((x, y), head, head * 0.74, -22.0, Paint::fill(ink));
        canvas.rect(x + head * 0.78, y - stem, 2.4, stem, Paint::fill(ink));
        if seed.chance(0.4) {
            let top = y - stem;
            canvas.path(
                &[
                    M(x + head * 0.9, top),
                    Q(x + head * 2.2, top + stem * 0.25, x + head * 1.6, top + stem * 0.55),
                ],
                Paint::line(ink, 2.6),
            );
        }
    }
}

fn canvas_span(stage: Stage) -> f32 {
    stage.r * 2.2
}

/// Bars of sound.
pub fn equaliser(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let bars = seed.count(11, 21);
    let pitch = stage.r * 2.4 / bars as f32;
    let (slow, fast) = (seed.between(0.2, 0.5), seed.between(0.9, 1.9));
    for bar in 0..bars {
        let envelope = 1.0 - ((bar as f32 + 0.5) / bars as f32 * 2.0 - 1.0).powi(2) * 0.7;
        let wave = 0.35 + 0.4 * (bar as f32 * slow).sin().abs() + 0.25 * (bar as f32 * fast).sin().abs();
        let tall = stage.r * 0.95 * envelope * wave;
        let x = stage.x - stage.r * 1.2 + pitch * bar as f32;
        let ink = if seed.chance(0.18) { inks.accent } else { inks.figure };
        canvas.rect(
            x,
            stage.y - tall,
            pitch * 0.56,
            tall * 2.0,
            Paint::fill(ink).alpha(0.55 + 0.45 * envelope),
        );
    }
}

/// Petals around a point.
pub fn rosette(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (petals, turn) = (seed.count(6, 14), seed.between(0.0, 360.0));
    let (long, thin) = (stage.r * seed.between(0.45, 0.62), seed.between(0.24, 0.5));
    for layer in 0..seed.count(1, 2) {
        let scale = 1.0 - 0.42 * layer as f32;
        for petal in 0..petals {
            let at = turn + 360.0 * petal as f32 / petals as f32 + 180.0 / petals as f32 * layer as f32;
            let centre = polar(stage.x, stage.y, at, long * scale);
            let ink = if layer == 0 {
                if petal % 2 == 0 {
                    inks.figure
                } else {
                    inks.middle.mix(inks.figure, 0.4)
                }
            } else {
                inks.accent
            };
            canvas.ellipse(
                centre,
                long * scale,
                long * scale * thin,
                at,
                Paint::fill(ink).alpha(0.82),
            );
        }
    }
    canvas.circle(
        stage.x,
        stage.y,
        stage.r * seed.between(0.1, 0.2),
        Paint::fill(inks.ground),
    );
    canvas.circle(stage.x, stage.y, stage.r * 0.07, Paint::fill(inks.accent));
}

/// Quarter circles on a grid.
pub fn tiles(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let across = seed.count(3, 5);
    let side = stage.r * 2.25 / across as f32;
    let (left, top) = (
        stage.x - side * across as f32 / 2.0,
        stage.y - side * across as f32 / 2.0,
    );
    for cell in 0..across * across {
        let (x, y) = (
            left + side * (cell % across) as f32,
            top + side * (cell / across) as f32,
        );
        let (back, front) = seed.pick(&[
            (inks.figure, inks.ground),
            (inks.ground, inks.figure),
            (inks.accent, inks.figure),
            (inks.middle, inks.accent),
            (inks.figure, inks.accent),
        ]);
        canvas.rect(x, y, side + 0.4, side + 0.4, Paint::fill(back));
        let right = seed.chance(0.5);
        let low = seed.chance(0.5);
        let (cx, cy) = (if right { x + side } else { x }, if low { y + side } else { y });
        let (dx, dy) = (if right { -side } else { side }, if low { -side } else { side });
        match seed.count(0, 3) {
            0 => canvas.circle(x + side / 2.0, y + side / 2.0, side * 0.34, Paint::fill(front)),
            1 => canvas.path(&[M(x, cy), A(side / 2.0, low, x + side, cy), Z], Paint::fill(front)),
            _ => canvas.path(
                &[M(cx, cy), L(cx + dx, cy), A(side, right != low, cx, cy + dy), Z],
                Paint::fill(front),
            ),
        }
    }
}

/// Rings of rising ground, as on a map.
pub fn contours(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (rings, lobes) = (seed.count(9, 13), seed.count(2, 4));
    let (shift, strength) = (seed.between(0.0, 360.0), seed.between(0.12, 0.3));
    for ring in 1..=rings {
        let r = stage.r * 1.5 * ring as f32 / rings as f32;
        let points: Vec<(f32, f32)> = (0..16)
            .map(|step| {
                let at = 22.5 * step as f32;
                let wobble = 1.0
                    + strength
                        * ((at * lobes as f32 + shift).to_radians().sin()
                            + 0.5 * (at * 3.0 - shift * 2.0 + 14.0 * ring as f32).to_radians().cos());
                polar(stage.x, stage.y, at, r * wobble)
            })
            .collect();
        let middle = |a: (f32, f32), b: (f32, f32)| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        let start = middle(points[15], points[0]);
        let mut path = vec![M(start.0, start.1)];
        for (index, point) in points.iter().enumerate() {
            let end = middle(*point, points[(index + 1) % 16]);
            path.push(Q(point.0, point.1, end.0, end.1));
        }
        let (ink, width) = if ring % 4 == 1 {
            (inks.accent, 2.4)
        } else {
            (inks.figure, 1.3)
        };
        canvas.path(&path, Paint::line(ink, width).alpha(0.85));
    }
    canvas.circle(stage.x, stage.y, 4.0, Paint::fill(inks.accent));
}

/// A screen of printing dots, larger towards a light.
pub fn halftone(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (across, turn) = (seed.count(11, 14), seed.between(0.0, 45.0));
    let pitch = stage.r * 2.3 / across as f32;
    let (lx, ly) = polar(
        stage.x,
        stage.y,
        seed.between(0.0, 360.0),
        stage.r * seed.between(0.2, 0.8),
    );
    let half = across as i32 / 2;
    for row in -half..=half {
        for column in -half..=half {
            let (x, y) = polar(stage.x, stage.y, turn, column as f32 * pitch);
            let (x, y) = polar(x, y, turn + 90.0, row as f32 * pitch);
            let from_light = ((x - lx).powi(2) + (y - ly).powi(2)).sqrt() / (stage.r * 1.9);
            let r = pitch * 0.62 * (1.0 - from_light);
            if r > pitch * 0.07 {
                canvas.circle(x, y, r, Paint::fill(inks.figure));
            }
        }
    }
    canvas.circle(lx, ly, stage.r * seed.between(0.12, 0.3), Paint::fill(inks.accent));
}

/// Bundled threads.
pub fn threads(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (count, spread) = (seed.count(14, 22), stage.r * seed.between(0.9, 1.3));
    let (bend_a, bend_b) = (stage.r * seed.between(-1.2, 1.2), stage.r * seed.between(-1.2, 1.2));
    let waist = seed.between(0.05, 0.35);
    let upright = seed.chance(0.5);
    let marked = seed.count(2, count - 3);
    for thread in 0..count {
        let share = thread as f32 / (count - 1) as f32 * 2.0 - 1.0;
        let (wide, narrow) = (share * spread, share * spread * waist);
        let (ink, width) = if thread == marked {
            (inks.accent, 3.2)
        } else {
            (inks.figure, 1.3)
        };
        let flip = |along: f32, across: f32| {
            if upright {
                (stage.x + across, along)
            } else {
                (along, stage.y + across)
            }
        };
        let length = if upright { canvas.h } else { canvas.w };
        let (from, to) = (flip(-4.0, wide), flip(length + 4.0, -wide));
        let (a, b) = (
            flip(length * 0.35, narrow + bend_a),
            flip(length * 0.6, -narrow + bend_b),
        );
        canvas.path(
            &[M(from.0, from.1), C(a.0, a.1, b.0, b.1, to.0, to.1)],
            Paint::line(ink, width).alpha(if thread == marked { 1.0 } else { 0.8 }),
        );
    }
}

/// Broad bands that cross.
pub fn ribbons(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let colours = [inks.middle, inks.figure, inks.accent, inks.deep];
    for ribbon in 0..seed.count(3, 4) {
        let (from, to) = (
            stage.y + stage.r * seed.between(-1.1, 1.1),
            stage.y + stage.r * seed.between(-1.1, 1.1),
        );
        let (a, b) = (
            stage.y + stage.r * seed.between(-1.6, 1.6),
            stage.y + stage.r * seed.between(-1.6, 1.6),
        );
        let thick = stage.r * seed.between(0.1, 0.34);
        let (w, third) = (canvas.w + 20.0, canvas.w / 3.0);
        canvas.path(
            &[M(-20.0, from), C(third, a, third * 2.0, b, w, to)],
            Paint::line(colours[ribbon % 4], thick).alpha(0.95),
        );
    }
    canvas.circle(
        stage.x + stage.r * seed.between(-0.7, 0.7),
        stage.y + stage.r * seed.between(-0.7, 0.7),
        stage.r * seed.between(0.1, 0.24),
        Paint::fill(inks.text),
    );
}

/// Arches inside arches.
pub fn arches(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let rings = seed.count(4, 6);
    let foot = stage.y + stage.r * 1.05;
    let colours = [inks.figure, inks.ground, inks.accent, inks.deep];
    let outer = stage.r * seed.between(0.78, 0.95);
    let rise = stage.r * seed.between(0.1, 0.5);
    for ring in 0..rings {
        let half = outer * (1.0 - ring as f32 / rings as f32);
        let spring = foot - rise - outer * 0.35 * (1.0 - ring as f32 / rings as f32) - outer * 0.2;
        let path = [
            M(stage.x - half, foot),
            L(stage.x - half, spring),
            A(half, true, stage.x + half, spring),
            L(stage.x + half, foot),
            Z,
        ];
        canvas.path(&path, Paint::fill(colours[ring % 4]));
    }
    canvas.rect(0.0, foot, canvas.w, 1.6, Paint::fill(inks.figure).alpha(0.6));
    if seed.chance(0.5) {
        canvas.circle(
            stage.x + stage.r * seed.between(-0.8, 0.8),
            stage.y - stage.r * 0.8,
            stage.r * 0.13,
            Paint::fill(inks.accent),
        );
    }
}

/// A row of columns and their shadows.
pub fn columns(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let count = seed.count(3, 6);
    let pitch = stage.r * 2.1 / count as f32;
    let (top, foot) = (stage.y - stage.r * 0.75, stage.y + stage.r * 0.95);
    let shade = canvas.linear(
        (0.0, 0.0),
        (1.0, 0.0),
        &[(0.0, inks.figure, 1.0), (0.55, inks.middle, 1.0), (1.0, inks.deep, 1.0)],
    );
    let lean = stage.r * seed.between(0.3, 0.9) * seed.sign();
    for column in 0..count {
        let x = stage.x - stage.r * 1.05 + pitch * (column as f32 + 0.22);
        let wide = pitch * 0.56;
        canvas.polygon(
            &[
                (x, foot),
                (x + wide, foot),
                (x + wide + lean, foot + stage.r),
                (x + lean, foot + stage.r),
            ],
            Paint::fill(inks.deep).alpha(0.7),
        );
        let broken = if seed.chance(0.3) {
            stage.r * seed.between(0.2, 0.9)
        } else {
            0.0
        };
        canvas.rect(x, top + broken, wide, foot - top - broken, Paint::gradient(shade));
        if broken == 0.0 {
            canvas.rect(x - wide * 0.14, top - 8.0, wide * 1.28, 9.0, Paint::fill(inks.figure));
        }
        canvas.rect(x - wide * 0.14, foot - 7.0, wide * 1.28, 8.0, Paint::fill(inks.figure));
    }
    canvas.rect(0.0, foot, canvas.w, 1.6, Paint::fill(inks.accent));
}

/// Frames of a film, or pictures on a wall.
pub fn frames(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let count = seed.count(4, 7);
    let lean = seed.between(2.0, 9.0) * seed.sign();
    for frame in 0..count {
        let share = frame as f32 / count as f32;
        let (wide, tall) = (
            stage.r * 1.9 * (1.0 - share * 0.82),
            stage.r * 1.5 * (1.0 - share * 0.82),
        );
        let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(dx, dy)| {
            let (x, y) = polar(stage.x, stage.y, lean * frame as f32, dx * wide);
            polar(x, y, lean * frame as f32 + 90.0, dy * tall)
        });
        let ink = [inks.figure, inks.ground, inks.middle, inks.deep, inks.accent][frame % 5];
        canvas.polygon(&corners, Paint::fill(ink));
    }
    canvas.circle(
        stage.x,
        stage.y,
        stage.r * seed.between(0.05, 0.1),
        Paint::fill(inks.text),
    );
}

/// Diagonal stripes cut by a disc.
pub fn stripes(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (lean, pitch) = (
        seed.between(20.0, 70.0) * seed.sign(),
        stage.r * seed.between(0.16, 0.3),
    );
    for stripe in -7..=7 {
        let (x, y) = polar(stage.x, stage.y, lean + 90.0, pitch * 2.0 * stripe as f32);
        let (from, to) = (polar(x, y, lean, -canvas.h), polar(x, y, lean, canvas.h));
        canvas.path(
            &[M(from.0, from.1), L(to.0, to.1)],
            Paint::line(if stripe % 3 == 0 { inks.accent } else { inks.figure }, pitch).alpha(0.9),
        );
    }
    let r = stage.r * seed.between(0.45, 0.72);
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.3, 0.3),
        stage.y + stage.r * seed.between(-0.3, 0.3),
    );
    canvas.circle(x, y, r, Paint::fill(inks.ground));
    canvas.circle(x, y, r * seed.between(0.3, 0.7), Paint::fill(inks.figure));
}

/// Arrowheads in a row.
pub fn chevrons(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (count, way) = (seed.count(4, 7), seed.sign());
    let (pitch, thick) = (stage.r * 2.6 / count as f32, stage.r * seed.between(0.14, 0.24));
    let (tall, deep) = (
        stage.r * seed.between(0.8, 1.15),
        stage.r * seed.between(0.5, 0.9) * way,
    );
    for chevron in 0..count {
        let x = stage.x + way * (pitch * chevron as f32 - stage.r * 1.5);
        let ink = if chevron + 1 == count { inks.accent } else { inks.figure };
        let share = (chevron + 1) as f32 / count as f32;
        canvas.path(
            &[M(x, stage.y - tall), L(x + deep, stage.y), L(x, stage.y + tall)],
            Paint::line(ink, thick * (0.4 + 0.8 * share)).alpha(0.3 + 0.7 * share),
        );
    }
}

/// Lanes of a track in a bend.
pub fn lanes(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (way, count) = (seed.sign(), seed.count(5, 8));
    let (cx, cy) = (
        stage.x - way * stage.r * seed.between(1.0, 1.5),
        stage.y + stage.r * seed.between(0.6, 1.3),
    );
    let (inner, pitch) = (stage.r * seed.between(0.6, 1.0), stage.r * seed.between(0.2, 0.28));
    for lane in 0..count {
        let r = inner + pitch * lane as f32;
        canvas.circle(
            cx,
            cy,
            r,
            Paint::line(if lane % 2 == 0 { inks.accent } else { inks.middle }, pitch).alpha(0.9),
        );
        canvas.circle(cx, cy, r + pitch / 2.0, Paint::line(inks.text, 2.0));
    }
    let (x, y) = polar(
        cx,
        cy,
        if way > 0.0 { -45.0 } else { -135.0 },
        inner + pitch * (count as f32 * 0.5),
    );
    canvas.circle(x, y, pitch * 0.42, Paint::fill(inks.figure));
}

/// Barbed wire.
pub fn wire(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let disc = stage.r * seed.between(0.4, 0.7);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.4, 0.4),
        stage.y - stage.r * 0.15,
        disc,
        Paint::fill(inks.accent),
    );
    for strand in 0..seed.count(3, 4) {
        let (y, sag) = (
            stage.y + stage.r * (0.55 * strand as f32 - 0.7),
            stage.r * seed.between(-0.2, 0.25),
        );
        canvas.path(
            &[M(-5.0, y), Q(stage.x, y + sag * 2.0, canvas.w + 5.0, y)],
            Paint::line(inks.figure, 2.4),
        );
        let pitch = stage.r * seed.between(0.45, 0.6);
        let mut x = pitch * seed.unit();
        while x < canvas.w {
            let share = x / canvas.w;
            let at = y + sag * 4.0 * share * (1.0 - share);
            let barb = stage.r * 0.08;
            canvas.path(
                &[
                    M(x - barb, at - barb),
                    L(x + barb, at + barb),
                    M(x - barb, at + barb),
                    L(x + barb, at - barb),
                ],
                Paint::line(inks.figure, 2.2),
            );
            x += pitch;
        }
    }
}
