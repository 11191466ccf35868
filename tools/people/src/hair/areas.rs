//! Soft masks of parts of the head, made from the targets that move them.

use crate::{head::Head, mesh::Target};

/// How much each vertex belongs to an ear, `[0, 1]`.
pub fn ears(head: &Head) -> Vec<f32> {
    // The targets that scale whole ears pull at the cheeks too.
    let ears = head.features.iter().filter(|(name, _)| ["ears/ear-wing", "ears/ear-lobe"].contains(&name.as_str()));
    soft_mask(head, ears.flat_map(|(_, alternatives)| alternatives.values().flatten()), 0.6)
}

/// How much each vertex belongs to an eyelid, `[0, 1]`.
pub fn lids(head: &Head) -> Vec<f32> {
    let blinks = ["eyeBlinkLeft", "eyeBlinkRight"].into_iter().filter_map(|unit| head.units.get(unit));
    soft_mask(head, blinks, 0.92)
}

/// How far the vertices are moved by any of `targets`, where the given share of those that a target moves at all move
/// less than 1.
pub fn soft_mask<'a>(head: &Head, targets: impl IntoIterator<Item = &'a Target>, share: f32) -> Vec<f32> {
    let mut mask = vec![0_f32; head.vertices.len()];
    for target in targets {
        let lengths: Vec<f32> = target.offsets.iter().map(|offset| offset.length()).collect();
        let Some(full) = quantile(&lengths, share) else { continue };
        for (&vertex, length) in target.vertices.iter().zip(lengths) {
            let value = &mut mask[vertex as usize];
            *value = value.max((length / full.max(1e-6)).min(1.));
        }
    }
    mask
}

/// The value that the given share of `values` lies below; none of no values.
fn quantile(values: &[f32], share: f32) -> Option<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get((share * (sorted.len().max(1) - 1) as f32) as usize).copied()
}

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::*;

    #[test]
    fn the_mask_is_full_where_most_moves() {
        let head = Head { vertices: vec![Vec3::ZERO; 4], ..Head::default() };
        let target = Target { vertices: vec![0, 1, 3], offsets: vec![Vec3::X * 0.1, Vec3::Y * 0.2, Vec3::Z * 0.4] };
        assert_eq!(soft_mask(&head, [&target], 0.5), [0.5, 1., 0., 1.]);
        assert_eq!(soft_mask(&head, [], 0.5), [0.; 4]);
        assert_eq!(soft_mask(&head, [&Target::default()], 0.5), [0.; 4]);
    }
}
