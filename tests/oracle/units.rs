//! Single modules of stage 1 in every variant that the configuration allows.

use burn::module::Module;
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};
use burn::tensor::{Device, Tensor, TensorData};
use lfdm::config::{
    BackgroundConfig, BackgroundMotion, FlowConfig, GeneratorConfig, HourglassConfig, LfaeConfig, LfdmConfig,
    RegionAffine, RegionConfig,
};
use lfdm::lfae::blocks::{ConvBlock, DownBlock, ResBlock, UpBlock};
use lfdm::lfae::{Regions, gaussian_heatmaps, is_flow_predictor, official_key};
use lfdm::matrix2::Matrix2;
use lfdm::motion::FlowResize;
use lfdm::tensor::{channels_first, channels_last, coordinate_grid};
use lfdm::weights::load_module;

use crate::golden::{Golden, Report};

pub(crate) fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex();
    let units = Units { golden, device: &device };
    units.heatmaps(report);
    units.axes(report);
    units.blocks(report);
    units.hourglass(report);
    units.backgrounds(report);
    units.regions(report);
    units.generators(report);

    let image: Tensor<4> = units.tensor("sample/im");
    let mirrored =
        GridSampleOptions::new(InterpolateMode::Bilinear).with_padding_mode(GridSamplePaddingMode::Reflection);
    let sampled = image.grid_sample_2d(units.tensor("sample/grid"), mirrored);
    report.compare(golden, "units/sample/reflection", sampled);
}

struct Units<'a> {
    golden: &'a Golden,
    device: &'a Device,
}

impl Units<'_> {
    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        self.golden.tensor(&format!("units/{name}"), self.device)
    }

    /// `module` with the weights of a case; `rename` maps a module path to its key.
    fn load<M: Module>(&self, case: &str, module: M, rename: &dyn Fn(&str) -> String) -> M {
        load_module(module, &self.golden.state(&format!("units/{case}/state/")), rename)
            .unwrap_or_else(|error| panic!("{case}: {error}"))
    }

    fn heatmaps(&self, report: &mut Report) {
        self.covariance("gauss", "chol", report);
        let covariance = Matrix2::from_tensor(self.tensor("gauss/covar"));
        let [_, _, height, width] = self.tensor::<4>("gauss/y_covar").dims();
        let grid = coordinate_grid([height, width], self.device);
        let drawn = |covariance| gaussian_heatmaps(self.tensor("gauss/mean"), covariance, grid.clone());
        report.compare(self.golden, "units/gauss/y_covar", drawn(Some(&covariance)));
        report.compare(self.golden, "units/gauss/y_float0.01", drawn(None));
    }

    /// `U sqrt(S)` of `U S U^T`.
    fn axes(&self, report: &mut Report) {
        let axes = self.covariance("svd", "a", report).principal_axes();
        // Here the signs are compared, too.
        self.compare_as(report, "svd/affine_u_sqrt_s", axes.to_tensor());
        let (unit, [major, minor]) = factors(&axes);
        self.compare_as(report, "svd/u", unit.to_tensor());
        report.compare(self.golden, "units/svd/s", Tensor::stack::<3>(vec![major, minor], 2));
    }

    /// `root root^T`, kept from singularity by a constant of the set's on the diagonal.
    fn covariance(&self, case: &str, root: &str, report: &mut Report) -> Matrix2 {
        let (root, golden) = (self.matrices(&format!("{case}/{root}")), self.matrices(&format!("{case}/covar")));
        let product = root.product(&root.transpose());
        let constant = (golden.a.clone() - product.a.clone()).mean().unsqueeze::<2>();
        let covariance = Matrix2 { a: product.a + constant.clone(), d: product.d + constant, ..product };
        self.compare_as(report, &format!("{case}/covar"), covariance.to_tensor());
        golden
    }

    /// A golden tensor of 2x2 matrices, however its other axes are arranged.
    fn matrices(&self, name: &str) -> Matrix2 {
        matrices(self.golden, &format!("units/{name}"), self.device)
    }

    /// Compares the same numbers in the golden tensor's arrangement.
    fn compare_as<const D: usize>(&self, report: &mut Report, name: &str, actual: Tensor<D>) {
        let name = format!("units/{name}");
        let shape = self.golden.data(&name).shape().to_vec();
        let values = actual.into_data().iter::<f64>().collect::<Vec<_>>();
        report.compare_data(self.golden, &name, &TensorData::new(values, shape));
    }

    fn blocks(&self, report: &mut Report) {
        let x = channels_last(self.tensor::<4>("blocks/x"));
        let weights = |case: &str| {
            let name = format!("units/blocks/{case}/state/conv.weight");
            let [out, input, side, _] = self.golden.tensor::<4>(&name, self.device).dims();
            ([input, out], side)
        };
        let key = |path: &str| path.trim_start_matches("block.").to_owned();
        let mut check = |case: &str, y: Tensor<4>| {
            report.compare(self.golden, &format!("units/blocks/{case}/y"), channels_first(y));
        };

        let (channels, side) = weights("same");
        check("same", self.load("blocks/same", ConvBlock::new(channels, side, self.device), &key).forward(x.clone()));
        let (channels, _) = weights("down");
        check("down", self.load("blocks/down", DownBlock::new(channels, self.device), &key).forward(x.clone()));
        let (channels, _) = weights("up");
        check("up", self.load("blocks/up", UpBlock::new(channels, self.device), &key).forward(x.clone()));
        let [_, _, _, channels] = x.dims();
        check("res", self.load("blocks/res", ResBlock::new(channels, self.device), &key).forward(x));
    }

    fn hourglass(&self, report: &mut Report) {
        let hourglass = self.hourglass_of("hourglass").init(self.number("hourglass", "in_features"), self.device);
        let hourglass = self.load("hourglass", hourglass, &inner_blocks);
        let x: Tensor<4> = self.tensor("hourglass/x");
        report.compare(self.golden, "units/hourglass/y", hourglass.forward(x.clone()));
        for (level, scale) in hourglass.encoder.forward(x).into_iter().enumerate() {
            report.compare(self.golden, &format!("units/hourglass/enc{level}"), scale);
        }
    }

    fn backgrounds(&self, report: &mut Report) {
        let [source, driving] = ["bg/source", "bg/driving"].map(|name| self.image(name));
        for (case, motion) in [
            ("zero", BackgroundMotion::Zero),
            ("shift", BackgroundMotion::Shift),
            ("affine", BackgroundMotion::Affine),
            ("perspective", BackgroundMotion::Perspective),
        ] {
            let predictor = BackgroundConfig { hourglass: self.hourglass_of("bg"), motion }
                .init(self.number("bg", "num_channels"), self.device);
            let key = |path: &str| inner_blocks(path.trim_start_matches("network."));
            let predictor = self.load(&format!("bg/{case}"), predictor, &key);
            let homography = predictor.forward(source.clone(), driving.clone());
            report.compare(self.golden, &format!("units/bg/{case}/y"), homography);
        }
    }

    fn regions(&self, report: &mut Report) {
        for case in self.described("region_") {
            let case = case.as_str();
            let pca = self.flag(case, "pca_based");
            let scale_factor: f64 = self.setting(case, "scale_factor").parse().unwrap();
            let source = self.image("bg/source");
            let [_, channels, side, _] = source.dims();
            let heatmap = self.golden.data(&format!("units/{case}/heatmap")).shape()[2];
            let config = RegionConfig {
                hourglass: HourglassConfig {
                    max_features: self.max_features(case),
                    blocks: self.number(case, "num_blocks"),
                    block_expansion: self.number(case, "block_expansion"),
                },
                temperature: self.setting(case, "temperature").parse().unwrap(),
                scale_factor,
                // A 7x7 kernel takes 6 pixels, and its padding gives them back.
                padding: (heatmap + 6 - (side as f64 * scale_factor) as usize) / 2,
                affine: if pca { RegionAffine::Pca } else { RegionAffine::Regression },
            };
            let predictor = config.init(channels, self.number(case, "num_regions"), self.device);
            let regions = self.load(case, predictor, &inner_blocks).forward(source);

            let name = |what: &str| format!("units/{case}/{what}");
            report.compare(self.golden, &name("shift"), regions.shift);
            report.compare(self.golden, &name("heatmap"), regions.heatmap);
            report.compare(self.golden, &name("covar"), regions.covariance.unwrap().to_tensor());
            let affine = regions.affine.unwrap();
            if pca {
                compare_axes(self.golden, report, &name("affine"), &affine);
                compare_factors(self.golden, report, &affine, [&name("u"), &name("d")]);
            } else {
                report.compare(self.golden, &name("affine"), affine.to_tensor());
            }
        }
    }

    fn generators(&self, report: &mut Report) {
        let regions = |side: &str| Regions {
            shift: self.tensor(&format!("genvar/{side}_shift")),
            heatmap: Tensor::zeros([1, 1, 1, 1], self.device),
            covariance: {
                let affine = Matrix2::from_tensor(self.tensor(&format!("genvar/{side}_affine")));
                Some(affine.product(&affine.transpose()))
            },
            affine: Some(Matrix2::from_tensor(self.tensor(&format!("genvar/{side}_affine")))),
        };
        let (source, driving) = (regions("src"), regions("drv"));
        let image = self.image("bg/source");
        for case in self.described("genvar/") {
            let case = case.trim_start_matches("genvar/");
            if !self.golden.has(&format!("units/genvar/{case}/prediction")) {
                assert!(!self.golden.is_full());
                continue;
            }
            let config = self.generator_config(&format!("genvar/{case}"));
            // The official generator holds the pixelwise flow predictor, too.
            let state = self.golden.state(&format!("units/genvar/{case}/state/")).prefixed("generator");
            let key = |path: &str| official_key(&format!("generator.{path}"));
            let weights = state.clone().filter(|key| !is_flow_predictor(key));
            let generator = load_module(config.init_generator(self.device), &weights, &key).unwrap();
            let key = |path: &str| official_key(&format!("flow_predictor.pixelwise.{path}"));
            let predictor =
                load_module(config.init_pixelwise(self.device), &state.filter(is_flow_predictor), &key).unwrap();
            let (motion, _) = predictor.forward(image.clone(), &source, &driving, None);
            let features = generator.encode(image.clone());
            let decoded = generator.decode(image.clone(), &features, &motion);

            let mut check =
                |name: &str, y: Tensor<4>| report.compare(self.golden, &format!("units/genvar/{case}/{name}"), y);
            check("bottle_neck_feat", features.latent());
            check("deformed", generator.deform(&image, &motion));
            check("optical_flow", motion.flow);
            if config.flow.occlusion {
                check("occlusion_map", motion.occlusion);
            }
            check("prediction", decoded.prediction);
        }
    }

    fn generator_config(&self, case: &str) -> LfaeConfig {
        let info = self.golden.manifest["info"][format!("units/{case}")].as_str().unwrap();
        let (_, flow) = info.split_once("'pixelwise_flow_predictor_params'").unwrap();
        let of_flow = |name: &str| setting(flow, name).unwrap_or_else(|| panic!("{case}: no `{name}` of the flow"));
        let number = |name: &str| of_flow(name).parse().unwrap();
        LfaeConfig {
            channels: self.number(case, "num_channels"),
            regions: self.number(case, "num_regions"),
            revert_axis_swap: self.flag(case, "revert_axis_swap"),
            flow: FlowConfig {
                hourglass: HourglassConfig {
                    block_expansion: number("block_expansion"),
                    blocks: number("num_blocks"),
                    max_features: number("max_features"),
                },
                scale_factor: of_flow("scale_factor").parse().unwrap(),
                deformed_source: of_flow("use_deformed_source") == "True",
                covariance_heatmap: of_flow("use_covar_heatmap") == "True",
                occlusion: of_flow("estimate_occlusion_map") == "True",
                resize: FlowResize::Places,
            },
            generator: GeneratorConfig {
                block_expansion: self.number(case, "block_expansion"),
                max_features: self.number(case, "max_features"),
                down_blocks: self.number(case, "num_down_blocks"),
                bottleneck_blocks: self.number(case, "num_bottleneck_blocks"),
                skips: self.flag(case, "skips"),
                painter: false,
            },
            ..LfdmConfig::faces_64(1).lfae
        }
    }

    /// A one-frame video as an image.
    fn image(&self, name: &str) -> Tensor<4> {
        self.tensor::<5>(name).squeeze_dim(2)
    }

    /// Cases that the manifest describes.
    fn described(&self, prefix: &str) -> Vec<String> {
        let names = self.golden.manifest["info"].as_object().unwrap().keys();
        let cases = names.filter_map(|name| name.strip_prefix("units/"));
        cases.filter(|case| case.starts_with(prefix)).map(str::to_owned).collect()
    }

    /// One description leaves out what it shares with another.
    fn max_features(&self, case: &str) -> usize {
        let other = self.described("region_").into_iter().find(|other| self.has_setting(other, "max_features"));
        let case = if self.has_setting(case, "max_features") { case } else { &other.expect("max_features") };
        self.number(case, "max_features")
    }

    fn has_setting(&self, case: &str, name: &str) -> bool {
        let info = self.golden.manifest["info"][format!("units/{case}")].as_str();
        info.is_some_and(|info| setting(info, name).is_some())
    }

    /// A setting in a case's description: `Name(setting=value,…,{'setting': value})`.
    fn setting(&self, case: &str, name: &str) -> &str {
        let info = self.golden.manifest["info"][format!("units/{case}")].as_str();
        let info = info.unwrap_or_else(|| panic!("the manifest does not describe {case}"));
        setting(info, name).unwrap_or_else(|| panic!("{case} has no `{name}`: {info}"))
    }

    fn number(&self, case: &str, name: &str) -> usize {
        self.setting(case, name).parse().unwrap_or_else(|error| panic!("{case}, `{name}`: {error}"))
    }

    fn flag(&self, case: &str, name: &str) -> bool {
        self.setting(case, name) == "True"
    }

    fn hourglass_of(&self, case: &str) -> HourglassConfig {
        HourglassConfig {
            block_expansion: self.number(case, "block_expansion"),
            blocks: self.number(case, "num_blocks"),
            max_features: self.number(case, "max_features"),
        }
    }
}

fn setting<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let keys = [format!("{name}="), format!("'{name}': ")];
    let (_, value) = keys.iter().find_map(|key| info.split_once(key))?;
    value.split([',', ')', '}']).next().map(str::trim)
}

/// A golden tensor of 2x2 matrices as `[1, count, 2, 2]`, however its other axes are arranged.
fn matrices(golden: &Golden, name: &str, device: &Device) -> Matrix2 {
    let data = golden.data(name);
    let count = data.num_elements() / 4;
    let flat = TensorData::new(data.iter::<f32>().collect::<Vec<_>>(), [1, count, 2, 2]);
    Matrix2::from_tensor(Tensor::from_data(flat, device))
}

/// Axes, up to one sign per region: they have none of their own.
pub(crate) fn compare_axes(golden: &Golden, report: &mut Report, name: &str, axes: &Matrix2) {
    // Training asks too, whose tensors carry their graph.
    let axes = axes.to_tensor().into_data();
    let device = Device::flex();
    let official = matrices(golden, name, &device).to_tensor();
    let axes: Tensor<4> = Tensor::<4>::from_data(axes, &device).reshape(official.dims());
    let sign = (official * axes.clone()).sum_dim(2).sum_dim(3).sign();
    let values = (axes * sign).into_data().iter::<f64>().collect::<Vec<_>>();
    report.compare_data(golden, name, &TensorData::new(values, golden.data(name).shape().to_vec()));
}

/// `U` and the diagonal `S` of the covariance whose axes these are.
pub(crate) fn compare_factors(golden: &Golden, report: &mut Report, axes: &Matrix2, [unit, lengths]: [&str; 2]) {
    let (columns, [major, minor]) = factors(axes);
    compare_axes(golden, report, unit, &columns);
    let zero = major.zeros_like();
    let diagonal = Matrix2 { b: zero.clone(), c: zero, a: major.sqrt(), d: minor.sqrt() };
    let values = diagonal.to_tensor().into_data().iter::<f64>().collect::<Vec<_>>();
    report.compare_data(golden, lengths, &TensorData::new(values, golden.data(lengths).shape().to_vec()));
}

/// Columns of length 1, and their squared lengths.
fn factors(axes: &Matrix2) -> (Matrix2, [Tensor<2>; 2]) {
    let square = |x: &Tensor<2>, y: &Tensor<2>| x.clone().powi_scalar(2) + y.clone().powi_scalar(2);
    let squares = [square(&axes.a, &axes.c), square(&axes.b, &axes.d)];
    let [major, minor] = squares.clone().map(Tensor::sqrt);
    let columns = Matrix2 {
        a: axes.a.clone() / major.clone(),
        b: axes.b.clone() / minor.clone(),
        c: axes.c.clone() / major,
        d: axes.d.clone() / minor,
    };
    (columns, squares)
}

/// A block's convolution and norm have no level of their own in the official keys.
fn inner_blocks(path: &str) -> String {
    path.replace(".block.", ".")
}
