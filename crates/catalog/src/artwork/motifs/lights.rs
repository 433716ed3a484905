//! Motifs of light and space: blinds, stars, orbits, beams.

use super::{
    super::{
        canvas::{Canvas, Paint, Step::*},
        palette::Inks,
        seed::Seed,
    },
    Stage, polar,
};

/// Light through a Venetian blind.
pub fn blinds(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let glow = canvas.radial((0.5, 0.5), 0.5, &[(0.0, inks.accent, 0.5), (1.0, inks.ground, 0.0)]);
    canvas.circle(stage.x, stage.y, stage.r * 1.7, Paint::gradient(glow));
    let lean = seed.between(0.12, 0.5) * seed.sign();
    let (slats, gap) = (seed.count(7, 11), seed.between(0.34, 0.55));
    let pitch = stage.r * 2.3 / slats as f32;
    let (left, right) = (
        stage.x - stage.r * seed.between(0.7, 1.15),
        stage.x + stage.r * seed.between(0.7, 1.2),
    );
    let post = left + (right - left) * seed.between(0.4, 0.7);
    for slat in 0..slats {
        let y = stage.y - stage.r * 1.15 + pitch * slat as f32;
        let near = 1.0 - (slat as f32 / slats as f32 - 0.5).abs();
        let rise = |x: f32| (x - stage.x) * lean;
        for (from, to) in [(left, post - 4.0), (post + 4.0, right)] {
            let points = [
                (from, y + rise(from)),
                (to, y + rise(to)),
                (to, y + rise(to) + pitch * (1.0 - gap)),
                (from, y + rise(from) + pitch * (1.0 - gap)),
            ];
            canvas.polygon(&points, Paint::fill(inks.figure).alpha(0.35 + 0.6 * near));
        }
    }
}

/// Stars, one of them near.
pub fn starfield(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let haze = canvas.radial(
        (0.5, 0.5),
        0.5,
        &[
            (0.0, inks.accent, 0.55),
            (0.5, inks.accent, 0.15),
            (1.0, inks.ground, 0.0),
        ],
    );
    let lean = seed.between(-60.0, 60.0);
    canvas.ellipse(
        (stage.x, stage.y),
        stage.r * 1.9,
        stage.r * seed.between(0.4, 0.7),
        lean,
        Paint::gradient(haze),
    );
    for _ in 0..seed.count(46, 70) {
        let (x, y) = (seed.between(0.0, canvas.w), seed.between(0.0, canvas.h));
        let size = seed.unit().powi(4) * 3.0 + 0.6;
        canvas.circle(x, y, size, Paint::fill(inks.figure).alpha(seed.between(0.4, 1.0)));
    }
    let (x, y) = polar(stage.x, stage.y, lean, stage.r * seed.between(-0.5, 0.5));
    let r = stage.r * seed.between(0.1, 0.2);
    canvas.circle(x, y, r * 1.9, Paint::fill(inks.figure).alpha(0.14));
    canvas.circle(x, y, r, Paint::fill(inks.figure));
    if seed.chance(0.6) {
        let (mx, my) = polar(x, y, lean + 90.0, r * seed.between(3.0, 4.5));
        canvas.circle(mx, my, r * 0.34, Paint::fill(inks.accent));
    }
}

/// Worlds on rings.
pub fn orbits(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (lean, flat) = (seed.between(-50.0, 50.0), seed.between(0.28, 0.8));
    let rings = seed.count(4, 7);
    for ring in 1..=rings {
        let r = stage.r * (0.3 + 1.15 * ring as f32 / rings as f32);
        canvas.ellipse(
            (stage.x, stage.y),
            r,
            r * flat,
            lean,
            Paint::line(inks.figure, 1.4).alpha(0.75 - 0.07 * ring as f32),
        );
        let (sin, cos) = seed.between(0.0, std::f32::consts::TAU).sin_cos();
        let (x, y) = polar(stage.x, stage.y, lean, cos * r);
        let (x, y) = polar(x, y, lean + 90.0, sin * r * flat);
        let ink = if ring % 3 == 1 { inks.accent } else { inks.figure };
        canvas.circle(x, y, stage.r * seed.between(0.03, 0.1), Paint::fill(ink));
    }
    canvas.circle(
        stage.x,
        stage.y,
        stage.r * seed.between(0.16, 0.26),
        Paint::fill(inks.accent),
    );
}

/// A large lit globe with a ring or a moon.
pub fn planet(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    for _ in 0..seed.count(24, 40) {
        let (x, y) = (seed.between(0.0, canvas.w), seed.between(0.0, canvas.h));
        canvas.circle(
            x,
            y,
            seed.between(0.6, 1.6),
            Paint::fill(inks.figure).alpha(seed.between(0.3, 0.9)),
        );
    }
    let light = (seed.between(0.15, 0.85), seed.between(0.1, 0.45));
    let shade = canvas.radial(
        light,
        0.85,
        &[(0.0, inks.figure, 1.0), (0.45, inks.middle, 1.0), (1.0, inks.deep, 1.0)],
    );
    let r = stage.r * seed.between(0.68, 1.05);
    canvas.circle(stage.x, stage.y, r, Paint::gradient(shade));
    let lean = seed.between(-35.0, 35.0);
    if seed.chance(0.6) {
        for (wide, thick) in [(1.75, 5.0), (1.58, 2.0), (1.92, 1.2)] {
            canvas.ellipse(
                (stage.x, stage.y),
                r * wide,
                r * 0.3 * wide / 1.75,
                lean,
                Paint::line(inks.accent, thick).alpha(0.85),
            );
        }
    } else {
        let (x, y) = polar(stage.x, stage.y, lean - 90.0, r * 1.2);
        canvas.circle(x, y, r * seed.between(0.12, 0.22), Paint::fill(inks.accent));
    }
}

/// A plane of lines running to a horizon under a banded sun.
pub fn grid(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let horizon = stage.y + stage.r * seed.between(0.3, 0.5);
    let sun = stage.r * seed.between(0.62, 0.85);
    let glow = canvas.linear(
        (0.0, 0.0),
        (0.0, 1.0),
        &[(0.0, inks.figure, 1.0), (1.0, inks.accent, 1.0)],
    );
    canvas.circle(stage.x, horizon - sun * 0.45, sun, Paint::gradient(glow));
    for band in 0..6 {
        let y = horizon - sun * 0.5 + sun * 0.17 * band as f32;
        canvas.rect(0.0, y, canvas.w, 1.5 + 1.7 * band as f32, Paint::fill(inks.ground));
    }
    canvas.rect(0.0, horizon, canvas.w, canvas.h - horizon, Paint::fill(inks.deep));
    let centre = stage.x + stage.r * seed.between(-0.3, 0.3);
    for line in -9..=9 {
        let foot = centre + line as f32 * canvas.w * 0.22;
        let head = centre + line as f32 * canvas.w * 0.035;
        canvas.path(
            &[M(head, horizon), L(foot, canvas.h)],
            Paint::line(inks.figure, 1.2).alpha(0.55),
        );
    }
    let mut y = horizon;
    for step in 0..9 {
        canvas.rect(0.0, y, canvas.w, 1.3, Paint::fill(inks.figure).alpha(0.65));
        y += 6.0 + 5.0 * step as f32;
    }
}

/// Rays from one point.
pub fn rays(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let count = seed.count(9, 16);
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.5, 0.5),
        stage.y + stage.r * seed.between(-0.4, 0.4),
    );
    let (start, reach) = (seed.between(0.0, 360.0), canvas.w + canvas.h);
    let step = 360.0 / count as f32;
    for ray in 0..count {
        let at = start + step * ray as f32 + seed.between(-0.2, 0.2) * step;
        let half = step * seed.between(0.14, 0.34);
        let ink = if ray % 4 == 0 { inks.accent } else { inks.figure };
        canvas.polygon(
            &[(x, y), polar(x, y, at - half, reach), polar(x, y, at + half, reach)],
            Paint::fill(ink).alpha(if ray % 2 == 0 { 0.95 } else { 0.5 }),
        );
    }
    canvas.circle(x, y, stage.r * seed.between(0.24, 0.42), Paint::fill(inks.ground));
    canvas.circle(x, y, stage.r * seed.between(0.1, 0.2), Paint::fill(inks.accent));
}

/// Beams into a night sky.
pub fn searchlights(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let ground = stage.y + stage.r * 1.05;
    let beam = canvas.linear(
        (0.0, 1.0),
        (0.0, 0.0),
        &[(0.0, inks.figure, 0.75), (1.0, inks.figure, 0.0)],
    );
    for _ in 0..seed.count(3, 5) {
        let x = stage.x + stage.r * seed.between(-1.2, 1.2);
        let at = -90.0 + seed.between(-42.0, 42.0);
        let reach = stage.r * 2.9;
        canvas.polygon(
            &[
                (x, ground),
                polar(x, ground, at - 6.0, reach),
                polar(x, ground, at + 6.0, reach),
            ],
            Paint::gradient(beam),
        );
    }
    for _ in 0..seed.count(3, 7) {
        let (x, y) = (
            stage.x + stage.r * seed.between(-1.2, 1.2),
            stage.y - stage.r * seed.between(0.1, 1.0),
        );
        let wing = stage.r * seed.between(0.07, 0.16);
        canvas.polygon(
            &[(x - wing, y), (x, y - wing * 0.25), (x + wing, y), (x, y + wing * 0.2)],
            Paint::fill(inks.accent),
        );
    }
    let mut points = vec![(0.0, canvas.h), (0.0, ground)];
    for step in 0..=10 {
        points.push((
            canvas.w * step as f32 / 10.0,
            ground + seed.between(-0.16, 0.06) * stage.r,
        ));
    }
    points.push((canvas.w, canvas.h));
    canvas.polygon(&points, Paint::fill(inks.deep));
}

/// Splinters.
pub fn shards(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (x, y) = (
        stage.x + stage.r * seed.between(-0.35, 0.35),
        stage.y + stage.r * seed.between(-0.35, 0.35),
    );
    let mut at = seed.between(0.0, 360.0);
    let end = at + 350.0;
    while at < end {
        let wide = seed.between(9.0, 34.0);
        let (near, far) = (stage.r * seed.between(0.04, 0.3), stage.r * seed.between(0.8, 1.9));
        let points = [
            polar(x, y, at, near),
            polar(x, y, at, far),
            polar(x, y, at + wide, far * seed.between(0.6, 1.0)),
            polar(x, y, at + wide * 0.8, near),
        ];
        let ink = seed.pick(&[inks.figure, inks.figure, inks.middle, inks.deep, inks.accent]);
        canvas.polygon(&points, Paint::fill(ink).alpha(seed.between(0.6, 1.0)));
        at += wide + seed.between(1.0, 7.0);
    }
}

/// A turning spiral of arcs.
pub fn spiral(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (turns, start, way) = (seed.between(3.5, 6.0), seed.between(0.0, 360.0), seed.sign());
    let reach = stage.r * seed.between(1.1, 1.5);
    let steps = (turns * 14.0) as usize;
    let mut path = vec![M(stage.x, stage.y)];
    for step in 1..=steps {
        let share = step as f32 / steps as f32;
        let before = (step as f32 - 0.5) / steps as f32;
        let (cx, cy) = polar(
            stage.x,
            stage.y,
            start + way * 360.0 * turns * before,
            reach * before * 1.03,
        );
        let (x, y) = polar(stage.x, stage.y, start + way * 360.0 * turns * share, reach * share);
        path.push(Q(cx, cy, x, y));
    }
    canvas.path(&path, Paint::line(inks.figure, stage.r * seed.between(0.05, 0.1)));
    let r = stage.r * seed.between(0.1, 0.16);
    let (x, y) = polar(
        stage.x,
        stage.y,
        seed.between(0.0, 360.0),
        stage.r * seed.between(0.0, 0.5),
    );
    canvas.circle(x, y, r, Paint::fill(inks.accent));
}
