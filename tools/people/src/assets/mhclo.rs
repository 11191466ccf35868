//! What is bound to `MakeHuman`'s body: files of type `mhclo`, and the materials that they name.

use glam::Vec3;

use super::obj::numbers;
use crate::mesh::Binding;

/// A mesh's file, its material, and how its vertices follow the body.
#[derive(Debug, Default)]
pub(super) struct Mhclo {
    /// The file of the mesh, from the directory of this one.
    pub(super) mesh: String,
    /// The file of the material, likewise.
    pub(super) material: Option<String>,
    /// How each vertex of the mesh follows the body.
    pub(super) binding: Binding,
    /// Vertices of the body that it hides.
    pub(super) hides: Vec<u32>,
}

/// What the lines of numbers mean at a place in the file.
#[derive(Clone, Copy)]
enum Section {
    Head,
    Vertices,
    Hidden,
}

impl Mhclo {
    /// Parses a file that is bound to a body of `count` vertices.
    pub(super) fn parse(text: &str, count: usize) -> Result<Self, String> {
        let (mut this, mut section) = (Self::default(), Section::Head);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let next = this.line(line, section, count);
            section = next.ok_or_else(|| format!("the line \"{line}\" cannot be understood"))?;
        }
        this.check(count).map(|()| this)
    }

    /// Reads a line of a section; returns the section of the next.
    fn line(&mut self, line: &str, section: Section, count: usize) -> Option<Section> {
        let (key, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if !key.starts_with(|first: char| first.is_ascii_alphabetic()) {
            match section {
                Section::Head => {}
                Section::Vertices => self.vertex(line)?,
                Section::Hidden => self.hide(line, count)?,
            }
            return Some(section);
        }
        match key {
            "obj_file" => rest.trim().clone_into(&mut self.mesh),
            "material" => self.material = Some(rest.trim().to_owned()),
            "x_scale" => self.scale(0, rest)?,
            "y_scale" => self.scale(1, rest)?,
            "z_scale" => self.scale(2, rest)?,
            "verts" => return Some(Section::Vertices),
            "delete_verts" => return Some(Section::Hidden),
            "weights" => return Some(Section::Head),
            // Materials and tags come anywhere, even between a section's key and its lines.
            _ => {}
        }
        Some(section)
    }

    /// `x_scale 5399 11998 1.48`: two vertices, and their distance at which offsets are right.
    fn scale(&mut self, axis: usize, rest: &str) -> Option<()> {
        let [from, to, distance] = numbers(rest.split_ascii_whitespace())?;
        self.binding.scale[axis] = (distance > 0.).then_some((index(from)?, index(to)?, distance));
        Some(())
    }

    /// One vertex that this one lies on; or three, their weights, and often an offset.
    fn vertex(&mut self, line: &str) -> Option<()> {
        let words = line.split_ascii_whitespace();
        let (anchors, weights, offset) = match words.clone().count() {
            1 => (numbers(words).map(|[anchor]| [anchor; 3])?, [1., 0., 0.], Vec3::ZERO),
            6 => (numbers(words.clone())?, numbers(words.skip(3))?, Vec3::ZERO),
            _ => (numbers(words.clone())?, numbers(words.clone().skip(3))?, Vec3::from(numbers::<3>(words.skip(6))?)),
        };
        let [first, second, third] = anchors.map(index);
        self.binding.anchors.push([first?, second?, third?]);
        self.binding.weights.push(weights);
        self.binding.offsets.push(offset);
        Some(())
    }

    /// `1355 - 1360 1368`: ranges and single vertices.
    fn hide(&mut self, line: &str, count: usize) -> Option<()> {
        let mut words = line.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            let first: u32 = word.parse().ok()?;
            let last = if words.next_if_eq(&"-").is_some() { words.next()?.parse().ok()? } else { first };
            self.hides.extend(first..=last.min(count as u32));
        }
        Some(())
    }

    fn check(&self, count: usize) -> Result<(), String> {
        let scale = self.binding.scale.iter().flatten().flat_map(|&(from, to, _)| [from, to]);
        let mut used = self.binding.anchors.iter().flatten().chain(&self.hides).copied().chain(scale);
        match used.find(|&vertex| vertex as usize >= count) {
            Some(vertex) => Err(format!("the body has no vertex {vertex}")),
            None if self.mesh.is_empty() => Err("it names no mesh".into()),
            None if self.binding.anchors.is_empty() => Err("it binds nothing".into()),
            None => Ok(()),
        }
    }
}

/// The picture that a material's colours are from.
pub(super) fn picture_of(material: &str) -> Option<&str> {
    material.lines().find_map(|line| line.trim().strip_prefix("diffuseTexture")).map(str::trim)
}

/// A whole number that was read as another.
fn index(value: f32) -> Option<u32> {
    (value >= 0. && value.fract() == 0. && value < 1e7).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# made by hand\nbasemesh hm08\nname hat\nobj_file  hat.obj\nx_scale 1 2 1.5\nz_scale 0 3 0\n\
        z_depth 50\nverts 0\nmaterial materials/hat.mhmat\n 4 5 6 0.2 0.3 0.5 0.1 -0.2 0.3\n7\n1 2 3 1 0 0\n\n\
        delete_verts\n1 - 3 5\n";

    #[test]
    fn bindings_are_read() {
        let hat = Mhclo::parse(FILE, 8).unwrap();
        assert_eq!((hat.mesh.as_str(), hat.material.as_deref()), ("hat.obj", Some("materials/hat.mhmat")));
        assert_eq!(hat.binding.scale, [Some((1, 2, 1.5)), None, None]);
        assert_eq!(hat.binding.anchors, [[4, 5, 6], [7, 7, 7], [1, 2, 3]]);
        assert_eq!(hat.binding.weights[1], [1., 0., 0.]);
        assert_eq!(hat.binding.offsets, [Vec3::new(0.1, -0.2, 0.3), Vec3::ZERO, Vec3::ZERO]);
        assert_eq!(hat.hides, [1, 2, 3, 5]);
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        assert!(Mhclo::parse(FILE, 7).unwrap_err().contains("no vertex 7"));
        for (good, bad) in
            [("verts 0", "verts 0\n1 2"), ("1 - 3", "1 - x"), ("obj_file  hat.obj", ""), ("1 - 3 5", "1 -")]
        {
            assert!(Mhclo::parse(&FILE.replace(good, bad), 8).is_err(), "{bad}");
        }
        assert!(Mhclo::parse("obj_file a.obj\nverts 0\n", 8).is_err());
    }

    #[test]
    fn materials_name_a_picture() {
        assert_eq!(picture_of("name hat\ndiffuseTexture hat_diffuse.png\n"), Some("hat_diffuse.png"));
        assert_eq!(picture_of("name hat\n"), None);
    }
}
