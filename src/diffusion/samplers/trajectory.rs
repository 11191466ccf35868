//! What every sampler is made of: a table of updates, and the walk along it.

use burn::tensor::Tensor;

use crate::kernels::combine;

/// What a sampler needs to know of a model: its estimates at the `step`-th time of the table.
pub trait Denoise {
    /// Reads the noisy sample `x`.
    ///
    /// # Shapes
    /// - `x` and both estimates: `[batch, channels, frames, height, width]`
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate;
}

/// A denoiser's reading of a noisy sample.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The clean sample, thresholded.
    pub x0: Tensor<5>,
    /// The noise as the network predicts it: thresholding does not change it.
    pub noise: Tensor<5>,
}

/// The coefficients of one step:
///
/// ```text
/// x <- update.x x + update.x0 x0 + update.noise noise
///      + update.previous_x0[0] x0 of one step before + update.previous_x0[1] x0 of two steps before
///      + update.fresh fresh noise
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The time at which the network is evaluated.
    pub time: usize,
    /// Of the sample.
    pub x: f64,
    /// Of the estimate of the clean sample.
    pub x0: f64,
    /// Of the estimate of the noise.
    pub noise: f64,
    /// Of the estimates of the clean sample one and two steps before.
    pub previous_x0: [f64; 2],
    /// Of standard normal noise drawn for this step.
    pub fresh: f64,
}

impl Update {
    /// An evaluation at `time` with all coefficients zero, for a sampler to fill in.
    pub(super) fn at(time: usize) -> Self {
        Self { time, x: 0.0, x0: 0.0, noise: 0.0, previous_x0: [0.0, 0.0], fresh: 0.0 }
    }

    /// The step to the clean sample, of first order: it ends in its estimate.
    fn ending_in_x0(time: usize) -> Self {
        Self { x0: 1.0, ..Self::at(time) }
    }

    /// Adds `scale * weights` to the coefficients of the clean estimates, the newest first.
    pub(super) fn plus(mut self, scale: f64, weights: [f64; 3]) -> Self {
        self.x0 += scale * weights[0];
        self.previous_x0[0] += scale * weights[1];
        self.previous_x0[1] += scale * weights[2];
        self
    }
}

/// A table that goes from each of the `times` to the next by `step(i)`, and from the last to the
/// estimate of the clean sample.
pub(super) fn ending_in_x0(times: &[usize], step: impl Fn(usize) -> Update) -> Vec<Update> {
    let last = times.len() - 1;
    (0..last).map(step).chain([Update::ending_in_x0(times[last])]).collect()
}

/// A sample on its way from noise to data, one step per call.
#[derive(Debug, Clone)]
pub struct Trajectory {
    updates: Vec<Update>,
    next: usize,
    /// The clean estimates one and two steps before, for as long as the table needs them.
    previous_x0: [Option<Tensor<5>>; 2],
    estimate: Option<Tensor<5>>,
}

impl Trajectory {
    /// Starts at the beginning of a sampler's table.
    pub fn new(updates: Vec<Update>) -> Self {
        Self { updates, next: 0, previous_x0: [None, None], estimate: None }
    }

    /// The times to prepare the denoiser for, one per step.
    pub fn times(&self) -> Vec<usize> {
        self.updates.iter().map(|update| update.time).collect()
    }

    /// Steps taken so far.
    pub fn taken(&self) -> usize {
        self.next
    }

    /// The estimate of the clean sample in the last step; `None` before the first.
    pub fn estimate(&self) -> Option<&Tensor<5>> {
        self.estimate.as_ref()
    }

    /// Whether all steps are taken.
    pub fn is_done(&self) -> bool {
        self.next == self.updates.len()
    }

    /// Takes the next step; after the last one the sample is returned as it is. `fresh` is called
    /// only if the step draws noise.
    ///
    /// # Shapes
    /// - `x`, `fresh()` and result: `[batch, channels, frames, height, width]`
    pub fn step(&mut self, denoiser: &impl Denoise, x: Tensor<5>, fresh: impl FnOnce() -> Tensor<5>) -> Tensor<5> {
        let Some(&update) = self.updates.get(self.next) else { return x };
        let Estimate { x0, noise } = denoiser.denoise(&x, self.next);
        self.next += 1;

        let [before, before_that] = self.remember(&x0);
        let [of_before, of_before_that] = update.previous_x0;
        let mut terms = vec![(update.x0, x0), (update.x, x), (update.noise, noise)];
        terms.extend(before.map(|before| (of_before, before)));
        terms.extend(before_that.map(|before_that| (of_before_that, before_that)));
        if update.fresh != 0.0 {
            terms.push((update.fresh, fresh()));
        }
        combine(terms)
    }

    /// Keeps the clean estimate for the steps to come, and returns the ones before it.
    fn remember(&mut self, x0: &Tensor<5>) -> [Option<Tensor<5>>; 2] {
        self.estimate = Some(x0.clone());
        let [before, before_that] = std::mem::take(&mut self.previous_x0);
        if self.updates[self.next..].iter().any(|later| later.previous_x0 != [0.0, 0.0]) {
            self.previous_x0 = [Some(x0.clone()), before.clone()];
        }
        [before, before_that]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Estimates the clean sample as 10, 20, ... and the noise as 3.
    struct Counting;

    impl Denoise for Counting {
        fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
            Estimate { x0: x.ones_like() * (10.0 * (step + 1) as f64), noise: x.ones_like() * 3.0 }
        }
    }

    #[test]
    fn a_step_combines_what_its_row_of_the_table_names() {
        let updates = vec![
            Update { x0: 1.0, x: 0.5, ..Update::at(9) },
            Update { x0: 1.0, noise: 2.0, fresh: 1.0, ..Update::at(5) },
            Update { x0: 1.0, previous_x0: [0.5, 0.1], ..Update::at(2) },
        ];
        let mut trajectory = Trajectory::new(updates);
        assert_eq!(trajectory.times(), [9, 5, 2]);
        let mut x = Tensor::<5>::ones([1, 1, 1, 1, 1], &Device::flex()) * 4.0;
        // 10 + 4 / 2; 20 + 2 * 3 + 7 of fresh noise; 30 + 20 / 2 + 10 / 10; and no step is left.
        for (taken, expected) in [(1, 12.0), (2, 33.0), (3, 41.0), (3, 41.0)] {
            x = trajectory.step(&Counting, x.clone(), || x.ones_like() * 7.0);
            assert_eq!((x.clone().into_scalar::<f32>(), trajectory.taken()), (expected, taken));
        }
        assert!(trajectory.is_done());
        assert_eq!(trajectory.estimate().unwrap().clone().into_scalar::<f32>(), 30.0);
    }
}
