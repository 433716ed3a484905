//! What must be drawn the same for ever, or millions of times: SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom
//! number generators"; constants of variant 13 by Stafford). All else draws from ChaCha.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of well-mixed bits.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next of the stream.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Evenly 0..limit; what a remainder favours is below one in 2^50 for small limits.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit.max(1) as u64) as usize
    }
}

/// 64 well-mixed bits of two numbers, each mixed in turn. Must never change: viewers of experiments would change arms.
pub fn draw(salt: u64, unit: u64) -> u64 {
    mix(mix(salt.wrapping_add(STEP)).wrapping_add(unit))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_its_authors() {
        let mut stream = SplitMix64::new(1_234_567);
        let drawn = [(); 3].map(|()| stream.bits());
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
