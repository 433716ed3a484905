//! Motifs of small scenes: a stair, a road, a tree, a boat, a lamp, birds, and the title's own first letter.

use super::{
    super::{
        canvas::{Canvas, Paint, Step::*},
        lettering,
        palette::Inks,
        seed::Seed,
    },
    Stage, polar,
};

/// A stair into the light.
pub fn stairs(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (steps, way) = (seed.count(5, 9), seed.sign());
    let (run, rise) = (
        stage.r * 2.1 / steps as f32,
        stage.r * seed.between(1.3, 1.7) / steps as f32,
    );
    let (left, foot) = (stage.x - way * stage.r * 1.05, stage.y + stage.r * 0.9);
    let disc = stage.r * seed.between(0.22, 0.4);
    let top = (left + way * run * (steps as f32 - 0.5), foot - rise * steps as f32);
    canvas.circle(
        top.0,
        top.1 - disc * seed.between(0.2, 0.9),
        disc,
        Paint::fill(inks.accent),
    );
    for step in 0..steps {
        let x = left + way * run * step as f32;
        let y = foot - rise * (step + 1) as f32;
        let share = step as f32 / steps as f32;
        let start = if way > 0.0 { x } else { x - run };
        canvas.rect(
            start,
            y,
            run + 0.5,
            canvas.h - y,
            Paint::fill(inks.figure.mix(inks.deep, 0.75 - 0.65 * share)),
        );
        canvas.rect(start, y, run + 0.5, 2.4, Paint::fill(inks.figure));
    }
    let at = seed.count(1, steps - 2);
    let (x, y) = (left + way * run * (at as f32 + 0.5), foot - rise * (at + 1) as f32);
    person(canvas, (x, y), stage.r * 0.34, Paint::fill(inks.text));
}

/// Somebody standing, seen from far.
fn person(canvas: &mut Canvas, (x, foot): (f32, f32), tall: f32, paint: Paint) {
    let head = tall * 0.13;
    canvas.circle(x, foot - tall + head, head, paint);
    let (shoulder, hip) = (tall * 0.15, tall * 0.1);
    canvas.path(
        &[
            M(x - hip, foot),
            L(x - shoulder, foot - tall * 0.6),
            Q(x, foot - tall * 0.78, x + shoulder, foot - tall * 0.6),
            L(x + hip, foot),
            Z,
        ],
        paint,
    );
}

/// A road to the horizon.
pub fn road(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let line = stage.y + stage.r * seed.between(-0.1, 0.3);
    let goal = stage.x + stage.r * seed.between(-0.6, 0.6);
    let disc = stage.r * seed.between(0.3, 0.6);
    canvas.circle(
        goal + stage.r * seed.between(-0.4, 0.4),
        line - disc * seed.between(0.0, 0.7),
        disc,
        Paint::fill(inks.accent),
    );
    canvas.rect(0.0, line, canvas.w, canvas.h - line, Paint::fill(inks.deep));
    let (depth, wide) = (stage.r * 1.8, stage.r * seed.between(0.7, 1.1));
    let foot = stage.x + stage.r * seed.between(-0.5, 0.5);
    canvas.polygon(
        &[
            (goal - 2.0, line),
            (goal + 2.0, line),
            (foot + wide, line + depth),
            (foot - wide, line + depth),
        ],
        Paint::fill(inks.figure),
    );
    for dash in 0..6 {
        let at = |share: f32| {
            let share = share * share;
            (goal + (foot - goal) * share, line + depth * share, wide * share * 0.05)
        };
        let (near, far) = (at((dash as f32 + 1.5) / 7.0), at((dash as f32 + 1.0) / 7.0));
        canvas.polygon(
            &[
                (far.0 - far.2, far.1),
                (far.0 + far.2, far.1),
                (near.0 + near.2, near.1),
                (near.0 - near.2, near.1),
            ],
            Paint::fill(inks.ground),
        );
    }
    for post in 0..seed.count(2, 4) {
        let tall = stage.r * (0.5 - 0.1 * post as f32);
        let x = goal + seed.sign() * stage.r * (1.1 - 0.22 * post as f32);
        canvas.rect(x, line - tall, 2.4, tall + 3.0, Paint::fill(inks.deep));
        canvas.rect(
            x - tall * 0.16,
            line - tall * 0.88,
            tall * 0.32,
            2.0,
            Paint::fill(inks.deep),
        );
    }
}

/// One bare tree.
pub fn tree(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let disc = stage.r * seed.between(0.6, 0.95);
    canvas.circle(stage.x, stage.y - stage.r * 0.1, disc, Paint::fill(inks.figure));
    let foot = stage.y + stage.r * seed.between(0.85, 1.0);
    canvas.ellipse(
        (stage.x, foot + stage.r * 0.25),
        canvas.w * 0.8,
        stage.r * 0.3,
        0.0,
        Paint::fill(inks.deep),
    );
    let root = (stage.x + stage.r * seed.between(-0.25, 0.25), foot);
    let trunk = (-90.0 + seed.between(-8.0, 8.0), stage.r * seed.between(0.5, 0.65), 5);
    branch(canvas, seed, inks, root, trunk);
}

/// A branch: (degrees, length, how often it still forks).
fn branch(
    canvas: &mut Canvas,
    seed: &mut Seed,
    inks: &Inks,
    from: (f32, f32),
    (degrees, length, forks): (f32, f32, u8),
) {
    let to = polar(from.0, from.1, degrees, length);
    let bend = polar(from.0, from.1, degrees + seed.between(-14.0, 14.0), length * 0.55);
    canvas.path(
        &[M(from.0, from.1), Q(bend.0, bend.1, to.0, to.1)],
        Paint::line(inks.deep, 1.1 + 1.1 * f32::from(forks)),
    );
    if forks == 0 {
        if seed.chance(0.3) {
            canvas.circle(to.0, to.1, 3.4, Paint::fill(inks.accent));
        }
        return;
    }
    for side in [-1.0, 1.0] {
        let turn = degrees + side * seed.between(16.0, 42.0);
        let length = length * seed.between(0.62, 0.8);
        branch(canvas, seed, inks, to, (turn, length, forks - 1));
    }
}

/// A paper boat on lines of water.
pub fn boat(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (x, y, k) = (
        stage.x + stage.r * seed.between(-0.4, 0.4),
        stage.y + stage.r * 0.25,
        stage.r * seed.between(0.45, 0.65),
    );
    if seed.chance(0.6) {
        let disc = stage.r * seed.between(0.2, 0.5);
        canvas.circle(
            stage.x + stage.r * seed.between(-0.7, 0.7),
            stage.y - stage.r * seed.between(0.4, 0.8),
            disc,
            Paint::fill(inks.accent),
        );
    }
    let lean = seed.between(-0.12, 0.12) * k;
    canvas.polygon(
        &[(x - k * 0.45, y), (x + lean, y - k * 1.05), (x + k * 0.45, y)],
        Paint::fill(inks.figure.mix(inks.ground, 0.22)),
    );
    canvas.polygon(
        &[(x + lean, y - k * 1.05), (x + k * 0.45, y), (x + k * 0.05, y)],
        Paint::fill(inks.figure),
    );
    canvas.polygon(
        &[
            (x - k, y - k * 0.22),
            (x + k, y - k * 0.22),
            (x + k * 0.55, y + k * 0.36),
            (x - k * 0.55, y + k * 0.36),
        ],
        Paint::fill(inks.text),
    );
    canvas.polygon(
        &[
            (x - k, y - k * 0.22),
            (x, y - k * 0.22),
            (x - k * 0.2, y + k * 0.36),
            (x - k * 0.55, y + k * 0.36),
        ],
        Paint::fill(inks.figure),
    );
    let swing = stage.r * seed.between(0.03, 0.08);
    for line in 0..seed.count(7, 10) {
        let (y, wave) = (
            y + k * 0.34 + line as f32 * stage.r * 0.13,
            swing * (1.0 + 0.3 * line as f32),
        );
        let mut path = vec![M(-10.0, y)];
        let pitch = stage.r * (0.4 + 0.06 * line as f32);
        let (mut at, mut up) = (-10.0 - pitch * seed.unit(), 1.0);
        while at < canvas.w {
            path.push(Q(at + pitch / 2.0, y + wave * up, at + pitch, y));
            at += pitch;
            up = -up;
        }
        canvas.path(&path, Paint::line(inks.figure, 2.0).alpha(0.9 - 0.06 * line as f32));
    }
}

/// A hanging lamp and what it lights.
pub fn lamp(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.4, 0.4),
        stage.y - stage.r * seed.between(0.3, 0.6),
    );
    let (shade, table) = (stage.r * seed.between(0.3, 0.42), stage.y + stage.r * 0.75);
    let light = canvas.linear(
        (0.0, 0.0),
        (0.0, 1.0),
        &[(0.0, inks.accent, 0.85), (1.0, inks.accent, 0.12)],
    );
    let spread = stage.r * seed.between(0.8, 1.15);
    canvas.polygon(
        &[
            (x - shade * 0.8, y),
            (x + shade * 0.8, y),
            (x + spread, table),
            (x - spread, table),
        ],
        Paint::gradient(light),
    );
    canvas.rect(x - 1.2, 0.0, 2.4, y - shade * 0.5, Paint::fill(inks.figure));
    canvas.path(
        &[
            M(x - shade, y),
            Q(x - shade * 0.7, y - shade * 0.9, x, y - shade * 0.9),
            Q(x + shade * 0.7, y - shade * 0.9, x + shade, y),
            Z,
        ],
        Paint::fill(inks.figure),
    );
    canvas.ellipse((x, y), shade * 0.82, shade * 0.13, 0.0, Paint::fill(inks.text));
    canvas.rect(
        stage.x - stage.r * 1.25,
        table,
        stage.r * 2.5,
        4.0,
        Paint::fill(inks.figure),
    );
    for _ in 0..seed.count(1, 3) {
        let (at, wide, tall) = (
            x + spread * seed.between(-0.75, 0.75),
            stage.r * seed.between(0.05, 0.1),
            stage.r * seed.between(0.12, 0.34),
        );
        canvas.rect(at - wide, table - tall, wide * 2.0, tall, Paint::fill(inks.deep));
    }
}

/// A flock before the sun.
pub fn birds(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let r = stage.r * seed.between(0.55, 0.9);
    canvas.circle(
        stage.x + stage.r * seed.between(-0.2, 0.2),
        stage.y + stage.r * seed.between(-0.1, 0.2),
        r,
        Paint::fill(inks.accent),
    );
    let (lean, flock) = (seed.between(-24.0, 24.0), seed.count(9, 18));
    for bird in 0..flock {
        let along = stage.r * (2.4 * (bird as f32 + seed.between(0.0, 0.6)) / flock as f32 - 1.2);
        let (x, y) = polar(stage.x, stage.y, lean, along);
        let y = y + stage.r * seed.between(-0.5, 0.5);
        let (wing, lift) = (stage.r * seed.between(0.06, 0.17), seed.between(0.25, 0.7));
        canvas.path(
            &[
                M(x - wing, y - wing * lift),
                Q(x - wing * 0.35, y - wing * 0.3, x, y),
                Q(x + wing * 0.35, y - wing * 0.3, x + wing, y - wing * lift),
            ],
            Paint::line(inks.figure, wing * 0.2),
        );
    }
}

/// The first letter of the title, very large, printed twice.
pub fn initial(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let tall = stage.r * seed.between(1.7, 2.4);
    let (dx, dy) = polar(0.0, 0.0, seed.between(0.0, 360.0), stage.r * seed.between(0.05, 0.14));
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.15, 0.15),
        stage.y + stage.r * seed.between(0.0, 0.15),
    );
    match seed.count(0, 2) {
        0 => canvas.circle(
            stage.x + stage.r * seed.between(-0.5, 0.5),
            stage.y,
            stage.r * seed.between(0.5, 0.9),
            Paint::fill(inks.middle),
        ),
        1 => canvas.rect(
            0.0,
            stage.y - stage.r * 0.1,
            canvas.w,
            stage.r * seed.between(0.3, 0.7),
            Paint::fill(inks.middle),
        ),
        _ => {}
    }
    lettering::initial(canvas, stage.initial, (x + dx, y + dy), tall, Paint::fill(inks.accent));
    lettering::initial(canvas, stage.initial, (x, y), tall, Paint::fill(inks.figure));
}
