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

/// A title of which less than this share was watched was only tried.
pub const TRIED_SHARE_MAX: f32 = 0.15;
/// Below this share nobody has looked: a wrong button, a minute of a long film.
pub const TRIED_SHARE_MIN: f32 = 0.01;
/// What was only tried and then left alone for so long is given up, in milliseconds: a day, for an evening is often cut short.
pub const GIVEN_UP_AFTER_MS: i64 = 24 * 60 * 60 * 1000;
/// Weight of a title that was given up: as much against it as a third of a dislike. A judgement, for no public data set says how far
/// a title was watched: leaving is a choice, but the reason may be the hour and not the title.
pub const GIVEN_UP: f32 = -0.3;

/// Weight of a title watched to `share` (0..=1) of its running time and not since `idle_ms` milliseconds: as
/// [`from_watched_share`], but what was given up within minutes speaks against it.
pub fn from_watched(share: f32, idle_ms: i64) -> f32 {
    if (TRIED_SHARE_MIN..TRIED_SHARE_MAX).contains(&share) && idle_ms >= GIVEN_UP_AFTER_MS {
        return GIVEN_UP;
    }
    from_watched_share(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_within_minutes_speaks_against_it_after_a_day() {
        let (evening, later) = (GIVEN_UP_AFTER_MS - 1, GIVEN_UP_AFTER_MS);
        for (share, at_once, after_a_day) in [
            (0.0, 0.0, 0.0),
            (0.009, 0.0, 0.0),
            (0.01, 0.0, GIVEN_UP),
            (0.04, 0.0, GIVEN_UP),
            (0.14, 0.14, GIVEN_UP),
            (0.15, 0.15, 0.15),
            (0.9, 0.9, 0.9),
            (1.5, 1.0, 1.0),
        ] {
            assert_eq!(from_watched(share, evening), at_once, "{share} on the same evening");
            assert_eq!(from_watched(share, later), after_a_day, "{share} a day later");
        }
        assert_eq!(from_watched(f32::NAN, later), 0.0);
    }
}
