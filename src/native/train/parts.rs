//! The gradients of a step, from the parts of its batch: one after the other on a device, and in several places side by
//! side.
//!
//! Whoever is free takes the next part, and the sums are in the order of the parts: where a part was computed is not
//! what comes out. Every part is computed on a replica of the model, and the optimiser steps once. The running
//! statistics of batch norms are those of the first part, as PyTorch's `DistributedDataParallel` keeps those of its
//! first device.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Error, Result};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use tungstenite::Bytes;

use super::account::{Phase, Stopwatch};
use super::parcel::{set_statistics, statistics_of};
use super::remote::{Remote, weights_of};
use super::stage::{Cargo as _, Draw, Loss, ModelOf, Objective, Outcome, Stage, Terms};

/// Where parts are computed.
pub(super) enum Place {
    /// A device of this machine.
    Here(Device),
    /// A device of another machine.
    There(Box<Remote>),
}

/// The last worker is lost, and this machine was not to compute.
#[derive(Debug, thiserror::Error)]
#[error("no device is left to train on: {0}")]
pub(super) struct NoPlaceLeft(String);

/// Means over the parts of the step that `draw` is the first part of: the loss, followed by its
/// terms, and the gradients, on the device `home` of the model.
///
/// `stopwatch` times the first device of this machine. Waiting for the others is a part of the backward pass. Workers
/// that are lost leave `places`, and others compute their parts.
///
/// # Errors
/// [`NoPlaceLeft`], before anything has changed.
pub(super) fn mean_gradients<S: Stage>(
    stage: &S,
    model: &ModelOf<S>,
    home: &Device,
    places: &mut Vec<Place>,
    draw: Draw,
    stopwatch: &mut Stopwatch,
) -> Result<(Terms, GradientsParams)> {
    let is_there = |place: &Place| matches!(place, Place::There(_));
    let weights = if places.iter().any(is_there) { weights_of(model)? } else { Bytes::new() };
    let table = Table::new(draw.parts, places.len());
    thread::scope(|scope| {
        let (table, weights) = (&table, &weights);
        let mut own = None;
        let mut others = Vec::new();
        for place in places.iter_mut() {
            let seat = Seat { table, model: model.clone(), home, is_done: false };
            match place {
                Place::Here(device) => {
                    let device = &*device;
                    if own.is_none() {
                        own = Some((seat, device));
                        continue;
                    }
                    others.push(scope.spawn(move || {
                        seat.take(|seat| seat.compute_here(stage, device, draw, &mut Stopwatch::idle()));
                    }));
                }
                Place::There(remote) => others.push(scope.spawn(move || {
                    seat.take(|seat| seat.compute_there(stage, remote, weights, draw));
                })),
            }
        }
        if let Some((seat, device)) = own {
            seat.take(|seat| seat.compute_here(stage, device, draw, stopwatch));
        }
        for other in others {
            other.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    places.retain(|place| !matches!(place, Place::There(remote) if remote.is_lost()));
    let Sum { values, gradients, statistics } = table.into_sum()?;
    set_statistics(model, statistics)?;
    stopwatch.lap(Phase::Backward)?;
    Ok((values, gradients))
}

/// Computes a part on a replica of `model`, which stays as it is.
pub(super) fn compute<O: Objective>(
    objective: &O,
    model: &O::Model,
    batch: O::Batch,
    draw: Draw,
    device: &Device,
    stopwatch: &mut Stopwatch,
) -> Result<Outcome> {
    let replica = model.valid().train().fork(device);
    let Loss { total: loss, terms } = objective.loss(&replica, batch, draw, device);
    let scalar = |term: Tensor<1>| term.into_scalar::<f32>() / draw.parts as f32;
    let mut values: Terms = vec![(Cow::Borrowed("loss"), scalar(loss.clone()))];
    values.extend(terms.into_iter().map(|(name, term)| (Cow::Borrowed(name), scalar(term))));
    let loss = if draw.parts > 1 { loss / draw.parts as f32 } else { loss };
    stopwatch.lap(Phase::Forward)?;
    let gradients = GradientsParams::from_grads(loss.backward(), &replica);
    let statistics = if draw.part == 0 { statistics_of(&replica.valid().train()) } else { Vec::new() };
    stopwatch.lap(Phase::Backward)?;
    Ok(Outcome { values, gradients, statistics })
}

/// The parts of a step: which are to be computed, and the sum of those that were.
struct Table {
    state: Mutex<State>,
    changed: Condvar,
    parts: usize,
    seats: usize,
}

#[derive(Default)]
struct State {
    /// Parts that nobody has taken yet begin here.
    next: usize,
    /// Parts that were taken and not computed.
    returned: Vec<usize>,
    /// Parts that are computed, but of which an earlier one is not.
    waiting: BTreeMap<usize, Outcome>,
    /// Parts that are in the sum.
    added: usize,
    sum: Sum,
    /// Who left before the step was over.
    lost: usize,
    error: Option<Error>,
}

#[derive(Default)]
struct Sum {
    values: Terms,
    gradients: GradientsParams,
    statistics: Vec<TensorData>,
}

impl Table {
    fn new(parts: usize, seats: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), parts, seats }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part to be computed; waits while others may still return theirs. `None` when the step is over.
    fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.error.is_some() || state.added == self.parts {
                return None;
            }
            if let Some(part) = state.returned.pop() {
                return Some(part);
            }
            // Whoever is fast does not fill the memory while it waits for the slow.
            if state.next < self.parts && state.waiting.len() < 2 * self.seats {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put<M: Module>(&self, part: usize, outcome: Outcome, model: &M) {
        let mut state = self.lock();
        let State { waiting, added, sum, .. } = &mut *state;
        waiting.insert(part, outcome);
        while let Some(outcome) = waiting.remove(&*added) {
            sum.add(outcome, model);
            *added += 1;
        }
        self.changed.notify_all();
    }

    /// Returns a part, of which `reason` says why its worker is lost.
    fn give_back(&self, part: usize, reason: &str) {
        let mut state = self.lock();
        state.returned.push(part);
        state.lost += 1;
        if state.lost == self.seats {
            state.error.get_or_insert_with(|| NoPlaceLeft(reason.to_owned()).into());
        }
        self.changed.notify_all();
    }

    fn fail(&self, error: Error) {
        self.lock().error.get_or_insert(error);
        self.changed.notify_all();
    }

    fn into_sum(self) -> Result<Sum> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.error.map_or(Ok(state.sum), Err)
    }
}

/// Somebody who computes parts of a step.
struct Seat<'a, M> {
    table: &'a Table,
    model: M,
    /// Where gradients are added up.
    home: &'a Device,
    is_done: bool,
}

impl<M: Module> Seat<'_, M> {
    /// Computes; a failure or a panic ends the step for all.
    fn take(mut self, work: impl FnOnce(&Self) -> Result<()>) {
        let error = work(&self).err();
        self.is_done = true;
        if let Some(error) = error {
            self.table.fail(error);
        }
    }

    fn compute_here<S: Stage<Objective: Objective<Model = M>>>(
        &self,
        stage: &S,
        device: &Device,
        draw: Draw,
        stopwatch: &mut Stopwatch,
    ) -> Result<()> {
        while let Some(part) = self.table.take() {
            let draw = Draw { part, ..draw };
            let batch = stage.batch(draw, device)?;
            stopwatch.lap(Phase::Data)?;
            let mut outcome = compute(stage.objective(), &self.model, batch, draw, device, stopwatch)?;
            outcome.gradients = outcome.gradients.to_device(self.home, &self.model);
            self.table.put(part, outcome, &self.model);
        }
        Ok(())
    }

    fn compute_there<S: Stage<Objective: Objective<Model = M>>>(
        &self,
        stage: &S,
        remote: &mut Remote,
        weights: &Bytes,
        draw: Draw,
    ) -> Result<()> {
        let mut weights = Some(weights.clone());
        while let Some(part) = self.table.take() {
            let draw = Draw { part, ..draw };
            let batch = stage.batch(draw, &Device::flex())?.pack()?;
            match remote.compute(&self.model, weights.take(), draw, &batch) {
                Ok(outcome) => self.table.put(part, outcome, &self.model),
                Err(error) => {
                    let reason = format!("{} is lost: {error:#}", remote.name());
                    tracing::warn!("{reason}");
                    self.table.give_back(part, &reason);
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<M> Drop for Seat<'_, M> {
    fn drop(&mut self) {
        if !self.is_done {
            self.table.fail(anyhow::anyhow!("a thread that computes a part of the step has panicked"));
        }
    }
}

impl Sum {
    fn add<M: Module>(&mut self, outcome: Outcome, model: &M) {
        let Outcome { values, gradients, statistics } = outcome;
        if self.values.is_empty() {
            *self = Self { values, gradients, statistics };
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
