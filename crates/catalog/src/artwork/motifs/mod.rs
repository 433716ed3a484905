//! What stands in a picture. Each motif draws around a focus, in the inks it is given, differently for every seed.

mod figures;
mod landscapes;
mod lights;
mod patterns;
mod scenes;

use super::{canvas::Canvas, palette::Inks, seed::Seed};

pub use figures::{balloons, claws, cutouts, doorway, eclipse, eye, profile, smile, torn, window};
pub use landscapes::{dunes, forest, hills, horizon, mesas, moonrise, peaks, sea, skyline};
pub use lights::{blinds, grid, orbits, planet, rays, searchlights, shards, spiral, starfield};
pub use patterns::{
    arches, chevrons, columns, contours, equaliser, frames, halftone, lanes, ribbons, rosette, staff, stripes, threads,
    tiles, wire,
};

pub use scenes::{birds, boat, initial, lamp, road, stairs, tree};

/// Draws onto the canvas.
pub type Motif = fn(&mut Canvas, &mut Seed, &Inks, Stage);

/// Where the lettering leaves room: a focus and how far around it is free.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub x: f32,
    pub y: f32,
    pub r: f32,
    /// The first letter of the title.
    pub initial: char,
}

/// A point at an angle (degrees, clockwise from the right) and a distance from another.
fn polar(x: f32, y: f32, degrees: f32, distance: f32) -> (f32, f32) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    (x + cos * distance, y + sin * distance)
}
