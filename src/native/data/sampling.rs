//! Which frames of a long clip a model sees, as the official code picks them.

use super::random::{below, stream};

/// How frames are picked from a clip that has more of them than the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sampling {
    /// Evenly spaced, including the first and the last.
    #[default]
    Uniform,
    /// Evenly spaced, each moved at random by less than the distance to its neighbour; first and
    /// last stay.
    Random,
    /// Any in order, even the same ones twice; the first stays.
    #[value(name = "very_random")]
    VeryRandom,
}

impl Sampling {
    /// `count` frames out of `length`, in order. `seed` is for the random kinds.
    ///
    /// # Panics
    /// Unless `1 <= count <= length`.
    pub(crate) fn picks(self, length: usize, count: usize, seed: u64) -> Vec<usize> {
        assert!((1..=length).contains(&count), "{count} frames of {length}");
        let even = evenly_spaced(length, count);
        let mut rng = stream(seed, 0);
        let mut picks = match self {
            Self::Uniform => return even,
            Self::Random => {
                let mut picks = even.clone();
                for (pick, around) in picks.iter_mut().skip(1).zip(even.windows(3)) {
                    let [before, after] = [around[1] - around[0], around[2] - around[1]];
                    // From just after the frame before to just before the frame after; there may be
                    // no room.
                    *pick = around[0] + 1 + below(&mut rng, before + after - 1);
                }
                picks
            }
            Self::VeryRandom => (0..count).map(|_| below(&mut rng, length)).collect(),
        };
        picks.sort_unstable();
        picks[0] = 0;
        picks
    }
}

/// NumPy's `linspace(0, length - 1, count, dtype=int)`, whose rounding error sometimes truncates a
/// whole number to the one below.
fn evenly_spaced(length: usize, count: usize) -> Vec<usize> {
    let last = length - 1;
    let step = last as f64 / (count - 1).max(1) as f64;
    let mut picks: Vec<usize> = (0..count).map(|i| (i as f64 * step) as usize).collect();
    if count > 1 {
        picks[count - 1] = last;
    }
    picks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_is_the_official_linspace() {
        assert_eq!(Sampling::Uniform.picks(10, 4, 0), [0, 3, 6, 9]);
        assert_eq!(Sampling::Uniform.picks(16, 16, 0), (0..16).collect::<Vec<_>>());
        assert_eq!(Sampling::Uniform.picks(5, 1, 0), [0]);
        // NumPy says 14 and 29 here, where exact arithmetic says 15 and 30.
        let picks = Sampling::Uniform.picks(46, 40, 0);
        assert_eq!([picks[12], picks[13], picks[14], picks[26], picks[39]], [13, 14, 16, 29, 45]);
    }

    #[test]
    fn random_moves_frames_within_their_neighbours() {
        let even = Sampling::Uniform.picks(100, 12, 0);
        let (mut lowest, mut highest) = (even.clone(), even.clone());
        for seed in 0..400 {
            let picks = Sampling::Random.picks(100, 12, seed);
            assert_eq!((picks[0], picks[11]), (0, 99));
            assert!(picks.is_sorted());
            for (i, &pick) in picks.iter().enumerate() {
                (lowest[i], highest[i]) = (lowest[i].min(pick), highest[i].max(pick));
            }
        }
        for i in 1..11 {
            assert!(lowest[i] > even[i - 1] && highest[i] < even[i + 1], "{i}: {} to {}", lowest[i], highest[i]);
            assert!(highest[i] - lowest[i] >= 12, "{i} hardly moves");
        }
        assert_eq!(Sampling::Random.picks(12, 12, 7), (0..12).collect::<Vec<_>>(), "no room to move");
    }

    #[test]
    fn very_random_repeats_and_leaves_out_but_begins_at_the_beginning() {
        let picks: Vec<_> = (0..50).map(|seed| Sampling::VeryRandom.picks(20, 16, seed)).collect();
        assert!(picks.iter().all(|picks| picks[0] == 0 && picks.is_sorted()));
        assert!(picks.iter().any(|picks| picks.windows(2).any(|pair| pair[0] == pair[1])));
        assert_ne!(picks[0], picks[1]);
        assert_eq!(picks[0], Sampling::VeryRandom.picks(20, 16, 0));
    }
}
