//! The messages of ONNX files, as far as our graphs need them, and how they are written.
//!
//! Fields and tags are those of
//! [`onnx.proto`](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), version 8 of the
//! intermediate representation. Writing protocol buffers takes three kinds of field; the libraries
//! for them bring macros that change the features of what burn is built from.

/// `TensorProto.DataType.FLOAT`
pub(super) const FLOAT: i64 = 1;
/// `TensorProto.DataType.INT64`
pub(super) const INT64: i64 = 7;

/// A whole file: `ModelProto`.
pub(super) struct Model {
    pub ir_version: i64,
    pub producer_name: &'static str,
    pub producer_version: &'static str,
    pub doc: String,
    pub graph: GraphProto,
    /// Version of ONNX's own operators.
    pub opset: i64,
}

/// Nodes in an order in which they can be computed, and the constants that they use: `GraphProto`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct GraphProto {
    pub name: String,
    pub nodes: Vec<Node>,
    pub constants: Vec<Constant>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

/// One operation with one output: `NodeProto`.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    /// An empty name stands for an optional input that is left out.
    pub inputs: Vec<String>,
    pub output: String,
    pub name: String,
    pub op: String,
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// A setting of an operation: `AttributeProto`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Text(&'static str),
    Ints(Vec<usize>),
}

/// A constant: `TensorProto`.
#[derive(Debug, PartialEq)]
pub(super) struct Constant {
    pub name: String,
    /// [`FLOAT`] or [`INT64`]
    pub element: i64,
    pub shape: Vec<usize>,
    /// Little endian.
    pub bytes: Vec<u8>,
}

/// Name and type of an input or an output: `ValueInfoProto`.
#[derive(Debug, PartialEq)]
pub(super) struct Port {
    pub name: String,
    /// [`FLOAT`] or [`INT64`]
    pub element: i64,
    pub shape: Vec<usize>,
}

impl Model {
    /// The bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let opset = Message::default().text(1, "").int(2, self.opset);
        let model = Message::default()
            .int(1, self.ir_version)
            .text(2, self.producer_name)
            .text(3, self.producer_version)
            .text(6, &self.doc)
            .message(7, &self.graph.encode())
            .message(8, &opset);
        model.0
    }
}

impl GraphProto {
    fn encode(&self) -> Message {
        let graph = self.nodes.iter().fold(Message::default(), |graph, node| graph.message(1, &node.encode()));
        let graph = graph.text(2, &self.name);
        let graph = self.constants.iter().fold(graph, |graph, constant| graph.message(5, &constant.encode()));
        let graph = self.inputs.iter().fold(graph, |graph, port| graph.message(11, &port.encode()));
        self.outputs.iter().fold(graph, |graph, port| graph.message(12, &port.encode()))
    }
}

impl Node {
    fn encode(&self) -> Message {
        let node = self.inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, &self.output).text(3, &self.name).text(4, &self.op);
        self.attributes.iter().fold(node, |node, (name, value)| node.message(5, &value.encode(name)))
    }
}

impl Attribute {
    fn encode(&self, name: &str) -> Message {
        let attribute = Message::default().text(1, name);
        match self {
            Self::Float(value) => attribute.float(2, *value).int(20, 1),
            Self::Int(value) => attribute.int(3, *value).int(20, 2),
            Self::Text(value) => attribute.text(4, value).int(20, 3),
            Self::Ints(values) => attribute.sides(8, values).int(20, 7),
        }
    }
}

impl Constant {
    fn encode(&self) -> Message {
        Message::default().sides(1, &self.shape).int(2, self.element).text(8, &self.name).bytes(9, &self.bytes)
    }
}

impl Port {
    fn encode(&self) -> Message {
        let shape = self
            .shape
            .iter()
            .fold(Message::default(), |shape, &side| shape.message(1, &Message::default().int(1, side as i64)));
        let tensor = Message::default().int(1, self.element).message(2, &shape);
        Message::default().text(1, &self.name).message(2, &Message::default().message(1, &tensor))
    }
}

/// The bytes of a message in the making. Fields that are given are written, even if they are 0.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    const VARINT: u64 = 0;
    const DELIMITED: u64 = 2;
    const FOUR_BYTES: u64 = 5;

    fn int(mut self, tag: u64, value: i64) -> Self {
        self.varint(tag << 3 | Self::VARINT);
        self.varint(value as u64);
        self
    }

    fn float(mut self, tag: u64, value: f32) -> Self {
        self.varint(tag << 3 | Self::FOUR_BYTES);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, tag: u64, bytes: &[u8]) -> Self {
        self.varint(tag << 3 | Self::DELIMITED);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, tag: u64, text: &str) -> Self {
        self.bytes(tag, text.as_bytes())
    }

    fn message(self, tag: u64, message: &Message) -> Self {
        self.bytes(tag, &message.0)
    }

    /// Repeated numbers, not packed, as in all files of that age.
    fn sides(self, tag: u64, sides: &[usize]) -> Self {
        sides.iter().fold(self, |message, &side| message.int(tag, side as i64))
    }

    /// Seven bits a byte, the lowest first; all but the last have the eighth bit set.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field as it is read back.
    #[derive(Debug, PartialEq)]
    enum Field {
        Int(i64),
        Float(f32),
        Bytes(Vec<u8>),
    }

    /// Takes a message apart.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
            let (number, rest) = bytes.split_at(length);
            *bytes = rest;
            number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
        }
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = match key & 7 {
                Message::VARINT => Field::Int(varint(&mut bytes) as i64),
                kind => {
                    let length = if kind == Message::FOUR_BYTES { 4 } else { varint(&mut bytes) as usize };
                    let (value, rest) = bytes.split_at(length);
                    bytes = rest;
                    match kind {
                        Message::FOUR_BYTES => Field::Float(f32::from_le_bytes(value.try_into().unwrap())),
                        Message::DELIMITED => Field::Bytes(value.to_vec()),
                        _ => panic!("kind {kind}"),
                    }
                }
            };
            found.push((key >> 3, field));
        }
        found
    }

    fn text(text: &str) -> Field {
        Field::Bytes(text.as_bytes().to_vec())
    }

    /// The only field `tag` of a message, itself a message.
    fn inner(fields: &[(u64, Field)], tag: u64) -> Vec<(u64, Field)> {
        let mut found = fields.iter().filter(|(found, _)| *found == tag);
        match (found.next(), found.next()) {
            (Some((_, Field::Bytes(bytes))), None) => self::fields(bytes),
            other => panic!("field {tag}: {other:?}"),
        }
    }

    #[test]
    fn the_file_reads_back_as_it_was_written() {
        let node = Node {
            inputs: vec!["x".into(), String::new()],
            output: "y".into(),
            name: "y".into(),
            op: "Softmax".into(),
            attributes: vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(0.5))],
        };
        let bytes = vec![7; 300];
        let constant = Constant { name: "c".into(), element: FLOAT, shape: vec![75, 1], bytes: bytes.clone() };
        let port = Port { name: "x".into(), element: INT64, shape: vec![2, 300] };
        let (nodes, constants, inputs) = (vec![node], vec![constant], vec![port]);
        let graph = GraphProto { name: "g".into(), nodes, constants, inputs, outputs: Vec::new() };
        let model =
            Model { ir_version: 8, producer_name: "lfdm", producer_version: "1", doc: "why".into(), graph, opset: 17 };

        let model = fields(&model.encode());
        assert_eq!(model[0], (1, Field::Int(8)));
        assert_eq!(inner(&model, 8), [(1, text("")), (2, Field::Int(17))]);
        let graph = inner(&model, 7);
        let node = inner(&graph, 1);
        assert_eq!(node[..5], [(1, text("x")), (1, text("")), (2, text("y")), (3, text("y")), (4, text("Softmax"))]);
        let attributes: Vec<_> = node[5..].iter().map(|field| inner(std::slice::from_ref(field), 5)).collect();
        assert_eq!(attributes[0], [(1, text("axis")), (3, Field::Int(-1)), (20, Field::Int(2))]);
        assert_eq!(attributes[1], [(1, text("epsilon")), (2, Field::Float(0.5)), (20, Field::Int(1))]);
        let sides = [(1, Field::Int(75)), (1, Field::Int(1))];
        let rest = [(2, Field::Int(FLOAT)), (8, text("c")), (9, Field::Bytes(bytes))];
        assert_eq!(inner(&graph, 5), sides.into_iter().chain(rest).collect::<Vec<_>>());
        let port = inner(&graph, 11);
        let tensor = inner(&inner(&port, 2), 1);
        assert_eq!((&port[0], &tensor[0]), (&(1, text("x")), &(1, Field::Int(INT64))));
        let sides: Vec<_> = inner(&tensor, 2).iter().map(|side| inner(std::slice::from_ref(side), 1)).collect();
        assert_eq!(sides, [[(1, Field::Int(2))], [(1, Field::Int(300))]]);
    }
}
