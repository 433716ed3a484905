//! Motifs of places: horizons, mountains, woods, towns, water.

use super::{
    super::{
        canvas::{Canvas, Paint, Rgb, Step::*},
        palette::Inks,
        seed::Seed,
    },
    Stage,
};

/// A sky that brightens towards the ground.
fn sky(canvas: &mut Canvas, inks: &Inks, strength: f32) {
    let glow = canvas.linear(
        (0.0, 0.0),
        (0.0, 1.0),
        &[(0.0, inks.ground, 0.0), (0.75, inks.accent, strength)],
    );
    canvas.rect(0.0, 0.0, canvas.w, canvas.h, Paint::gradient(glow));
}

/// A wavy band from `y` to the foot of the sheet.
fn band(canvas: &mut Canvas, seed: &mut Seed, y: f32, swing: f32, waves: usize, paint: Paint) {
    let step = canvas.w / waves as f32;
    let start = seed.between(-1.0, 0.0) * step;
    let mut path = vec![M(start, canvas.h), L(start, y)];
    let mut x = start;
    while x < canvas.w {
        let (rise, next) = (seed.between(0.4, 1.0) * swing, step * seed.between(0.8, 1.3));
        path.push(C(
            x + next * 0.33,
            y - rise,
            x + next * 0.66,
            y + rise,
            x + next,
            y + seed.between(-0.2, 0.2) * swing,
        ));
        x += next;
    }
    path.extend([L(x, canvas.h), Z]);
    canvas.path(&path, paint);
}

/// A low sun over a plain.
pub fn horizon(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    sky(canvas, inks, 0.35);
    let line = stage.y + stage.r * seed.between(0.3, 0.7);
    let x = stage.x + stage.r * seed.between(-0.6, 0.6);
    let r = stage.r * seed.between(0.35, 0.75);
    canvas.circle(x, line - r * seed.between(-0.1, 0.8), r, Paint::fill(inks.figure));
    canvas.rect(0.0, line, canvas.w, canvas.h - line, Paint::fill(inks.deep));
    for stripe in 0..seed.count(4, 7) {
        let y = line + 5.0 + (stripe * stripe) as f32 * 2.4 + stripe as f32 * 4.0;
        let wide = r * (1.7 - 0.17 * stripe as f32);
        canvas.rect(
            x - wide / 2.0 + seed.between(-8.0, 8.0),
            y,
            wide,
            2.4,
            Paint::fill(inks.figure).alpha(0.6),
        );
    }
    let post = stage.x + stage.r * seed.between(-1.1, 1.1);
    canvas.rect(
        post,
        line - stage.r * seed.between(0.1, 0.3),
        2.6,
        stage.r * 0.3,
        Paint::fill(inks.deep),
    );
}

/// Table mountains in front of a sun.
pub fn mesas(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    sky(canvas, inks, 0.45);
    let line = stage.y + stage.r * 0.75;
    let sun = stage.r * seed.between(0.4, 0.7);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.5, 0.5),
        line - sun * seed.between(0.6, 1.3),
        sun,
        Paint::fill(inks.figure),
    );
    for layer in 0..3 {
        let share = layer as f32 / 2.0;
        let foot = line + stage.r * 0.28 * layer as f32;
        let ink = inks.accent.mix(inks.deep, 0.25 + 0.6 * share);
        let mut points = vec![(0.0, canvas.h), (0.0, foot)];
        let mut x = seed.between(-60.0, 40.0);
        while x < canvas.w {
            let (wide, tall, slope) = (
                stage.r * seed.between(0.35, 0.9),
                stage.r * seed.between(0.18, 0.75) * (1.0 - 0.4 * share),
                stage.r * seed.between(0.05, 0.14),
            );
            points.extend([
                (x, foot),
                (x + slope, foot - tall),
                (x + slope + wide, foot - tall),
                (x + 2.0 * slope + wide, foot),
            ]);
            x += 2.0 * slope + wide + stage.r * seed.between(0.15, 0.8);
        }
        points.extend([(canvas.w, foot), (canvas.w, canvas.h)]);
        canvas.polygon(&points, Paint::fill(ink));
    }
}

/// Sand in the light.
pub fn dunes(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    sky(canvas, inks, 0.3);
    let sun = stage.r * seed.between(0.2, 0.4);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.7, 0.7),
        stage.y - stage.r * seed.between(0.2, 0.6),
        sun,
        Paint::fill(inks.figure),
    );
    let layers = seed.count(4, 6);
    for layer in 0..layers {
        let share = layer as f32 / (layers - 1) as f32;
        let ink = inks.figure.mix(inks.accent, 0.35).mix(inks.deep, 0.15 + 0.75 * share);
        band(
            canvas,
            seed,
            stage.y + stage.r * (0.1 + 0.95 * share),
            stage.r * 0.34,
            2,
            Paint::fill(ink),
        );
    }
}

/// Pointed mountains in mist.
pub fn peaks(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    sky(canvas, inks, 0.25);
    let disc = stage.r * seed.between(0.22, 0.5);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.6, 0.6),
        stage.y - stage.r * seed.between(0.25, 0.7),
        disc,
        Paint::fill(inks.accent),
    );
    let layers = seed.count(3, 4);
    for layer in 0..layers {
        let share = layer as f32 / (layers - 1) as f32;
        let foot = stage.y + stage.r * (0.75 + 0.4 * share);
        let ink = inks.figure.mix(inks.deep, 0.12 + 0.78 * share);
        let mut points = vec![(0.0, canvas.h), (0.0, foot)];
        let mut x = -stage.r * seed.between(0.0, 0.5);
        while x < canvas.w {
            let wide = stage.r * seed.between(0.45, 0.95);
            let tall = stage.r * seed.between(0.5, 1.35) * (1.0 - 0.45 * share);
            points.extend([
                (x, foot - tall * 0.2),
                (x + wide * seed.between(0.35, 0.6), foot - tall),
                (x + wide, foot - tall * 0.15),
            ]);
            x += wide;
        }
        points.push((x, canvas.h));
        canvas.polygon(&points, Paint::fill(ink));
    }
}

/// Round hills under a sun, for children.
pub fn hills(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let sun = stage.r * seed.between(0.28, 0.45);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.7, 0.7),
        stage.y - stage.r * seed.between(0.3, 0.55),
        sun,
        Paint::fill(inks.accent),
    );
    for layer in 0..3 {
        let share = layer as f32 / 2.0;
        let ink = inks.figure.mix(inks.ground, 0.62 - 0.42 * share);
        for _ in 0..2 {
            let r = canvas.w * seed.between(0.42, 0.75);
            let x = canvas.w * seed.between(-0.1, 1.1);
            canvas.circle(x, stage.y + stage.r * (0.1 + 0.45 * share) + r, r, Paint::fill(ink));
        }
    }
    for _ in 0..seed.count(2, 4) {
        let (x, y, r) = (
            canvas.w * seed.unit(),
            stage.y - stage.r * seed.between(0.3, 1.0),
            stage.r * seed.between(0.06, 0.12),
        );
        for (dx, size) in [(-1.2, 0.75), (0.0, 1.0), (1.2, 0.7)] {
            canvas.circle(
                x + dx * r,
                y,
                r * size,
                Paint::fill(inks.ground.mix(Rgb(0xff_ff_ff), 0.7)).alpha(0.75),
            );
        }
    }
}

/// Trunks before a pale light.
pub fn forest(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let glow = canvas.radial(
        (0.5, 0.5),
        0.5,
        &[
            (0.0, inks.figure, 0.9),
            (0.35, inks.figure, 0.45),
            (1.0, inks.ground, 0.0),
        ],
    );
    let x = stage.x + stage.r * seed.between(-0.5, 0.5);
    canvas.circle(x, stage.y, stage.r * 1.6, Paint::gradient(glow));
    canvas.circle(
        x,
        stage.y - stage.r * 0.15,
        stage.r * seed.between(0.2, 0.42),
        Paint::fill(if seed.chance(0.4) { inks.accent } else { inks.figure }),
    );
    for layer in 0..3 {
        let ink = inks.middle.mix(inks.deep, 0.35 + 0.32 * layer as f32);
        for _ in 0..seed.count(4, 6) {
            let (x, wide, lean) = (
                canvas.w * seed.between(-0.05, 1.05),
                stage.r * seed.between(0.03, 0.07) * (1.0 + layer as f32),
                seed.between(-14.0, 14.0),
            );
            canvas.polygon(
                &[
                    (x, 0.0),
                    (x + wide, 0.0),
                    (x + wide * 1.35 + lean, canvas.h),
                    (x - wide * 0.35 + lean, canvas.h),
                ],
                Paint::fill(ink),
            );
            if layer > 0 {
                let (y, reach) = (
                    stage.y - stage.r * seed.between(-0.3, 0.9),
                    stage.r * seed.between(0.2, 0.5) * seed.sign(),
                );
                canvas.path(
                    &[
                        M(x + wide / 2.0, y + reach.abs() * 0.8),
                        Q(x + reach * 0.5, y + reach.abs() * 0.3, x + reach, y),
                    ],
                    Paint::line(ink, wide * 0.4),
                );
            }
        }
    }
}

/// A great moon behind one line of land.
pub fn moonrise(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let r = stage.r * seed.between(0.6, 0.9);
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.35, 0.35),
        stage.y - stage.r * seed.between(0.0, 0.25),
    );
    let halo = canvas.radial((0.5, 0.5), 0.5, &[(0.0, inks.figure, 0.5), (1.0, inks.ground, 0.0)]);
    canvas.circle(x, y, r * 1.8, Paint::gradient(halo));
    canvas.circle(x, y, r, Paint::fill(inks.figure));
    canvas.circle(
        x + r * seed.between(0.2, 0.5) * seed.sign(),
        y - r * seed.between(0.0, 0.3),
        r * 0.86,
        Paint::fill(inks.ground).alpha(if seed.chance(0.5) { 0.9 } else { 0.1 }),
    );
    for cloud in 0..seed.count(2, 4) {
        let wide = stage.r * seed.between(0.8, 1.5);
        canvas.ellipse(
            (
                stage.x + stage.r * seed.between(-0.9, 0.9),
                y + r * (0.1 + 0.3 * cloud as f32),
            ),
            wide,
            stage.r * 0.045,
            0.0,
            Paint::fill(inks.middle).alpha(0.8),
        );
    }
    band(
        canvas,
        seed,
        stage.y + stage.r * 0.85,
        stage.r * 0.2,
        3,
        Paint::fill(inks.deep),
    );
}

/// Water to the edge of the world.
pub fn sea(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let r = stage.r * seed.between(0.3, 0.6);
    let (x, line) = (
        stage.x + stage.r * seed.between(-0.6, 0.6),
        stage.y + stage.r * seed.between(-0.05, 0.25),
    );
    canvas.circle(x, line - r * seed.between(0.1, 1.1), r, Paint::fill(inks.accent));
    let layers = seed.count(6, 8);
    let swing = stage.r * seed.between(0.04, 0.14);
    for layer in 0..layers {
        let share = layer as f32 / (layers - 1) as f32;
        let ink = inks.figure.mix(inks.deep, 0.1 + 0.82 * share);
        band(
            canvas,
            seed,
            line + stage.r * 1.15 * share,
            swing * (0.6 + share),
            4,
            Paint::fill(ink),
        );
    }
}

/// A town at night.
pub fn skyline(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let disc = stage.r * seed.between(0.28, 0.55);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.6, 0.6),
        stage.y - stage.r * seed.between(0.2, 0.6),
        disc,
        Paint::fill(inks.figure),
    );
    for layer in 0..2 {
        let ink = if layer == 0 {
            inks.middle.mix(inks.ground, 0.45)
        } else {
            inks.deep
        };
        let mut x = -stage.r * seed.between(0.0, 0.2);
        while x < canvas.w {
            let wide = stage.r * seed.between(0.16, 0.38);
            let top = stage.y + stage.r * (seed.between(-0.55, 0.5) + 0.3 * layer as f32);
            canvas.rect(x, top, wide + 0.6, canvas.h - top, Paint::fill(ink));
            if seed.chance(0.25) {
                canvas.rect(
                    x + wide * 0.45,
                    top - stage.r * 0.2,
                    2.4,
                    stage.r * 0.2,
                    Paint::fill(ink),
                );
            }
            if layer == 1 {
                lights(canvas, seed, inks, (x, top, wide), stage.r);
            }
            x += wide
                + if layer == 0 {
                    0.0
                } else {
                    stage.r * seed.between(0.0, 0.2)
                };
        }
    }
}

/// A few lit windows of a house at (x, top, width).
fn lights(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, (x, top, wide): (f32, f32, f32), r: f32) {
    let (columns, pitch) = (seed.count(2, 3), r * 0.11);
    for _ in 0..seed.count(1, 4) {
        let (column, row) = (seed.count(0, columns - 1), seed.count(0, 6));
        let cell = wide / columns as f32;
        let ink = if seed.chance(0.25) { inks.accent } else { inks.figure };
        canvas.rect(
            x + cell * (column as f32 + 0.28),
            top + pitch * (row as f32 + 0.6),
            cell * 0.44,
            pitch * 0.5,
            Paint::fill(ink).alpha(0.9),
        );
    }
}
