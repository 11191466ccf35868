//! Values computed ahead of their use, on a thread of their own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

/// Makes the value of step after step while the previous ones are used.
///
/// The value of a step depends on the step alone, never on timing. Threads that share the steps may
/// ask out of order. Whoever asks for a step far from the others (a resumed run, say) gets it, and
/// its successors are made from then on.
pub(crate) struct Prefetch<T> {
    make: Arc<dyn Fn(u64) -> T + Send + Sync>,
    ahead: usize,
    worker: Mutex<Option<Worker<T>>>,
}

struct Worker<T> {
    next: u64,
    values: Receiver<T>,
    /// Values that are made, but of which a later one was asked for first.
    passed: BTreeMap<u64, T>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// At most `ahead` finished values wait; `make` is also called on the asking thread, should the
    /// worker be gone.
    pub(crate) fn new(ahead: usize, make: impl Fn(u64) -> T + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), ahead, worker: Mutex::new(None) }
    }

    /// The value of `step`.
    pub(crate) fn get(&self, step: u64) -> T {
        let value = {
            let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
            if worker.as_ref().is_none_or(|worker| !worker.is_near(step, self.ahead)) {
                *worker = self.start(step);
            }
            worker.as_mut().and_then(|worker| worker.take(step, self.ahead))
        };
        // A worker that panicked has no value; here its panic is heard.
        value.unwrap_or_else(|| (self.make)(step))
    }

    /// `None` where no thread is to be had.
    fn start(&self, first: u64) -> Option<Worker<T>> {
        let (sender, values) = sync_channel(self.ahead);
        let make = self.make.clone();
        thread::Builder::new()
            .name("prefetch".to_owned())
            // Dropping the receiver ends the thread at its next value.
            .spawn(move || (first..).try_for_each(|step| sender.send(make(step))).ok())
            .ok()?;
        Some(Worker { next: first, values, passed: BTreeMap::new() })
    }
}

impl<T> Worker<T> {
    fn is_near(&self, step: u64, ahead: usize) -> bool {
        self.passed.contains_key(&step) || (self.next..=self.next.saturating_add(ahead as u64)).contains(&step)
    }

    fn take(&mut self, step: u64, ahead: usize) -> Option<T> {
        while self.next <= step {
            self.passed.insert(self.next, self.values.recv().ok()?);
            self.next += 1;
        }
        let value = self.passed.remove(&step);
        // Nobody comes back for what was passed long ago.
        while self.passed.len() > ahead {
            self.passed.pop_first();
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_step_gets_its_own_value_in_any_order() {
        let prefetch = Prefetch::new(2, |step| step * step);
        let steps = [0, 1, 2, 7, 9, 8, 11, 10, 3, 3, 4, u64::MAX >> 40];
        assert_eq!(steps.map(|step| prefetch.get(step)), steps.map(|step| step * step));
    }

    #[test]
    fn threads_that_share_the_steps_do_not_make_one_twice() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = made.clone();
        let prefetch = Prefetch::new(2, move |step| {
            counter.fetch_add(1, Ordering::SeqCst);
            step
        });
        for pair in 0..10 {
            assert_eq!([prefetch.get(2 * pair + 1), prefetch.get(2 * pair)], [2 * pair + 1, 2 * pair]);
        }
        // One more for the first step, which nobody had asked for in order, and what is ahead.
        assert!(made.load(Ordering::SeqCst) <= 20 + 2 + 1 + 4, "{made:?}");
    }

    #[test]
    fn only_so_many_values_are_made_ahead() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = made.clone();
        let prefetch = Prefetch::new(3, move |step| {
            counter.fetch_add(1, Ordering::SeqCst);
            step
        });
        assert_eq!(prefetch.get(0), 0);
        thread::sleep(std::time::Duration::from_millis(50));
        // The one that was taken, three that wait, and one that waits to be put there.
        assert!(made.load(Ordering::SeqCst) <= 5, "{made:?}");
    }

    #[test]
    #[should_panic(expected = "no value for step 2")]
    fn a_panic_is_heard_by_the_one_who_asks() {
        let prefetch = Prefetch::new(1, |step| if step == 2 { panic!("no value for step {step}") } else { step });
        (0..3).for_each(|step| assert_eq!(prefetch.get(step), step));
    }
}
