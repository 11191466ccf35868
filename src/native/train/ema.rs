//! Exponential moving average of a module's weights.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The averaged module, without gradients; running statistics are averaged like weights.
pub(crate) struct Ema<M: Module> {
    model: M,
}

impl<M: Module> Ema<M> {
    /// `model` must come from [`Module::valid`], so that it shares the parameter ids of the trained
    /// module.
    pub(crate) fn new(model: M) -> Self {
        Self { model }
    }

    pub(crate) fn model(&self) -> &M {
        &self.model
    }

    /// Moves toward `live`. The decay grows from 0.1 to 0.999, so that the first steps do not linger.
    pub(crate) fn update(&mut self, live: &M, step: u64) {
        let decay = ((1 + step) as f64 / (10 + step) as f64).min(0.999);
        let mut values = Values::default();
        live.valid().visit(&mut values);
        self.model = self.model.clone().map(&mut Lerp { values: values.0, decay });
    }
}

/// Flattened parameters by id.
#[derive(Default)]
struct Values(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let count = value.shape().num_elements();
        self.0.insert(param.id, value.reshape([count]));
    }
}

struct Lerp {
    values: HashMap<ParamId, Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Lerp {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(live) = self.values.remove(&param.id) else { return param };
        let decay = self.decay;
        param.map(|average| {
            let live = live.reshape(average.shape());
            average.mul_scalar(decay) + live.mul_scalar(1.0 - decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    #[test]
    fn the_average_follows_the_weights() {
        let device = Device::flex().autodiff();
        let mut live = LinearConfig::new(2, 2).init(&device);
        let mut ema = Ema::new(live.valid());
        live.weight = live.weight.map(|weight| weight.zeros_like());
        for step in 0..50 {
            ema.update(&live, step);
        }
        let left: f32 = ema.model().weight.val().abs().max().into_scalar();
        assert!(left < 1e-4, "{left}");
    }
}
