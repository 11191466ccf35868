//! Elapsed time on every platform: `std::time::Instant` panics in the browser.

/// Measures time since its creation.
pub(crate) struct Stopwatch(Moment);

#[cfg(not(target_family = "wasm"))]
type Moment = std::time::Instant;
/// Milliseconds since the page or worker started.
#[cfg(target_family = "wasm")]
type Moment = f64;

impl Stopwatch {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn start() -> Self {
        Self(Moment::now())
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn start() -> Self {
        Self(performance_now())
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn milliseconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn milliseconds(&self) -> f64 {
        performance_now() - self.0
    }
}

#[cfg(target_family = "wasm")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    /// Exists on a page and in a worker alike.
    #[wasm_bindgen::prelude::wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}
