//! Derivatives against finite differences, in double precision: what is differentiated by hand, and what
//! autodiff makes of our own formulas, from the geometry to both training losses.
#![cfg(feature = "native")]

mod tiny;

use std::sync::Once;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, FloatDType, Tensor};
use lfdm::config::{BackgroundMotion, RegionAffine};
use lfdm::lfae::blocks::ConvBlock;
use lfdm::lfae::gaussian_heatmaps;
use lfdm::matrix2::Matrix2;
use lfdm::motion::{FlowResize, Motion, resize_flow};
use lfdm::native::train::losses::equivariance;
use lfdm::native::train::tps::{ThinPlateTransform, TransformParams};
use lfdm::noise::NoiseSource;
use lfdm::tensor::{anti_alias, channels_last, coordinate_grid, resize, warp};

/// Step of the differences: short enough that hardly any ReLU changes its side, long enough that rounding stays below
/// the tolerance.
const STEP: f64 = 1e-7;
/// Where one does change its side within [`STEP`]; rounding comes within a few times of the tolerance.
const SHORT_STEP: f64 = 1e-8;
/// Of the derivative, or of 1 where that is larger.
const TOLERANCE: f64 = 1e-5;

fn device() -> Device {
    static DOUBLE: Once = Once::new();
    DOUBLE.call_once(|| Device::flex().configure(FloatDType::F64).unwrap());
    Device::flex().autodiff()
}

fn normal<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    NoiseSource::new(seed).normal(shape, device)
}

/// The same weights in every run: a ReLU at its kink has no derivative, and must not be met by chance.
fn settled<M: Module>(module: M, scale: f64) -> M {
    struct Settle(u64, f64);
    impl ModuleMapper for Settle {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            let id = param.id;
            let values = normal(1000 + self.0, param.lazy_shape().dims(), &param.lazy_device()) * self.1;
            param.transform_for_load(values, id)
        }
    }
    module.map(&mut Settle(0, scale))
}

/// Images with values in the middle of [0, 1].
fn image(seed: u64, shape: [usize; 4], device: &Device) -> Tensor<4> {
    normal(seed, shape, device) * 0.15 + 0.5
}

fn number(tensor: Tensor<1>) -> f64 {
    tensor.into_scalar()
}

/// Compares the slope of `f`, summed with random weights, along random directions with autodiff's gradient.
fn check<const D: usize, const E: usize>(what: &str, x: Tensor<D>, f: impl Fn(Tensor<D>) -> Tensor<E>) {
    let device = x.device();
    let weights = normal(77, f(x.clone()).dims(), &device);
    let sum = |x: Tensor<D>| (f(x) * weights.clone()).sum();
    let leaf = x.clone().detach().require_grad();
    let gradients = sum(leaf.clone()).backward();
    let gradient = Tensor::<D>::from_data(leaf.grad(&gradients).expect(what).into_data(), &device);
    let mut largest = 0.0;
    for seed in 0..3 {
        let direction = normal(100 + seed, x.dims(), &device);
        let expected = number((gradient.clone() * direction.clone()).sum());
        let slopes = [STEP, SHORT_STEP].map(|step| {
            let ahead = number(sum(x.clone() + direction.clone() * step));
            let behind = number(sum(x.clone() - direction.clone() * step));
            (ahead - behind) / (2.0 * step)
        });
        let right = |slope: f64| (slope - expected).abs() / expected.abs().max(1.0) < TOLERANCE;
        assert!(slopes.into_iter().any(right), "{what}: the slopes are {slopes:?}, autodiff says {expected}");
        largest = f64::max(largest, expected.abs());
    }
    assert!(largest > 1e-6, "{what}: nothing depends on it");
}

#[test]
fn warping_and_resizing() {
    let device = device();
    let picture = image(1, [2, 3, 6, 5], &device);
    // Some places lie outside the picture.
    let grid = normal(2, [2, 4, 7, 2], &device) * 0.7;
    check("warp by the image", picture.clone(), |picture| warp(picture, grid.clone()));
    check("warp by the grid", grid, |grid| warp(picture.clone(), grid));
    check("resize", picture.clone(), |picture| resize(picture, [9, 4]));
    for how in [FlowResize::Places, FlowResize::Displacements] {
        check("resize of flow", normal(3, [2, 4, 3, 2], &device), |flow| resize_flow(flow, [8, 6], how));
    }
    check("anti-alias", picture, |picture| anti_alias(picture, 0.5));
}

#[test]
fn regions_and_their_axes() {
    let device = device();
    let root = normal::<4>(4, [2, 5, 2, 2], &device);
    let covariance = |root: Tensor<4>| {
        let root = Matrix2::from_tensor(root);
        root.product(&root.transpose())
    };
    check("principal axes", root.clone(), |root| covariance(root).principal_axes().to_tensor());
    check("inverse", root.clone(), |root| covariance(root).inverse().to_tensor());
    let grid = coordinate_grid([6, 7], &device);
    let centres = normal::<3>(5, [2, 5, 2], &device) * 0.4;
    check("heat maps by the centres", centres.clone(), |centres| {
        gaussian_heatmaps(centres, Some(&covariance(root.clone())), grid.clone())
    });
    check("heat maps by the covariance", root, |root| {
        gaussian_heatmaps(centres.clone(), Some(&covariance(root)), grid.clone())
    });

    let picture = image(6, [2, 3, 16, 16], &device);
    for affine in [RegionAffine::Pca, RegionAffine::Regression] {
        let mut config = tiny::config(16, 2, 3).lfae.region;
        config.affine = affine;
        let predictor = settled(config.init(3, 4, &device), 0.3);
        check("centres", picture.clone(), |picture| predictor.forward(picture).shift);
        check("frames", picture.clone(), |picture| predictor.forward(picture).affine.unwrap().to_tensor());
    }
}

#[test]
fn motion_between_two_frames() {
    let device = device();
    let (source, driving) = (image(7, [2, 3, 32, 32], &device), image(8, [2, 3, 32, 32], &device));
    for motion in
        [BackgroundMotion::Zero, BackgroundMotion::Shift, BackgroundMotion::Affine, BackgroundMotion::Perspective]
    {
        let mut config = tiny::config(32, 2, 3).lfae;
        config.background.motion = motion;
        config.refinement = None;
        let predictor = settled(config.init_flow_predictor(&device), 0.08);
        check("flow by the driving frame", driving.clone(), |driving| {
            predictor.forward(source.clone(), driving).motion.flow
        });
        check("occlusion by the source", source.clone(), |source| {
            predictor.forward(source, driving.clone()).motion.occlusion
        });
    }
}

/// Pictures and motion for which no step crosses a border between pixels, where the slope of a warp jumps.
#[test]
fn refined_motion() {
    let device = device();
    let config = tiny::config(32, 2, 3).lfae;
    let refinement = settled(config.init_refinement(&device).expect("the preset has one"), 0.1);
    let (source, driving) = (image(17, [2, 3, 32, 32], &device), image(18, [2, 3, 32, 32], &device));
    let flow = coordinate_grid([8, 8], &device).unsqueeze::<4>() + normal(19, [2, 8, 8, 2], &device) * 0.1;
    let logits = normal::<4>(20, [2, 1, 8, 8], &device);
    let refine = |driving: Tensor<4>, flow: Tensor<4>, logits: Tensor<4>| {
        let motion = Motion { flow, occlusion: sigmoid(logits.clone()) };
        let (motion, _) = refinement.forward(source.clone(), driving, motion, Some(logits));
        Tensor::cat(vec![motion.flow, motion.occlusion.permute([0, 2, 3, 1])], 3)
    };
    check("by the driving frame", driving.clone(), |x| refine(x, flow.clone(), logits.clone()));
    check("by the flow so far", flow.clone(), |x| refine(driving.clone(), x, logits.clone()));
    check("by the occlusion so far", logits.clone(), |x| refine(driving.clone(), flow.clone(), x));

    let config = tiny::config(32, 2, 3).with_fine_motion().lfae;
    let refinement = settled(config.init_fine_refinement(&device).expect("a finer model has one"), 0.05);
    let finer = |flow: Tensor<4>, logits: Tensor<4>| {
        let motion = Motion { flow, occlusion: sigmoid(logits.clone()) };
        let (motion, _) = refinement.forward_upsampled(source.clone(), driving.clone(), &motion, Some(logits));
        Tensor::cat(vec![motion.flow, motion.occlusion.permute([0, 2, 3, 1])], 3)
    };
    check("finer, by the coarse flow", flow.clone(), |x| finer(x, logits.clone()));
    check("finer, by the coarse occlusion", logits.clone(), |x| finer(flow.clone(), x));
}

#[test]
fn decoding() {
    let device = device();
    let picture = image(9, [2, 3, 32, 32], &device);
    for [skips, painter] in [[true, true], [true, false], [false, false]] {
        let mut config = tiny::config(32, 2, 3).lfae;
        config.generator.skips = skips;
        config.generator.painter = painter;
        let generator = settled(config.init_generator(&device), 0.3);
        let flow = coordinate_grid([8, 8], &device).unsqueeze::<4>() + normal(10, [2, 8, 8, 2], &device) * 0.1;
        let occlusion = image(11, [2, 1, 8, 8], &device);
        let decode = |picture: Tensor<4>, flow: Tensor<4>, occlusion: Tensor<4>| {
            let features = generator.encode(picture.clone());
            generator.decode(picture, &features, &Motion { flow, occlusion }).prediction
        };
        check("picture by the source", picture.clone(), |x| decode(x, flow.clone(), occlusion.clone()));
        check("picture by the flow", flow.clone(), |x| decode(picture.clone(), x, occlusion.clone()));
        check("picture by the occlusion", occlusion.clone(), |x| decode(picture.clone(), flow.clone(), x));
    }
    let block = settled(ConvBlock::new([3, 4], 3, &device), 0.3);
    let picture = channels_last(picture);
    check("batch norm on the batch's statistics", picture, |picture| block.forward(picture));
}

/// The Jacobian is in closed form, and the equivariance loss differentiates it.
#[test]
fn thin_plate_transforms() {
    let device = device();
    let params = TransformParams { sigma_affine: 0.3, sigma_tps: 0.1, points: 5 };
    let (affine, tps) = ThinPlateTransform::noise_shapes(&params, 2);
    let transform = ThinPlateTransform::new(&params, normal(12, affine, &device), normal(13, tps, &device));
    let points = normal::<3>(14, [2, 20, 2], &device) * 0.4;
    check("points", points.clone(), |points| transform.points(points));
    check("Jacobian", points.clone(), |points| transform.jacobian(points).to_tensor());

    let jacobian = transform.jacobian(points.clone());
    for (axis, [dx, dy]) in [[&jacobian.a, &jacobian.c], [&jacobian.b, &jacobian.d]].into_iter().enumerate() {
        let direction = Tensor::<1>::from_floats([1.0 - axis as f32, axis as f32], &device).reshape([1, 1, 2]) * STEP;
        let ahead = transform.points(points.clone() + direction.clone());
        let slope = (ahead - transform.points(points.clone() - direction)) / (2.0 * STEP);
        let error = (slope - Tensor::stack::<3>(vec![dx.clone(), dy.clone()], 2)).abs().max();
        assert!(number(error) < TOLERANCE, "axis {axis}");
    }

    let config = tiny::config(16, 2, 3).lfae;
    let predictor = settled(config.region.init(3, 4, &device), 0.3);
    let driving = image(15, [2, 3, 16, 16], &device);
    let transformed = predictor.forward(transform.frame(driving.clone()));
    check("equivariance by the driving frame", driving.clone(), |driving| {
        let (shift, affine) = equivariance(&predictor.forward(driving), &transformed, &transform, true);
        shift + affine
    });
    let regions = predictor.forward(driving);
    check("equivariance by the transformed frame", image(16, [2, 3, 16, 16], &device), |picture| {
        let (shift, affine) = equivariance(&regions, &predictor.forward(picture), &transform, true);
        shift + affine
    });
}

#[test]
fn denoising() {
    let device = device();
    let mut config = tiny::config(32, 4, 3).diffusion;
    config.unet.learned_null_condition = true;
    let model = settled(config.init(5, &device), 0.3);
    let unet = &model.denoise_fn;
    let tables = unet.frame_tables(4);
    let tokens = normal::<4>(17, [8, 4, 3, 16], &device);
    check("linear attention", tokens.clone(), |x| unet.downs[1].linear_attn.forward(x));
    check("attention over frames", tokens.clone(), |x| unet.downs[1].frame_attn.forward(x, &tables));
    check("attention over positions", tokens, |x| unet.mid_spatial_attn.forward(x));

    let resnet = &unet.downs[0].resnet1;
    let x = normal::<4>(18, [8, 4, 4, 8], &device);
    let film = normal::<2>(19, [2, 16], &device);
    check("group norm and scale by the input", x.clone(), |x| resnet.forward(x, 2, Some(&film)));
    check("group norm and scale by the condition", film, |film| resnet.forward(x.clone(), 2, Some(&film)));

    let [x0, noise] = [20, 21].map(|seed| normal::<5>(seed, [2, 3, 4, 8, 8], &device));
    let (latent, condition) = (normal::<4>(22, [2, 5, 8, 8], &device), normal::<2>(23, [2, 3], &device));
    let loss = |x0: Tensor<5>, latent: Tensor<4>, condition: Tensor<2>| {
        model.loss(x0, latent, condition, &[100, 800], noise.clone(), &[false, true])
    };
    check("loss by the motion", x0.clone(), |x| loss(x, latent.clone(), condition.clone()));
    check("loss by the latent", latent.clone(), |x| loss(x0.clone(), x, condition.clone()));
    check("loss by the condition", condition.clone(), |x| loss(x0.clone(), latent.clone(), x));
}
