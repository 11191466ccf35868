//! Packs: a directory with `geometry.npz` and textures.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use glam::{Vec3, Vec4};
use rayon::prelude::*;

use super::{error::AssetsError, geometry::Geometry};
use crate::{
    head::{Bound, Head},
    texture::Texture,
};

/// The file that makes a directory a pack.
pub(super) const GEOMETRY: &str = "geometry.npz";

/// Meshes that are bound to the head, and textures of the same names: `hair_short01`, `cloth_male_worksuit01`,
/// `brow_01`, `lash_01`, `hat_fedora`.
#[derive(Debug, Default)]
pub struct Pack {
    /// Hair.
    pub hair: BTreeMap<String, Bound>,
    /// Clothes.
    pub clothes: BTreeMap<String, Bound>,
    /// Brows.
    pub brows: BTreeMap<String, Bound>,
    /// Lashes.
    pub lashes: BTreeMap<String, Bound>,
    /// Hats.
    pub hats: BTreeMap<String, Bound>,
    /// Textures of the meshes, and `eye_brown` and its like, `teeth` and `tongue`.
    pub textures: BTreeMap<String, Arc<Texture>>,
}

impl Pack {
    /// The texture of this name; grey when there is none, which no mesh of the pack lacks.
    pub fn texture(&self, name: &str) -> Arc<Texture> {
        self.textures.get(name).map_or_else(|| Arc::new(Texture::plain(Vec3::splat(0.2))), Arc::clone)
    }

    /// Reads a pack, and the head that it was made for.
    pub(super) fn open(path: &Path) -> Result<(Head, Self), AssetsError> {
        let Geometry { mut head, mut bound } = read_geometry(path)?;
        let missing = |what: &str| AssetsError::NoMesh { path: path.to_path_buf(), what: what.to_owned() };
        let mut inner = |name: &str| bound.remove(name).ok_or_else(|| missing(&format!("mesh of {name}")));
        head.inner.eyes = inner("eyes")?;
        head.inner.teeth = inner("teeth")?;
        head.inner.tongue = inner("tongue")?;
        let mut kind = |prefix: &str| bound.extract_if(.., |name, _| name.starts_with(prefix)).collect();
        let (hair, clothes, brows, lashes) = (kind("hair_"), kind("cloth_"), kind("brow_"), kind("lash_"));
        let pack = Self { hair, clothes, brows, lashes, hats: kind("hat_"), textures: read_textures(path)? };
        head.inner.lashes = pack.lashes.values().next().cloned().unwrap_or_default();
        match pack.bare() {
            Some(name) => Err(missing(&format!("texture {name}.webp, which a mesh needs"))),
            None => Ok((head, pack)),
        }
    }

    /// Every mesh that is bound to the head.
    pub(super) fn bound_mut(&mut self) -> impl Iterator<Item = &mut Bound> {
        let kinds = [&mut self.hair, &mut self.clothes, &mut self.brows, &mut self.lashes, &mut self.hats];
        kinds.into_iter().flat_map(BTreeMap::values_mut)
    }

    /// A mesh without a texture.
    fn bare(&self) -> Option<&str> {
        let meshes = [&self.hair, &self.clothes, &self.brows, &self.lashes, &self.hats];
        meshes.into_iter().flat_map(BTreeMap::keys).map(String::as_str).find(|&name| !self.textures.contains_key(name))
    }
}

fn read_geometry(path: &Path) -> Result<Geometry, AssetsError> {
    let file = path.join(GEOMETRY);
    if !file.is_file() {
        return Err(AssetsError::NoGeometry { path: path.to_path_buf() });
    }
    let bytes = fs::read(&file).map_err(AssetsError::read(&file))?;
    Geometry::read(&bytes).map_err(AssetsError::pack(&file))
}

/// All WebP pictures of a directory by the stems of their names.
fn read_textures(path: &Path) -> Result<BTreeMap<String, Arc<Texture>>, AssetsError> {
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let files = entries.map_err(AssetsError::read(path))?;
    let pictures = files.into_par_iter().filter(|file| file.extension().is_some_and(|kind| kind == "webp"));
    pictures.map(|file| Ok((stem(&file), Arc::new(read_texture(&file)?)))).collect()
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_texture(file: &Path) -> Result<Texture, AssetsError> {
    let bytes = fs::read(file).map_err(AssetsError::read(file))?;
    let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::WebP);
    let picture = picture.map_err(|error| AssetsError::pack(file)(error.to_string()))?.to_rgba8();
    let linear: Vec<f32> = (0..=255).map(|value: u8| (f32::from(value) / 255.).powf(2.2)).collect();
    let texel = |image::Rgba([red, green, blue, alpha]): &image::Rgba<u8>| {
        let [red, green, blue] = [*red, *green, *blue].map(|value| linear[usize::from(value)]);
        Vec4::new(red, green, blue, f32::from(*alpha) / 255.)
    };
    let texels: Vec<Vec4> = picture.pixels().map(texel).collect();
    Ok(Texture::new(picture.width() as usize, picture.height() as usize, &texels))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::assets::tiny;

    /// Uses everything, so that an index out of range would be found.
    fn exercise(geometry: &Geometry) {
        let head = &geometry.head;
        let features = head.features.values().flat_map(BTreeMap::values).flatten();
        let asymmetries = head.asymmetries.values().flatten();
        let targets = head.macros.values().chain(head.units.values()).chain(features).chain(asymmetries);
        let mut places = head.vertices.clone();
        targets.for_each(|target| target.add_to(&mut places, 1.));
        for bound in geometry.bound.values() {
            let fitted = bound.binding.fit(&places);
            bound.mesh.triangles.iter().flatten().for_each(|&vertex| assert!((vertex as usize) < fitted.len()));
            bound.hides.iter().for_each(|&vertex| assert!((vertex as usize) < places.len()));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let (wrote, read) = (tiny::geometry(), Geometry::read(&tiny::geometry().write().unwrap()).unwrap());
        assert_eq!(format!("{wrote:?}"), format!("{read:?}"));
    }

    #[test]
    fn flipped_bits_are_errors_and_no_panics() {
        let bytes = tiny::geometry().write().unwrap();
        let mut errors = 0;
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            match Geometry::read(&damaged) {
                Ok(geometry) => exercise(&geometry),
                Err(_) => errors += 1,
            }
        }
        assert!(errors * 2 > bytes.len(), "only {errors} of {} were noticed", bytes.len());
        (0..bytes.len()).for_each(|length| assert!(Geometry::read(&bytes[..length]).is_err(), "{length}"));
    }

    /// Sums of the archive do not help against what was packed wrongly.
    #[test]
    fn flipped_bits_in_intact_archives_are_no_panics() {
        let bytes = tiny::geometry().write().unwrap();
        let mut zip = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for index in 0..zip.len() {
            let (mut member, mut content) = (zip.by_index(index).unwrap(), Vec::new());
            member.read_to_end(&mut content).unwrap();
            members.push((member.name().unwrap().into_owned(), content));
        }
        let mut errors = 0;
        for member in 0..members.len() {
            for at in 0..members[member].1.len() {
                members[member].1[at] ^= 1 << (at % 7);
                match Geometry::read(&stored(&members)) {
                    Ok(geometry) => exercise(&geometry),
                    Err(_) => errors += 1,
                }
                members[member].1[at] ^= 1 << (at % 7);
            }
            let whole = std::mem::take(&mut members[member].1);
            assert!(Geometry::read(&stored(&members)).is_err(), "{} is empty", members[member].0);
            members[member].1 = whole;
        }
        assert!(errors > 1000, "{errors}");
    }

    fn stored(members: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, content) in members {
            writer.start_file(name.as_str(), options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_a_pack_lacks_is_named() {
        let home = tempfile::tempdir().unwrap();
        let problem = || Pack::open(home.path()).unwrap_err().to_string();
        assert!(problem().contains("has no geometry.npz"), "{}", problem());
        tiny::pack(home.path());
        assert_eq!(Pack::open(home.path()).unwrap().1.hair.len(), 1);
        let texture = home.path().join("hair_short01.webp");
        let whole = fs::read(&texture).unwrap();
        fs::write(&texture, &whole[..whole.len() / 2]).unwrap();
        assert!(problem().contains("hair_short01.webp is damaged"), "{}", problem());
        fs::remove_file(&texture).unwrap();
        assert!(problem().contains("no texture hair_short01.webp"), "{}", problem());
        let mut geometry = tiny::geometry();
        geometry.bound.remove("teeth");
        fs::write(home.path().join(GEOMETRY), geometry.write().unwrap()).unwrap();
        assert!(problem().contains("no mesh of teeth"), "{}", problem());
        fs::write(home.path().join(GEOMETRY), b"PK").unwrap();
        assert!(problem().contains("geometry.npz is damaged"), "{}", problem());
    }

    /// The pack named by `PEOPLE_PACK`, where there is one.
    fn real_pack() -> Option<PathBuf> {
        std::env::var_os("PEOPLE_PACK").map(PathBuf::from)
    }

    #[test]
    fn the_pack_holds_a_head_and_what_it_wears() {
        let Some(path) = real_pack() else { return };
        let (head, pack) = Pack::open(&path).unwrap();
        assert_eq!((head.macros.len(), head.units.len(), head.asymmetries.len()), (44, 52, 31));
        let [top, chin, back, nose] =
            [head.landmarks.top, head.landmarks.chin, head.landmarks.back, head.landmarks.nose]
                .map(|vertex| head.vertices[vertex as usize]);
        assert!(top.y - chin.y > 2. && nose.z - back.z > 1.5, "{top} {chin} {back} {nose}");
        assert!(head.features["head/head-fat"]["decr"].len() == 1 && head.features["eyes/eye-bag"]["in"].len() == 2);
        assert_eq!((pack.hair.len(), pack.clothes.len(), pack.brows.len(), pack.lashes.len()), (8, 10, 12, 4));
        let eyes = head.inner.eyes.binding.fit(&head.vertices);
        let centre = eyes.iter().sum::<Vec3>() / eyes.len() as f32;
        assert!(centre.x.abs() < 0.01 && (centre.y - 7.25).abs() < 0.1 && (centre.z - 1.3).abs() < 0.2, "{centre}");
        assert!(pack.texture("hair_short01").texels().iter().any(|texel| texel.w < 0.1));
    }
}
