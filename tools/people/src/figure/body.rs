//! A person from head to toe, dressed, with the bones that move each vertex.

use std::{collections::BTreeSet, sync::Arc};

use glam::Vec3;

use super::{
    Figure, Stance,
    clothes::{self, Site},
    outfit::Outfit,
    rig::Limbs,
    skeleton::Skeleton,
};
use crate::{
    mesh::{Part, Placement, Region},
    person::{
        Person, Studio,
        parts::{compact, some_triangles},
    },
    sitting::placed,
};

/// How far below the skin's lowest vertex the soles of shoes are, in decimetres.
const SOLES: f32 = 0.13;

/// A dressed person whom a rig bends.
pub(super) struct Body {
    /// The person, whose parts are those of the whole body.
    pub(super) person: Person,
    /// From the soles to the top of the head.
    pub(super) height: f32,
    skeleton: Skeleton,
    /// For each part.
    skins: Vec<Skin>,
    /// What each vertex of each part belongs to.
    areas: Vec<Vec<u8>>,
}

/// What moves the vertices of a part: for each the bones, how much, and at what share of their lengths it is.
struct Skin(Vec<Vec<Hold>>);

#[derive(Clone, Copy)]
struct Hold {
    bone: usize,
    weight: f32,
    along: f32,
}

/// A part before it is bent: its places, and the vertex of the body that each of its own moves with.
struct Piece {
    part: Part,
    vertices: Vec<u32>,
}

impl Body {
    /// The person `id` as `take` shows them; none where the studio knows no bodies.
    pub(super) fn new(studio: &Studio, figure: &Figure, id: u64, take: u32) -> Self {
        let mut person = Person::without_clothes(studio, id, take);
        let vertices = shape(figure, &person);
        let sites = clothes::sites(figure);
        let outfit = Outfit::draw(&mut clothes::seeded(id, take), id, person.shape.femininity);
        person.words.insert("clothes", outfit.words.clone());

        let mut pieces = of_head(&person, figure.head[studio.assets.head.landmarks.top as usize]);
        dress_skin(&mut pieces, studio, figure, &vertices, &clothes::hidden(&outfit, &sites));
        let worn = clothes::make(figure, &sites, &vertices, &outfit);
        pieces.extend(worn.into_iter().map(|worn| Piece { part: worn.part, vertices: worn.vertices }));

        let used: BTreeSet<u32> = figure.skin.triangles.iter().flatten().copied().collect();
        let heights = || used.iter().map(|&vertex| vertices[vertex as usize].y);
        let (ground, top) = (heights().fold(f32::MAX, f32::min) - SOLES, heights().fold(f32::MIN, f32::max));
        let skeleton = Skeleton::new(&figure.rig, &vertices, ground);
        let skins = pieces.iter().map(|piece| Skin::new(piece, figure, &skeleton)).collect();
        let areas = pieces.iter().map(|piece| areas(piece, figure, &sites)).collect();
        person.parts = pieces.into_iter().map(|piece| piece.part).collect();
        Self { person, height: top - ground, skeleton, skins, areas }
    }

    /// Places of the vertices of all parts in a stance, the floor at height 0.
    pub(super) fn pose(&self, stance: &Stance) -> Vec<Vec<Vec3>> {
        let bends = self.skeleton.pose(stance);
        let carry = |place: Vec3, holds: &[Hold]| match holds {
            [only] => bends[only.bone].carry(place, only.along),
            _ => holds.iter().map(|hold| hold.weight * bends[hold.bone].carry(place, hold.along)).sum(),
        };
        let of_part = |(part, skin): (&Part, &Skin)| {
            places(part).iter().zip(&skin.0).map(|(&place, holds)| carry(place, holds)).collect()
        };
        self.person.parts.iter().zip(&self.skins).map(of_part).collect()
    }

    /// What a triangle of a part belongs to.
    pub(super) fn area(&self, part: usize, triangle: usize) -> u8 {
        self.areas[part][self.person.parts[part].mesh.triangles[triangle][0] as usize]
    }
}

/// The vertices of the body of a person.
fn shape(figure: &Figure, person: &Person) -> Vec<Vec3> {
    let mut vertices = figure.vertices.clone();
    for (name, weight) in &person.shape.of_body {
        if let Some(change) = figure.changes.get(name) {
            change.add_to(&mut vertices, *weight);
        }
    }
    for (&vertex, &place) in figure.head.iter().zip(&person.shape.vertices) {
        vertices[vertex as usize] = place;
    }
    vertices
}

/// The parts that the person's head has. All but the skin go with the head as it is at rest.
fn of_head(person: &Person, crown: u32) -> Vec<Piece> {
    let places = placed(&person.parts, &person.shape.vertices, 0.);
    let parts = person.parts.iter().zip(places);
    parts
        .map(|(part, places)| {
            let vertices = vec![crown; places.len()];
            Piece { part: Part { placement: Placement::Fixed(Arc::new(places)), ..part.clone() }, vertices }
        })
        .collect()
}

/// Gives the skin of the head the rest of the body, but what clothes hide and what is inside the mouth.
fn dress_skin(pieces: &mut [Piece], studio: &Studio, figure: &Figure, vertices: &[Vec3], hidden: &[bool]) {
    let head = &studio.assets.head;
    let cavity: BTreeSet<u32> =
        figure.head.iter().zip(&head.cavity).filter(|(_, inside)| **inside).map(|(&vertex, _)| vertex).collect();
    let seen = |corners: &[u32; 3]| {
        !corners.iter().all(|&at| hidden[at as usize]) && !corners.iter().all(|at| cavity.contains(at))
    };
    for piece in pieces.iter_mut().filter(|piece| piece.part.region == Region::Skin) {
        let (mesh, used) = compact(&some_triangles(&figure.skin, seen));
        let places = used.iter().map(|&vertex| vertices[vertex as usize]).collect();
        piece.part.mesh = Arc::new(mesh);
        piece.part.placement = Placement::Fixed(Arc::new(places));
        piece.part.smooth = None;
        piece.vertices = used;
    }
}

fn places(part: &Part) -> &[Vec3] {
    match &part.placement {
        Placement::Fixed(places) => places,
        _ => &[],
    }
}

impl Skin {
    fn new(piece: &Piece, figure: &Figure, skeleton: &Skeleton) -> Self {
        let hold = |(&place, &vertex): (&Vec3, &u32)| {
            let weights = figure.rig.weights[vertex as usize].iter();
            weights.map(|&(bone, weight)| Hold { bone, weight, along: skeleton.along(bone, place) }).collect()
        };
        let mut skin = Self(places(&piece.part).iter().zip(&piece.vertices).map(hold).collect());
        if piece.part.region != Region::Skin && piece.part.region != Region::Clothes {
            skin.0.fill(vec![Hold { bone: figure.rig.limbs.head, weight: 1., along: 0. }]);
        }
        skin
    }
}

/// What the pixels of a figure belong to, in maps of regions; 0 is the backdrop.
fn areas(piece: &Piece, figure: &Figure, sites: &[Site]) -> Vec<u8> {
    const HEAD: u8 = 1;
    const HAIR: u8 = 2;
    let limbs = &figure.rig.limbs;
    let area = |&vertex: &u32| {
        let bones = &figure.rig.weights[vertex as usize];
        let most = bones.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(limbs.pelvis, |hold| hold.0);
        limbs.area(most, sites[vertex as usize].base.x > 0.)
    };
    match piece.part.region {
        Region::Skin | Region::Clothes => piece.vertices.iter().map(area).collect(),
        Region::Hair => vec![HAIR; piece.vertices.len()],
        _ => vec![HEAD; piece.vertices.len()],
    }
}

impl Limbs {
    /// The area of a bone: 1 head, 3 trunk; upper arm, forearm and hand are 4 to 6 on the person's left and 7 to 9 on
    /// the right, thigh, shin and foot 10 to 12 and 13 to 15.
    fn area(&self, bone: usize, left: bool) -> u8 {
        let side = usize::from(!left);
        let (arm, leg, right) = (&self.arms[side], &self.legs[side], 3 * side as u8);
        let in_hand = bone == arm.hand || arm.fingers.as_flattened().contains(&bone);
        match bone {
            _ if bone == self.head || bone == self.neck => 1,
            _ if bone == arm.upper => 4 + right,
            _ if bone == arm.lower => 5 + right,
            _ if in_hand => 6 + right,
            _ if bone == leg.thigh => 10 + right,
            _ if bone == leg.calf => 11 + right,
            _ if bone == leg.foot || bone == leg.ball => 12 + right,
            _ => 3,
        }
    }
}
