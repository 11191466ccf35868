//! Textures: what is painted or read, with smaller copies for what is seen from afar.

use glam::{Vec2, Vec3, Vec4};

/// A picture on a surface, linear colours stored as their square roots in 8 bits, and its smaller copies.
#[derive(Clone, Debug)]
pub struct Texture {
    levels: Vec<Level>,
    opaque: bool,
}

#[derive(Clone, Debug)]
struct Level {
    width: usize,
    height: usize,
    texels: Vec<[u8; 4]>,
}

impl Texture {
    /// A texture of linear colours and alpha, all in `[0, 1]`, rows from the top.
    ///
    /// # Panics
    ///
    /// Unless there is a texel for each place.
    pub fn new(width: usize, height: usize, texels: &[Vec4]) -> Self {
        assert_eq!(texels.len(), width * height, "a texel for each place");
        let opaque = texels.iter().all(|texel| texel.w > 0.99);
        let mut levels = vec![Level::encode(width, height, texels)];
        let (mut width, mut height, mut texels) = (width, height, texels.to_vec());
        while width.min(height) >= 8 && width.is_multiple_of(2) && height.is_multiple_of(2) {
            texels = halve(width, &texels);
            (width, height) = (width / 2, height / 2);
            levels.push(Level::encode(width, height, &texels));
        }
        Self { levels, opaque }
    }

    /// One colour everywhere.
    pub fn plain(colour: Vec3) -> Self {
        Self::new(1, 1, &[colour.extend(1.)])
    }

    /// Width and height in texels.
    pub fn size(&self) -> (usize, usize) {
        (self.levels[0].width, self.levels[0].height)
    }

    /// Linear colour and alpha at `uv`, read from the smaller copy of `level` (0: the whole), bilinear. It
    /// repeats, within 64 times its size.
    #[inline]
    pub fn sample(&self, uv: Vec2, level: usize) -> Vec4 {
        self.levels[level.min(self.levels.len() - 1)].sample(uv)
    }

    /// Alpha of the nearest texel at `uv`.
    #[inline]
    pub fn alpha(&self, uv: Vec2, level: usize) -> f32 {
        self.levels[level.min(self.levels.len() - 1)].alpha(uv)
    }

    /// Whether it covers everything.
    pub fn is_opaque(&self) -> bool {
        self.opaque
    }

    /// All texels as linear colours and alpha, rows from the top.
    pub fn texels(&self) -> Vec<Vec4> {
        self.levels[0].texels.iter().map(|&texel| decode(texel)).collect()
    }
}

impl Level {
    fn encode(width: usize, height: usize, texels: &[Vec4]) -> Self {
        let texels = texels.iter().map(|&texel| encode(texel)).collect();
        Self { width, height, texels }
    }

    #[inline]
    fn corners(&self, uv: Vec2) -> ([usize; 4], [f32; 4]) {
        let (x, x0, x1) = wrap(uv.x, self.width);
        let (y, y0, y1) = wrap(1. - uv.y, self.height);
        let (top, bottom) = (y0 * self.width, y1 * self.width);
        let weights = [(1. - x) * (1. - y), x * (1. - y), (1. - x) * y, x * y];
        ([top + x0, top + x1, bottom + x0, bottom + x1], weights)
    }

    #[inline]
    fn sample(&self, uv: Vec2) -> Vec4 {
        let (at, weights) = self.corners(uv);
        let mut sum = Vec4::ZERO;
        for (&at, weight) in at.iter().zip(weights) {
            sum += decode(self.texels[at]) * weight;
        }
        sum
    }

    #[inline]
    fn alpha(&self, uv: Vec2) -> f32 {
        let column = wrap(uv.x + 0.5 / self.width as f32, self.width).1;
        let row = wrap(1. - uv.y + 0.5 / self.height as f32, self.height).1;
        f32::from(self.texels[row * self.width + column][3]) / 255.
    }
}

/// Where `coordinate` falls among `count` texels that repeat: the share of the second, the first and the second.
#[inline]
fn wrap(coordinate: f32, count: usize) -> (f32, usize, usize) {
    // Truncation is the floor of what is not negative, without a call on processors of every age.
    let repeats = coordinate + 64.;
    let place = (repeats - (repeats as i32) as f32) * count as f32 + 0.5;
    let first = place as usize;
    let low = if first == 0 { count - 1 } else { (first - 1).min(count - 1) };
    let high = if low + 1 == count { 0 } else { low + 1 };
    (place - first as f32, low, high)
}

fn encode(texel: Vec4) -> [u8; 4] {
    let colour = texel.truncate().max(Vec3::ZERO).min(Vec3::ONE);
    let root = Vec3::new(colour.x.sqrt(), colour.y.sqrt(), colour.z.sqrt()).extend(texel.w.clamp(0., 1.));
    (root * 255. + 0.5).to_array().map(|value| value as u8)
}

#[inline]
fn decode(texel: [u8; 4]) -> Vec4 {
    let value = Vec4::from_array(texel.map(f32::from)) * (1. / 255.);
    Vec4::new(value.x * value.x, value.y * value.y, value.z * value.z, value.w)
}

/// Half the size: means of four texels, whose colours count by their alpha.
fn halve(width: usize, texels: &[Vec4]) -> Vec<Vec4> {
    let height = texels.len() / width;
    let mut halved = Vec::with_capacity(texels.len() / 4);
    for y in (0..height).step_by(2) {
        for x in (0..width).step_by(2) {
            let at = y * width + x;
            let four = [texels[at], texels[at + 1], texels[at + width], texels[at + width + 1]];
            let alpha: f32 = four.iter().map(|texel| texel.w).sum();
            let colour: Vec3 = four.iter().map(|texel| texel.truncate() * (texel.w + 1e-4)).sum();
            halved.push((colour / (alpha + 4e-4)).extend(alpha / 4.));
        }
    }
    halved
}

/// A linear colour from `sRGB` numbers of 0 to 255.
pub fn srgb(red: u8, green: u8, blue: u8) -> Vec3 {
    Vec3::new(f32::from(red), f32::from(green), f32::from(blue)).map(|value| (value / 255.).powf(2.2))
}

/// A linear colour from hue (wrapping), saturation and value in `[0, 1]`.
pub fn hsv(hue: f32, saturation: f32, value: f32) -> Vec3 {
    let sector = (hue - hue.floor()) * 6.;
    let channel = |shift: f32| {
        let distance = (sector + shift).rem_euclid(6.);
        (value - value * saturation * distance.min(4. - distance).clamp(0., 1.)).powf(2.2)
    };
    Vec3::new(channel(5.), channel(3.), channel(1.))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Black on the left, white on the right, and half transparent below.
    fn quarters() -> Texture {
        let texels: Vec<Vec4> = (0..64)
            .map(|at| {
                let (right, below) = (at % 8 >= 4, at / 8 >= 4);
                Vec3::splat(f32::from(u8::from(right))).extend(if below { 0.5 } else { 1. })
            })
            .collect();
        Texture::new(8, 8, &texels)
    }

    #[test]
    fn rows_run_down_and_v_runs_up() {
        let texture = quarters();
        assert!(texture.sample(Vec2::new(0.75, 0.75), 0).abs_diff_eq(Vec4::ONE, 0.01));
        assert!(texture.sample(Vec2::new(0.25, 0.25), 0).abs_diff_eq(Vec4::new(0., 0., 0., 0.5), 0.01));
        assert!((texture.alpha(Vec2::new(0.25, 0.25), 0) - 0.5).abs() < 0.01);
        assert!((texture.alpha(Vec2::new(0.25, 0.75), 0) - 1.).abs() < 0.01);
        assert!(!texture.is_opaque());
    }

    #[test]
    fn it_repeats() {
        let texture = quarters();
        for place in [Vec2::new(0.1, 0.9), Vec2::new(0.99, 0.01)] {
            for shift in [Vec2::new(1., 0.), Vec2::new(-2., 3.)] {
                let (here, there) = (texture.sample(place, 0), texture.sample(place + shift, 0));
                assert!(here.abs_diff_eq(there, 1e-3), "{here} {there}");
            }
        }
    }

    #[test]
    fn smaller_copies_have_the_same_mean() {
        let texture = quarters();
        let middle = texture.sample(Vec2::new(0.5, 0.75), 1);
        assert!((middle.x - 0.5).abs() < 0.02, "{middle}");
    }

    #[test]
    fn hues_go_round() {
        assert!(hsv(0., 1., 1.).abs_diff_eq(Vec3::X, 1e-5));
        assert!(hsv(1. / 3., 1., 1.).abs_diff_eq(Vec3::Y, 1e-5));
        assert!(hsv(-1. / 3., 1., 1.).abs_diff_eq(Vec3::Z, 1e-5));
        assert!(hsv(0.4, 0., 0.5).abs_diff_eq(srgb(128, 128, 128), 0.01));
    }
}
