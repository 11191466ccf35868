//! ONNX graphs, built node by node. Shapes are fixed and followed along, so that a network that
//! does not fit together is found while it is written.

use std::collections::BTreeSet;

use burn::tensor::{Tensor, TensorData};

use super::proto::{Attribute, Constant, FLOAT, GraphProto, INT64, Model, Node, Port};
use crate::weights::StateDict;

/// The version of the operators: 16 brought `GridSample`, 17 `LayerNormalization`.
const OPSET: i64 = 17;
/// The version of the file format that belongs to this opset.
const IR_VERSION: i64 = 8;
/// What burn adds to the variance in batch, group and layer normalisation, unless told otherwise.
pub(super) const NORM_EPSILON: f32 = 1e-5;

type Attributes = Vec<(&'static str, Attribute)>;

/// A tensor in a graph.
#[derive(Debug, Clone)]
pub(super) struct Value {
    name: String,
    shape: Vec<usize>,
}

impl Value {
    /// Sides of the tensor.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Sides of a tensor of rank `D`.
    pub(super) fn dims<const D: usize>(&self) -> [usize; D] {
        let Ok(dims) = self.shape.as_slice().try_into() else {
            panic!("`{}` has {:?} sides instead of {D}", self.name, self.shape)
        };
        dims
    }
}

/// Stride and padding of a convolution, the same in both directions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub stride: usize,
    pub padding: usize,
}

impl Window {
    /// What keeps the size for a kernel of odd `side`.
    pub(super) fn same(side: usize) -> Self {
        Self { stride: 1, padding: side / 2 }
    }
}

/// A graph in the making, over the weights of one module.
///
/// `key` is a module's key in these weights: `key.weight`, and `key.bias` where there is one.
pub(super) struct Graph<'a> {
    weights: &'a StateDict,
    proto: GraphProto,
    stored: BTreeSet<String>,
}

impl<'a> Graph<'a> {
    /// An empty graph.
    pub(super) fn new(name: &str, weights: &'a StateDict) -> Self {
        let proto = GraphProto { name: name.to_owned(), ..Default::default() };
        Self { weights, proto, stored: BTreeSet::new() }
    }

    /// The graph as a file; `doc` says what it computes.
    pub(super) fn finish(self, doc: &str) -> Model {
        Model {
            ir_version: IR_VERSION,
            producer_name: "lfdm",
            producer_version: env!("CARGO_PKG_VERSION"),
            doc: doc.to_owned(),
            graph: self.proto,
            opset: OPSET,
        }
    }

    /// An input of floats.
    pub(super) fn input(&mut self, name: &str, shape: &[usize]) -> Value {
        self.proto.inputs.push(port(name, FLOAT, shape));
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// An input of 64-bit integers.
    pub(super) fn integer_input(&mut self, name: &str, shape: &[usize]) -> Value {
        self.proto.inputs.push(port(name, INT64, shape));
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// Makes `x` an output under `name`.
    pub(super) fn output(&mut self, name: &str, x: &Value) {
        self.proto.outputs.push(port(name, FLOAT, &x.shape));
        self.push("Identity", &[x], name.to_owned(), Vec::new());
    }

    /// The weight under `key`, in the shape that it has in our modules.
    pub(super) fn weight(&mut self, key: &str) -> Value {
        let data = self.data(key);
        let shape = data.shape().to_vec();
        self.store(key, &shape, || data.iter().collect())
    }

    /// Whether there is a weight under `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.weights.get(key).is_some()
    }

    /// The values of the weight under `key`, for those that change before they are stored.
    pub(super) fn values(&self, key: &str) -> Vec<f32> {
        self.data(key).iter().collect()
    }

    /// Rows `start..start + length` of the matrix under `key`, transposed if `transposed`.
    ///
    /// # Shapes
    /// - result: `[length, columns]`, or `[columns, length]`
    pub(super) fn rows(&mut self, key: &str, start: usize, length: usize, transposed: bool) -> Value {
        let data = self.data(key);
        let columns = data.shape()[1];
        let flag = if transposed { "t" } else { "" };
        let name = format!("{key}[{start}:{}]{flag}", start + length);
        let values = || {
            let values: Vec<f32> = data.iter().skip(start * columns).take(length * columns).collect();
            if !transposed {
                return values;
            }
            (0..length * columns).map(|index| values[index % length * columns + index / length]).collect()
        };
        self.store(&name, &if transposed { [columns, length] } else { [length, columns] }, values)
    }

    /// A constant under `name`; the same name is the same constant.
    pub(super) fn constant(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Value {
        self.store(name, shape, || values)
    }

    /// A tensor as a constant under `name`.
    pub(super) fn tensor<const D: usize>(&mut self, name: &str, tensor: Tensor<D>) -> Value {
        let shape = tensor.dims();
        self.store(name, &shape, || tensor.into_data().iter().collect())
    }

    /// A single number.
    pub(super) fn scalar(&mut self, value: f32) -> Value {
        self.store(&format!("{value:?}"), &[], || vec![value])
    }

    /// Convolution.
    ///
    /// # Shapes
    /// - `x`: `[n, in, height, width]`
    /// - result: `[n, out, height', width']`
    pub(super) fn conv(&mut self, x: &Value, key: &str, window: Window) -> Value {
        let weight = self.weight(&format!("{key}.weight"));
        let bias = self.bias(key);
        self.conv_with(x, &weight, bias.as_ref(), window)
    }

    /// [`conv`](Self::conv) with a weight of its own, `[out, in, side, side]`.
    pub(super) fn conv_with(&mut self, x: &Value, weight: &Value, bias: Option<&Value>, window: Window) -> Value {
        let ([n, channels, height, width], [out, of, rows, columns]) = (x.dims(), weight.dims());
        assert_eq!(channels, of, "channels of `{}` and `{}`", x.name, weight.name);
        let Window { stride, padding } = window;
        let [height, width] =
            [(height, rows), (width, columns)].map(|(side, kernel)| (side + 2 * padding - kernel) / stride + 1);
        let inputs: Vec<&Value> = [x, weight].into_iter().chain(bias).collect();
        let attributes =
            vec![ints("kernel_shape", &[rows, columns]), ints("pads", &[padding; 4]), ints("strides", &[stride; 2])];
        self.node("Conv", &inputs, attributes, vec![n, out, height, width])
    }

    /// Transposed convolution.
    ///
    /// # Shapes
    /// - `x`: `[n, in, height, width]`
    /// - result: `[n, out, height', width']`
    pub(super) fn conv_transpose(&mut self, x: &Value, key: &str, Window { stride, padding }: Window) -> Value {
        let weight = self.weight(&format!("{key}.weight"));
        let bias = self.bias(key);
        let ([n, _, height, width], [_, out, rows, columns]) = (x.dims(), weight.dims());
        let [height, width] =
            [(height, rows), (width, columns)].map(|(side, kernel)| (side - 1) * stride + kernel - 2 * padding);
        let inputs: Vec<&Value> = [x, &weight].into_iter().chain(bias.as_ref()).collect();
        let attributes =
            vec![ints("kernel_shape", &[rows, columns]), ints("pads", &[padding; 4]), ints("strides", &[stride; 2])];
        self.node("ConvTranspose", &inputs, attributes, vec![n, out, height, width])
    }

    /// Batch normalisation by the running statistics. Runtimes fold it into the convolution before.
    ///
    /// # Shapes
    /// - `x` and result: `[n, channels, height, width]`
    pub(super) fn batch_norm(&mut self, x: &Value, key: &str) -> Value {
        let parameters = ["weight", "bias", "running_mean", "running_var"];
        let [gain, shift, mean, variance] = parameters.map(|name| self.weight(&format!("{key}.{name}")));
        let inputs = [x, &gain, &shift, &mean, &variance];
        self.node("BatchNormalization", &inputs, vec![float("epsilon", NORM_EPSILON)], x.shape.clone())
    }

    /// Normalisation over the last axis, with the gain under `key` and no shift.
    ///
    /// # Shapes
    /// - `x` and result: `[…, channels]`
    pub(super) fn layer_norm(&mut self, x: &Value, key: &str) -> Value {
        let gain = self.weight(key);
        self.node("LayerNormalization", &[x, &gain], vec![float("epsilon", NORM_EPSILON)], x.shape.clone())
    }

    /// A linear layer.
    ///
    /// # Shapes
    /// - `x`: `[n, in]`
    /// - result: `[n, out]`
    pub(super) fn linear(&mut self, x: &Value, key: &str) -> Value {
        let weight = self.weight(&format!("{key}.weight"));
        let bias = self.bias(key);
        let ([n, _], [out, _]) = (x.dims(), weight.dims());
        let inputs: Vec<&Value> = [x, &weight].into_iter().chain(bias.as_ref()).collect();
        self.node("Gemm", &inputs, vec![int("transB", 1)], vec![n, out])
    }

    /// Product of matrices in the last two axes; the others are broadcast.
    pub(super) fn matmul(&mut self, a: &Value, b: &Value) -> Value {
        let ([ahead_of_a @ .., rows, inner], [ahead_of_b @ .., of, columns]) = (&a.shape[..], &b.shape[..]) else {
            panic!("`{}` or `{}` is no matrix", a.name, b.name)
        };
        assert_eq!(inner, of, "`{}` {:?} times `{}` {:?}", a.name, a.shape, b.name, b.shape);
        let mut shape = broadcast(ahead_of_a, ahead_of_b);
        shape.extend([rows, columns]);
        self.node("MatMul", &[a, b], Vec::new(), shape)
    }

    /// `Add`, `Sub`, `Mul`, `Div`, `Min` or `Max`, with broadcasting.
    pub(super) fn binary(&mut self, operation: &str, a: &Value, b: &Value) -> Value {
        let shape = broadcast(&a.shape, &b.shape);
        self.node(operation, &[a, b], Vec::new(), shape)
    }

    /// `a + b`
    pub(super) fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.binary("Add", a, b)
    }

    /// `a - b`
    pub(super) fn sub(&mut self, a: &Value, b: &Value) -> Value {
        self.binary("Sub", a, b)
    }

    /// `a * b`
    pub(super) fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.binary("Mul", a, b)
    }

    /// `x * factor`
    pub(super) fn scale(&mut self, x: &Value, factor: f32) -> Value {
        let factor = self.scalar(factor);
        self.mul(x, &factor)
    }

    /// `x + term`
    pub(super) fn shift(&mut self, x: &Value, term: f32) -> Value {
        let term = self.scalar(term);
        self.add(x, &term)
    }

    /// `x` between `low` and `high`, which are broadcast.
    pub(super) fn clamp(&mut self, x: &Value, low: &Value, high: &Value) -> Value {
        let x = self.binary("Max", x, low);
        self.binary("Min", &x, high)
    }

    /// A function of each number alone: `Relu`, `Sigmoid`, `Erf`, `Log`, `Sqrt`, `Reciprocal`.
    pub(super) fn each(&mut self, operation: &str, x: &Value) -> Value {
        self.node(operation, &[x], Vec::new(), x.shape.clone())
    }

    /// `x * sigmoid(x)`
    pub(super) fn silu(&mut self, x: &Value) -> Value {
        let gate = self.each("Sigmoid", x);
        self.mul(x, &gate)
    }

    /// The exact GELU; the operator of that name came with opset 20.
    pub(super) fn gelu(&mut self, x: &Value) -> Value {
        let scaled = self.scale(x, std::f32::consts::FRAC_1_SQRT_2);
        let erf = self.each("Erf", &scaled);
        let gate = self.shift(&erf, 1.0);
        let half = self.scale(x, 0.5);
        self.mul(&half, &gate)
    }

    /// Softmax over the last axis.
    pub(super) fn softmax(&mut self, x: &Value) -> Value {
        self.node("Softmax", &[x], vec![int("axis", -1)], x.shape.clone())
    }

    /// Means over `axes`, which stay with length 1.
    pub(super) fn mean(&mut self, x: &Value, axes: &[usize]) -> Value {
        let mut shape = x.shape.clone();
        for &axis in axes {
            shape[axis] = 1;
        }
        self.node("ReduceMean", &[x], vec![ints("axes", axes), int("keepdims", 1)], shape)
    }

    /// The same numbers in another shape.
    pub(super) fn reshape(&mut self, x: &Value, shape: &[usize]) -> Value {
        let (from, to): (usize, usize) = (x.shape.iter().product(), shape.iter().product());
        assert_eq!(from, to, "`{}` {:?} as {shape:?}", x.name, x.shape);
        if x.shape == shape {
            return x.clone();
        }
        let sides = self.store_integers("shape", shape);
        self.node("Reshape", &[x, &sides], Vec::new(), shape.to_vec())
    }

    /// The axes in another order.
    pub(super) fn transpose(&mut self, x: &Value, order: &[usize]) -> Value {
        let shape = order.iter().map(|&axis| x.shape[axis]).collect();
        self.node("Transpose", &[x], vec![ints("perm", order)], shape)
    }

    /// Tensors one after the other along `axis`.
    pub(super) fn concat(&mut self, parts: &[&Value], axis: usize) -> Value {
        let mut shape = parts[0].shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
        self.node("Concat", parts, vec![int("axis", axis as i64)], shape)
    }

    /// `start..start + length` of `axis`.
    pub(super) fn narrow(&mut self, x: &Value, axis: usize, start: usize, length: usize) -> Value {
        let mut shape = x.shape.clone();
        shape[axis] = length;
        let [start, end, axis] = [("start", start), ("end", start + length), ("axis", axis)]
            .map(|(name, n)| self.store_integers(name, &[n]));
        self.node("Slice", &[x, &start, &end, &axis], Vec::new(), shape)
    }

    /// Rows of `table` at integer places.
    ///
    /// # Shapes
    /// - `table`: `[rows, width]`
    /// - `places`: `[n]`
    /// - result: `[n, width]`
    pub(super) fn gather(&mut self, table: &Value, places: &Value) -> Value {
        let ([_, width], [n]) = (table.dims(), places.dims());
        self.node("Gather", &[table, places], vec![int("axis", 0)], vec![n, width])
    }

    /// Repeats the border without its outermost pixels, one pixel wide.
    ///
    /// # Shapes
    /// - `x`: `[n, channels, height, width]`
    /// - result: `[n, channels, height + 2, width + 2]`
    pub(super) fn reflect(&mut self, x: &Value) -> Value {
        let [n, channels, height, width] = x.dims();
        let pads = self.store_integers("pads", &[0, 0, 1, 1, 0, 0, 1, 1]);
        self.node("Pad", &[x, &pads], vec![text("mode", "reflect")], vec![n, channels, height + 2, width + 2])
    }

    /// Means of two by two pixels.
    ///
    /// # Shapes
    /// - `x`: `[n, channels, height, width]`
    /// - result: `[n, channels, height / 2, width / 2]`
    pub(super) fn halve(&mut self, x: &Value) -> Value {
        let [n, channels, height, width] = x.dims();
        let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
        self.node("AveragePool", &[x], attributes, vec![n, channels, height / 2, width / 2])
    }

    /// Every pixel twice in both directions.
    ///
    /// # Shapes
    /// - `x`: `[n, channels, height, width]`
    /// - result: `[n, channels, 2 * height, 2 * width]`
    pub(super) fn double(&mut self, x: &Value) -> Value {
        let [n, channels, height, width] = x.dims();
        let attributes = [
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        self.resized(x, [n, channels, 2 * height, 2 * width], attributes.to_vec())
    }

    /// Bilinear resize by half-pixel centres: [`resize`](crate::tensor::resize).
    ///
    /// # Shapes
    /// - `x`: `[n, channels, height, width]`
    /// - result: `[n, channels, size[0], size[1]]`
    pub(super) fn resize(&mut self, x: &Value, size: [usize; 2]) -> Value {
        let [n, channels, height, width] = x.dims();
        if [height, width] == size {
            return x.clone();
        }
        let attributes = [text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")];
        self.resized(x, [n, channels, size[0], size[1]], attributes.to_vec())
    }

    /// Samples `image` bilinearly, zeros outside: [`warp`](crate::tensor::warp).
    ///
    /// # Shapes
    /// - `image`: `[n, channels, height, width]`
    /// - `grid`: `[n, height', width', 2]`, xy in [-1, 1], from edge to edge
    /// - result: `[n, channels, height', width']`
    pub(super) fn grid_sample(&mut self, image: &Value, grid: &Value) -> Value {
        let ([n, channels, _, _], [_, height, width, _]) = (image.dims(), grid.dims());
        let attributes = vec![text("mode", "bilinear"), text("padding_mode", "zeros"), int("align_corners", 0)];
        self.node("GridSample", &[image, grid], attributes, vec![n, channels, height, width])
    }

    fn resized(&mut self, x: &Value, shape: [usize; 4], attributes: Attributes) -> Value {
        let sides = self.store_integers("sizes", &shape);
        // Regions of interest and scales are left out.
        let absent = Value { name: String::new(), shape: Vec::new() };
        self.node("Resize", &[x, &absent, &absent, &sides], attributes, shape.to_vec())
    }

    fn bias(&mut self, key: &str) -> Option<Value> {
        let key = format!("{key}.bias");
        self.has(&key).then(|| self.weight(&key))
    }

    fn data(&self, key: &str) -> &'a TensorData {
        match self.weights.get(key) {
            Some(data) => data,
            None => panic!("the module has no weight `{key}`"),
        }
    }

    /// A constant, unless `name` is stored already.
    fn store(&mut self, name: &str, shape: &[usize], values: impl FnOnce() -> Vec<f32>) -> Value {
        if self.stored.insert(name.to_owned()) {
            let bytes = values().into_iter().flat_map(f32::to_le_bytes).collect();
            let (name, shape) = (name.to_owned(), shape.to_vec());
            self.proto.constants.push(Constant { name, element: FLOAT, shape, bytes });
        }
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// Integers that an operator takes as an input rather than as an attribute.
    fn store_integers(&mut self, kind: &str, values: &[usize]) -> Value {
        let name = format!("{kind}{values:?}");
        if self.stored.insert(name.clone()) {
            let bytes = values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect();
            let (name, shape) = (name.clone(), vec![values.len()]);
            self.proto.constants.push(Constant { name, element: INT64, shape, bytes });
        }
        Value { name, shape: vec![values.len()] }
    }

    fn node(&mut self, op: &str, inputs: &[&Value], attributes: Attributes, shape: Vec<usize>) -> Value {
        let name = format!("{}_{}", op.to_lowercase(), self.proto.nodes.len());
        self.push(op, inputs, name.clone(), attributes);
        Value { name, shape }
    }

    fn push(&mut self, op: &str, inputs: &[&Value], output: String, attributes: Attributes) {
        self.proto.nodes.push(Node {
            inputs: inputs.iter().map(|value| value.name.clone()).collect(),
            name: output.clone(),
            output,
            op: op.to_owned(),
            attributes,
        });
    }
}

/// The shape of an operation on tensors of two shapes, whose last axes belong together.
fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let joined = |axis: usize| match (side(a, axis), side(b, axis)) {
        (a, 1) => a,
        (1, b) => b,
        (left, right) if left == right => left,
        _ => panic!("shapes {a:?} and {b:?} do not fit each other"),
    };
    (0..rank).map(joined).collect()
}

fn port(name: &str, element: i64, shape: &[usize]) -> Port {
    Port { name: name.to_owned(), element, shape: shape.to_vec() }
}

fn int(name: &'static str, value: i64) -> (&'static str, Attribute) {
    (name, Attribute::Int(value))
}

fn float(name: &'static str, value: f32) -> (&'static str, Attribute) {
    (name, Attribute::Float(value))
}

fn text(name: &'static str, value: &'static str) -> (&'static str, Attribute) {
    (name, Attribute::Text(value))
}

fn ints(name: &'static str, values: &[usize]) -> (&'static str, Attribute) {
    (name, Attribute::Ints(values.to_vec()))
}
