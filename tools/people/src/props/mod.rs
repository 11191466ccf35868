//! Things that people wear: glasses, hats, jewellery and clothes.

mod body;
pub mod clothes;
pub mod fabric;
pub mod glasses;
pub mod hat;
pub mod jewellery;
mod solid;

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::{
        clothes::{Garment, Outfit},
        glasses::Glasses,
        hat::{Hat, Kind},
        jewellery::Jewellery,
    };
    use crate::{
        hair::{
            self, Colours, Hair, stand_in,
            uv_map::UvMap,
            view::{View, sheet},
        },
        random::Random,
    };

    const KINDS: [Kind; 9] = [
        Kind::Beanie,
        Kind::Cap,
        Kind::Brim,
        Kind::Beret,
        Kind::Headscarf,
        Kind::Turban,
        Kind::Hood,
        Kind::Headband,
        Kind::Helmet,
    ];

    const GARMENTS: [Garment; 7] = [
        Garment::TShirt,
        Garment::VNeck,
        Garment::Turtleneck,
        Garment::Shirt,
        Garment::Jacket,
        Garment::Dress,
        Garment::Hoodie,
    ];

    #[test]
    #[ignore = "writes pictures to look at"]
    fn look_at_dressed_people() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 512);
        let wearer = person.wearer(&map);
        let mut views = Vec::new();
        for seed in 0..18 {
            let mut random = Random::new("dressed", &[seed]);
            let femininity = f32::from(seed % 2 == 0);
            let colours = Colours::draw(&mut random, false, 0.3);
            let look = Hair::draw(&mut random, femininity, 0.3, 0.2, colours);
            let mut parts = hair::grow(&wearer, &look, &mut random);
            let hat = Hat { kind: KINDS[seed as usize % 9], ..Hat::draw(&mut random, femininity) };
            {
                let worn = super::hat::make(&wearer, &hat);
                worn.clip(&wearer, &mut parts);
                parts.extend(worn.parts);
            }
            parts.extend(hair::brows::grow(
                &wearer,
                &hair::brows::Brows::draw(&mut random, femininity, &colours),
                &mut random,
            ));
            let outfit = Outfit { garment: GARMENTS[seed as usize % 7], ..Outfit::draw(&mut random, femininity) };
            let mut jewellery = Jewellery::draw(&mut random, femininity);
            jewellery.necklace = jewellery.necklace.or((seed == 5).then_some(super::jewellery::Necklace::Beads));
            let glasses = Glasses::draw(&mut random, 0.2);
            eprintln!("Dressed {seed} [{:?} {:?} {:?} {:?}]", look.style, hat.kind, outfit.garment, glasses.shape);
            parts.extend(super::clothes::make(&wearer, &outfit));
            parts.extend(super::jewellery::make(&wearer, &jewellery));
            if seed % 2 == 0 {
                parts.extend(super::glasses::make(&wearer, &glasses));
            }
            for yaw in [0., -0.6] {
                let mut view = View::new(Vec3::new(0., 6.9, 0.6), 4., yaw);
                view.person(&person, &parts);
                views.push(view);
            }
        }
        for (at, views) in views.chunks(18).enumerate() {
            sheet(views, 6, &format!("dressed{at}.png"));
        }
    }
}
