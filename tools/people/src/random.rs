//! Random numbers that are the same everywhere: a stream for each purpose of each person.

use glam::Vec3;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// A stream of random numbers. What is drawn from one never changes what another gives, so that a new hat leaves the
/// face below it as it was.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of a `purpose` ("shape", "skin", …), told apart by `seeds`, such as a person and a take.
    pub fn new(purpose: &str, seeds: &[u64]) -> Self {
        let mut seed = [0; 32];
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        let words = purpose.bytes().map(u64::from).chain([u64::MAX]).chain(seeds.iter().copied());
        for word in words {
            state = mix(state ^ word);
        }
        for chunk in seed.chunks_exact_mut(8) {
            state = mix(state);
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// A number below 2^64 to seed something else.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform between `low` and `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..count`.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count.saturating_sub(1))
    }

    /// One of several, all alike.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// One of several, by weight.
    pub fn weighted<'a, T>(&mut self, choices: &'a [(T, f32)]) -> &'a T {
        let mut left = self.unit() * choices.iter().map(|choice| choice.1).sum::<f32>();
        for (choice, weight) in choices {
            left -= weight;
            if left < 0. {
                return choice;
            }
        }
        &choices[choices.len() - 1].0
    }

    /// Normally distributed.
    pub fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        let (a, b) = (self.unit().max(1e-7), self.unit());
        mean + deviation * (-2. * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
    }

    /// Normally distributed, at most `limit` deviations from the mean.
    pub fn normal_within(&mut self, mean: f32, deviation: f32, limit: f32) -> f32 {
        mean + deviation * self.normal(0., 1.).clamp(-limit, limit)
    }

    /// Three normally distributed numbers.
    pub fn normal3(&mut self, deviation: f32) -> Vec3 {
        Vec3::new(self.normal(0., deviation), self.normal(0., deviation), self.normal(0., deviation))
    }
}

/// The finaliser of `SplitMix64`.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart_by_purpose_and_seeds() {
        let first = |purpose: &str, seeds: &[u64]| Random::new(purpose, seeds).seed();
        assert_eq!(first("skin", &[1, 2]), first("skin", &[1, 2]));
        let streams = [first("skin", &[1, 2]), first("skin", &[2, 1]), first("skin", &[1]), first("hair", &[1, 2])];
        for (index, stream) in streams.iter().enumerate() {
            assert!(!streams[..index].contains(stream));
        }
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation() {
        let mut random = Random::new("normal", &[]);
        let drawn: Vec<f32> = (0..20_000).map(|_| random.normal(2., 3.)).collect();
        let mean = drawn.iter().sum::<f32>() / 2e4;
        let variance = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 2e4;
        assert!((mean - 2.).abs() < 0.1 && (variance.sqrt() - 3.).abs() < 0.1, "{mean} {variance}");
    }

    #[test]
    fn weights_are_kept() {
        let mut random = Random::new("weights", &[]);
        let rare = (0..10_000).filter(|_| *random.weighted(&[(false, 0.9), (true, 0.1)])).count();
        assert!((800..1200).contains(&rare), "{rare}");
    }
}
