//! The loop of every stage: steps, checkpoints, validations. Why it is not burn-train's learner:
//! see ARCHITECTURE.md.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Error, Result, bail, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;

use super::account::{Account, Phase};
use super::args::RunArgs;
use super::claim::Claim;
use super::ema::Ema;
use super::log::Log;
use super::parts::{self, NoPlaceLeft, Place};
use super::plots;
use super::stage::{Draw, ModelOf, Objective, Stage};
use crate::native::checkpoint::{self, Checkpoint, Origin, State, Written};
use crate::native::interruption::Interruption;
use crate::native::model::open_weights;

/// What may help when a run diverges.
const ADVICE: &str = "a lower --lr may help, or a new run with a lower --clip";

/// Trains `stage` from its beginning, or from the last checkpoint in `args.out`. A run begins with
/// the averaged weights of `init`, a run or a bundle, or with random ones.
///
/// # Errors
/// A signal is one, once a checkpoint is saved: what would have come next needs the whole run.
pub(super) fn run<S: Stage>(stage: &S, args: &RunArgs, init: Option<&Path>, _claim: Claim) -> Result<()> {
    let mut run = Run::begin_or_resume(stage, args, init)?;
    let interruption = Interruption::listen();
    while run.done() < args.steps {
        run = run.step()?;
        run.say_forecast();
        if interruption.is_wanted() {
            return run.interrupt();
        }
        if run.is_out_of_time() {
            run.log.note(&format!("out of time after step {}; --resume continues", run.done()));
            break;
        }
        if run.done().is_multiple_of(args.preview_every) && run.done() < args.steps && run.affords_validation() {
            run.validate()?;
        }
    }
    run.finish()
}

/// A run under way.
struct Run<'a, S: Stage> {
    stage: &'a S,
    args: &'a RunArgs,
    /// Where the weights and the optimiser are.
    device: Device,
    /// Where the parts of a step are computed.
    places: Vec<Place>,
    origin: Origin,
    progress: Progress<ModelOf<S>>,
    /// The step from which this process continues, or 0.
    first_step: u64,
    /// The step of the last good checkpoint.
    saved: Option<u64>,
    /// When it was saved, or else when the run began.
    saved_at: Instant,
    log: Log,
    account: Account,
    previews: PathBuf,
    started: Instant,
}

/// What a checkpoint holds.
struct Progress<M: Module> {
    model: M,
    optimizer: ModuleOptimizer,
    average: Ema<M>,
    /// Steps done.
    step: u64,
    /// Time that they took, without validations and checkpoints.
    seconds: f64,
}

impl<M: Module> Progress<M> {
    /// The beginning of a run.
    fn begin<S: Stage<Objective: Objective<Model = M>>>(
        stage: &S,
        mut model: M,
        optimizer: ModuleOptimizer,
        init: Option<&Path>,
    ) -> Result<Self> {
        if let Some(path) = init {
            let (_, weights) = open_weights(path)?;
            model = stage
                .load(model, weights)
                .with_context(|| format!("cannot begin with the weights in {}", path.display()))?;
        }
        let average = Ema::new(model.valid());
        Ok(Self { model, optimizer, average, step: 0, seconds: 0.0 })
    }

    /// A run as `checkpoint` left it.
    fn resume<S: Stage<Objective: Objective<Model = M>>>(
        stage: &S,
        model: M,
        optimizer: ModuleOptimizer,
        checkpoint: &Checkpoint<S::Settings>,
        origin: &Origin,
        out: &Path,
    ) -> Result<Self> {
        let differences = checkpoint.differences(&stage.spec().settings, origin)?;
        ensure!(
            differences.is_empty(),
            "{} was trained with other settings: {}; use the same again, or begin another run with --init and another \
             --out",
            out.display(),
            differences.join(", ")
        );
        Ok(Self {
            average: Ema::new(checkpoint.load_average(&model)?),
            model: checkpoint.load_model(model)?,
            optimizer: checkpoint.load_optimizer(optimizer)?,
            step: checkpoint.step(),
            seconds: checkpoint.seconds(),
        })
    }
}

impl<'a, S: Stage> Run<'a, S> {
    fn begin_or_resume(stage: &'a S, args: &'a RunArgs, init: Option<&Path>) -> Result<Self> {
        let (device, places) = args.open_places(stage.objective())?;
        device.seed(args.seed);
        let model = stage.objective().init(&device);
        let mut optimizer: ModuleOptimizer = stage.spec().optimizer.init();
        if let Some(norm) = args.clip {
            optimizer = optimizer.with_grad_clipping(GradientClippingConfig::Norm(norm).init());
        }
        let origin = Origin { seed: args.seed, clip: args.clip, source: stage.spec().source.clone() };
        let progress = match Checkpoint::latest(&args.out)? {
            Some(checkpoint) => Progress::resume(stage, model, optimizer, &checkpoint, &origin, &args.out)?,
            None => Progress::begin(stage, model, optimizer, init)?,
        };

        let first_step = progress.step;
        let previews = args.out.join("previews");
        std::fs::create_dir_all(&previews).with_context(|| format!("cannot create {}", previews.display()))?;
        let log = Log::open(&args.out, args.steps, first_step)?;
        let account = Account::open(args.clips_of_step(), args.device.is_asynchronous())
            .of_network(stage.flops_per_clip(&progress.model));
        let (name, parameters) = (stage.spec().name, progress.model.num_params());
        log.note(&format!("{name}: {parameters} parameters, steps {first_step} to {}", args.steps));
        let saved = (first_step > 0).then_some(first_step);
        let started = Instant::now();
        let mut run = Self {
            stage,
            args,
            device,
            places,
            origin,
            progress,
            first_step,
            saved,
            saved_at: started,
            log,
            account,
            previews,
            started,
        };
        if first_step == 0 {
            run.log.note("validating before the first step");
            run.validate()?;
            (run.started, run.saved_at) = (Instant::now(), Instant::now());
        }
        Ok(run)
    }

    /// Steps done.
    fn done(&self) -> u64 {
        self.progress.step
    }

    fn is_out_of_time(&self) -> bool {
        self.args.max_minutes.is_some_and(|minutes| self.started.elapsed().as_secs_f64() > minutes * 60.0)
    }

    fn affords_validation(&self) -> bool {
        self.account.affords_validation(self.args.validation_share)
    }

    fn step(mut self) -> Result<Self> {
        let step = self.progress.step;
        let is_due = step > self.first_step && self.is_due(step);
        // Written before the step, which moves the running statistics; published after it, when the
        // weights are known to be good.
        let written = is_due.then(|| self.write()).transpose()?;
        let clock = Instant::now();
        let draw = Draw::of(self.args.seed, step, usize::from(self.args.accumulate));
        let mut stopwatch = self.account.stopwatch(&self.device)?;
        let whole = parts::mean_gradients(
            self.stage,
            &self.progress.model,
            &self.device,
            &mut self.places,
            draw,
            &mut stopwatch,
        );
        let (values, gradients) = match whole {
            Ok(whole) => whole,
            Err(error) if error.is::<NoPlaceLeft>() => return Err(self.leave(error, written)),
            Err(error) => return Err(error),
        };
        let loss = values[0].1;
        ensure!(loss.is_finite(), "the loss is {loss} at step {step}; {}; {ADVICE}", self.last_good());
        let for_gradients = clock.elapsed();
        if let Some(written) = written {
            self.publish(written)?;
        }
        stopwatch.resume();
        let clock = Instant::now();
        let rate = self.args.rate.at(self.args.steps, step);
        self.progress.model = self.progress.optimizer.step(rate, self.progress.model, gradients);
        self.progress.average.update(&self.progress.model, step);
        stopwatch.lap(Phase::Optimiser)?;
        let seconds = (for_gradients + clock.elapsed()).as_secs_f64();
        self.progress.seconds += seconds;
        self.account.step(seconds, &stopwatch);
        self.progress.step += 1;
        self.log.step(step, &values)?;
        Ok(self)
    }

    /// Whether it is time for a checkpoint: after the first step of all, to show that it can be written.
    fn is_due(&self, step: u64) -> bool {
        self.saved.is_none()
            || step.is_multiple_of(self.args.save_every)
            || self.saved_at.elapsed().as_secs_f64() >= self.args.save_minutes * 60.0
    }

    /// Says how long the run will take, as soon as that is known.
    fn say_forecast(&mut self) {
        let (done, steps) = (self.done(), self.args.steps);
        let validations = steps.div_ceil(self.args.preview_every) - done / self.args.preview_every;
        let RunArgs { validation_share, max_minutes, .. } = *self.args;
        if let Some(forecast) = self.account.forecast(steps - done, (validations, validation_share), max_minutes) {
            self.log.note(&forecast);
        }
    }

    fn validate(&mut self) -> Result<()> {
        let since = Instant::now();
        let (model, step) = (self.progress.average.model(), self.progress.step);
        let device = self.device.clone().inner();
        let metrics = self.stage.validate(model, step, &self.previews, &device)?;
        self.account.validation(since);
        self.log.validation(step, &metrics)
    }

    /// Saves the weights as they are, if they are numbers.
    fn save(&mut self) -> Result<()> {
        ensure!(
            checkpoint::is_finite(&self.progress.model),
            "the weights are not finite after step {}; {}; {ADVICE}",
            self.progress.step,
            self.last_good()
        );
        let written = self.write()?;
        self.publish(written)
    }

    fn write(&mut self) -> Result<Written> {
        let since = Instant::now();
        let Progress { model, optimizer, average, step, seconds } = &self.progress;
        let origin = Some(self.origin.clone());
        let state = State { step: *step, settings: &self.stage.spec().settings, seconds: *seconds, origin };
        let average = average.model();
        let written =
            Checkpoint::write(&self.args.out, &state, model, optimizer, average, &self.stage.export(average))?;
        self.account.checkpoint(since);
        Ok(written)
    }

    fn publish(&mut self, written: Written) -> Result<()> {
        let since = Instant::now();
        written.publish()?;
        (self.saved, self.saved_at) = (Some(self.progress.step), Instant::now());
        plots::draw(&self.args.out)?;
        self.account.checkpoint(since);
        Ok(())
    }

    fn last_good(&self) -> String {
        match self.saved {
            Some(step) => format!("the checkpoint of step {step} in {} is good", self.args.out.display()),
            None => "there is no checkpoint yet".to_owned(),
        }
    }

    /// Saves what there is, since no device is left to go on with: the weights are as the last step left them.
    fn leave(mut self, error: Error, written: Option<Written>) -> Error {
        let saved = match written {
            Some(written) => self.publish(written),
            None if self.saved == Some(self.done()) => Ok(()),
            None => self.save(),
        };
        match saved {
            Ok(()) => error.context(format!(
                "stopped after step {} of {}, which is saved in {}; when workers are there again, --resume continues",
                self.done(),
                self.args.steps,
                self.args.out.display()
            )),
            Err(unsaved) => unsaved.context(error),
        }
    }

    /// Saves what there is and ends.
    fn interrupt(mut self) -> Result<()> {
        if self.saved != Some(self.done()) {
            self.save()?;
        }
        let done = self.done();
        self.log.times(done, &self.account.close())?;
        bail!(
            "stopped by a signal after step {done} of {}, which is saved in {}; --resume continues",
            self.args.steps,
            self.args.out.display()
        )
    }

    fn finish(mut self) -> Result<()> {
        if self.saved != Some(self.done()) {
            self.save()?;
        }
        if self.done() == self.args.steps {
            self.validate()?;
            plots::draw(&self.args.out)?;
        }
        let checkpoint = checkpoint::path_of(&self.args.out, self.done());
        let next = self.stage.next_command(&self.args.out);
        self.log.times(self.progress.step, &self.account.close())?;
        self.log.finish(self.stage.held_out_metric(), self.stage.psnrs(), &checkpoint, next.as_deref());
        Ok(())
    }
}
