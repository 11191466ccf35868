//! The gradients of a step, from the parts of its batch: one after the other on a device, and on
//! several devices side by side.
//!
//! Every further device works on a replica of the model, and the optimiser steps once, on the first
//! device. The running statistics of batch norms are those of the first device, as in PyTorch's
//! `DistributedDataParallel`: the replicas' own are gone after the step.

use std::panic::resume_unwind;
use std::thread;

use anyhow::Result;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

use super::account::{Phase, Stopwatch};
use super::stage::{Draw, Loss, Metrics, Stage};

/// Means over the parts of the step that `draw` is the first part of: the loss, followed by its
/// terms, and the gradients.
///
/// `devices` holds at least one device, and `model` lives on the first, which `stopwatch` times.
/// Waiting for the others is a part of the backward pass.
pub(super) fn mean_gradients<S: Stage>(
    stage: &S,
    model: &S::Model,
    devices: &[Device],
    draw: Draw,
    stopwatch: &mut Stopwatch,
) -> Result<(Metrics<f32>, GradientsParams)> {
    let share = |model: &S::Model, device: usize, stopwatch: &mut Stopwatch| -> Result<Sum> {
        let mut sum = Sum::default();
        for part in (device..draw.parts).step_by(devices.len()) {
            sum.add_part(stage, model, &devices[device], Draw { part, ..draw }, stopwatch)?;
        }
        Ok(sum)
    };
    thread::scope(|scope| {
        let share = &share;
        let workers: Vec<_> = (1..devices.len())
            .map(|device| {
                let replica = model.valid().train().fork(&devices[device]);
                scope.spawn(move || share(&replica, device, &mut Stopwatch::idle()))
            })
            .collect();
        let mut total = share(model, 0, stopwatch)?;
        for worker in workers {
            let sum = worker.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            total.add(model, sum.values, sum.gradients.to_device(&devices[0], model));
        }
        stopwatch.lap(Phase::Backward)?;
        Ok((total.values, total.gradients))
    })
}

#[derive(Default)]
struct Sum {
    values: Metrics<f32>,
    gradients: GradientsParams,
}

impl Sum {
    fn add_part<S: Stage>(
        &mut self,
        stage: &S,
        model: &S::Model,
        device: &Device,
        draw: Draw,
        stopwatch: &mut Stopwatch,
    ) -> Result<()> {
        let batch = stage.batch(draw, device)?;
        stopwatch.lap(Phase::Data)?;
        let Loss { total: loss, terms } = stage.loss(model, batch, draw, device);
        let scalar = |term: Tensor<1>| term.into_scalar::<f32>() / draw.parts as f32;
        let mut values = vec![("loss", scalar(loss.clone()))];
        values.extend(terms.into_iter().map(|(name, term)| (name, scalar(term))));
        let loss = if draw.parts > 1 { loss / draw.parts as f32 } else { loss };
        stopwatch.lap(Phase::Forward)?;
        self.add(model, values, GradientsParams::from_grads(loss.backward(), model));
        stopwatch.lap(Phase::Backward)
    }

    fn add<M: Module>(&mut self, model: &M, values: Metrics<f32>, gradients: GradientsParams) {
        if self.values.is_empty() {
            *self = Self { values, gradients };
            return;
        }
        for ((_, sum), (_, value)) in self.values.iter_mut().zip(values) {
            *sum += value;
        }
        let mut accumulator = GradientsAccumulator::<M>::new();
        accumulator.accumulate(model, std::mem::take(&mut self.gradients));
        accumulator.accumulate(model, gradients);
        self.gradients = accumulator.grads();
    }
}
