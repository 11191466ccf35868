//! Random numbers for data: a stream for each seed and step, the same on every platform.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// The numbers of one step.
pub(super) fn stream(seed: u64, step: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(step);
    rng
}

/// A number in `[0, 1)`.
pub(super) fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// A number in `[low, high)`.
pub(super) fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * uniform(rng)
}

/// True with the given probability.
pub(super) fn chance(rng: &mut ChaCha8Rng, probability: f32) -> bool {
    uniform(rng) < probability
}

/// A number in `0..bound`. For the hundreds of thousands of values there are at most, the modulus
/// has a bias below 1e-4.
pub(super) fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}
