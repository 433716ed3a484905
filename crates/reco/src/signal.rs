//! How what a viewer did becomes signed evidence.

/// Weight of a rating in half stars, 1..=10 (10 = five stars): five stars 1, three stars a little, one star −1.
///
/// A low rating is evidence against similar titles, not a missing value. Values outside the range are clamped.
pub fn from_half_stars(half_stars: u8) -> f32 {
    const WEIGHTS: [f32; 10] = [-1.0, -1.0, -0.7, -0.4, 0.2, 0.4, 0.7, 0.9, 1.0, 1.0];
    WEIGHTS[usize::from(half_stars.clamp(1, 10)) - 1]
}

/// Weight of a like (`true`) or a dislike (`false`).
pub fn from_opinion(liked: bool) -> f32 {
    if liked { 1.0 } else { -1.0 }
}

/// Weight of a title watched to `share` (0..=1) of its running time. Below 5 % it says nothing.
pub fn from_watched_share(share: f32) -> f32 {
    if share < 0.05 || share.is_nan() {
        return 0.0;
    }
    share.min(1.0)
}
