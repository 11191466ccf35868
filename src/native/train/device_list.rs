//! `--devices`: how many, or which.

use std::fmt;
use std::str::FromStr;

use super::remote::Address;

/// Devices that share the parts of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeviceList {
    /// The first ones of this machine.
    First(u16),
    /// These, at least one.
    Named(Vec<Seat>),
}

/// A device in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seat {
    /// One of this machine, by the name of its kind.
    Here(String),
    /// One of a worker.
    There(Address),
}

impl Default for DeviceList {
    fn default() -> Self {
        Self::First(1)
    }
}

impl DeviceList {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::First(count) => usize::from(*count),
            Self::Named(seats) => seats.len(),
        }
    }

    /// Those of this machine.
    pub(crate) fn local_count(&self) -> u16 {
        match self {
            Self::First(count) => *count,
            Self::Named(_) => self.local_names().count() as u16,
        }
    }

    /// What those of this machine that are named are called.
    pub(crate) fn local_names(&self) -> impl Iterator<Item = &String> {
        self.seats().iter().filter_map(|seat| match seat {
            Seat::Here(name) => Some(name),
            Seat::There(_) => None,
        })
    }

    pub(crate) fn workers(&self) -> impl Iterator<Item = &Address> {
        self.seats().iter().filter_map(|seat| match seat {
            Seat::Here(_) => None,
            Seat::There(address) => Some(address),
        })
    }

    fn seats(&self) -> &[Seat] {
        match self {
            Self::First(_) => &[],
            Self::Named(seats) => seats,
        }
    }
}

impl FromStr for DeviceList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MOST: usize = 1024;
        if let Ok(count) = text.parse() {
            return if count > 0 {
                Ok(Self::First(count))
            } else {
                Err("there must be at least one device".to_owned())
            };
        }
        let seat = |word: &str| match word.parse() {
            Ok(address) => Ok(Seat::There(address)),
            Err(_) if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-') => {
                Ok(Seat::Here(word.to_owned()))
            }
            Err(_) => Err(format!(
                "`{word}` is neither a number of devices, nor a device of this machine, such as cpu, nor the address \
                 of a worker, such as ws://192.168.0.7:3000"
            )),
        };
        let seats = text.split(',').map(|word| seat(word.trim())).collect::<Result<Vec<_>, _>>()?;
        let is_twice = |(place, seat): (usize, &Seat)| matches!(seat, Seat::There(_)) && seats[..place].contains(seat);
        if let Some((_, Seat::There(address))) = seats.iter().enumerate().find(|&seat| is_twice(seat)) {
            return Err(format!("{address} is named twice, and has one device"));
        }
        if seats.len() > MOST { Err(format!("more than {MOST} devices")) } else { Ok(Self::Named(seats)) }
    }
}

impl fmt::Display for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(count) => write!(f, "{count}"),
            Self::Named(seats) => {
                let words: Vec<String> = seats.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(name) => f.write_str(name),
            Self::There(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_counted_or_named() {
        let counts = |text: &str| {
            let list: DeviceList = text.parse().unwrap();
            assert_eq!(list.to_string(), text);
            (list.len(), list.local_count(), list.workers().count())
        };
        assert_eq!(counts("3"), (3, 3, 0));
        assert_eq!(counts("cpu,cpu"), (2, 2, 0));
        assert_eq!(counts("cpu,ws://a:3000,ws://b:3000"), (3, 1, 2));
        assert_eq!(counts("ws://a:3000"), (1, 0, 1));
    }

    #[test]
    fn what_is_no_device_is_named() {
        for (text, word) in [
            ("cpu,http://a:3000", "`http://a:3000` is neither"),
            ("ws://a", "`ws://a` is neither"),
            ("cpu,,cpu", "`` is neither"),
            ("", "`` is neither"),
            ("0", "at least one"),
            ("-1", "`-1` is neither"),
            ("70000", "`70000` is neither"),
            ("ws://a:1,ws://a:1/", "ws://a:1 is named twice"),
        ] {
            let message = text.parse::<DeviceList>().unwrap_err();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
