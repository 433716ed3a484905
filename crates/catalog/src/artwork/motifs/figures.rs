//! Motifs of things: doors, windows, eyes, balloons, torn paper.

use super::{
    super::{
        canvas::{Canvas, Paint, Step::*},
        palette::Inks,
        seed::Seed,
    },
    Stage, polar,
};

/// A lit window and its light on the floor.
pub fn window(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (wide, tall) = (stage.r * seed.between(0.55, 0.95), stage.r * seed.between(0.8, 1.15));
    let (x, y) = (stage.x + stage.r * seed.between(-0.6, 0.3), stage.y - tall * 0.75);
    let shine = canvas.linear(
        (0.0, 0.0),
        (1.0, 1.0),
        &[(0.0, inks.figure, 1.0), (1.0, inks.accent, 1.0)],
    );
    canvas.rect(x, y, wide, tall, Paint::gradient(shine));
    let (columns, rows) = (seed.count(2, 3), seed.count(2, 4));
    for column in 1..columns {
        canvas.rect(
            x + wide * column as f32 / columns as f32 - 2.0,
            y,
            4.0,
            tall,
            Paint::fill(inks.ground),
        );
    }
    for row in 1..rows {
        canvas.rect(
            x,
            y + tall * row as f32 / rows as f32 - 2.0,
            wide,
            4.0,
            Paint::fill(inks.ground),
        );
    }
    let (slide, floor) = (stage.r * seed.between(0.25, 0.75) * seed.sign(), y + tall * 1.12);
    let spill = canvas.linear(
        (0.0, 0.0),
        (0.0, 1.0),
        &[(0.0, inks.accent, 0.6), (1.0, inks.accent, 0.0)],
    );
    let reach = stage.r * 1.3;
    let foot = x + slide;
    canvas.polygon(
        &[
            (x, floor),
            (x + wide, floor),
            (foot + wide * 1.5, floor + reach),
            (foot - wide * 0.3, floor + reach),
        ],
        Paint::gradient(spill),
    );
    canvas.rect(0.0, floor - 1.0, canvas.w, 1.4, Paint::fill(inks.figure).alpha(0.25));
    if seed.chance(0.5) {
        let at = x + wide * seed.between(0.2, 0.75);
        canvas.ellipse(
            (at, y + tall * 0.66),
            wide * 0.09,
            wide * 0.1,
            0.0,
            Paint::fill(inks.deep),
        );
        canvas.path(
            &[
                M(at - wide * 0.17, y + tall),
                Q(at - wide * 0.15, y + tall * 0.76, at, y + tall * 0.75),
                Q(at + wide * 0.15, y + tall * 0.76, at + wide * 0.17, y + tall),
                Z,
            ],
            Paint::fill(inks.deep),
        );
    }
}

/// Two discs, one before the other.
pub fn eclipse(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let r = stage.r * seed.between(0.55, 0.85);
    let (at, apart) = (seed.between(0.0, 360.0), r * seed.between(0.35, 1.05));
    let (ax, ay) = polar(stage.x, stage.y, at, apart / 2.0);
    let (bx, by) = polar(stage.x, stage.y, at + 180.0, apart / 2.0);
    let small = r * seed.between(0.6, 1.0);
    if seed.chance(0.5) {
        canvas.circle(ax, ay, r, Paint::fill(inks.figure));
        canvas.circle(bx, by, small, Paint::fill(inks.accent).alpha(0.86));
    } else {
        let fade = canvas.linear(
            (0.0, 0.0),
            (1.0, 1.0),
            &[(0.0, inks.figure, 1.0), (1.0, inks.middle, 0.2)],
        );
        canvas.circle(ax, ay, r, Paint::gradient(fade));
        canvas.circle(bx, by, small, Paint::fill(inks.deep));
        canvas.circle(bx, by, small, Paint::line(inks.accent, 2.4));
    }
    for ring in 0..seed.count(0, 3) {
        canvas.circle(
            stage.x,
            stage.y,
            r * (1.5 + 0.16 * ring as f32),
            Paint::line(inks.figure, 1.1).alpha(0.4),
        );
    }
}

/// A door ajar.
pub fn doorway(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (wide, tall) = (stage.r * seed.between(0.3, 0.6), stage.r * seed.between(1.3, 1.7));
    let x = stage.x + stage.r * seed.between(-0.5, 0.3);
    let (top, floor) = (stage.y - tall * 0.6, stage.y + tall * 0.4);
    let spill = canvas.linear(
        (0.0, 0.0),
        (0.0, 1.0),
        &[(0.0, inks.figure, 0.85), (1.0, inks.figure, 0.0)],
    );
    let lean = stage.r * seed.between(0.2, 0.8) * seed.sign();
    let end = floor + stage.r * 1.1;
    canvas.polygon(
        &[
            (x, floor),
            (x + wide, floor),
            (x + wide * 2.0 + lean, end),
            (x - wide + lean, end),
        ],
        Paint::gradient(spill),
    );
    canvas.rect(x, top, wide, tall, Paint::fill(inks.figure));
    let leaf = wide * seed.between(0.25, 0.75);
    canvas.polygon(
        &[
            (x, top),
            (x + leaf, top + tall * 0.05),
            (x + leaf, floor + tall * 0.05),
            (x, floor),
        ],
        Paint::fill(inks.deep),
    );
    canvas.circle(
        x + leaf * 0.82,
        top + tall * 0.55,
        stage.r * 0.025,
        Paint::fill(inks.accent),
    );
    if seed.chance(0.6) {
        let at = x + (leaf + wide) / 2.0;
        let head = tall * 0.055;
        canvas.circle(at, floor - tall * 0.44, head, Paint::fill(inks.ground));
        canvas.path(
            &[
                M(at - head * 1.7, floor),
                L(at - head * 1.3, floor - tall * 0.36),
                Q(at, floor - tall * 0.42, at + head * 1.3, floor - tall * 0.36),
                L(at + head * 1.7, floor),
                Z,
            ],
            Paint::fill(inks.ground),
        );
    }
    canvas.rect(0.0, floor, x, 1.3, Paint::fill(inks.figure).alpha(0.3));
    canvas.rect(
        x + wide,
        floor,
        canvas.w - x - wide,
        1.3,
        Paint::fill(inks.figure).alpha(0.3),
    );
}

/// A sheet torn through, something behind it.
pub fn torn(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (lean, gap) = (seed.between(-0.45, 0.45), stage.r * seed.between(0.28, 0.6));
    let steps = 20;
    let (mut upper, mut lower) = (Vec::with_capacity(steps + 3), Vec::with_capacity(steps + 3));
    for step in 0..=steps {
        let x = canvas.w * step as f32 / steps as f32;
        let middle = stage.y + (x - stage.x) * lean;
        let open = gap * (1.0 - ((x - stage.x) / (canvas.w * 0.7)).powi(2)).max(0.05);
        upper.push((x, middle - open * seed.between(0.7, 1.2)));
        lower.push((x, middle + open * seed.between(0.7, 1.2)));
    }
    let mut hole = upper.clone();
    hole.extend(lower.iter().rev());
    canvas.polygon(&hole, Paint::fill(inks.figure));
    let mut edge = upper.clone();
    edge.extend(upper.iter().rev().map(|&(x, y)| (x, y + 4.0 + seed.between(0.0, 7.0))));
    canvas.polygon(&edge, Paint::fill(inks.accent).alpha(0.85));
    let (x, y) = (stage.x + stage.r * seed.between(-0.3, 0.3), stage.y);
    let r = gap * seed.between(0.55, 0.75);
    if seed.chance(0.6) {
        canvas.circle(x, y, r, Paint::fill(inks.deep));
        canvas.ellipse(
            (x, y),
            r * seed.between(0.1, 0.3),
            r * 0.8,
            0.0,
            Paint::fill(inks.accent),
        );
    } else {
        for finger in -2..=2 {
            let at = x + finger as f32 * gap * 0.34;
            canvas.path(
                &[
                    M(at, y + gap * 1.6),
                    L(at + finger as f32 * 2.0, y - gap * (0.45 - 0.1 * (finger as f32).abs())),
                ],
                Paint::line(inks.deep, gap * 0.17),
            );
        }
    }
}

/// Four scratches.
pub fn claws(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let disc = stage.r * seed.between(0.7, 1.0);
    canvas.circle(stage.x, stage.y, disc, Paint::fill(inks.figure).alpha(0.92));
    let (lean, count, way) = (seed.between(0.25, 0.6), seed.count(3, 5), seed.sign());
    for claw in 0..count {
        let shift = (claw as f32 - (count - 1) as f32 / 2.0) * stage.r * 0.36;
        let length = stage.r * seed.between(1.0, 1.5);
        let (x, y) = (stage.x + shift, stage.y + shift * 0.2 * way);
        let (dx, thick) = (length * lean * way, stage.r * seed.between(0.07, 0.12));
        canvas.path(
            &[
                M(x + dx, y - length),
                Q(x + thick, y, x - dx, y + length),
                Q(x - thick, y, x + dx, y - length),
                Z,
            ],
            Paint::fill(if claw % 2 == 0 { inks.ground } else { inks.deep }),
        );
    }
}

/// An eye that looks aside.
pub fn eye(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (wide, open) = (stage.r * seed.between(0.95, 1.2), stage.r * seed.between(0.45, 0.95));
    let (x, y) = (stage.x, stage.y);
    for lash in 0..seed.count(0, 3) {
        let grow = 1.0 + 0.22 * (lash + 1) as f32;
        canvas.path(
            &[M(x - wide * grow, y), Q(x, y - open * 2.0 * grow, x + wide * grow, y)],
            Paint::line(inks.figure, 1.6).alpha(0.6),
        );
    }
    canvas.path(
        &[
            M(x - wide, y),
            Q(x, y - open * 1.7, x + wide, y),
            Q(x, y + open * 1.7, x - wide, y),
            Z,
        ],
        Paint::fill(inks.figure),
    );
    let (look, r) = (x + wide * seed.between(-0.3, 0.3), open * 0.72);
    canvas.circle(look, y, r, Paint::fill(inks.accent));
    for ring in 1..4 {
        canvas.circle(
            look,
            y,
            r * (1.0 - 0.14 * ring as f32),
            Paint::line(inks.ground, 1.2).alpha(0.6),
        );
    }
    canvas.circle(look, y, r * seed.between(0.3, 0.5), Paint::fill(inks.deep));
    canvas.circle(look + r * 0.3, y - r * 0.35, r * 0.12, Paint::fill(inks.text));
}

/// Balloons on strings.
pub fn balloons(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (knot_x, knot_y) = (stage.x + stage.r * seed.between(-0.3, 0.3), stage.y + stage.r * 1.7);
    for balloon in 0..seed.count(3, 7) {
        let (x, y) = polar(
            stage.x,
            stage.y,
            137.5 * balloon as f32 + seed.between(-20.0, 20.0),
            stage.r * (0.18 + 0.13 * balloon as f32),
        );
        let r = stage.r * seed.between(0.2, 0.38);
        canvas.path(
            &[
                M(x, y + r),
                Q(x + r * seed.between(-0.8, 0.8), (y + knot_y) / 2.0, knot_x, knot_y),
            ],
            Paint::line(inks.figure, 1.3).alpha(0.7),
        );
        let ink = [inks.accent, inks.figure, inks.middle.mix(inks.accent, 0.4), inks.text][balloon % 4];
        canvas.ellipse(
            (x, y),
            r * 0.88,
            r,
            seed.between(-15.0, 15.0),
            Paint::fill(ink).alpha(0.94),
        );
        canvas.ellipse(
            (x - r * 0.32, y - r * 0.4),
            r * 0.12,
            r * 0.24,
            35.0,
            Paint::fill(inks.ground).alpha(0.55),
        );
    }
}

/// Paper shapes laid over each other.
pub fn cutouts(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    for shape in 0..seed.count(3, 5) {
        let (x, y) = polar(
            stage.x,
            stage.y,
            seed.between(0.0, 360.0),
            stage.r * seed.between(0.1, 0.6),
        );
        let r = stage.r * seed.between(0.35, 0.75);
        let (corners, turn) = (seed.count(5, 8), seed.between(0.0, 360.0));
        let step = 360.0 / corners as f32;
        let point =
            |seed: &mut Seed, corner: usize| polar(x, y, turn + step * corner as f32, r * seed.between(0.65, 1.15));
        let first = point(seed, 0);
        let mut path = vec![M(first.0, first.1)];
        for corner in 1..=corners {
            let (px, py) = if corner == corners { first } else { point(seed, corner) };
            let (cx, cy) = polar(x, y, turn + step * (corner as f32 - 0.5), r * 1.25);
            path.push(Q(cx, cy, px, py));
        }
        let ink = [inks.middle, inks.figure, inks.accent, inks.deep, inks.text][shape % 5];
        canvas.path(&path, Paint::fill(ink));
    }
    let (x, y, r) = (
        stage.x + stage.r * seed.between(-0.3, 0.3),
        stage.y + stage.r * seed.between(-0.3, 0.3),
        stage.r * 0.13,
    );
    for side in [-1.0, 1.0] {
        canvas.circle(x + side * r * 1.25, y, r, Paint::fill(inks.text));
        canvas.circle(
            x + side * r * 1.25 + r * 0.3,
            y + r * 0.2,
            r * 0.48,
            Paint::fill(inks.deep),
        );
    }
}

/// A grin, or what is left of it.
pub fn smile(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let r = stage.r * seed.between(0.75, 1.0);
    let tilt = seed.between(-25.0, 25.0);
    canvas.circle(stage.x, stage.y, r, Paint::fill(inks.figure));
    let (from, to) = (
        polar(stage.x, stage.y, tilt + 160.0, r * 0.66),
        polar(stage.x, stage.y, tilt + 20.0, r * 0.66),
    );
    let bend = r * seed.between(0.62, 0.8);
    if seed.chance(0.5) {
        canvas.path(
            &[M(from.0, from.1), A(bend, false, to.0, to.1), Z],
            Paint::fill(inks.accent),
        );
    } else {
        canvas.path(
            &[M(from.0, from.1), A(bend, false, to.0, to.1)],
            Paint::line(inks.ground, r * 0.11),
        );
    }
    for side in [-1.0, 1.0] {
        let (x, y) = polar(stage.x, stage.y, tilt - 90.0 + 38.0 * side, r * 0.52);
        if side > 0.0 && seed.chance(0.35) {
            canvas.path(
                &[M(x - r * 0.15, y), Q(x, y - r * 0.16, x + r * 0.15, y)],
                Paint::line(inks.ground, r * 0.08),
            );
        } else {
            canvas.ellipse((x, y), r * 0.1, r * 0.15, tilt, Paint::fill(inks.ground));
        }
    }
    for _ in 0..seed.count(3, 8) {
        let (x, y) = polar(stage.x, stage.y, seed.between(0.0, 360.0), r * seed.between(1.15, 1.5));
        canvas.circle(x, y, r * seed.between(0.02, 0.07), Paint::fill(inks.accent));
    }
}

/// A head from the side, in lines.
pub fn profile(canvas: &mut Canvas, seed: &mut Seed, inks: &Inks, stage: Stage) {
    let (k, way) = (stage.r * seed.between(0.85, 1.0), seed.sign());
    let (x, y) = (stage.x, stage.y);
    let at = |dx: f32, dy: f32| (x + dx * k * way, y + dy * k);
    let outline = [
        (0.15, -0.95),
        (0.62, -0.9),
        (0.66, -0.35),
        (0.64, -0.22),
        (0.9, 0.05),
        (0.62, 0.1),
        (0.68, 0.2),
        (0.6, 0.27),
        (0.66, 0.36),
        (0.56, 0.42),
        (0.6, 0.62),
        (0.4, 0.66),
        (0.2, 0.62),
        (0.2, 0.8),
        (0.5, 1.6),
        (-0.8, 1.6),
        (-0.45, 0.75),
        (-0.6, 0.3),
        (-0.75, -0.1),
        (-0.6, -0.8),
    ]
    .map(|(dx, dy)| at(dx, dy));
    let mut path = vec![M(
        (outline[0].0 + outline[19].0) / 2.0,
        (outline[0].1 + outline[19].1) / 2.0,
    )];
    for (index, &(cx, cy)) in outline.iter().enumerate() {
        let next = outline[(index + 1) % outline.len()];
        path.push(Q(cx, cy, (cx + next.0) / 2.0, (cy + next.1) / 2.0));
    }
    path.push(Z);
    canvas.circle(
        x - way * k * 0.1,
        y - k * 0.1,
        k * seed.between(1.0, 1.2),
        Paint::fill(inks.middle).alpha(0.55),
    );
    canvas.path(&path, Paint::fill(inks.figure));
    let (cx, cy) = at(-0.05, -0.3);
    for ring in 1..=seed.count(4, 7) {
        canvas.circle(
            cx,
            cy,
            k * 0.075 * ring as f32,
            Paint::line(if ring == 1 { inks.accent } else { inks.ground }, 2.2).alpha(0.85),
        );
    }
}
