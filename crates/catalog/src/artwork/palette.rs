//! Colours: a few inks per genre, from which a picture takes one and bends it a little.

use super::{canvas::Rgb, genre::Mood, seed::Seed};

/// The inks of one picture.
#[derive(Debug, Clone, Copy)]
pub struct Inks {
    /// What the sheet is printed on.
    pub ground: Rgb,
    /// A shade of the ground, for depth.
    pub deep: Rgb,
    /// The main ink.
    pub figure: Rgb,
    /// Between ground and figure.
    pub middle: Rgb,
    /// Sparingly.
    pub accent: Rgb,
    /// Lettering.
    pub text: Rgb,
}

/// Ground, figure, accent.
type Triple = (u32, u32, u32);

const PAPER: Rgb = Rgb(0xf7_f1_e5);
const BLACK: Rgb = Rgb(0x0a_09_08);

/// Inks for a mood; `seed` chooses and bends them.
pub fn inks(mood: Mood, seed: &mut Seed) -> Inks {
    let (ground, figure, accent) = seed.pick(triples(mood));
    let (ground, figure, accent) = (Rgb(ground), Rgb(figure), Rgb(accent));
    let ground = ground
        .mix(accent, seed.between(0.0, 0.07))
        .mix(BLACK, seed.between(0.0, 0.1));
    let figure = figure.mix(accent, seed.between(0.0, 0.16));
    let dark = ground.luminance() < 0.5;
    Inks {
        ground,
        deep: if dark {
            ground.mix(BLACK, 0.5)
        } else {
            ground.mix(figure, 0.2)
        },
        figure,
        middle: ground.mix(figure, 0.42),
        accent,
        text: if dark {
            figure.mix(PAPER, 0.72)
        } else {
            figure.mix(BLACK, 0.45)
        },
    }
}

/// The inks of each mood.
const TRIPLES: &[(Mood, &[Triple])] = &[
    (
        Mood::Noir,
        &[
            (0x14110f, 0xe9dfc9, 0xb98b4a),
            (0x1a1a1d, 0xd9d4cc, 0xa63a32),
            (0x101820, 0xc9d3d6, 0xd8a24a),
            (0x221c15, 0xf0dcae, 0x8f6a3f),
        ],
    ),
    (
        Mood::Science,
        &[
            (0x0b1030, 0x8fd3ff, 0xff6b5e),
            (0x08222b, 0x5fe0c5, 0xf2b347),
            (0x1b0f33, 0xc2a2ff, 0xff9d5c),
            (0x0d0d14, 0xe7e3ff, 0x4f7cff),
            (0x2a0d1e, 0xff8aa6, 0x7bdff2),
            (0xd9e2e6, 0x12213a, 0xe4532f),
        ],
    ),
    (
        Mood::Western,
        &[
            (0x3a160c, 0xf2a654, 0xe4572e),
            (0x5a2312, 0xf6cf8f, 0xc9431f),
            (0x22303c, 0xf0b27a, 0xd95d39),
            (0xefc98b, 0x8a2f14, 0xd96b2b),
        ],
    ),
    (
        Mood::Horror,
        &[
            (0x0d0b0b, 0xd0142f, 0xf0e6d2),
            (0x140a12, 0xe8e0d0, 0xb3132f),
            (0x0b1310, 0x9fbf8f, 0xd6e8c8),
            (0x1a0505, 0xff4a2e, 0xf3d9b8),
            (0xb5171c, 0x140505, 0xf6e3c5),
        ],
    ),
    (
        Mood::Musical,
        &[
            (0x2b0b3a, 0xffb5d2, 0xf7d154),
            (0x0f2747, 0xf7c948, 0xef5da8),
            (0xf5d0c5, 0x5b1647, 0xe0457b),
            (0x20102a, 0xff9e6d, 0xf25c8a),
            (0x0a2540, 0x7fd6ff, 0xffd166),
            (0x10231f, 0x9be89b, 0xf5d76e),
        ],
    ),
    (
        Mood::Comedy,
        &[
            (0xf6c445, 0x1f2a44, 0xe8543f),
            (0xf08a5d, 0x2b1b3d, 0xf9ed69),
            (0x9fd8cb, 0x17313a, 0xf25f5c),
            (0x20355a, 0xf9c74f, 0xf3722c),
            (0xf4e3c1, 0xc23a2a, 0x1d3557),
            (0x7a2e3a, 0xf7d8b0, 0xf2a03d),
            (0x1f4d46, 0xf6e7b4, 0xf2785c),
        ],
    ),
    (
        Mood::Drama,
        &[
            (0x1c2b33, 0xd9c9ae, 0xc06c4b),
            (0x2d1f27, 0xe3b7a0, 0xb3544a),
            (0x1e2a22, 0xcdd3ac, 0xc58940),
            (0x27233a, 0xc9c3e6, 0xe09f7d),
            (0x3b2a1e, 0xf0d9b5, 0xb0763f),
            (0x12303a, 0x9ec5c2, 0xe8c27a),
            (0xe8dcc4, 0x33261d, 0xa3432b),
            (0xcfd8d3, 0x243238, 0xb5533c),
            (0x4a2a22, 0xe9cdb4, 0xe0a458),
        ],
    ),
    (
        Mood::Romance,
        &[
            (0x4a1028, 0xffb3a7, 0xf26d6d),
            (0x3b1c32, 0xf7c5cc, 0xca4f6b),
            (0xf7d7cf, 0x7a1f3d, 0xe2656f),
            (0x2a1a3e, 0xf4a9c4, 0xf7d08a),
            (0x5c1a1b, 0xf6d5b8, 0xe88873),
            (0xf1e0cf, 0x3f2a4d, 0xd9667a),
        ],
    ),
    (
        Mood::Thriller,
        &[
            (0x0f1a1c, 0xd8e0d2, 0xe0a100),
            (0x101418, 0xff5a38, 0xc9d1d3),
            (0x0c1f2e, 0x9cc7d8, 0xe94f37),
            (0x1d1912, 0xe5c15d, 0xb33d12),
            (0x15151f, 0xb9bfe0, 0xd7263d),
            (0x191113, 0xf1c27b, 0xc02a36),
            (0x16202a, 0xe7e0cf, 0xd1495b),
        ],
    ),
    (
        Mood::Action,
        &[
            (0x1a0e0a, 0xff7a2f, 0xffd166),
            (0x0f1626, 0xff4d45, 0xf2e9dc),
            (0x141312, 0xf5c518, 0xe03616),
            (0x0a2229, 0x2fd6c8, 0xff7a3d),
            (0xa82a1c, 0xffd9a0, 0x1a0808),
            (0xe9b92f, 0x1a1410, 0xc92f1b),
        ],
    ),
    (
        Mood::Adventure,
        &[
            (0x0e3b3a, 0xf2c14e, 0xf78154),
            (0x123047, 0x8fd0c8, 0xf4a259),
            (0x2d3a16, 0xe6d690, 0xc8772e),
            (0x5b2a12, 0xf9c784, 0xfc7a1e),
            (0xf3dcb0, 0x1d4a4f, 0xd8572a),
        ],
    ),
    (
        Mood::Play,
        &[
            (0x3a1772, 0xffcf56, 0xf2545b),
            (0x08415c, 0xf7d6bf, 0xe0453f),
            (0x0b6e6e, 0xffe066, 0xf25f5c),
            (0xffd23f, 0x3a0f6e, 0xee4266),
            (0x8ee3ef, 0x27187e, 0xff6f59),
            (0xffc6d9, 0x472183, 0x35a7b5),
            (0xa8e6cf, 0x2d4059, 0xff7b84),
            (0x5c4d9a, 0xffe3a3, 0xff8c8c),
        ],
    ),
    (
        Mood::Document,
        &[
            (0x1f2421, 0xdce1de, 0x9cc5a1),
            (0x20262e, 0xd5dde5, 0xe0a458),
            (0xe4e0d4, 0x26302c, 0xc04e2b),
            (0x2b2d24, 0xdfd9b3, 0x8fa05a),
            (0xd5dde0, 0x1b2b34, 0x2f7f8d),
            (0x26221c, 0xead9b8, 0xc0713c),
            (0x1d2a3a, 0xdcd0bd, 0xd19a66),
        ],
    ),
    (
        Mood::War,
        &[
            (0x2a2b1f, 0xcfc79b, 0xb84e2e),
            (0x23262a, 0xc8c2b4, 0xb5382a),
            (0x3b2e20, 0xe2c48d, 0x9c3a16),
            (0x1b2420, 0xa9b59a, 0xd98e32),
        ],
    ),
    (
        Mood::Mystery,
        &[
            (0x131a2e, 0xc9b6ff, 0xe7c66b),
            (0x0f2326, 0xc4d8b5, 0xe2b659),
            (0x26142c, 0xe3c6e8, 0xc59b4a),
            (0x1b1a18, 0xd3c9a8, 0x5d8f96),
        ],
    ),
    (
        Mood::Fantasy,
        &[
            (0x1d1440, 0xf5c8ff, 0x8be0d4),
            (0x0d2c40, 0xb8f2e6, 0xffd97d),
            (0x2b1a4a, 0xffd9a0, 0xc77dff),
            (0x123524, 0xd8f3b5, 0xf2c14e),
        ],
    ),
    (
        Mood::History,
        &[
            (0x3b1f14, 0xe8c07d, 0xc0702a),
            (0x2a2438, 0xd8c59b, 0xa36a63),
            (0x1f3330, 0xe6d3a3, 0xc97b3d),
            (0xe9d8b4, 0x5a2a1a, 0xa66b2d),
            (0x30222b, 0xe9c9bb, 0xb6705c),
        ],
    ),
    (
        Mood::Sport,
        &[
            (0x0b3d2e, 0xf4f1de, 0xf2a03d),
            (0x16216a, 0xf7f7ff, 0xff5c5c),
            (0x7a1c1c, 0xfbeed3, 0xf4b942),
            (0xf2efe6, 0x0b4f6c, 0xe4572e),
            (0x14342b, 0xc3dd4f, 0xf5f5e9),
        ],
    ),
    (
        Mood::Other,
        &[
            (0x1b1b1e, 0xe8e2d6, 0xf2b347),
            (0x22313f, 0xe3ddcb, 0xe0654a),
            (0xe6dfd0, 0x1e1d1c, 0xc5472d),
            (0x33272a, 0xdccfc4, 0xd98e73),
        ],
    ),
];

fn triples(mood: Mood) -> &'static [Triple] {
    TRIPLES
        .iter()
        .find(|(other, _)| *other == mood)
        .map_or(OTHER, |(_, triples)| *triples)
}

const OTHER: &[Triple] = &[(0x1b1b1e, 0xe8e2d6, 0xf2b347)];
